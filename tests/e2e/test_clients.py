"""Clients that people use, against the chat room: JavaScript's WebSocket in Node, and the guide's Python client."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import websockets

from tests.e2e.serving import serving

HERE = Path(__file__).parent
WELCOME = re.compile(r"Welcome! You are connected as [0-9a-f-]{36}")


def node_with_websocket() -> list[str] | None:
    """The command that runs a script in a Node that has WebSocket, behind a flag before version 22."""
    node = shutil.which("node")
    if node is None:
        return None
    for flags in ([], ["--experimental-websocket"]):
        probe = subprocess.run(
            [node, *flags, "-e", "process.exit(typeof WebSocket === 'function' ? 0 : 1)"],
            capture_output=True,
            timeout=60,
        )
        if probe.returncode == 0:
            return [node, *flags]
    return None


async def test_node_talks_to_the_chat_room(project: Path) -> None:
    command = await asyncio.to_thread(node_with_websocket)
    if command is None:
        pytest.skip("no Node with WebSocket (20.10 or later) is installed")
    async with serving(project / "examples/chat.yaml") as address:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(HERE / "chat_client.mjs"),
            f"{address}/api/ws/chat?user_id=123",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    told = json.loads(out)
    assert WELCOME.fullmatch(told["received"][0])
    assert told["received"][1] == "Hello server!"
    assert (told["code"], told["clean"]) == (1000, True)


async def test_the_guides_python_client_talks_to_the_chat_room(project: Path) -> None:
    async with (
        serving(project / "examples/chat.yaml") as address,
        websockets.connect(f"{address}/api/ws/chat") as websocket,
    ):
        await websocket.send("Hello server!")
        assert WELCOME.fullmatch(str(await asyncio.wait_for(websocket.recv(), 5)))
        assert await asyncio.wait_for(websocket.recv(), 5) == "Hello server!"
