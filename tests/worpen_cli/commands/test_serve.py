"""Starts of `worpen serve` that fail; what it does as a whole is tested end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worpen_cli.commands.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.yaml"], 2, "missing.yaml"),
        (["missing.wbc"], 2, "missing.wbc"),
        (["-"], 2, "come from files"),
        (["good.yaml", "--bus", "http://nowhere"], 2, "--bus: Redis URL must"),
        (["junk.wbc"], 3, "not a worpen program"),
        (["broken.yaml"], 1, "1 error"),
        (["good.yaml", "good.wbc"], 1, "have the same address"),
        (["good.yaml", "--limit", "fule=1"], 2, "fuel"),
    ],
)
def test_a_start_that_fails_says_why(run: Run, folder: Path, arguments: list[str], code: int, said: str) -> None:
    run("compile", "good.yaml")
    (folder / "junk.wbc").write_text("junk")
    done = run("serve", "--port", "0", *arguments)
    assert (done.code, said in done.err) == (code, True), done.err


def test_the_limits_are_listed(run: Run, folder: Path) -> None:
    shown = run("serve", "--print-limits", "--limit", "fuel=7").out
    assert "max_message_bytes" in shown
    assert any(line.split()[:3] == ["fuel", "7", "flag"] for line in shown.splitlines())
