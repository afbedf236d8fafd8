"""Several workers on one port: processes of `worpen serve`, started, watched, started again, and ended together.

The supervisor serves nothing itself. Each worker listens with SO_REUSEPORT, so that the kernel shares connections out
among them, and tells over a socket of its own when it is ready (`readiness`). SIGHUP is handed to one worker after the
other, each when the one before is ready again; signals that stop are handed to all at once. A worker that ends, however
it ends, is started again: a rolling restart is SIGTERM to one worker after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runtime.app import STOP_SIGNALS, signals_lead_to
from worpen_cli.console import ExitCode
from worpen_cli.listening import RELOAD_SIGNALS
from worpen_cli.readiness import READY, STOPPING, VARIABLE, tell

WORKER: Final = "WORPEN_WORKER"
"""The variable that tells a process that it is a worker, and which."""
FOLDER: Final = "WORPEN_WORKERS_FOLDER"
"""The variable that tells it where workers tell each other what they counted."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 10.0
STEADY_SECONDS: Final = 30.0
"""A worker that ran so long is started again without a longer delay than the first."""
RELOAD_SECONDS: Final = 30.0
"""The next worker is reloaded after so long, whether the one before said that it is ready or not."""
LAST_SECONDS: Final = 10.0
"""Beyond the time for a drain: then workers are killed."""

Note = Callable[[dict[str, Any]], None]
"""Writes a line of the log."""


def is_worker() -> bool:
    """Whether this process is one of a supervisor's workers."""
    return WORKER in os.environ


def own_place() -> tuple[str, str] | None:
    """Of a worker: the folder of all of them, and its number. None for any other process."""
    folder, number = os.environ.get(FOLDER), os.environ.get(WORKER)
    return (folder, number) if folder and number else None


@dataclass(slots=True)
class Worker:
    """One place for a worker, and the process that fills it now."""

    number: int
    telling: socket.socket
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    delay: float = FIRST_DELAY

    def send(self, number: int) -> None:
        """Send a signal to the process, if it is there."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


class Supervisor:
    """Keeps workers going until a signal comes. One a process."""

    def __init__(self, arguments: Sequence[str], drain_seconds: float, note: Note) -> None:
        """`arguments`: the command line of each worker, without the program."""
        self._arguments = arguments
        self._drain_seconds = drain_seconds
        self._note = note
        self._folder = ""
        self._workers: list[Worker] = []
        self._signals: list[int] = []
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, number: int) -> int:
        """Keep so many workers going; the exit code: that of a worker that could not start, else as of one server."""
        with tempfile.TemporaryDirectory(prefix="worpen-") as folder, contextlib.ExitStack() as open_sockets:
            self._folder = folder
            self._workers = [self._place(n, Path(folder), open_sockets) for n in range(1, number + 1)]
            with signals_lead_to(self._signalled, (*STOP_SIGNALS, *RELOAD_SIGNALS)):
                if (code := await self._start_all()) is not None:
                    return code
                self._note({"event": "workers_ready", "level": "info", "workers": number})
                tell(READY)
                keeping = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
                await self._stopping.wait()
                tell(STOPPING)
                await self._end(keeping)
        return ExitCode.INTERRUPTED if self._signals[0] == signal.SIGINT else ExitCode.FINE

    def _place(self, number: int, folder: Path, open_sockets: contextlib.ExitStack) -> Worker:
        telling = open_sockets.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        telling.bind(str(folder / str(number)))
        telling.setblocking(False)
        worker = Worker(number, telling)
        loop = asyncio.get_running_loop()
        loop.add_reader(telling, self._hear, worker)
        open_sockets.callback(loop.remove_reader, telling)
        return worker

    def _hear(self, worker: Worker) -> None:
        with contextlib.suppress(BlockingIOError):
            if worker.telling.recv(1024) == READY.encode():
                worker.ready.set()

    # Starting.

    async def _start(self, worker: Worker) -> None:
        worker.ready.clear()
        own = {WORKER: str(worker.number), FOLDER: self._folder, VARIABLE: str(worker.telling.getsockname())}
        environment = {**os.environ, **own}
        worker.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "worpen_cli", *self._arguments, env=environment
        )

    async def _start_all(self) -> int | None:
        """Start every worker, the first alone: if it cannot, its message is there once. The exit code of a failure."""
        for worker in self._workers:
            await self._start(worker)
            if (code := await self._first_word(worker)) is not None:
                await self._stop_all(signal.SIGTERM)
                return code
        return None

    async def _first_word(self, worker: Worker) -> int | None:
        """Wait until a worker is ready; its exit code where it ends before."""
        assert worker.process is not None
        ended = asyncio.ensure_future(worker.process.wait())
        ready = asyncio.ensure_future(worker.ready.wait())
        stopped = asyncio.ensure_future(self._stopping.wait())
        done, waiting = await asyncio.wait({ended, ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for other in waiting:
            other.cancel()
        return ended.result() if ended in done else None

    # Keeping.

    async def _keep(self, worker: Worker) -> None:
        """Start a worker again whenever it ends."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            assert worker.process is not None
            began = loop.time()
            code = await worker.process.wait()
            if self._stopping.is_set():
                return
            if loop.time() - began > STEADY_SECONDS:
                worker.delay = FIRST_DELAY
            level = "warn" if code == 0 else "error"
            self._note({"event": "worker_ended", "level": level, "worker": worker.number, "code": code})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), worker.delay)
                return
            worker.delay = min(LONGEST_DELAY, worker.delay * 2)
            await self._start(worker)
            if self._stopping.is_set():  # it was asked to stop while there was nobody to tell
                worker.send(self._signals[0])

    # Signals.

    def _signalled(self, number: int) -> None:
        if number not in STOP_SIGNALS:
            task = asyncio.get_running_loop().create_task(self._reload(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._signals.append(number)
        self._stopping.set()
        if len(self._signals) > 1:
            for worker in self._workers:
                worker.send(number)

    async def _reload(self, number: int) -> None:
        async with self._reloading:
            for worker in self._workers:
                worker.ready.clear()
                worker.send(number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(worker.ready.wait(), RELOAD_SECONDS)

    # The end.

    async def _end(self, keeping: Sequence[asyncio.Task[None]]) -> None:
        await self._stop_all(self._signals[0])
        for task in (*keeping, *self._tasks):
            task.cancel()

    async def _stop_all(self, number: int) -> None:
        """Hand a signal to all workers and wait for their ends; kill those that outlast their drain."""
        for worker in self._workers:
            worker.send(number)
        processes = [worker.process for worker in self._workers if worker.process is not None]
        waits = [asyncio.ensure_future(process.wait()) for process in processes]
        _, late = await asyncio.wait(waits, timeout=self._drain_seconds + LAST_SECONDS)
        if late:
            for worker in self._workers:
                worker.send(signal.SIGKILL)
            await asyncio.wait(late)
