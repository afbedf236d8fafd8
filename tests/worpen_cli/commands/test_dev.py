"""The parts of `worpen dev` that need no server; what it does as a whole is tested end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worpen_cli.commands.conftest import Run
from worpen_cli.commands.dev import sentence_of
from worpen_cli.reload import Generation


def test_what_is_said_of_a_generation() -> None:
    generation = Generation((), (), 3, ("a.yaml", "b.yaml"), ("b.yaml",), ("a.yaml",))
    assert sentence_of(generation) == (
        "3 files compiled, 1 of them new or changed, 2 broken: a.yaml, b.yaml (its last good version is served)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-"], "routes that are served come from files"),
        (["no.yaml"], "no.yaml: no such file or directory"),
        (["empty"], "no route files in empty"),
        (["good.yaml", "--port", "70000"], "70000"),
        (["good.yaml", "--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1"),
    ],
)
def test_a_start_that_fails_says_why_and_nothing_else(arguments: list[str], said: str, run: Run, folder: Path) -> None:
    (folder / "empty").mkdir()
    done = run("dev", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
