"""What is paid for features by routes that use none of them: this checkout beside an older one.

    python -m tests.bench.unused BASE_CHECKOUT [--servers 5] [--blocks 8] [--seconds 0.4]

BASE_CHECKOUT is a checkout of a commit before the features, as `git worktree add --detach /tmp/base COMMIT` makes it;
it runs with this environment's packages. For what authentication, rate limits, codecs, compression by route, history,
the bus and services cost others, that is 39241f3, the last commit without any of them.

Routes are the echo and the room of the wire's bench, which use none of it:

    echo      100 connections with one message each on its way; per message
    pipe      one connection with 32 messages on their way; per message
    room      1 000 members, one message on its way; per delivery
    rooms8    100 members, 8 messages on their way; per delivery

What is measured is CPU time of the server's process for each, on a core of its own, while the load has the other one.
Both servers are there at the same time, and are loaded in turns, mirrored: see `pairs`. Two processes of the same code
differ by where their memory lies, so the servers are started anew several times: the median of the blocks of one such
pair of servers is one value, and what is told is the median of these with its interval. `--same` compares the base
with itself, which shows how far off the measurement is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from tests.bench.chased import Group, turn
from tests.bench.paced import connected
from tests.bench.pairs import estimate, mirrored, pin
from tests.bench.serving import ECHO, ROOM, server

MOST: Final = 1.03
PROJECT: Final = Path(__file__).parents[2]
SERVER_CORE, LOAD_CORE = 0, 1
WARM: Final = 2
"""So many turns of each server go before those that count."""
ROUTES: Final = f"{ECHO}---\n{ROOM}"


@dataclass(frozen=True, slots=True)
class Load:
    """So many connections to a route, in one group or each by itself, with so many messages on their way in each."""

    path: str
    connections: int
    is_room: bool
    on_the_way: int

    async def groups(self, port: int) -> list[Group]:
        """Its connections, open."""
        clients = await connected(port, [self.path] * self.connections)
        groups = [clients] if self.is_room else [[client] for client in clients]
        return [Group(members, self.on_the_way) for members in groups]


LOADS: Final[Mapping[str, Load]] = {
    "echo": Load("/ws/echo", 100, False, 1),
    "pipe": Load("/ws/echo", 1, False, 32),
    "room": Load("/ws/room", 1_000, True, 1),
    "rooms8": Load("/ws/room", 100, True, 8),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one pair of servers spent on a message or delivery, in microseconds; the median of its blocks' ratios."""

    base: float
    own: float
    ratio: float


async def compare(load: Load, servers: Sequence[tuple[int, int]], blocks: int, seconds: float) -> Found:
    """Load two servers in turns; each is a port and a process id, the base first."""
    groups = [await load.groups(port) for port, _ in servers]
    costs: list[dict[bool, float]] = [{False: 0.0, True: 0.0} for _ in range(blocks)]
    for _ in range(WARM):
        for (_, process), one in zip(servers, groups, strict=True):
            await turn(one, process, seconds)
    for block, is_own in mirrored(blocks):
        found = await turn(groups[is_own], servers[is_own][1], seconds)
        costs[block][is_own] += found.microseconds / 2
    for client in (client for one in groups for group in one for client in group.members):
        client.transport.close()
    await asyncio.sleep(0.3)  # the servers end their connections
    base, own = (statistics.median(cost[which] for cost in costs) for which in (False, True))
    return Found(base, own, statistics.median(cost[True] / cost[False] for cost in costs))


async def measure(options: argparse.Namespace, file: Path) -> dict[str, list[Found]]:
    """All loads on as many pairs of servers as are asked for; the file has the routes."""
    pin(os.getpid(), LOAD_CORE)
    found: dict[str, list[Found]] = {name: [] for name in options.loads}
    own = options.base if options.same else PROJECT
    for number in range(options.servers):
        with ExitStack() as stack:
            # Which is started first changes from pair to pair.
            order = (options.base, own) if number % 2 else (own, options.base)
            servers = [stack.enter_context(server(routes=file, checkout=checkout)) for checkout in order]
            servers = servers if number % 2 else servers[::-1]
            for _, process in servers:
                pin(process, SERVER_CORE)
            for name in options.loads:
                found[name].append(await compare(LOADS[name], servers, options.blocks, options.seconds))
    return found


def main() -> int:
    """Measure and print; 1 where something costs too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE_CHECKOUT")
    parser.add_argument("loads", nargs="*", default=list(LOADS))
    parser.add_argument("--servers", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--same", action="store_true", help="compare the base with itself")
    options = parser.parse_intermixed_args()
    options.base = options.base.resolve()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "routes.yaml")
        file.write_text(ROUTES, encoding="utf-8")
        found = uvloop.run(measure(options, file))
    print("load     base     own      own / base")
    fine = True
    for name, values in found.items():
        ratio = estimate([value.ratio for value in values])
        fine = fine and ratio.middle <= MOST
        base, own = (statistics.median(getattr(value, which) for value in values) for which in ("base", "own"))
        print(f"{name:8} {base:5.2f} µs {own:5.2f} µs {ratio}, {len(values)} pairs of servers")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
