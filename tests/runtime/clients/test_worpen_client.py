"""The Python client against a real server: cuts, what is lost, what ends it."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import aclosing
from urllib.parse import parse_qs, urlsplit

import pytest

from runtime.app import App
from runtime.clients.worpen_client import (
    ADDRESS_CHARACTERS,
    Closed,
    Event,
    Lost,
    Message,
    NotConnected,
    Opened,
    Recovered,
    WorpenClient,
)
from runtime.envelope import parse_recovery
from tests.e2e.news import NEWS, busy_with_cuts, served


def client(app: App, room: str = "a", base: float = 0.002) -> WorpenClient:
    return WorpenClient(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/news/{room}", base=base, cap=0.01)


async def test_over_many_cuts_each_message_comes_once_and_in_order() -> None:
    async with served() as app, asyncio.timeout(60):
        heard: list[int] = []
        came = asyncio.Event()
        reader = client(app)

        async def read() -> None:
            async with aclosing(reader.events()) as events:
                async for event in events:
                    assert not isinstance(event, Lost)
                    if isinstance(event, Message):
                        heard.append(int(event.data))
                        came.set()

        reading = asyncio.create_task(read())
        said = await busy_with_cuts(app, 60)
        while not heard or heard[-1] < said:
            came.clear()
            await came.wait()
        await reader.close()
        await reading
        assert heard == list(range(1, said + 1))


async def test_what_happens_is_told_in_order() -> None:
    async with served(NEWS.replace("size: 40", "size: 2")) as app, asyncio.timeout(30):
        reader, told = client(app), list[Event]()
        async with aclosing(reader.events()) as events:
            with pytest.raises(NotConnected):
                await reader.send("too early")
            assert not reader.is_open
            async for event in events:
                told.append(event)
                match event:
                    case Opened(_, False):
                        await reader.send("1")
                    case Message("1"):
                        app.links[next(iter(app.links))].abort()
                        for text in "2345":
                            app.broadcast("a", text)
                    case Recovered():
                        app.close(next(iter(app.links)), 4000, "done")
                    case _:
                        pass
        assert told[1:] == [
            Message("1", "a", 1),
            Closed(1006, "", pytest.approx(0.0, abs=0.01)),  # type: ignore[arg-type]
            Opened(told[3].id, True),  # type: ignore[union-attr]
            Lost("a", 2),
            Message("4", "a", 4),
            Message("5", "a", 5),
            Recovered("a", 2),
            Closed(4000, "done", None),
        ]


async def test_a_server_that_keeps_nothing_makes_it_say_that_all_may_be_lost() -> None:
    async with served() as app, asyncio.timeout(30):
        assert app._floor is not None
        assert app._floor.node.recall is not None
        app._floor.node.recall._history = None
        reader, told = client(app), list[Event]()
        async for event in reader.events():
            told.append(event)
            if isinstance(event, Opened) and not event.again:
                app.links[event.id].abort()
            if isinstance(event, Lost):
                await reader.close()
        assert [type(event) for event in told] == [Opened, Closed, Opened, Lost, Closed]
        assert told[3] == Lost(None, None)


async def test_binary_messages_are_bytes() -> None:
    source = NEWS.replace('message: "{{ message }}"}', 'message: "/wA=", binary: true}')
    async with served(source) as app, asyncio.timeout(30):
        reader = client(app)
        async with aclosing(reader.events()) as events:
            async for event in events:
                if isinstance(event, Opened):
                    await reader.send(b"x")
                if isinstance(event, Message):
                    assert event.data == b"\xff\0"
                    break


async def test_a_refusal_ends_it_and_an_absent_server_does_not() -> None:
    async with served() as app, asyncio.timeout(30):
        lost = WorpenClient(f"ws://127.0.0.1:{app.addresses[0][1]}/nowhere")
        assert [event async for event in lost.events()] == [Closed(1006, "refused with 404", None)]
        port = app.addresses[0][1]
    absent = WorpenClient(f"ws://127.0.0.1:{port}/ws/news/a", base=0.001)
    async with aclosing(absent.events()) as events:
        for _ in range(4):
            event = await anext(events)
            assert isinstance(event, Closed)
            assert event.delay is not None


def test_attempts_wait_at_random_up_to_a_bound_that_doubles() -> None:
    chances = itertools.cycle([1.0, 0.25])
    patient = WorpenClient("ws://localhost/", base=1.0, cap=10.0, chance=lambda: next(chances))
    assert [patient._delay() for _ in range(7)] == [1.0, 0.5, 4.0, 2.0, 10.0, 2.5, 10.0]


def test_there_is_an_end_to_what_an_address_can_ask_for() -> None:
    asking = WorpenClient("ws://localhost/ws?a=b")
    assert asking._address() == "ws://localhost/ws?a=b"
    asking._places = {f"رقم {number}": ["0123456789abcdef", number] for number in range(100)}
    address = asking._address()
    assert len(address) < ADDRESS_CHARACTERS + 100
    (written,) = parse_qs(urlsplit(address).query)["recover"]
    assert parse_recovery(written).keys() == asking._places.keys()
    assert len(asking._places) + len(asking._left_out) == 100
    assert asking._left_out[-1] == "رقم 99"
