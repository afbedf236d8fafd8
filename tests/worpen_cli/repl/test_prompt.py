"""The prompt's parts that need no terminal; with one: tests/e2e/test_prompt.py."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from worpen_cli.repl.commands import expression_of
from worpen_cli.repl.conversation import Conversation
from worpen_cli.repl.preview import Previewer
from worpen_cli.repl.prompt import Menu, greet, history_path, styled
from worpen_cli.repl.scene import Scene


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_only_the_owner_reads_the_history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = history_path()
    assert path is not None
    path.chmod(0o644)
    assert history_path() == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_history_where_none_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_path() is None


def offered(conversation: Conversation, text: str, asked: bool = False) -> list[str]:
    menu = Menu(conversation, Previewer(conversation.evaluator, expression_of, 60_000_000_000))
    return [found.text for found in menu.get_completions(Document(text), CompleteEvent(completion_requested=asked))]


def test_the_menu(conversation: Conversation, tmp_path: Path) -> None:
    conversation.variables["user"] = {"name": "Ann"}
    (tmp_path / "chat.yaml").touch()
    assert offered(conversation, "us") == ["user"]
    assert offered(conversation, ":type user.") == ["name"]
    assert offered(conversation, ":fi") == [":fire"]
    assert offered(conversation, ":help fir") == ["first"]
    assert offered(conversation, ":hook on_m") == ["on_message"]
    assert offered(conversation, f":load {tmp_path}/ch") == ["at.yaml"]
    assert offered(conversation, f":message @{tmp_path}/ch") == ["at.yaml"]
    assert offered(conversation, ":nope x") == []


@pytest.mark.parametrize("text", ["", "[1, ", "1 + "])
def test_the_menu_does_not_open_uninvited(conversation: Conversation, text: str) -> None:
    assert offered(conversation, text) == []
    assert offered(conversation, text, asked=True)


def test_menu_texts_are_escaped(conversation: Conversation) -> None:
    conversation.variables["user"] = {"a\x1b]52;b": "\x1b"}
    menu = Menu(conversation, Previewer(conversation.evaluator, expression_of, 60_000_000_000))
    (found,) = menu.get_completions(Document("user."), CompleteEvent())
    assert "\x1b" not in found.display_text + found.display_meta_text


def test_mistakes_are_underlined_line_by_line() -> None:
    lines = styled("1 +\n nope", (5, 9))
    shown = ["".join(part[1] for part in line) for line in lines]
    marked = ["".join(part[1] for part in line if "mistake" in part[0]) for line in lines]
    assert shown == ["1 +", " nope"]
    assert marked == ["", "nope"]


@pytest.mark.parametrize("text", ["", ":type [1, 'a']", "hi {{ a }}\n!", "a\r\nb", "'open", "\x1b[2J", "x\n"])
def test_colours_keep_the_text(text: str) -> None:
    lines = styled(text, None)
    assert "\n".join("".join(part[1] for part in line) for line in lines) == text


def test_greetings(conversation: Conversation, scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    greet(conversation)
    conversation.scene = scene
    greet(conversation)
    out = capsys.readouterr().out
    assert ":help" in out
    assert "room.yaml  Room  /ws/room/lobby?name=Ann  on_message" in out
