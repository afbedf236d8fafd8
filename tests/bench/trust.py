"""What it costs to hold programs to their manifests, and messages to what hooks need: `python -m tests.bench.trust`.

CPU time of this process for one call, in ns, medians of turns that alternate:

    publish   one effect of a hook to a channel with one member, the wire left out: a program that may name any channel,
              one that names this one, one whose pattern covers it
    decode    one JSON object of three members: the codec alone, and with three needs
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from compiler.bytecode.needs import Need
from compiler.language.values import Kind
from runtime.bounds import UNBOUNDED, Bounds, bounds_of
from runtime.codecs import CODECS, Codec
from runtime.needs import FittedCodec
from tests.assembly import NO_MANIFEST
from tests.runtime.test_host import Server

CALLS = 40_000
TURNS = 15
MESSAGE = '{"text":"hello there","n":5,"room":"lobby"}'
NEEDS = (Need((), Kind.OBJECT, 1), Need(("text",), Kind.TEXT, 1), Need(("n",), Kind.NUMBER, 1))


def publishing(bounds: Bounds) -> Callable[[], None]:
    """A turn of publishing within bounds."""
    server = Server("a")
    host = server.hosts["a"]
    host.bounds = bounds

    def turn() -> None:
        emit = host.emit
        for _ in range(CALLS):
            emit("publish", "hi", False, False, "room:1")
        server.far["a"].frames.clear()

    return turn


def decoding(codec: Codec) -> None:
    """A turn of decoding."""
    decode = codec.decode
    for _ in range(CALLS):
        decode(MESSAGE)


def nanoseconds(turn: Callable[[], None]) -> float:
    """CPU time for one call of a turn."""
    before = time.process_time_ns()
    turn()
    return (time.process_time_ns() - before) / CALLS


def main() -> None:
    """Measure and print."""
    json = CODECS["json"]
    kinds: Mapping[str, Callable[[], None]] = {
        "publish, any channel": publishing(UNBOUNDED),
        "publish, this channel": publishing(bounds_of(replace(NO_MANIFEST, channels=("room:1",)))),
        "publish, a pattern": publishing(bounds_of(replace(NO_MANIFEST, channels=("room:*",)))),
        "decode": partial(decoding, json),
        "decode, three needs": partial(decoding, FittedCodec(json, NEEDS)),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(TURNS):
        for name, turn in kinds.items():
            found[name].append(nanoseconds(turn))
    for name, each in found.items():
        print(f"{name:<22}{statistics.median(each):7.0f} ns   (least {min(each):.0f})")


if __name__ == "__main__":
    main()
