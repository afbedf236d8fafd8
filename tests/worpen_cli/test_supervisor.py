"""Workers under a supervisor: a stand-in for a worker tells that it is ready, and obeys signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from worpen_cli import supervisor
from worpen_cli.supervisor import Supervisor

STAND_IN = """
import os, signal, sys, time
from worpen_cli.readiness import READY, tell
from worpen_cli.supervisor import own_place
log = open(sys.argv[1], "a", buffering=1)
me = os.environ["WORPEN_WORKER"]
def stop(number, frame):
    log.write(f"stop {me} {number}\\n")
    sys.exit(0)
def reload(number, frame):
    log.write(f"reload {me}\\n")
    tell(READY)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGHUP, reload)
log.write(f"start {me} {os.getpid()} {own_place() == (os.path.dirname(os.environ['NOTIFY_SOCKET']), me)}\\n")
if "fail" in sys.argv:
    sys.exit(3)
tell(READY)
while True:
    time.sleep(0.05)
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


class Trial:
    """A supervisor over stand-ins, and what they wrote."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
        self.log = folder / "log"
        self.log.touch()
        program = folder / "worker.py"
        program.write_text(STAND_IN)
        started = asyncio.create_subprocess_exec

        async def start(*_: str, env: dict[str, str]) -> Any:
            path = os.pathsep.join(filter(None, [os.getcwd(), env.get("PYTHONPATH", "")]))
            return await started(sys.executable, str(program), str(self.log), *words, env={**env, "PYTHONPATH": path})

        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
        monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.05)
        self.notes: list[dict[str, Any]] = []
        self.running = asyncio.create_task(Supervisor([], 5.0, self.notes.append).run(2))

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    async def until(self, holds: Callable[[list[str]], bool]) -> None:
        for _ in range(1000):
            if holds(self.lines()):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.lines())


@pytest.fixture
async def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trial]:
    made = Trial(tmp_path, monkeypatch)
    yield made
    if not made.running.done():
        os.kill(os.getpid(), signal.SIGTERM)
        await made.running


async def ready(trial: Trial) -> None:
    await trial.until(lambda _: bool(trial.notes))
    assert trial.notes[0]["event"] == "workers_ready"


async def test_all_start_and_all_stop(trial: Trial) -> None:
    await ready(trial)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(trial.running, 20) == 0
    assert [line.split()[:2] for line in trial.lines()[:2]] == [["start", "1"], ["start", "2"]]
    assert sorted(trial.lines()[2:]) == ["stop 1 15", "stop 2 15"]


async def test_each_worker_knows_its_place_and_where_to_tell_the_others(trial: Trial) -> None:
    await ready(trial)
    assert [line.split()[3] for line in trial.lines()[:2]] == ["True", "True"]


def test_who_is_no_worker_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(supervisor.FOLDER, raising=False)
    monkeypatch.setenv(supervisor.WORKER, "1")
    assert supervisor.own_place() is None


async def test_a_worker_that_is_killed_comes_back(trial: Trial) -> None:
    await ready(trial)
    os.kill(int(trial.lines()[0].split()[2]), signal.SIGKILL)
    await trial.until(lambda lines: sum(line.startswith("start 1") for line in lines) == 2)
    assert {"event": "worker_ended", "level": "error", "worker": 1, "code": -9} in trial.notes


async def test_a_reload_reaches_one_after_the_other(trial: Trial) -> None:
    await ready(trial)
    os.kill(os.getpid(), signal.SIGHUP)
    await trial.until(lambda lines: lines[-2:] == ["reload 1", "reload 2"])


async def test_a_worker_that_cannot_start_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Trial(tmp_path, monkeypatch, "fail")
    assert await asyncio.wait_for(trial.running, 20) == 3
    assert [line.split()[:2] for line in trial.lines()] == [["start", "1"]]
