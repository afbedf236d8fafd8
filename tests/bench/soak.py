"""`make soak`: clients come, talk and go for a while; the server must not grow, lose a message or end early.

`python -m tests.bench.soak [SECONDS]`, 900 by default.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect

from tests.bench.serving import server

CLIENTS = 50
GROWTH_KIB = 16 * 1024
"""How much memory may grow after the first tenth of the time."""


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4


async def client(port: int, end: float) -> int:
    """Connect, exchange some messages, leave in one of several ways; again and again."""
    exchanged = 0
    while time.monotonic() < end:
        async with connect(f"ws://127.0.0.1:{port}/ws/echo", compression=None) as one:
            for number in range(random.randrange(1, 200)):
                text = f"{number} " + "x" * random.randrange(300)
                await one.send(text)
                assert await one.recv() == text
                exchanged += 1
            if random.random() < 0.3:
                one.transport.abort()
    return exchanged


async def soak(port: int, pid: int, seconds: float) -> int:
    """Run; the exit code."""
    end = time.monotonic() + seconds
    clients = [asyncio.create_task(client(port, end)) for _ in range(CLIENTS)]
    await asyncio.sleep(seconds / 10)
    early = resident_kib(pid)
    exchanged = sum(await asyncio.gather(*clients))
    late = resident_kib(pid)
    print(f"{exchanged} messages there and back; memory {early} KiB after a tenth, {late} KiB at the end")
    return 0 if late - early < GROWTH_KIB else 1


if __name__ == "__main__":
    with server() as (port, pid):
        sys.exit(asyncio.run(soak(port, pid, float(sys.argv[1]) if len(sys.argv) > 1 else 900.0)))
