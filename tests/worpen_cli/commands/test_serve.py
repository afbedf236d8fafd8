"""Starts of `worpen serve` that fail; what it does as a whole is tested end to end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.server.settings import Settings
from tests.worpen_cli.commands.conftest import Run
from worpen_cli.commands.serve import Options, Production
from worpen_cli.console import Console
from worpen_cli.project import Project


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


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)


async def test_a_bug_in_a_reload_does_not_end_reloading(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    options = Options(("good.yaml",), Settings(port=0), None, False, True, False)
    production = Production(options, Project("."), Console())
    swap, calls = production.app.swap, []

    def fail_once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyError("a bug")
        return swap(*arguments)

    serving = asyncio.create_task(production.serve())
    async with asyncio.timeout(20):
        await until(lambda: bool(production.app.addresses))
        monkeypatch.setattr(production.app, "swap", fail_once)
        for number in (1, 2):
            production.signalled(signal.SIGHUP)
            await until(lambda number=number: len(calls) == number and production._reloading is None)  # type: ignore[misc]
        production.signalled(signal.SIGTERM)
        assert await serving == 0
    production.journal.close()
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [event["reasons"] for event in told if event["event"] == "not_reloaded"] == [
        ["a bug of worpen: KeyError: 'a bug'"]
    ]
    start, reload = [event for event in told if event["event"] == "swapped"]
    assert (start["added"], reload["unchanged"]) == (["/ws/echo"], ["/ws/echo"])
