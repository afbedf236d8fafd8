"""A whole message through the server, its hook translated and by hand, side by side: `python -m tests.bench.path`.

From the bytes of a client's frame to the bytes of the answer: reading, unmasking, the session, the hook, the answer's
frame. Only the socket is not there, whose cost is the same for both and would hide the difference. Both routes stand
in one `App`; one is compiled from its text, the other's hook is a Python function.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from typing import Any, Final

import uvloop

from compiler.bytecode.codec import encode
from compiler.pipeline import Settings as Compiling
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.limits import WireLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.transport.handshake import Handshake
from tests.bench.clock import ratio, rounds_of
from tests.bench.workloads import FLOORS, MESSAGE, source_of
from tests.runtime.parts import entry, route
from tests.runtime.transport.harness import masked, read_frames, upgrade_request

WORKLOADS: Final = ("echo template", "branch on a prefix")
TEXT: Final = "x" * 64


class Paper(asyncio.Transport):
    """A transport without a socket: the last write is kept."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written: Any = b""
        self.protocol: Any = None
        self.lost = False

    def write(self, data: Any) -> None:
        self.written = data

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        if not self.lost:
            self.lost = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self.lost

    def is_reading(self) -> bool:
        return True


async def shaken(app: App, path: str) -> Paper:
    """A connection to a route, after its handshake, which a busy loop answers on a later turn."""
    assert app._wire is not None
    paper = Paper()
    paper.set_protocol(Handshake(app._wire))
    paper.protocol.connection_made(paper)
    paper.protocol.data_received(upgrade_request(path))
    while not paper.written:  # noqa: ASYNC110  # a turn of the loop is what is waited for
        await asyncio.sleep(0)
    assert bytes(paper.written).startswith(b"HTTP/1.1 101 ")
    return paper


async def measure(name: str, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds of one message in a workload, its hook translated and by hand."""
    app = App(Settings(port=0, wire=WireLimits(message_rate=0, byte_rate=0)))
    program = compile_source("bench.yaml", source_of(name).encode(), Compiling()).program
    assert program is not None
    by_hand = route("/ws/hand", name="hand", on_message=FLOORS[name], slots=("a", "b"))
    await app.start([*entries_of(load(encode(program), app.context)), entry(by_hand)])
    papers: dict[str, Paper] = {}
    try:
        message = TEXT if name == "echo template" else MESSAGE[name]
        frame = masked(1, message.encode())
        receivers: dict[str, Callable[..., Any]] = {}
        for contestant, path in {"translated": "/ws/bench", "by hand": "/ws/hand"}.items():
            paper = await shaken(app, path)
            receivers[contestant], papers[contestant] = paper.protocol.data_received, paper
        found = rounds_of({key: (call, (frame,)) for key, call in receivers.items()}, rounds=rounds)
        answers = {read_frames(bytes(paper.written))[0][0] for paper in papers.values()}
        assert [first for first, _ in answers] == [0x81], answers
        return found
    finally:
        for paper in papers.values():
            paper.abort()
        await app.drain()


def main() -> None:
    """Print a table."""
    print(f"{'a message of':<20} {'by hand':>10} {'translated':>11} {'ratio':>6}")
    for name in WORKLOADS:
        found = uvloop.run(measure(name, 201))
        times = {contestant: statistics.median(values) for contestant, values in found.items()}
        compared = ratio(found, "translated", "by hand")
        print(f"{name:<20} {times['by hand']:>7.0f} ns {times['translated']:>8.0f} ns {compared:>6.3f}")


if __name__ == "__main__":
    main()
