"""Every vector, over a real socket: sent at once, frame by frame, and, if it is short, byte by byte."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from runtime.limits import WireLimits
from tests.e2e.vectors import CLOSE, VECTORS, Vector
from tests.runtime.transport.harness import Recorder, serving, upgraded

LIMITS = WireLimits(max_message_bytes=65537)
SHORT = 400
"""Bytes of a vector that is also sent byte by byte."""


async def play(vector: Vector, cuts: str) -> None:
    stream = b"".join(vector.sent)
    application = Recorder()
    async with serving(application, LIMITS) as (_, port), upgraded(port) as client:
        if cuts == "whole":
            client.send(stream)
        elif cuts == "frames":
            for frame in vector.sent:
                await client.send_chopped(frame, len(frame))
        else:
            await client.send_chopped(stream, 1)
        *answers, last = await client.frames_to_the_end()
        assert tuple(answers) == vector.answers
        assert last[0] == 0x80 | CLOSE
        assert int.from_bytes(last[1][:2], "big") == vector.code
        [listener] = application.listeners
        code, _ = await listener.end()
        assert code == (vector.code or 1005)


def run(vector: Vector, cuts: str) -> None:
    # Byte by byte goes over the plain event loop, the rest over uvloop: both are served.
    factory = asyncio.new_event_loop if cuts == "bytes" else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(play(vector, cuts))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_sent_at_once(vector: Vector) -> None:
    run(vector, "whole")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_sent_frame_by_frame(vector: Vector) -> None:
    run(vector, "frames")


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if sum(map(len, v.sent)) <= SHORT], ids=lambda vector: vector.name
)
def test_sent_byte_by_byte(vector: Vector) -> None:
    run(vector, "bytes")


def test_there_are_enough() -> None:
    assert len(VECTORS) > 150
    assert len({vector.name for vector in VECTORS}) == len(VECTORS)
