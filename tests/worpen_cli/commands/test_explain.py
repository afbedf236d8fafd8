"""`worpen explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.derive.explanations import explained_names
from tests.worpen_cli.commands.conftest import Run
from worpen_cli.commands.explain import find_explanation


@pytest.mark.parametrize("name", explained_names())
def test_everything_with_a_name_is_explained(name: str) -> None:
    head, blank, *rest = find_explanation(name).splitlines()
    assert name in head
    assert blank == ""
    assert any(line.strip() for line in rest)


def test_a_finding(run: Run, folder: Path) -> None:
    done = run("explain", "w401")
    assert done.code == 0
    assert done.out.startswith("error[unknown-variable] W401: No operation sets this variable\n")
    assert "    {{ mesage }}" in done.out
    assert done.out == run("explain", "unknown-variable").out


def test_a_function_and_an_operation_by_any_spelling(run: Run, folder: Path) -> None:
    assert run("explain", "startsWith").out.startswith("starts_with(")
    assert run("explain", "ws_op").out.startswith("WsOp (also ws_op)\n")
    assert run("explain", "for_each").out.startswith("Loop (also loop, for_each, foreach)\n")


def test_control_characters_of_an_example_are_escaped(run: Run, folder: Path) -> None:
    assert "\x00" not in run("explain", "encoding").out


@pytest.mark.parametrize(
    ("name", "meant"), [("unknown-variabel", "unknown-variable"), ("Print", "Log"), ("on_open", "on_connect")]
)
def test_an_unknown_name(run: Run, folder: Path, name: str, meant: str) -> None:
    done = run("explain", name)
    assert done.code == 2
    assert f"did you mean `{meant}`?" in done.err
