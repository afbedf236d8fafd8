"""Who comes in thousands waits in the kernel's queue, and all get in."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from unittest.mock import patch

import pytest

from runtime.limits import WireLimits
from runtime.transport.acceptor import LEAST_TAKEN, PAUSE_SECONDS, Acceptor
from runtime.transport.wire import Wire
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import Recorder, until, upgrade_request

only_uvloop = pytest.mark.parametrize("run", ["uvloop"], indirect=True)
"""Of what asyncio's own loop does not do."""
ROOMY = WireLimits(open_handshakes=2_000, handshake_seconds=60)


@contextlib.asynccontextmanager
async def accepting(rate: float, burst: int = 1) -> AsyncIterator[tuple[Wire, Acceptor, int]]:
    wire = Wire(Recorder(), ROOMY)
    acceptor = Acceptor(wire, rate, burst)
    await acceptor.open("127.0.0.1", 0)
    try:
        yield wire, acceptor, acceptor.addresses[0][1]
    finally:
        acceptor.close()
        await until(lambda: not wire.counters.connections and not wire.open_handshakes)


@contextlib.contextmanager
def connections(port: int, number: int) -> Iterator[list[socket.socket]]:
    """Connections in the kernel's queue: the loop does nothing meanwhile."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(number)]


@only_uvloop
def test_a_crowd_is_taken_at_a_pace_and_nobody_is_lost(run: Run) -> None:
    async def scenario() -> None:
        async with accepting(rate=1) as (wire, acceptor, port):
            with connections(port, LEAST_TAKEN * 2) as crowd:
                await until(lambda: acceptor.is_paused)
                assert LEAST_TAKEN <= wire.open_handshakes < len(crowd)
                for each in crowd:
                    each.sendall(upgrade_request())
                await until(lambda: wire.counters.connections == len(crowd))

    run(scenario())


def test_a_rate_of_zero_takes_all_who_come(run: Run) -> None:
    async def scenario() -> None:
        async with accepting(rate=0) as (wire, acceptor, port):
            with connections(port, LEAST_TAKEN + 100) as crowd:
                await until(lambda: wire.open_handshakes == len(crowd))
                assert not acceptor.is_paused

    run(scenario())


@only_uvloop
def test_it_can_be_closed_in_a_pause(run: Run) -> None:
    async def scenario() -> None:
        async with accepting(rate=1) as (wire, acceptor, port):
            with connections(port, LEAST_TAKEN * 2):
                await until(lambda: acceptor.is_paused)
                acceptor.close()
                taken = wire.open_handshakes
                with pytest.raises(ConnectionRefusedError), connections(port, 1):
                    pass
                await asyncio.sleep(PAUSE_SECONDS * 10)
                assert wire.open_handshakes == taken

    run(scenario())


@only_uvloop
def test_it_tries_again_where_no_file_can_be_opened(run: Run) -> None:
    async def scenario() -> None:
        async with accepting(rate=1) as (wire, _, port):
            with connections(port, LEAST_TAKEN + 10) as crowd:
                with patch.object(socket.socket, "dup", side_effect=OSError(errno.EMFILE, "")) as dup:
                    await until(lambda: dup.call_count == 2)
                await until(lambda: wire.open_handshakes == len(crowd))

    run(scenario())


def test_a_port_that_is_taken_is_told(run: Run) -> None:
    async def scenario() -> None:
        async with accepting(rate=0) as (wire, _, port):
            second = Acceptor(wire)
            with pytest.raises(OSError) as told:
                await second.open("127.0.0.1", port)
            assert told.value.errno == errno.EADDRINUSE
            assert second.addresses == ()

    run(scenario())
