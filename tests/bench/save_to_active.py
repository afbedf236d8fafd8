"""How long a save takes to be active, with 100 route files: from the write to the first answer of the new program.

    python tests/bench/save_to_active.py [saves]

Prints the median and the 95th percentile in ms; the latter is to be at most 500, settling included.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from websockets.asyncio.client import connect

from tests.e2e.process import Server

FILES = 100
MOST_MS = 500.0
ROUTE = """\
name: Route {number}
path: /ws/r{number}
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {{name: count, value: 0}}
  on_message:
    - SetVar: {{name: count, value: "{{{{ count + 1 }}}}"}}
    - If:
        condition: "{{{{ message == 'ping' }}}}"
        then:
          - WsOp: {{command: send, message: "{version}"}}
        else:
          - WsOp: {{command: broadcast, message: "{{{{ message | trim | upper }}}}", channel: "room-{number}"}}
"""


def save(folder: Path, number: int, version: int) -> None:
    """Write a file as editors do."""
    draft = folder / "draft"
    draft.write_text(ROUTE.format(number=number, version=version), encoding="utf-8")
    os.replace(draft, folder / f"r{number}.yaml")


async def one(folder: Path, address: str, version: int) -> float:
    """Save one of the files; the ms until its connection is answered by the new program."""
    number = version * 37 % FILES
    async with connect(f"{address}/ws/r{number}", compression=None) as client:
        began = time.perf_counter()
        save(folder, number, version)
        while True:
            await client.send("ping")
            if await client.recv() == str(version):
                return (time.perf_counter() - began) * 1e3
            await asyncio.sleep(0.002)


async def measure(saves: int) -> list[float]:
    """The ms of so many saves."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "worpen.toml").touch()
        for number in range(FILES):
            save(folder, number, 0)
        server = Server(folder)
        try:
            await asyncio.sleep(1)
            found = []
            for version in range(1, saves + 1):
                found.append(await one(folder, server.address, version))
                await asyncio.sleep(0.05)
            return found
        finally:
            server.process.kill()
            server.process.communicate()


def main() -> int:
    """Measure and print; 1 where it is too slow."""
    saves = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    found = sorted(asyncio.run(measure(saves)))
    late = found[min(len(found) - 1, int(0.95 * len(found)))]
    middle = statistics.median(found)
    print(f"{FILES} files, {saves} saves: median {middle:.0f} ms, p95 {late:.0f} ms, worst {found[-1]:.0f} ms")
    return int(late > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
