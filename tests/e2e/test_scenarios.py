"""The conformance conversations, played against a real server over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.e2e.serving import serving

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "routes"
SCENARIOS: list[Mapping[str, Any]] = (
    json.loads((FOLDER / "scenarios.json").read_text(encoding="utf-8")) if FOLDER.is_dir() else []
)
CONNECTION_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PATIENCE_SECONDS = 10.0
SILENCE_SECONDS = 0.3


class Stage:
    """The clients of one scenario, and the connection ids that they have shown."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.clients: dict[str, ClientConnection] = {}
        self.ids: dict[str, str] = {}

    async def play(self, step: Mapping[str, Any]) -> None:
        """One step of a scenario."""
        match step:
            case {"open": name, "path": path}:
                self.clients[name] = await connect(self.address + path)
            case {"send": name, "text": text}:
                await self.clients[name].send(text)
            case {"send": name, "binary_base64": coded}:
                await self.clients[name].send(base64.b64decode(coded))
            case {"expect": name, "frames": frames}:
                for frame in frames:
                    self.compare(await asyncio.wait_for(self.clients[name].recv(), PATIENCE_SECONDS), frame)
            case {"silent": names}:
                await asyncio.gather(*(self.stay_silent(name) for name in names))
            case {"close": name}:
                await self.clients.pop(name).close()
            case {"refuse": path, "status": status}:
                assert await refused(self.address + path) == status
            case {"http": method, "path": path, "status": status}:
                assert await ask(self.address, method, path) == status
            case _:
                raise AssertionError(f"unknown step {step}")

    def compare(self, frame: str | bytes, expected: str) -> None:
        """A frame is what is expected; `$A` in it is, now and ever after, the id of client A."""
        pattern = "".join(self.piece(part) for part in re.split(r"(\$[A-Z])", expected))
        found = re.fullmatch(pattern, frame if isinstance(frame, str) else frame.decode())
        assert found, f"{frame!r} is not {expected!r}"
        self.ids.update(found.groupdict())

    def piece(self, part: str) -> str:
        if not re.fullmatch(r"\$[A-Z]", part):
            return re.escape(part)
        name = part[1:]
        return self.ids.get(name, f"(?P<{name}>{CONNECTION_ID})")

    async def stay_silent(self, name: str) -> None:
        try:
            frame = await asyncio.wait_for(self.clients[name].recv(), SILENCE_SECONDS)
        except TimeoutError:
            return
        pytest.fail(f"{name} heard {frame!r}")


async def refused(address: str) -> int:
    """The status that refuses a handshake."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(address)
    return caught.value.response.status_code


async def ask(address: str, method: str, path: str) -> int:
    """The status of a plain request."""
    host, port = address.removeprefix("ws://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
async def test_scenario(scenario: Mapping[str, Any]) -> None:
    async with serving(*(FOLDER / name for name in scenario["routes"])) as address:
        stage = Stage(address)
        for step in scenario["steps"]:
            await stage.play(step)
        for client in stage.clients.values():
            await client.close()


def test_the_conformance_files_are_there() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no conformance files at {FOLDER}")
    assert SCENARIOS
