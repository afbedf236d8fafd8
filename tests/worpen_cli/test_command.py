"""Defaults of options: flag before environment before project file, and help that begins with examples."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from worpen_cli.command import Command, Invocation, flag_name
from worpen_cli.console import Console, Stop
from worpen_cli.project import find_project


@click.group(context_settings={"auto_envvar_prefix": "WORPEN"})
def group() -> None:
    """A group."""


@group.command("paint", cls=Command, examples=(("worpen paint", "paint it"),))
@click.option("--coats", type=click.IntRange(1, 9), default=2)
@click.option("--two-tone", is_flag=True)
@click.option("--prefix", default="/api")
def paint(coats: int, two_tone: bool, prefix: str) -> tuple[int, bool, str]:
    """Paint something."""
    return coats, two_tone, prefix


def run(folder: Path, *arguments: str) -> object:
    invocation = Invocation(Console(environment={}), find_project(folder))
    return group.main(args=["paint", *arguments], standalone_mode=False, obj=invocation)


def test_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path) == (2, False, "/api")
    (tmp_path / "worpen.toml").write_text('prefix = "/p"\n[paint]\ncoats = 3\ntwo-tone = true\n')
    assert run(tmp_path) == (3, True, "/p")
    monkeypatch.setenv("WORPEN_PAINT_COATS", "4")
    assert run(tmp_path) == (4, True, "/p")
    assert run(tmp_path, "--coats", "5", "--prefix", "/f") == (5, True, "/f")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[paint]\ncoast = 3", "unknown key `paint.coast`"),
        ("pefix = '/a'", "unknown key `pefix`"),
        ("[paint]\ncoats = 'many'", "`paint.coats` is not right"),
        ("[paint]\ncoats = 10", "`paint.coats` is not right"),
        ("paint = 1", "`paint` is a table"),
    ],
)
def test_a_wrong_default_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "worpen.toml").write_text(text)
    with pytest.raises(Stop, match=complaint):
        run(tmp_path)


def test_an_unknown_key_gets_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").write_text("[paint]\ncoast = 3\n")
    with pytest.raises(Stop) as stop:
        run(tmp_path)
    assert stop.value.help == "did you mean `coats`?"


def test_help_works_with_a_wrong_project_file_and_begins_with_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "worpen.toml").write_text("nonsense = 1\n")
    run(tmp_path, "-h")
    shown = capsys.readouterr().out
    assert shown.index("Paint something") < shown.index("worpen paint  ") < shown.index("Usage:")
    assert "--coats" in shown


def test_common_options_are_taken(tmp_path: Path) -> None:
    invocation = Invocation(Console(environment={}), find_project(tmp_path))
    group.main(args=["paint", "--color", "always", "--debug"], standalone_mode=False, obj=invocation)
    assert (invocation.console.color, invocation.console.debug) == ("always", True)


def test_the_name_of_a_flag() -> None:
    assert flag_name(click.Option(["-o", "--two-tone"])) == "two-tone"
