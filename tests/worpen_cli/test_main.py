"""The group: which commands there are, and how a wrong command line ends."""

from __future__ import annotations

import click
import pytest

from worpen_cli import __version__
from worpen_cli.command import Command
from worpen_cli.main import EXAMPLES, LazyGroup, main, worpen

assert isinstance(worpen, LazyGroup)
COMMANDS = worpen.list_commands(click.Context(worpen))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"worpen {__version__}\n"


def test_help_leads_with_examples_and_lists_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Examples:") < shown.index("Usage:") < shown.index("Commands:")
    for name in COMMANDS:
        command = worpen.get_command(click.Context(worpen), name)
        assert command is not None
        assert (f"\n  {name} " in shown) is not command.hidden


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_its_options_allow(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = worpen.get_command(click.Context(worpen), name)
    assert isinstance(command, Command)
    assert command.examples
    assert main([name, "-h"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Examples:") < shown.index("Usage:")
    flags = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    for line, _ in command.examples:
        words = line.split(" # ")[0].split()
        assert all(word in flags for word in words if word.startswith("-") and len(word) > 1), line


@pytest.mark.parametrize("line", [line for line, _ in EXAMPLES])
def test_the_examples_of_the_group_name_commands(line: str) -> None:
    assert line.split()[1] in COMMANDS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vaildate"], "did you mean `validate`?"),
        (["../evil"], "no such command: ../evil"),
        (["a\x1b[2J"], "no such command: a\\x1b[2J"),
        (["--nope"], "No such option"),
        (["validate", "--nope"], "worpen validate --help"),
        (["validate", "--format", "xml"], "'xml' is not one of"),
        (["inspect"], "Missing argument"),
        ([], "Usage: worpen"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_the_environment_cannot_ask_for_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORPEN_VERSION", "1")
    assert main(["completion", "fish"]) == 0
    assert "worpen 0" not in capsys.readouterr().out
