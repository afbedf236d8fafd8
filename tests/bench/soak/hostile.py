"""Clients that do not behave, one after the other in each place. Each way knows what the server must make of it.

More tallies: `refused:RESULT` (handshakes that got no WebSocket, by result), `dropped:REASON` (connections that the
server ended), `pings`, `murmured` (messages to the stalled readers' route, of which the server may take fewer) and
`bytes_hostile` (of `bytes_in`, what the server may not read to its end).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tests.bench.soak.clients import Client, Floor
from tests.bench.soak.wire import BINARY, PING, PONG, TEXT, Lost, Wire, masked
from tests.runtime.transport.harness import upgrade_request

PAUSE_SECONDS: Final = 4.0
SMALL_WINDOW: Final = 16 * 1024
STALLED_BYTES: Final = 16_000
AT_ONCE: Final = 220
"""So many messages are less than the byte burst, and about what the kernel's buffers hold."""
STALLED_MESSAGES: Final = 700


class Hostile(Client):
    """Attacks, rests, attacks again."""

    async def run(self) -> None:
        """Until the floor closes."""
        ways = list(WAYS.values())
        while not self.floor.is_over:
            await asyncio.sleep(self.chance.expovariate(1 / PAUSE_SECONDS))
            way = self.chance.choice(ways)
            try:
                await self.floor.act(lambda way=way: way(self.floor))  # type: ignore[misc]
            except (Lost, TimeoutError, ConnectionError) as lost:
                self.floor.wrong(f"attack: {type(lost).__name__} {lost}")


async def opened(floor: Floor, path: str = "/ws/echo", window: int = 0) -> Wire:
    """A connection that was accepted. `window`: bytes that the kernel may receive before they are read."""
    wire = await Wire.open(floor.port, path, floor.tally, window)
    floor.open += 1
    return wire


def attack(wire: Wire, sent: bytes) -> None:
    """Send what the server may not read to its end."""
    wire.put(sent)
    wire.tally["bytes_hostile"] += len(sent)


def ended_by(sent: bytes, code: int, reason: str) -> Callable[[Floor], Awaitable[None]]:
    """A way to be ended by the server, with this close code and for this reason."""

    async def way(floor: Floor) -> None:
        wire = await opened(floor)
        attack(wire, sent)
        await _ended(floor, wire, code, reason)

    return way


async def _ended(floor: Floor, wire: Wire, code: int, reason: str) -> None:
    """Read to the end. An echo that comes tells of a message that was taken."""

    def seen(opcode: int, payload: bytes) -> None:
        if opcode in (TEXT, BINARY):
            floor.tally["messages_in"] += 1
            floor.tally["messages_out"] += 1
        elif opcode == PONG:
            floor.tally["pings"] += 1

    found = await wire.until_the_end(seen)
    if found != code:
        floor.wrong(f"{reason}: closed with {found} instead of {code}")
    floor.tally[f"dropped:{reason}"] += 1
    floor.ended(code)


async def flood_of_pings(floor: Floor) -> None:
    """Many pings: those in the burst are answered, the next one ends the connection."""
    wire = await opened(floor)
    attack(wire, masked(PING, b"x" * 20) * 500)
    await _ended(floor, wire, 1008, "control_rate")
    floor.tally["pings"] += 1


async def stalled_reader(floor: Floor) -> None:
    """Tells itself more than it reads, as fast as it may, until the server has had enough."""
    wire = await opened(floor, "/ws/stall", SMALL_WINDOW)
    transport = wire.writer.transport
    transport.pause_reading()  # type: ignore[attr-defined]
    frame = masked(TEXT, b"x" * STALLED_BYTES)
    for number in range(STALLED_MESSAGES):
        # Writing into what is gone fails sooner or later: that is how one sees it who does not read.
        if transport.is_closing():
            break
        attack(wire, frame)
        floor.tally["murmured"] += 1
        await asyncio.sleep(0.025 if number > AT_ONCE else 0)
    else:
        floor.wrong("a stalled reader was not dropped")
    wire.drop()
    floor.tally["dropped:slow_consumer"] += 1
    floor.ended(1006)


def refused(request: bytes, status: str) -> Callable[[Floor], Awaitable[None]]:
    """A request that is answered by a status and an end."""

    async def way(floor: Floor) -> None:
        wire = await Wire.reach(floor.port, floor.tally)
        wire.writer.write(request)
        answer = await wire.head()
        if not answer.startswith(f"HTTP/1.1 {status} ".encode()):
            floor.wrong(f"{answer[:40]!r} instead of {status}")
        floor.tally[f"refused:{status}"] += 1
        while await wire.reader.read(1 << 16):
            pass
        wire.drop()

    return way


async def half_a_handshake(floor: Floor) -> None:
    """Begins a request and leaves."""
    wire = await Wire.reach(floor.port, floor.tally)
    wire.writer.write(upgrade_request("/ws/echo")[:60])
    await asyncio.sleep(0.3)
    wire.drop()
    floor.tally["refused:left"] += 1


async def slow_handshake(floor: Floor) -> None:
    """Begins a request and never ends it: the server's patience does."""
    wire = await Wire.reach(floor.port, floor.tally)
    for byte in upgrade_request("/ws/echo"):
        wire.writer.write(bytes((byte,)))
        await asyncio.sleep(0.1)
        if wire.reader.at_eof() or wire.writer.transport.is_closing():
            break
    wire.drop()
    floor.tally["refused:timeout"] += 1


WAYS: Final[dict[str, Callable[[Floor], Awaitable[None]]]] = {
    "a frame without a mask": ended_by(b"\x81\x02no", 1002, "protocol"),
    "an opcode that is none": ended_by(masked(3, b"x"), 1002, "protocol"),
    "a lone surrogate": ended_by(masked(TEXT, b"\xed\xa0\x80"), 1007, "protocol"),
    "a length that nobody has": ended_by(
        b"\x82\xff" + (1 << 62).to_bytes(8, "big") + b"mask", 1009, "max_message_bytes"
    ),
    "a flood of messages": ended_by(masked(TEXT, b"hello") * 3_500, 1008, "message_rate"),
    "a flood of fragments": ended_by(masked(TEXT, fin=False) + masked(0, fin=False) * 1_000, 1008, "fragments"),
    "a flood of pings": flood_of_pings,
    "a reader that stalls": stalled_reader,
    "half a handshake": half_a_handshake,
    "a slow handshake": slow_handshake,
    "a huge header": refused(upgrade_request("/ws/echo", "X: " + "x" * 9_000), "431"),
    "an address that is none": refused(upgrade_request("/ws/nowhere"), "404"),
    "garbage": refused(b"\x16\x03\x01\r\n\r\n", "400"),
}
