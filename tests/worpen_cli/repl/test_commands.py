"""The commands of the prompt, each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.language.functions import FUNCTIONS
from tests.worpen_cli.repl.conftest import Say
from worpen_cli.repl.commands import COMMANDS, expression_of, names_of
from worpen_cli.repl.conversation import Conversation


def test_help_lists_everything(say: Say) -> None:
    out, _ = say(":help")
    assert all(row.usage in out and row.doc in out for row in COMMANDS.values())


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_help_runs_the_examples_of_a_function(name: str, say: Say) -> None:
    out, err = say(f":help {name}")
    assert err == ""
    assert out.startswith(f"{name}(")
    shown = [line for line in out.splitlines() if "  →  " in line]
    assert len(shown) == len(FUNCTIONS[name].examples)
    assert "error[" not in "".join(shown)


@pytest.mark.parametrize(
    ("name", "words"),
    [("fire", ":fire [MESSAGE]"), (":fire", ":fire"), ("params", "on_connect"), ("on_auth", "Reject")],
)
def test_help_knows_more(name: str, words: str, say: Say) -> None:
    assert words in say(f":help {name}")[0]


def test_help_for_nothing(say: Say) -> None:
    assert "did you mean `upper`?" in say(":help uper")[1]


def test_types_and_variables(say: Say) -> None:
    out, _ = say("a = 'abc'", ":type a", ":type [a]", ":type 1", ":vars")
    assert out == '"abc"\ntext of 3\nlist of 1\nnumber\na = "abc"\n'


def test_inspection(say: Say) -> None:
    assert "Binary +  0..5" in say("a = 1", ":ast a + 1")[0]
    assert "ADD" in say(":bytecode a + 1")[0]
    assert "def expression(" in say(":python a + 1")[0]
    assert say(":trace a + 1")[0].endswith("= 2\n")
    assert "µs a run of CPU" in say(":time a + 1")[0]


@pytest.mark.parametrize("name", [name for name, row in COMMANDS.items() if row.argument == "expression"])
def test_what_needs_an_expression_says_so(name: str, say: Say) -> None:
    assert f"write :{name} EXPR" in say(f":{name}")[1]
    assert "unknown-variable" in say(f":{name} 1 + nope")[1]


@pytest.mark.parametrize("name", ["hook", "message hi", "next", "fire"])
def test_what_needs_a_route_says_so(name: str, say: Say) -> None:
    assert "no route is loaded" in say(f":{name}")[1]


def test_a_route_is_loaded_and_played(route: Path, say: Say) -> None:
    out, err = say(":load room.yaml#Room")
    assert err == ""
    assert "room.yaml  Room  /ws/room/room  on_message" in out
    assert "on_connect ran before: 1 effect" in out
    out, _ = say(':fire {"a": 1}')
    assert out.splitlines() == [
        'room.yaml:22  WsOp     publish  message: "somebody: {\\"a\\":1}"  channel: "room"  → 1',
        "set count = 1",
        'set last_words = "{\\"a\\": 1}"',
    ]


def test_faults_have_their_line(route: Path, say: Say) -> None:
    out, _ = say(":load room.yaml#Room", ":fire not json")
    assert "room.yaml:25:" in out
    assert "error[" in out


def test_messages_come_from_files(route: Path, say: Say) -> None:
    Path("m.ndjson").write_text('"1"\n{"b": 2}\n\n[3]\n', encoding="utf-8")
    Path("m.txt").write_text("all\nof it", encoding="utf-8")
    assert say(":load room.yaml#Room", ":message @m.txt")[0].endswith('message = "all\\nof it"\n')
    assert "3 messages wait" in say(":message @m.ndjson")[0]
    assert say("message")[0] == '"1"\n'
    assert say(":next", ":next")[0] == '2 of 3\nmessage = "{\\"b\\": 2}"\n3 of 3\nmessage = "[3]"\n'
    assert "that was the last of 3 messages" in say(":next")[1]
    assert "3 messages wait" in say(":load m.ndjson")[0]
    assert say(":message by hand")[0] == 'message = "by hand"\n'


def test_hooks_begin_anew(route: Path, say: Say) -> None:
    out, _ = say(":load room.yaml#Room", "count = 5", ":hook on_disconnect", "close_code", "count")
    assert out.endswith("1000\n0\n")
    assert 'publish  message: "nothing 1000"' in say(":fire")[0]
    assert "did you mean `on_message`?" in say(":hook on_mesage")[1]
    assert "on_disconnect" in say(":hook")[0]


def test_a_route_is_loaded_again_after_a_change(route: Path, say: Say) -> None:
    say(":load room.yaml#Room", ":message 5")
    route.write_text(route.read_text(encoding="utf-8").replace("visitor }}:", "visitor }} says"), encoding="utf-8")
    assert 'message: "somebody says 5"' in say(":load room.yaml#Room", ":fire")[0]


def test_broken_routes_show_what_is_wrong(route: Path, say: Say) -> None:
    Path("broken.yaml").write_text(route.read_text(encoding="utf-8").replace("{{ visitor }}:", "{{ vistor }}:"))
    assert "did you mean `visitor`?" in say(":load broken.yaml")[1]
    assert "no such file" in say(":load none.yaml")[1]
    assert "which one?" in say(":load room.yaml")[1]
    assert "did you mean `Room`?" in say(":load room.yaml#Rom")[1]


def test_lines_are_saved_and_loaded(conversation: Conversation, say: Say, tmp_path: Path) -> None:
    file = tmp_path / "a b.txt"
    say("a = [1,\n 2]", "nope", "a | sum", f":save {file}")
    conversation.variables.clear()
    assert say(f":load {file}") == ("[1,2]\n3\n", "")
    assert "no-such" in say(":load no-such")[1]
    assert str(tmp_path) in say(f":save {tmp_path}")[1]
    assert "write :save FILE" in say(":save")[1]
    assert "write :load FILE" in say(":load")[1]


def test_vectors_are_saved(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "v.json"
    say("a = 1", "b = 2", "a + 1", "a.x", "hi {{ b }}", f":save {file}")
    assert json.loads(file.read_text(encoding="utf-8"))[2:] == [
        {"expr": "a + 1", "vars": {"a": 1}, "expect": 2},
        {"expr": "a.x", "vars": {"a": 1}, "error": True},
        {"template": "hi {{ b }}", "mode": "value", "vars": {"b": 2}, "expect": "hi 2"},
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [(":type a + 1", ("a + 1", 6)), ("  :time x", ("x", 8)), (":vars", None), (":nope x", None), (":type", ("", 5))],
)
def test_what_a_command_evaluates(line: str, found: tuple[str, int] | None) -> None:
    assert expression_of(line) == found


def test_names_behind_commands() -> None:
    assert "on_connect" in dict(names_of("hook"))
    assert {"upper", ":fire", "params"} <= dict(names_of("name")).keys()
    assert not dict(names_of("file"))
