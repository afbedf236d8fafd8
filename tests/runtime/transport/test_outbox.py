"""Writing: order, joining, fan-out, and those who do not read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator

import pytest

from runtime.limits import WireLimits
from runtime.metrics import WireCounters
from runtime.transport.compression import Compression
from runtime.transport.frames import encode_binary, encode_text
from runtime.transport.outbox import SHARED_FRAMES, FanOut, Outbox, Sink
from runtime.transport.wire import Wire
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import (
    Deliberate,
    Listener,
    RawClient,
    Recorder,
    masked,
    read_frames,
    serving,
    until,
    upgraded,
)

FREE = WireLimits(message_rate=0, byte_rate=0)


class Sheet:
    """A sink that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


class Paper(Outbox):
    """An outbox whose transport is a list."""

    def __init__(self) -> None:
        super().__init__()
        self.sink = sheet = Sheet()
        self.written = sheet.written


def texts(stream: bytes) -> list[str]:
    found, rest = read_frames(stream)
    assert not rest
    return [payload.decode() for _, payload in found]


def fan_out(limits: WireLimits | None = None) -> FanOut:
    return FanOut(asyncio.get_running_loop(), limits or WireLimits(), WireCounters())


async def a_turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_broadcasts_of_one_turn_are_one_write(run: Run) -> None:
    async def scenario() -> None:
        out, members = fan_out(), [Paper(), Paper(), Paper()]
        for word in ("a", "b", "c"):
            assert out.publish(members, encode_text(word)) == 3
        assert [member.written for member in members] == [[], [], []]
        await a_turn()
        assert [texts(b"".join(member.written)) for member in members] == [["a", "b", "c"]] * 3
        assert {len(member.written) for member in members} == {1}
        assert members[0].written[0] is members[2].written[0]
        out.publish(members, encode_text("d"))
        await a_turn()
        assert texts(members[1].written[1]) == ["d"]

    run(scenario())


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_sent_to_whom_everybody_gets_theirs_in_order(run: Run, seed: int) -> None:
    async def scenario() -> None:
        chance = random.Random(seed)
        out, members = fan_out(), [Paper() for _ in range(5)]
        expected: list[list[str]] = [[] for _ in members]
        for number in range(SHARED_FRAMES * 6):
            some = [place for place in range(5) if chance.random() < 0.9]
            member = members[chance.randrange(5)]
            match chance.randrange(12):
                case 0:
                    member.send(encode_text(str(number)))
                    some = [members.index(member)]
                case 1:
                    member.corked = not member.corked
                    some = []
                case 2 if number % 9 == 0:
                    await a_turn()
                    some = []
                case _:
                    out.publish([members[place] for place in some], encode_text(str(number)))
            for place in some:
                expected[place].append(str(number))
        for member in members:
            member.flush()
        assert [texts(b"".join(member.written)) for member in members] == expected
        assert [member.messages_out for member in members] == list(map(len, expected))
        assert [member.bytes_out for member in members] == [sum(map(len, member.written)) for member in members]

    run(scenario())


def test_a_direct_send_stays_in_its_place(run: Run) -> None:
    async def scenario() -> None:
        out, one, two = fan_out(), Paper(), Paper()
        one.send(encode_text("1"))
        out.publish([one, two], encode_text("2"))
        one.send(encode_text("3"))
        assert texts(b"".join(one.written)) == ["1", "2", "3"]
        out.publish([one, two], encode_text("4"))
        await a_turn()
        assert texts(b"".join(one.written)) == ["1", "2", "3", "4"]
        assert texts(b"".join(two.written)) == ["2", "4"]

    run(scenario())


def test_what_waits_to_be_written_is_queued(run: Run) -> None:
    async def scenario() -> None:
        async with connected_transport() as transport:
            out, one = fan_out(), Paper()
            one.transport = transport
            frame = encode_text("four")
            for count in range(SHARED_FRAMES + 3):
                assert one.queued_bytes == count * len(frame)
                out.publish([one], frame)
            one.flush()
            one.corked = True
            for count in range(3):
                assert one.queued_bytes == count * len(frame)
                one.send(frame)
            one.flush()
            assert one.queued_bytes == 0
            assert b"".join(one.written) == frame * (SHARED_FRAMES + 6)

    run(scenario())


def test_many_frames_at_once_are_few_writes_in_their_place(run: Run) -> None:
    async def scenario() -> None:
        out, one, other = fan_out(), Paper(), Paper()
        out.publish([one, other], encode_text("first"))
        one.send_all([encode_text(str(number)) for number in range(100)])
        one.send(encode_text("last"))
        await a_turn()
        assert texts(b"".join(one.written)) == ["first", *map(str, range(100)), "last"]
        assert len(one.written) == 2
        assert texts(b"".join(other.written)) == ["first"]
        one.send_all([])
        assert len(one.written) == 2
        one.corked = True
        one.send_all([encode_text("answer"), encode_text("another")])
        one.send(encode_text("the last"))
        one.send_all([])
        assert len(one.written) == 2, "the end of the input writes it"
        assert one.messages_out == 105
        one.flush()
        assert texts(one.written[2]) == ["answer", "another", "the last"]
        one.send_all([encode_text("x" * 1_000)] * 200)
        assert len(one.written) == 4, "that is too much to wait"
        one.corked = False
        one.written.clear()
        one.send_all([encode_text("x" * 1_000)] * 200)
        assert len(one.written) == 4, "64 KiB at a time"

    run(scenario())


def test_each_of_many_frames_is_compressed_by_itself() -> None:
    agreed = Compression().negotiate((("Sec-WebSocket-Extensions", "permessage-deflate"),))
    assert agreed is not None
    one, frame = Paper(), encode_text("all work and no play " * 20)
    one.deflate, one.corked = agreed[1], True
    one.send_all([frame, frame])
    one.flush()
    assert one.written == [agreed[1].compressed(frame) * 2]


def test_channels_that_share_members_keep_the_order(run: Run) -> None:
    async def scenario() -> None:
        out, one, two, both = fan_out(), Paper(), Paper(), Paper()
        for number in range(6):
            out.publish([one, both] if number % 2 else [both, two], encode_text(str(number)))
        await a_turn()
        assert texts(b"".join(both.written)) == list("012345")
        assert texts(b"".join(one.written)) == list("135")
        assert texts(b"".join(two.written)) == list("024")

    run(scenario())


def test_one_may_be_left_out(run: Run) -> None:
    async def scenario() -> None:
        out, one, two = fan_out(), Paper(), Paper()
        assert out.publish({one, two}, encode_text("x"), exclude=one) == 1
        await a_turn()
        assert one.written == []
        assert len(two.written) == 1

    run(scenario())


def test_members_may_leave_and_join_between_broadcasts(run: Run) -> None:
    async def scenario() -> None:
        out, one, two = fan_out(), Paper(), Paper()
        members = {one}
        out.publish(members, encode_text("before"))
        members.discard(one)
        members.add(two)
        out.publish(members, encode_text("after"))
        await a_turn()
        assert texts(b"".join(one.written)) == ["before"]
        assert texts(b"".join(two.written)) == ["after"]

    run(scenario())


def test_a_large_fan_out_yields_and_stays_in_order(run: Run) -> None:
    async def scenario() -> None:
        out = fan_out(WireLimits(fan_out_members=50, fan_out_seconds=60))
        members = [Paper() for _ in range(220)]
        out.publish(members, encode_text("1"))
        await asyncio.sleep(0)
        assert sum(bool(member.written) for member in members) == 50
        out.publish(members, encode_text("2"))
        members[-1].send(encode_text("3"))
        assert texts(b"".join(members[-1].written)) == ["1", "2", "3"]
        for _ in range(10):
            await asyncio.sleep(0)
        assert all(texts(b"".join(member.written)) == ["1", "2"] for member in members[:-1])
        assert texts(b"".join(members[-1].written)) == ["1", "2", "3"]

    run(scenario())


def test_time_ends_a_share_of_a_fan_out(run: Run) -> None:
    async def scenario() -> None:
        out = fan_out(WireLimits(fan_out_members=500, fan_out_seconds=0))
        members = [Paper() for _ in range(100)]
        out.publish(members, encode_text("x"))
        await asyncio.sleep(0)
        assert 0 < sum(bool(member.written) for member in members) < 100
        for _ in range(20):
            await asyncio.sleep(0)
        assert all(len(member.written) == 1 for member in members)

    run(scenario())


def test_one_broken_member_harms_nobody(run: Run) -> None:
    class Broken:
        def write(self, data: bytes) -> None:
            raise Deliberate

    async def scenario() -> None:
        out, broken, fine = fan_out(), Paper(), Paper()
        async with connected_transport() as transport:
            broken.transport = transport
            broken.sink = Broken()
            out.publish([broken, fine], encode_text("x"))
            await a_turn()
            assert len(fine.written) == 1
            assert transport.is_closing()

    run(scenario())


@contextlib.asynccontextmanager
async def connected_transport() -> AsyncIterator[asyncio.Transport]:
    here, there = socket.socketpair()
    with there:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=here)
        try:
            yield transport
        finally:
            transport.close()
            await asyncio.sleep(0.01)


def test_answers_to_one_piece_of_input_are_one_write(run: Run) -> None:
    async def scenario() -> None:
        writes: list[int] = []

        class Watched:
            def __init__(self, sink: Sink) -> None:
                self._sink = sink

            def write(self, data: bytes) -> None:
                writes.append(len(data))
                self._sink.write(data)

        def watch(listener: Listener) -> None:
            listener.connection.sink = Watched(listener.connection.sink)

        async with serving(Recorder(on_open=watch)) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"x") * 100 + masked(8))
            assert len(await client.frames_to_the_end()) == 101
        assert writes == [302]

    run(scenario())


# ---------------------------------------------------------------------------------------------------- over sockets


def room_of(application: Recorder) -> list[Outbox]:
    return [listener.connection for listener in application.listeners if listener.connection.is_open]


async def joined(clients: contextlib.AsyncExitStack, application: Recorder, port: int, count: int) -> list[RawClient]:
    found = [await clients.enter_async_context(upgraded(port)) for _ in range(count)]
    await until(lambda: len(room_of(application)) == count)
    return found


def test_the_sender_and_the_others_hear_in_one_order(run: Run) -> None:
    async def scenario() -> None:
        wires: list[Wire] = []

        def shout(listener: Listener, message: str | bytes) -> None:
            assert isinstance(message, str)
            wires[0].fan_out.publish(room_of(application), encode_text(message))
            listener.connection.send(encode_text(f"sent {message}"))

        application = Recorder(on_message=shout)
        async with serving(application) as (wire, port), contextlib.AsyncExitStack() as clients:
            wires.append(wire)
            one, two = await joined(clients, application, port, 2)
            one.send(b"".join(masked(1, str(number).encode()) for number in range(5)))
            heard = [(await one.frame())[1].decode() for _ in range(10)]
            assert heard == [word for number in range(5) for word in (str(number), f"sent {number}")]
            assert [(await two.frame())[1] for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
            assert wire.counters.deliveries == 10

    run(scenario())


def test_who_does_not_read_is_dropped_and_nobody_waits(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        frame = encode_binary(b"x" * 16_000)
        limits = WireLimits(unsent_bytes=100_000)
        async with serving(application, limits) as (wire, port), contextlib.AsyncExitStack() as clients:
            *reading, idle = await joined(clients, application, port, 4)
            idle.transport.pause_reading()
            sluggish = application.listeners[-1]
            sent = 0
            while not sluggish.endings:
                wire.fan_out.publish(room_of(application), frame)
                sent += 1
                for client in reading:
                    assert await client.frame() == (0x82, b"x" * 16_000)
                assert sluggish.connection.queued_bytes <= 120_000
                assert sent < 3000
            assert await sluggish.end() == (1006, "")
            assert wire.counters.drops == {"slow_consumer": 1}
            assert len(room_of(application)) == 3

    run(scenario())


def test_who_takes_nothing_for_long_is_dropped(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        limits = WireLimits(unsent_bytes=64 << 20, stall_seconds=0.1)
        async with serving(application, limits) as (wire, port), upgraded(port) as client:
            client.transport.pause_reading()
            await until(lambda: bool(room_of(application)))
            [listener] = application.listeners
            listener.connection.send(encode_binary(b"x" * (16 << 20)))
            assert await listener.end() == (1006, "")
            assert wire.counters.drops == {"slow_consumer": 1}

    run(scenario())


def test_who_takes_a_little_at_a_time_stays(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        limits = WireLimits(unsent_bytes=64 << 20, stall_seconds=0.4)
        async with serving(application, limits) as (_, port), upgraded(port) as client:
            plain = client.writer.get_extra_info("socket")
            client.transport.pause_reading()
            await until(lambda: bool(room_of(application)))
            [listener] = application.listeners
            listener.connection.send(encode_binary(b"x" * (8 << 20)))
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            begun = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < begun + 1.5:
                with contextlib.suppress(BlockingIOError), socket.socket(fileno=os.dup(plain.fileno())) as copy:
                    assert copy.recv(256 * 1024)
                await asyncio.sleep(0.05)
            assert listener.endings == []
            assert listener.connection.queued_bytes > 0

    run(scenario())


@pytest.mark.parametrize("count", [5, 18])
def test_pongs_wait_while_much_is_unsent(run: Run, count: int) -> None:
    async def scenario() -> None:
        application = Recorder()
        limits = WireLimits(unsent_bytes=64 << 20, close_seconds=0.1)
        async with serving(application, limits) as (_, port), upgraded(port) as client:
            client.transport.pause_reading()
            await until(lambda: bool(room_of(application)))
            [listener] = application.listeners
            listener.connection.send(encode_binary(b"x" * (16 << 20)))
            unsent = listener.connection.queued_bytes
            client.send(b"".join(masked(9, b"%d" % number) for number in range(count)) + masked(1, b"end"))
            await until(lambda: listener.messages == ["end"])
            assert listener.connection.queued_bytes <= unsent + 5
            client.transport.resume_reading()
            assert (await client.frame())[0] == 0x82
            assert await client.frame() == (0x81, b"end")
            assert await client.frame() == (0x8A, b"%d" % (count - 1))

    run(scenario())


def test_after_the_end_nothing_is_written(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application) as (wire, port), upgraded(port) as client:
            await until(lambda: bool(room_of(application)))
            [listener] = application.listeners
            wire.fan_out.publish([listener.connection], encode_text("a"))
            listener.connection.close(1000)
            wire.fan_out.publish([listener.connection], encode_text("b"))
            listener.connection.send(encode_text("c"))
            client.send(masked(8))
            assert await client.frames_to_the_end() == [(0x81, b"a"), (0x88, b"\x03\xe8")]

    run(scenario())
