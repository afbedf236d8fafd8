"""The last bytes arrive although the other side still sends, and nobody stays for ever."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from runtime.limits import WireLimits
from runtime.transport.frames import encode_binary
from runtime.transport.seam import Acceptance, Request
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import (
    Listener,
    Recorder,
    masked,
    raw,
    serving,
    until,
    upgrade_request,
    upgraded,
)

TCP_CLOSE = 7
"""Nothing is left of a connection, not even in the kernel."""
BRIEF = WireLimits(close_seconds=0.1)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the state of a TCP connection")


def tcp_state(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


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


@linux_only
def test_what_a_dropped_client_did_not_read_is_not_kept_by_the_kernel(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application, WireLimits(unsent_bytes=100_000)) as (wire, port), upgraded(port) as client:
            client.transport.pause_reading()
            while not wire.counters.drops:
                application.listeners[0].connection.send(encode_binary(b"x" * 65_000))
                await asyncio.sleep(0)
            connection = client.transport.get_extra_info("socket")
            await until(lambda: tcp_state(connection) == TCP_CLOSE)

    run(scenario())


def close_at_once(_: Request, listener: Listener) -> Acceptance:
    listener.connection.close(1000)
    return Acceptance(listener)


@linux_only
@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        (WireLimits(open_handshakes=0), "dropped"),
        (WireLimits(handshake_seconds=0.05), "timeout"),
        (WireLimits(), "dropped"),
    ],
    ids=["too many", "too late", "closed by the application"],
)
def test_a_dropped_handshake_leaves_nothing_in_the_kernel(run: Run, limits: WireLimits, outcome: str) -> None:
    async def scenario() -> None:
        async with serving(Recorder(decide=close_at_once), limits) as (wire, port):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(upgrade_request() if limits == WireLimits() else b"")
                await until(lambda: tcp_state(client) == TCP_CLOSE)
                assert wire.counters.handshakes == {outcome: 1}

    run(scenario())


@pytest.mark.parametrize("how", ["close", "abort"])
def test_who_said_goodbye_is_answered_though_the_server_ends_it_meanwhile(run: Run, how: str) -> None:
    async def scenario() -> None:
        application = Recorder(on_message=lambda listener, _: listener.connection.pause())
        limits = WireLimits(unsent_bytes=100_000_000, close_seconds=1000)
        async with serving(application, limits) as (_, port), upgraded(port) as client:
            client.transport.pause_reading()
            connection = application.listeners[0].connection
            while not connection.queued_bytes:
                connection.send(encode_binary(b"x" * 65_000))
                await asyncio.sleep(0)
            client.send(masked(1, b"a") + masked(1, b"waits") + masked(8, b"\x03\xe8"))
            await until(lambda: not connection.is_open)
            connection.close(1012) if how == "close" else connection.abort()
            assert await application.listeners[0].end() == (1000, "")
            client.transport.resume_reading()
            assert (await client.to_the_end()).endswith(b"x\x88\x02\x03\xe8")

    run(scenario())
