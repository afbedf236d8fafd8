"""The prompt of `worpen repl` at a terminal: keys, menus, the bottom line, and what is on the screen."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compiler.language.functions import FUNCTIONS
from compiler.language.values import Kind
from tests.conftest import PROJECT
from tests.e2e.cli import environment, worpen
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")

CTRL_C, CTRL_D, CTRL_R, TAB, UP, ESCAPE, BACKSPACE = "\x03", "\x04", "\x12", "\t", "\x1b[A", "\x1b", "\x7f"
PASTE = ("\x1b[200~", "\x1b[201~")
Open = Callable[..., Terminal]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worpen.toml").touch()
    shutil.copy(PROJECT / "examples" / "rooms.yaml", tmp_path)
    (tmp_path / "messages.ndjson").write_text('"first"\n"second"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
def prompt(folder: Path) -> Iterator[Open]:
    """Open a prompt in the folder, with the history of the folder; each ends by Ctrl-D, and well."""
    opened: list[Terminal] = []

    def open_one(*arguments: str, **options: str | int) -> Terminal:
        terminal = Terminal("repl", *arguments, cwd=folder, XDG_STATE_HOME=str(folder / "state"), **options)  # type: ignore[arg-type]
        terminal.wait_for("> ".rstrip())
        opened.append(terminal)
        return terminal

    yield open_one
    for terminal in opened:
        terminal.type(CTRL_C + CTRL_D)
        assert terminal.end() == 0


def preview(terminal: Terminal, text: str) -> None:
    """Wait for a text in the bottom line; on a busy machine a look may have taken too long, so look again."""
    terminal.insist_on(text, " ", BACKSPACE)


# Editing.


def test_several_lines_are_one_entry_of_the_history(prompt: Open, folder: Path) -> None:
    terminal = prompt()
    terminal.type("a = [1,\r")
    terminal.wait_for("...>")
    terminal.type("20]\r")
    terminal.wait_for("\n[1,20]\nworpen>")
    terminal.type("a |\r")
    terminal.wait_for("a |\n")
    terminal.type("sum\r")
    terminal.wait_for("\n21\nworpen>")
    terminal.type(UP + UP + UP)  # over the two lines of the last entry, to the one before
    terminal.type(CTRL_C)
    history = folder / "state" / "worpen" / "repl-history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    text = history.read_text(encoding="utf-8")
    assert "+a = [1,\n+20]\n" in text
    assert "+a |\n+sum\n" in text


def test_the_history_outlives_the_prompt_and_is_searched(prompt: Open) -> None:
    first = prompt()
    first.type("'needle' | upper\r")
    first.wait_for('"NEEDLE"')
    first.type("1 + 1\r")
    first.wait_for("\n2\n")
    second = prompt()
    second.type(CTRL_R + "need")
    second.wait_for("'needle' | upper")
    second.type("\r")
    second.type("\r")
    second.wait_for('"NEEDLE"')


def test_pasted_lines(prompt: Open) -> None:
    terminal = prompt()
    terminal.type(f"{PASTE[0]}x = [1,\n  2]\nx | sum\n'a' +\n 'b'{PASTE[1]}\r")
    terminal.wait_for('[1,2]\n3\n"ab"\nworpen>')


def test_alt_enter_begins_a_line(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("1" + ESCAPE + "\r")
    terminal.wait_for("...>")
    terminal.type("+ 1\r")
    terminal.wait_for("\n2\nworpen>")


def test_keys_of_vi(prompt: Open) -> None:
    terminal = prompt("--vi")
    terminal.type("1 + 12")
    terminal.wait_for("1 + 12")
    terminal.type(ESCAPE)
    terminal.process.delaybeforesend = 1.0  # Escape alone is told from a key's sequence by time
    terminal.type("x")
    terminal.process.delaybeforesend = 0.05
    terminal.type("\r")
    terminal.wait_for("\n2\nworpen>")


def test_ctrl_c_drops_the_line(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("1 + [dropped")
    terminal.wait_for("dropped")
    terminal.type(CTRL_C)
    terminal.type("'kept'\r")
    terminal.wait_for('\n"kept"\nworpen>')
    assert "error" not in terminal.text


def test_matching_brackets_stand_out(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("[(1), 2]")
    terminal.wait_for("[(1), 2]")
    terminal.type("\x02")  # the cursor on the last bracket
    terminal.until(lambda: terminal.style_of("[(1), 2]")[0].bold)


def test_colours_and_none(prompt: Open) -> None:
    coloured, plain = prompt(), prompt(NO_COLOR="1")
    for terminal in (coloured, plain):
        terminal.type("'a' | upper\r")
        terminal.wait_for('"A"')
    assert {part.fg for part in coloured.style_of("'a' | upper")} != {"default"}
    assert {part.fg for part in plain.style_of("'a' | upper")} == {"default"}
    plain.type("1 + nope")
    plain.wait_for("1 + nope")
    plain.until(lambda: all(part.underscore for part in plain.style_of("nope")))


# Completion.


def test_the_menu_of_names_and_members(prompt: Open) -> None:
    terminal = prompt("--route", "rooms.yaml", "--params", "room=lobby")
    terminal.type("par")
    terminal.wait_for("params")
    assert '{"room":"lobby"}' in terminal.line_with("object of 1")
    assert "path's `:name` segments" in terminal.line_with("object of 1")
    terminal.type(TAB + ".")
    terminal.wait_for('text of 5  "lobby"')
    terminal.type(TAB + "\r\r")
    terminal.wait_for('\n"lobby"\n')


def test_the_menu_behind_a_pipe_begins_with_what_fits(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("xs = [3, 1]\r")
    terminal.wait_for("[3,1]\n")

    def functions_of_lists_come_first() -> bool:
        rows = [line.split()[0] for line in terminal.text.splitlines() if line.startswith(" ") and "(" in line]
        kinds = [FUNCTIONS[name].parameters[0].kinds for name in rows if name in FUNCTIONS]
        of_lists = [kind == Kind.LIST for kind in kinds]
        fitting = len(rows) == len(kinds) and all(kind & Kind.LIST for kind in kinds)
        return fitting and any(of_lists) and of_lists == sorted(of_lists, reverse=True)

    # On a busy machine the value may come too late for the first menu.
    terminal.insist_on(functions_of_lists_come_first, "xs | ", CTRL_C)
    assert FUNCTIONS["last"].summary[:20] in terminal.line_with("last(list)")


def test_the_menu_of_commands(prompt: Open) -> None:
    terminal = prompt()
    terminal.type(":ti")
    terminal.wait_for(":time EXPR")
    terminal.wait_for("the median of many")
    terminal.type(CTRL_C + ":load roo")
    terminal.wait_for("rooms.yaml")


# The bottom line.


def test_type_and_value_while_typing(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("'abc' | upper")
    preview(terminal, 'text of 3  "ABC"')
    terminal.type(CTRL_C + "1 + nope")
    terminal.wait_for("unknown-variable: `nope` is not set")
    assert [part.underscore for part in terminal.style_of("1 + nope")] == [False] * 4 + [True] * 4
    terminal.type(CTRL_C + "[1,")
    terminal.wait_for("goes on in the next line")
    terminal.type(CTRL_C + "now()")
    terminal.wait_for("\ntext")
    terminal.type(CTRL_C + ":type ")
    terminal.type(CTRL_C + ":vars")
    terminal.wait_for("all names and their values")


@pytest.mark.parametrize("columns", [20, 33, 60])
def test_narrow_terminals(prompt: Open, columns: int) -> None:
    terminal = prompt(columns=columns, rows=12)
    terminal.type("'abcdefghijklmnopqrstuvwxyz' | upper")
    terminal.type("\r\r")
    terminal.wait_for("XYZ")
    terminal.type(":fire\r")
    terminal.wait_for("route")


# Scope.


def test_a_route_is_played(prompt: Open, folder: Path) -> None:
    terminal = prompt("--route", "rooms.yaml", "--hook", "on_message", "--message", "hi", "--params", "room=lobby")
    terminal.wait_for("rooms.yaml  Multi-Room Chat  /ws/chat/lobby  on_message")
    terminal.type("message | upper\r")
    terminal.wait_for('\n"HI"\n')
    terminal.type(":fire\r")
    terminal.wait_for('rooms.yaml:26  WsOp     publish  message: "hi"  channel: "lobby"  → 1')
    terminal.type(":message @messages.ndjson\r")
    terminal.wait_for("2 messages wait")
    terminal.type(":next\r")
    terminal.wait_for("2 of 2")
    terminal.type(":fire\r")
    terminal.wait_for('message: "second"')
    terminal.type(":hook on_connect\r")
    terminal.wait_for("on_connect>")
    terminal.type(":save talk.test.yaml\r")
    terminal.wait_for("wrote talk.test.yaml")
    assert "/ws/chat/lobby" in (folder / "talk.test.yaml").read_text(encoding="utf-8")


def test_a_route_is_loaded_at_the_prompt(prompt: Open) -> None:
    terminal = prompt()
    terminal.type(":fire\r")
    terminal.wait_for("no route is loaded")
    terminal.type(":load rooms.yaml\r")
    terminal.wait_for("on_message>")
    terminal.type(":vars\r")
    terminal.wait_for('room = "room"')


# Inspection.


COMMANDS = {
    ":type [1]": "list of 1",
    ":ast 1 + x": "Binary +  0..5",
    ":bytecode 1 + x": "ADD",
    ":python 1 + x": "def expression(",
    ":trace 1 + x": "= 3",
    ":time 1 + x": "the median of",
    ":vars": "x = 2",
    ":help round": "round(number, digits?)",
    ":nope": "no such command",
    ":attach ws://localhost:1/?token=a": "`worpen dev` prints its address",
    ":help": ":bytecode EXPR",
}


def test_commands(prompt: Open) -> None:
    terminal = prompt(rows=100)
    terminal.type("x = 2\r")
    terminal.wait_for("\n2\nworpen>")
    for command, shown in COMMANDS.items():
        terminal.type(f"{command}\r")
        terminal.wait_for(shown)


# What must not hang or obey.


def test_a_hung_expression_runs_out_of_fuel(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("xs = range(0, 1000)\r")
    terminal.type("xs | map('range(0, 1000) | map(\"item\") | length') | length\r")
    terminal.wait_for("out-of-fuel")


def test_hostile_values_are_shown(prompt: Open) -> None:
    terminal = prompt()
    terminal.type("x = {'\\u001b[2J': '\\u001b]0;gone\\u0007\\u202e'}\r")
    terminal.wait_for('{"\\u001b[2J":"\\u001b]0;gone\\u0007\\u202e"}')
    terminal.type("x.")
    terminal.wait_for("\\x1b[2J")
    assert "worpen>" in terminal.text


# No terminal.


def test_without_a_terminal_there_are_lines(folder: Path) -> None:
    done = worpen(
        "repl", "--route", "rooms.yaml", "--params", "room=a", stdin="params.room\nb = 1\nb + 1\n", cwd=folder
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '"a"\n2\n', "")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--hook", "on_message"), ("--json", "--route", "rooms.yaml"), ("--route", "none.yaml"),
        ("--route", "rooms.yaml", "--hook", "on_mesage"), ("--route", "rooms.yaml", "--params", "room"),
        ("--route", "rooms.yaml", "--message", "@none.txt"),
    ],
)  # fmt: skip
def test_wrong_use(folder: Path, arguments: tuple[str, ...]) -> None:
    done = worpen("repl", *arguments, "-c", "1", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


def test_a_broken_route(folder: Path) -> None:
    path = folder / "rooms.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{{ message", "{{ mesage"), encoding="utf-8")
    done = worpen("repl", "--route", "rooms.yaml", "-c", "1", cwd=folder)
    assert done.returncode == 1
    assert "did you mean `message`?" in done.stderr


def test_batches_load_no_prompt(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "worpen_cli", "repl", "-c", "1"],
        capture_output=True, env=environment(), cwd=folder, check=True,
    )  # fmt: skip
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert not loaded & {"prompt_toolkit", "pygments", "yaml", "asyncio", "websockets", "runtime.host"}
