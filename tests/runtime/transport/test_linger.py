"""The last bytes arrive although the other side still sends, and nobody stays for ever."""

from __future__ import annotations

from runtime.limits import WireLimits
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import Recorder, masked, raw, serving, until, upgraded

BRIEF = WireLimits(close_seconds=0.1)


def test_a_close_frame_survives_what_is_still_being_sent(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder()) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"x", rsv=1))
            await client.send_chopped(b"x" * 1_000_000, 50_000)
            assert (await client.frames_to_the_end()) == [(0x88, b"\x03\xeareserved bit set")]

    run(scenario())


def test_a_refusal_survives_what_is_still_being_sent(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder()) as (_, port), raw(port) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
            await client.send_chopped(b"x" * 1_000_000, 50_000)
            answer = await client.to_the_end()
            assert answer.startswith(b"HTTP/1.1 405 ")
            assert answer.endswith(b"only GET and HEAD are answered\n")

    run(scenario())


def test_who_does_not_leave_is_dropped(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), BRIEF) as (wire, port), upgraded(port) as client:
            client.send(masked(8))
            assert await client.frames_to_the_end() == [(0x88, b"")]
            assert list(wire.wheel.riders())
            await until(lambda: not list(wire.wheel.riders()))

    run(scenario())


def test_who_leaves_is_forgotten_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), WireLimits(close_seconds=1000)) as (wire, port), upgraded(port) as client:
            client.send(masked(8))
            await client.to_the_end()
            client.leave()
            await until(lambda: not list(wire.wheel.riders()))

    run(scenario())
