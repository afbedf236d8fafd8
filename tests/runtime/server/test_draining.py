"""The end of a server: in batches, in order, in time."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from runtime.events import Draining, Stopped
from runtime.limits import ServerLimits
from runtime.server.draining import Drain
from tests.runtime.parts import route
from tests.runtime.server.harness import PATIENCE_SECONDS, client, started


def welcoming(**hooks: Any) -> Any:
    return route(on_connect=lambda *_: "welcome", **hooks)


async def test_nobody_there() -> None:
    async with started(welcoming()) as app:
        heard: list[Any] = []
        app.events.subscribe(heard.append)
        await app.drain()
        await app.drain()
        assert heard == [Draining(0, 30.0), Stopped(0)]


async def test_the_reason_says_when_to_come_back() -> None:
    async with started(welcoming(), limits=ServerLimits(retry_seconds=4)) as app, client(app) as one:
        await one.recv()
        await app.drain()
        with pytest.raises(ConnectionClosed) as caught:
            await one.recv()
        assert caught.value.rcvd is not None
        match = re.fullmatch(r"the server stops; reconnect after (\d\.\d) s", caught.value.rcvd.reason)
        assert match is not None
        assert 1 <= float(match[1]) <= 4


async def test_many_connections_are_closed_over_a_time() -> None:
    gone: list[int] = []
    first = asyncio.Event()

    def on_disconnect(*_: Any) -> None:
        gone.append(1)
        first.set()

    async with started(welcoming(on_disconnect=on_disconnect)) as app:
        clients = [await client(app) for _ in range(60)]
        for one in clients:
            await one.recv()
        draining = asyncio.create_task(app.drain())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first.wait()
            assert app.connections > 20
            await draining
        assert len(gone) == 60
        for one in clients:
            await one.close()


async def test_an_end_in_bad_order_is_counted() -> None:
    async def hang(inputs: Any, slots: Any, emit: Any) -> Any:
        await emit("sleep", 60_000)

    hanging = welcoming(on_disconnect=hang, waiting=("on_disconnect",))
    async with started(hanging, limits=ServerLimits(drain_seconds=0.7)) as app:
        heard: list[Any] = []
        app.events.subscribe(heard.append)
        clients = [await client(app) for _ in range(3)]
        for one in clients:
            await one.recv()
        await app.drain()
        assert heard[-1] == Stopped(3)
        for one in clients:
            await one.close()


async def test_hurrying_before_the_run_is_fine() -> None:
    async with started(welcoming()) as app:
        assert app._floor is not None
        drain = Drain(app._floor, ServerLimits(), lambda: 1.0)
        drain.hurry()
        drain.hurry()
        assert await drain.run() == 0


async def test_what_is_outside_and_hangs_does_not_hold_up_the_end() -> None:
    async with started(welcoming(), limits=ServerLimits(drain_seconds=1)) as app:
        assert app._floor is not None
        drain = Drain(app._floor, ServerLimits(drain_seconds=1), lambda: 1.0)
        assert await drain.run() == 0
        closed, ended = [], asyncio.Event()

        async def close() -> None:
            closed.append(1)

        async def hang() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

        async with asyncio.timeout(PATIENCE_SECONDS):
            await drain.close(hang(), close())
        assert closed == [1]
        assert ended.is_set()
