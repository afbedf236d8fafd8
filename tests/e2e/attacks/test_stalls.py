"""Clients that do not read, or are not there any more: they are dropped, what they leave is bounded, nobody waits."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.app import App
from runtime.limits import WireLimits
from tests.e2e.attacks.scene import Attacker, attacker, eventually, healthy, server
from tests.runtime.transport.harness import masked

READING, STALLED = 20, 10
UNSENT = 256 * 1024
PIECE = b"x" * 16_000
FRAME_BYTES = 4 + len(PIECE)
SHOUTS = 100
"""Together more than a stalled client's share of memory and the kernel's buffers."""


def keep_kernel_buffers_small(app: App) -> None:
    """Have the kernel buffer little of what a client does not read, so that a test is over soon."""
    assert app._acceptor is not None
    for listening in app._acceptor._sockets:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)


async def member(app: App, *, reads: bool) -> Attacker:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    one = await attacker(app, "/ws/room", sock)
    if not reads:
        one.stop_reading()
    return one


async def all_shouts(one: Attacker) -> None:
    for _ in range(SHOUTS):
        frame = await one.reader.readexactly(FRAME_BYTES)
        assert frame[4:] == PIECE


async def test_ten_of_thirty_do_not_read() -> None:
    async with server(wire=WireLimits(unsent_bytes=UNSENT)) as app, healthy(app) as client:
        keep_kernel_buffers_small(app)
        for _ in range(STALLED):
            await member(app, reads=False)
        reading = [await member(app, reads=True) for _ in range(READING)]
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max([most, *(connection.queued_bytes for connection in app.hub.everybody())])  # type: ignore[attr-defined]
                await asyncio.sleep(0.001)

        watching = asyncio.create_task(watch())
        receiving = [asyncio.create_task(all_shouts(one)) for one in reading]
        for _ in range(SHOUTS):
            reading[0].send(masked(1, PIECE))
            await asyncio.sleep(0.001)
        async with asyncio.timeout(30):
            await asyncio.gather(*receiving)
        await eventually(lambda: app.connections == READING + 1)
        watching.cancel()
        assert app.wire_counters.drops == {"slow_consumer": STALLED}
        assert app.wire_counters.limits_reached == {"unsent_bytes": STALLED}
        assert most <= UNSENT + 64 * FRAME_BYTES
        await client.exchanges(3)


async def test_a_client_that_takes_nothing_of_little() -> None:
    async with server(wire=WireLimits(stall_seconds=0.5)) as app, healthy(app):
        keep_kernel_buffers_small(app)
        await member(app, reads=False)
        speaker = await member(app, reads=True)
        reading = asyncio.create_task(speaker.rest())
        for _ in range(20):
            speaker.send(masked(1, PIECE))
        await eventually(lambda: app.connections == 2)
        assert app.wire_counters.limits_reached == {"stall_seconds": 1}
        reading.cancel()


async def test_pings_of_a_client_that_reads_no_pong() -> None:
    async with server(wire=WireLimits(control_rate=0)) as app, healthy(app):
        keep_kernel_buffers_small(app)
        one = await member(app, reads=False)
        most = 0
        for _ in range(200):
            one.send(masked(9, b"x" * 125) * 100)
            await asyncio.sleep(0.001)
            most = max([most, *(connection.queued_bytes for connection in app.hub.everybody())])  # type: ignore[attr-defined]
        assert most < 64 * 1024  # pongs are owed, not piled up


async def test_clients_behind_a_dead_line() -> None:
    """Half-open TCP: a network of our own whose only interface goes down while connections are open."""
    script = Path(__file__).with_name("half_open.py")
    command = ["unshare", "-rn", sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    try:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=60, env=environment, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no `unshare` here")
    if "unshare" in done.stderr and done.returncode:
        pytest.skip(f"no network of our own: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["5", "5", "1006"]
