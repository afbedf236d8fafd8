"""A healthy client's round trips, at rest and under attack (runtime section 1, G5: p99 at most 20 % longer).

`python -m tests.bench.attacks [SECONDS]`. Limits are the defaults. Figures of a busy machine say little.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import connect

from tests.bench.serving import server
from tests.e2e.attacks.scene import upgrade
from tests.runtime.transport.harness import masked

PAUSE_SECONDS = 0.004


async def raw(port: int, sent: bytes, *, reads: bool = True) -> None:
    """One attacker: connects, sends, stays until it is ended or cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        if not reads:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.5)
        else:
            while await reader.read(1 << 16):
                pass
    finally:
        writer.transport.abort()


def flood(sent: bytes, path: str = "/ws/echo", *, reads: bool = True) -> Callable[[int], Awaitable[None]]:
    """An attack by what is sent after the handshake."""
    return lambda port: raw(port, upgrade(path) + sent, reads=reads)


ATTACKS: dict[str, Callable[[int], Awaitable[None]]] = {
    "pings": flood(masked(9, b"x") * 2_000),
    "empty frames": flood(masked(1) * 43_000),
    "fragments": flood(masked(1, b"x", fin=False) + masked(0, b"x", fin=False) * 1_000),
    "messages": flood(masked(1, b"x" * 64) * 5_000),
    "stalled readers": flood(masked(1, b"x" * 16_000) * 60, "/ws/room", reads=False),
    "huge headers": lambda port: raw(port, upgrade("/ws/echo", "X: " + "x" * 9_000)),
}


async def round_trips(port: int, seconds: float) -> list[float]:
    """Times of a healthy client's messages."""
    times: list[float] = []
    async with connect(f"ws://127.0.0.1:{port}/ws/echo", compression=None) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent = time.perf_counter()
            await client.send("hello")
            assert await client.recv() == "hello"
            times.append(time.perf_counter() - sent)
            await asyncio.sleep(PAUSE_SECONDS)
    return times


async def attack(port: int, one: Callable[[int], Awaitable[None]]) -> None:
    """The same attack, one after the other, until cancelled."""
    while True:
        with contextlib.suppress(ConnectionError):
            await one(port)
        await asyncio.sleep(0.05)


def p99(times: list[float]) -> float:
    """The time that one of a hundred exceeds, in milliseconds."""
    return sorted(times)[int(len(times) * 0.99)] * 1000


async def measure(port: int, seconds: float) -> None:
    """Print the figures, one attack a line. Attackers are a process of their own."""
    calm = p99(await round_trips(port, seconds))
    print(f"{'at rest':<18} p99 {calm:7.2f} ms")
    for name in ATTACKS:
        own = ("-m", "tests.bench.attacks", "--attack", name, str(port))
        attacking = await asyncio.create_subprocess_exec(sys.executable, *own)
        await asyncio.sleep(1)
        found = p99(await round_trips(port, seconds))
        attacking.kill()
        await attacking.wait()
        print(f"{name:<18} p99 {found:7.2f} ms  {found / calm - 1:+.0%}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        asyncio.run(attack(int(sys.argv[3]), ATTACKS[sys.argv[2]]))
    with server(()) as (port, _):
        asyncio.run(measure(port, float(sys.argv[1]) if len(sys.argv) > 1 else 5.0))
