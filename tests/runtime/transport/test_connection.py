"""The life of a connection over real sockets: every way it ends, pausing, limits and time."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable

import pytest

from runtime.limits import WireLimits
from runtime.transport.frames import encode_text
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import (
    Deliberate,
    Listener,
    RawClient,
    Recorder,
    masked,
    serving,
    until,
    upgraded,
)

GOODBYE = masked(8, b"\x03\xe8")
QUICK = WireLimits(ping_seconds=0.1, pong_seconds=0.1, close_seconds=0.1, stall_seconds=0.2, assembly_seconds=0.1)
FREE = WireLimits(message_rate=0, byte_rate=0, control_rate=0)


def pause_at_once(listener: Listener, _: object = None) -> None:
    listener.connection.pause()


async def ended(application: Recorder) -> tuple[object, ...]:
    await until(lambda: bool(application.listeners))
    return await application.listeners[0].end()


# ---------------------------------------------------------------------------------------------------- ways to end


async def client_aborts(client: RawClient, _: Listener) -> None:
    client.leave()


async def client_resets(client: RawClient, _: Listener) -> None:
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.leave()


async def client_half_closes(client: RawClient, _: Listener) -> None:
    client.writer.write_eof()


async def client_leaves_amid_a_frame(client: RawClient, _: Listener) -> None:
    client.send(masked(1, b"whole")[:5])
    client.writer.write_eof()


async def client_says_goodbye(client: RawClient, _: Listener) -> None:
    client.send(masked(8, b"\x0f\xa1bye"))


async def client_says_nothing_more(client: RawClient, _: Listener) -> None:
    client.send(masked(8))


async def client_breaks_the_protocol(client: RawClient, _: Listener) -> None:
    client.send(b"\x81\x00")


async def server_closes_and_is_answered(client: RawClient, listener: Listener) -> None:
    listener.connection.close(4010, "state lost")
    listener.connection.close(1000, "too late")
    first, payload = await client.frame()
    assert (first, payload) == (0x88, b"\x0f\xaastate lost")
    client.send(masked(1, b"discarded") + masked(8, payload))


async def server_closes_and_gets_another_code(client: RawClient, listener: Listener) -> None:
    listener.connection.close(1012, "")
    client.send(masked(8, b"\x0f\xa0mine"))


async def server_closes_and_gets_no_code(client: RawClient, listener: Listener) -> None:
    listener.connection.close(1012, "")
    client.send(masked(8))


async def server_closes_and_is_left(client: RawClient, listener: Listener) -> None:
    listener.connection.close(1001, "gone")
    client.leave()


async def server_closes_in_vain(_: RawClient, listener: Listener) -> None:
    listener.connection.close(1001, "gone")


async def server_aborts(_: RawClient, listener: Listener) -> None:
    listener.connection.abort()
    assert not listener.connection.is_open
    assert listener.endings == []
    listener.connection.abort()


async def server_closes_then_aborts(_: RawClient, listener: Listener) -> None:
    listener.connection.close(1000)
    listener.connection.abort()


async def silence(_: RawClient, __: Listener) -> None:
    """The heartbeat goes unanswered."""


Ending = Callable[[RawClient, Listener], "asyncio.Future[None]"]


@pytest.mark.parametrize(
    ("act", "code", "reason"),
    [
        (client_aborts, 1006, ""),
        (client_resets, 1006, ""),
        (client_half_closes, 1006, ""),
        (client_leaves_amid_a_frame, 1006, ""),
        (client_says_goodbye, 4001, "bye"),
        (client_says_nothing_more, 1005, ""),
        (client_breaks_the_protocol, 1002, "frame is not masked"),
        (server_closes_and_is_answered, 4010, "state lost"),
        (server_closes_and_gets_another_code, 4000, "mine"),
        (server_closes_and_gets_no_code, 1012, ""),
        (server_closes_and_is_left, 1001, "gone"),
        (server_closes_in_vain, 1001, "gone"),
        (server_aborts, 1006, ""),
        (server_closes_then_aborts, 1006, ""),
        (silence, 1006, ""),
    ],
)
def test_every_way_to_end_is_told_once(run: Run, act: Ending, code: int, reason: str) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, QUICK) as (wire, port), upgraded(port) as client:
            client.send(masked(1, b"hello"))
            assert await client.frame() == (0x81, b"hello")
            [listener] = application.listeners
            await act(client, listener)
            assert await listener.end() == (code, reason)
            assert wire.counters.connections == 0
            connection = listener.connection
            connection.send(encode_text("nobody hears this"))
            connection.close(1000)
            connection.abort()
            connection.pause()
            connection.resume()
            assert connection.queued_bytes == 0
            await client.to_the_end()
            await asyncio.sleep(0.01)
        assert listener.events == [("opened",), ("received", "hello"), ("closed", code, reason)]

    run(scenario())


def test_a_close_frame_without_an_answer_is_counted(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, QUICK) as (wire, port), upgraded(port):
            await until(lambda: bool(application.listeners))
            application.listeners[0].connection.close(1001)
            await ended(application)
            assert wire.counters.drops == {"close_timeout": 1}
            assert wire.counters.limits_reached == {"close_seconds": 1}

    run(scenario())


def test_a_bug_of_the_peer_closes_with_1011_and_without_a_word(run: Run) -> None:
    def fail(*_: object) -> None:
        raise Deliberate("secret")

    async def scenario() -> None:
        for application in (Recorder(on_message=fail), Recorder(on_open=fail)):
            async with serving(application) as (wire, port), upgraded(port) as client:
                client.send(masked(1, b"x"))
                assert await client.frames_to_the_end() == [(0x88, b"\x03\xf3")]
                assert await ended(application) == (1011, "")
                assert wire.counters.drops == {"fault": 1}

    run(scenario())


def test_what_the_peer_sends_when_it_opens_comes_first(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_open=lambda listener: listener.connection.send(encode_text("welcome")))
        async with serving(application) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"x") + GOODBYE)
            assert await client.frames_to_the_end() == [(0x81, b"welcome"), (0x81, b"x"), (0x88, b"\x03\xe8")]

    run(scenario())


def test_a_peer_may_close_when_it_opens(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_open=lambda listener: listener.connection.close(4401, "who?"))
        async with serving(application) as (_, port), upgraded(port) as client:
            assert await client.frame() == (0x88, b"\x11\x31who?")
            client.send(masked(1, b"x") + masked(8, b"\x11\x31"))
            assert await ended(application) == (4401, "")
            assert application.listeners[0].messages == []

    run(scenario())


# ---------------------------------------------------------------------------------------------------- pausing


def test_while_paused_messages_wait_and_pings_are_answered(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        async with serving(application) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"a") + masked(1, b"b") + masked(2, b"c") + masked(9, b"?"))
            assert await client.frame() == (0x8A, b"?")
            [listener] = application.listeners
            for expected in (["a"], ["a", "b"], ["a", "b", b"c"]):
                assert listener.messages == expected
                listener.connection.resume()
            listener.connection.resume()
            client.send(masked(1, b"d"))
            await until(lambda: listener.messages == ["a", "b", b"c", "d"])
            client.leave()
            assert await listener.end() == (1006, "")

    run(scenario())


@pytest.mark.parametrize(("payload", "limit"), [(b"x", "inbox_messages"), (b"x" * 5000, "inbox_bytes")])
def test_a_full_inbox_stops_reading_and_loses_nothing(run: Run, payload: bytes, limit: str) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        count = 600
        async with serving(application, FREE) as (wire, port), upgraded(port) as client:
            client.send(b"".join(masked(1, b"%d " % number + payload) for number in range(count)) + GOODBYE)
            await until(lambda: bool(application.listeners) and bool(application.listeners[0].messages))
            [listener] = application.listeners
            transport = listener.connection.transport
            await until(lambda: not transport.is_reading())
            while not listener.endings:
                assert listener.connection._inbox is None or len(listener.connection._inbox) <= 64
                assert listener.connection._inbox_bytes < 256 * 1024 + 5010
                listener.connection.resume()
                await asyncio.sleep(0)
            numbers = [int(str(message).split()[0]) for message in listener.messages]
            assert numbers == list(range(count))
            assert await listener.end() == (1000, "")
            assert wire.counters.limits_reached.keys() == {limit}

    run(scenario())


def test_resuming_inside_a_delivery_keeps_the_order(run: Run) -> None:
    def pause_and_resume(listener: Listener, _: object) -> None:
        listener.connection.pause()
        listener.connection.resume()

    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        async with serving(application, FREE) as (_, port), upgraded(port) as client:
            client.send(b"".join(masked(1, b"%d" % number) for number in range(300)) + GOODBYE)
            await until(lambda: bool(application.listeners) and len(application.listeners[0].messages) == 1)
            [listener] = application.listeners
            await asyncio.sleep(0.01)
            listener.on_message = pause_and_resume
            listener.connection.resume()
            assert await listener.end() == (1000, "")
            assert listener.messages == [str(number) for number in range(300)]

    run(scenario())


@pytest.mark.parametrize("goodbye", [GOODBYE, b""])
def test_what_came_before_the_end_is_delivered_before_it(run: Run, goodbye: bytes) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        async with serving(application) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"a") + masked(1, b"b") + masked(1, b"c") + goodbye)
            if not goodbye:
                client.writer.write_eof()
            await until(lambda: bool(application.listeners) and not application.listeners[0].connection.is_open)
            [listener] = application.listeners
            await asyncio.sleep(0.01)
            assert listener.events == [("opened",), ("received", "a")]
            listener.connection.resume()
            listener.connection.resume()
            listener.connection.resume()
            assert listener.messages == ["a", "b", "c"]
            assert await listener.end() == ((1000, "") if goodbye else (1006, ""))

    run(scenario())


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("goodbye", [b"", GOODBYE])
def test_when_the_server_ends_it_what_waits_is_dropped(run: Run, how: str, goodbye: bytes) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        async with serving(application) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"a") + masked(1, b"b") + goodbye)
            await until(lambda: bool(application.listeners) and bool(application.listeners[0].messages))
            [listener] = application.listeners
            if how == "close":
                listener.connection.close(1012)
                client.send(masked(8, b"\x03\xf4"))
            else:
                listener.connection.abort()
            await listener.end()
            listener.connection.resume()
            assert listener.messages == ["a"]

    run(scenario())


# ---------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("changes", "sent", "allowed"),
    [
        ({"message_rate": 1, "message_burst": 5}, masked(1, b"x") * 50, 5),
        ({"message_rate": 1, "message_burst": 5}, masked(2, b"x" * 200) * 50, 5),
        ({"byte_rate": 1, "byte_burst": 100}, masked(1, b"x" * 200), 0),
        ({"control_rate": 1, "control_burst": 5}, masked(9, b"x") * 50, 5),
    ],
)
def test_rates(run: Run, changes: dict[str, float], sent: bytes, allowed: int) -> None:
    async def scenario() -> None:
        application = Recorder()
        limits = dataclasses.replace(WireLimits(), **changes)  # type: ignore[arg-type]
        async with serving(application, limits) as (wire, port), upgraded(port) as client:
            client.send(sent)
            *answers, last = await client.frames_to_the_end()
            assert len(answers) == allowed
            assert last[0] == 0x88
            assert last[1].startswith(b"\x03\xf0too many")
            assert (await ended(application))[0] == 1008
            broken = next(iter(changes))
            assert wire.counters.drops == {broken: 1}
            assert wire.counters.limits_reached == {broken: 1}

    run(scenario())


class Clock:
    """A loop whose time is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self._loop = asyncio.get_running_loop()

    def time(self) -> float:
        return self.now

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)


def test_a_client_below_the_rate_is_served_when_its_burst_is_spent(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=lambda *_: None)
        limits = dataclasses.replace(WireLimits(), message_rate=1_000, message_burst=10)
        async with serving(application, limits) as (wire, port), upgraded(port):
            await until(lambda: bool(application.listeners))
            [listener] = application.listeners
            clock = Clock()
            clock.now = wire.loop.time()
            wire.loop = clock  # type: ignore[assignment]
            listener.connection.data_received(masked(1, b"x") * 10)
            for wait in (0.0029, 0.0019) * 100:  # 833 messages a second, two at a time
                clock.now += wait
                listener.connection.data_received(masked(1, b"x") * 2)
            assert len(listener.messages) == 410
            assert listener.endings == []

    run(scenario())


def test_without_rates_a_flood_is_served(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, FREE) as (wire, port), upgraded(port) as client:
            client.send(masked(1, b"") * 20_000 + masked(9) * 1000 + GOODBYE)
            frames = await client.frames_to_the_end()
            assert frames == [(0x81, b"")] * 20_000 + [(0x8A, b"")] * 1000 + [(0x88, b"\x03\xe8")]
            await ended(application)
            assert wire.counters.messages_in == wire.counters.messages_out == 20_000
            assert wire.counters.bytes_in == 21_000 * 6 + 8
            assert wire.counters.pings_in == 1000

    run(scenario())


def test_no_turn_parses_more_than_a_slice_or_two(run: Run) -> None:
    async def scenario() -> None:
        turns: list[int] = []
        application = Recorder(on_message=lambda *_: turns.append(turn[0]))
        turn = [0]

        def count() -> None:
            turn[0] += 1
            loop.call_soon(count)

        loop = asyncio.get_running_loop()
        loop.call_soon(count)
        async with serving(application, FREE) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"") * 30_000 + GOODBYE)
            await ended(application)
        most = max(turns.count(number) for number in set(turns))
        assert len(turns) == 30_000
        # Reading and the callbacks of a turn may each parse one.
        assert most <= 2 * (16 * 1024 // 6 + 1)

    run(scenario())


def test_a_message_has_its_time(run: Run) -> None:
    async def scenario() -> None:
        for begun in (masked(1, b"x", fin=False), masked(1, b"x" * 100)[:50], masked(1, b"x")[:1]):
            application = Recorder()
            async with serving(application, QUICK) as (wire, port), upgraded(port) as client:
                client.send(begun)
                assert (await client.frames_to_the_end())[-1] == (0x88, b"\x03\xf0message took too long")
                assert await ended(application) == (1008, "message took too long")
                assert wire.counters.drops == {"assembly_seconds": 1}

    run(scenario())


# ---------------------------------------------------------------------------------------------------- heartbeat


def test_a_quiet_client_is_asked_and_stays_if_it_answers(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, QUICK) as (wire, port), upgraded(port) as client:
            for _ in range(3):
                assert await client.frame() == (0x89, b"")
                client.send(masked(10))
            assert application.listeners[0].endings == []
            assert await client.frame() == (0x89, b"")
            assert await ended(application) == (1006, "")
            assert wire.counters.drops == {"heartbeat": 1}
            assert wire.counters.limits_reached == {"ping_seconds": 4, "pong_seconds": 1}

    run(scenario())


def test_a_client_that_answers_stays_while_a_hook_takes_longer_than_that(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        async with serving(application, QUICK) as (wire, port), upgraded(port) as client:
            client.send(masked(1, b"a") + masked(1, b"b"))
            for _ in range(5):
                assert await client.frame() == (0x89, b"")
                client.send(masked(10))
            [listener] = application.listeners
            assert listener.events == [("opened",), ("received", "a")]
            listener.connection.resume()
            assert listener.messages == ["a", "b"]
            client.leave()
            await listener.end()
            assert wire.counters.drops == {}

    run(scenario())


def test_time_in_which_we_do_not_read_is_not_the_clients(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=pause_at_once)
        limits = dataclasses.replace(QUICK, inbox_messages=1)
        async with serving(application, limits) as (_, port), upgraded(port) as client:
            client.send(masked(1, b"a") + masked(1, b"b") + masked(1, b"c")[:3])
            await until(lambda: bool(application.listeners))
            [listener] = application.listeners
            await until(lambda: not listener.connection.transport.is_reading())
            await asyncio.sleep(0.5)
            assert listener.endings == []
            client.send(masked(1, b"c")[3:])
            while listener.messages != ["a", "b", "c"]:
                listener.connection.resume()
                await asyncio.sleep(0)
            client.leave()
            await listener.end()

    run(scenario())
