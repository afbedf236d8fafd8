"""What the prompt does with each input."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from compiler.pipeline import Settings
from worpen_cli.console import Console
from worpen_cli.evaluation import Evaluator
from worpen_cli.prompt import COMMANDS, Conversation, Leave, blocks, history_path


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(Evaluator(Settings()), Console(environment={}))


def said(conversation: Conversation, capsys: pytest.CaptureFixture[str], *inputs: str) -> tuple[str, str]:
    for text in inputs:
        conversation.take(text)
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_values_and_variables(conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(conversation, capsys, "a = [1,\n2]", "a | sum", "{{ a }}!", "  ", ":vars", ":type a")
    assert out == '[1,2]\n3\n"[1,2]!"\na = [1,2]\na list\n'
    assert err == ""


def test_mistakes_are_shown_and_it_goes_on(conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(conversation, capsys, "x = {b: null}", "nope", "x.b.c", "1")
    assert out == '{"b":null}\n1\n'
    assert "unknown-variable" in err
    assert "type-error" in err
    assert conversation.entered == ["x = {b: null}", "1"]


def test_help(conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(conversation, capsys, ":help")
    assert all(f":{name}" in out for name in COMMANDS)
    out, _ = said(conversation, capsys, ":help starts_with")
    assert out.startswith("starts_with(")


@pytest.mark.parametrize(
    ("text", "advice"), [(":hepl", "did you mean `help`?"), (":help uper", "did you mean `upper`?")]
)
def test_unknown_names(text: str, advice: str, conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    assert advice in said(conversation, capsys, text)[1]


def test_instructions_and_time(conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ADD" in said(conversation, capsys, "a = 1", ":bytecode a + 1")[0]
    assert "µs a run" in said(conversation, capsys, ":time a + 1")[0]


def test_what_was_entered_can_be_saved_and_loaded(
    conversation: Conversation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "a b.txt"
    said(conversation, capsys, "a = [1,\n 2]", "a | sum", f":save {file}")
    fresh = Conversation(conversation.evaluator, conversation.console)
    assert said(fresh, capsys, f":load {file}") == ("[1,2]\n3\n", "")
    assert "no-such" in said(fresh, capsys, ":load no-such")[1]
    assert str(tmp_path) in said(fresh, capsys, f":save {tmp_path}")[1]


def test_leaving(conversation: Conversation) -> None:
    with pytest.raises(Leave):
        conversation.take(":quit")


def test_lines_become_blocks() -> None:
    assert blocks(["1", "[1,", "2]", "(", "x"]) == ["1", "[1,\n2]", "(\nx"]


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
