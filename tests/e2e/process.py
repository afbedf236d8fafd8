"""A server as a process of its own, which tells its events as lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.e2e.cli import TIMEOUT, command_line, environment


@contextmanager
def servers(folder: Path, command: Sequence[str] = ("dev", "--json")) -> Iterator[Callable[..., Server]]:
    """What starts servers in a folder: `start(*arguments, **variables)`. They end with the test."""
    started: list[Server] = []

    def start(*arguments: str, **variables: str) -> Server:
        started.append(Server(folder, *arguments, command=command, **variables))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            if server.process.poll() is None:
                server.process.kill()
            server.process.communicate()


async def ask(client: ClientConnection, text: str = "x") -> str:
    """Send a text; the next frame that comes."""
    await client.send(text)
    return str(await asyncio.wait_for(client.recv(), TIMEOUT))


def children(parent: int) -> list[int]:
    """The worker processes of a supervisor."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


class Server:
    """A running `worpen dev --json`, or another command with such lines, and the events it told."""

    def __init__(
        self, folder: Path, *arguments: str, command: Sequence[str] = ("dev", "--json"), **variables: str
    ) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command_line(*command, "--port", "0", *arguments), cwd=folder, env=environment(**variables),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []
        try:
            self.port = int(self.next("listening")["addresses"][0].rpartition(":")[2])
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise

    def next(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; those before it are kept in `events`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            assert line.startswith("{"), f"no event: {line}"
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] == kind:
                return event
        assert self.process.stderr is not None
        raise AssertionError(f"it ended before {kind}: {self.process.stderr.read()}")

    def save(self, name: str, text: str) -> dict[str, Any]:
        """Write a file as editors do, and wait until it was compiled."""
        (self.folder / "draft").write_text(text, encoding="utf-8")
        os.replace(self.folder / "draft", self.folder / name)
        return self.next("compiled")

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def end(self, number: int) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode
