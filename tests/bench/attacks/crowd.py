"""The process that attacks: `python -m tests.bench.attacks.crowd PORT NAME`.

It is told to `prepare`, `begin`, `stop` and `finish` by lines, each answered by one of JSON: what was counted so far.
It has the lowest priority, so that it takes from the healthy client on its core only what that one leaves.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys

from tests.bench.attacks.ways import ATTACKS, Attack, StalledReaders


async def obey(attack: Attack, port: int, command: str) -> None:
    """Do what a line says."""
    room = attack if isinstance(attack, StalledReaders) else None
    match command:
        case "prepare":
            if room is not None:
                await room.prepare(port)
        case "begin":
            await attack.begin(port)
        case "stop":
            await attack.stop()
            if room is not None:
                await room.refill(port)
        case "finish":
            if room is not None:
                await room.finish()
        case _:
            raise ValueError(command)


async def main(port: int, name: str) -> None:
    """Obey until the input ends."""
    attack = ATTACKS[name]()
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await obey(attack, port, line.decode().strip())
        print(json.dumps(attack.tally), flush=True)


if __name__ == "__main__":
    import uvloop

    os.nice(19)
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2]))
