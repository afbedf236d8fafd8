"""Recovery where nodes are many: on any of them, from what the store keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.events import BusDown, Event
from runtime.limits import ServerLimits
from runtime.loader import link
from runtime.server.catalogue import RouteEntry, entries_of
from tests.e2e.news import NEWS, served
from tests.e2e.test_recovery import heard, message, plain, wrapped
from tests.runtime.bus.valkey import Valkey, Wire, valkey

PATIENCE_SECONDS = 15.0
Place = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[Valkey]:
    """One store for the tests that leave it alone."""
    with valkey() as server:
        yield server


@asynccontextmanager
async def two_nodes(url: str, source: str = NEWS, **settings: Any) -> AsyncIterator[tuple[App, App]]:
    async with (
        served(source, bus_url=url, **settings) as one,
        served(source, bus_url=url, **settings) as two,
    ):
        await until(lambda: one._bus and one._bus.others and two._bus and two._bus.others)
        yield one, two


@asynccontextmanager
async def one_behind_a_wire(store: Valkey) -> AsyncIterator[tuple[Wire, App, App]]:
    """Two nodes, of which the first can be cut off from the store."""
    async with Wire(store.port) as wire, served(bus_url=wire.url) as one, served(bus_url=store.url) as two:
        yield wire, one, two


async def cut_off(app: App, wire: Wire) -> None:
    """Take the store from a node, and see that it knows."""
    await wire.cut()
    await until(lambda: app._bus and not app._bus.is_up)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 (a test may look)
            await asyncio.sleep(0.005)


async def welcomed(connection: ClientConnection) -> Any:
    """What is said after the welcome."""
    assert (await heard(connection))["recovers"] is True
    return await heard(connection)


async def entered(app: App, room: str) -> tuple[ClientConnection, Place]:
    """A client in a room, and where it stands."""
    connection = await wrapped(app, room=room)
    joined = await welcomed(connection)
    assert joined["type"] == "joined"
    return connection, {room: [joined["epoch"], joined["offset"]]}


async def say(speaker: ClientConnection, *texts: str) -> None:
    """Say something, and hear oneself say it."""
    for text in texts:
        await speaker.send(text)
        assert await asyncio.wait_for(speaker.recv(), 10) == text


def in_room(room: str, told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "channel": room}


async def test_offsets_and_epochs_are_one_for_all_nodes(shared: Valkey) -> None:
    async with two_nodes(shared.url) as (one, two), plain(one, "r1") as alice:
        bob, place = await entered(two, "r1")
        carol, same = await entered(one, "r1")
        assert place == same
        await say(alice, "1", "2")
        await bob.send("3")
        for client in (bob, carol):
            assert [await heard(client) for _ in range(3)] == [
                in_room("r1", message(str(number), number)) for number in (1, 2, 3)
            ]


async def test_a_client_comes_back_to_another_node(shared: Valkey) -> None:
    async with two_nodes(shared.url) as (one, two), plain(one, "r2") as alice:
        bob, place = await entered(one, "r2")
        await say(alice, "1")
        place["r2"][1] = (await heard(bob))["offset"]
        bob.transport.abort()
        await say(alice, "2", "3")
        async with wrapped(two, place, "r2") as bob:
            assert await welcomed(bob) == in_room("r2", message("2", 2))
            assert await heard(bob) == in_room("r2", message("3", 3))
            assert await heard(bob) == {
                "type": "recovered", "channel": "r2", "epoch": place["r2"][0], "offset": 3, "messages": 2,
            }  # fmt: skip
            await say(alice, "4")
            assert await heard(bob) == in_room("r2", message("4", 4))


async def test_a_cut_longer_than_the_window_is_told(shared: Valkey) -> None:
    async with two_nodes(shared.url) as (one, two), plain(one, "r3") as alice:
        bob, place = await entered(one, "r3")
        await bob.close()
        await say(alice, *map(str, range(1, 101)))
        async with wrapped(two, place, "r3") as bob:
            epoch = place["r3"][0]
            assert await welcomed(bob) == {
                "type": "lost", "channel": "r3", "missed": 60, "epoch": epoch, "offset": 60,
            }  # fmt: skip
            assert [await heard(bob) for _ in range(40)] == [in_room("r3", message(str(n), n)) for n in range(61, 101)]
            assert (await heard(bob))["messages"] == 40
        async with wrapped(two, {"r3": ["of another time", 3]}, "r3") as bob:
            assert (await welcomed(bob))["missed"] is None
        assert two.counters.recoveries == {("lost",): 1, ("unknown",): 1}


async def test_the_sender_that_leaves_itself_out_is_told_of_its_place(shared: Valkey) -> None:
    source = NEWS.replace('message: "{{ message }}"}', 'message: "{{ message }}", exclude_self: true}')
    async with two_nodes(shared.url, source) as (one, two):
        alice, _ = await entered(one, "r4")
        bob, _ = await entered(two, "r4")
        await alice.send("1")
        assert await heard(alice) == {"type": "passed", "channel": "r4", "offset": 1}
        assert await heard(bob) == in_room("r4", message("1", 1))


async def test_what_another_route_sends_to_such_a_channel_is_kept_too(shared: Valkey) -> None:
    other = NEWS.replace("history: {size: 40, ttl: 60}\n", "").replace("/ws/news/", "/ws/other/").replace("EXTRA", "")
    async with two_nodes(shared.url) as (one, two):
        two.swap([*_entries(two), *entries_of_source(two, other)])
        bob, place = await entered(one, "r5")
        async with plain(two, "r5", "other") as speaker:
            await say(speaker, "1")
            assert await heard(bob) == in_room("r5", message("1", 1))
            await bob.close()
            await say(speaker, "2")
            async with wrapped(one, place, "r5") as bob:
                assert await welcomed(bob) == in_room("r5", message("1", 1))
                assert await heard(bob) == in_room("r5", message("2", 2))


def _entries(app: App) -> list[RouteEntry]:
    return [
        RouteEntry(served.version.owner, served.version.route) for served in app.routes() if served.version is not None
    ]


def entries_of_source(app: App, source: str) -> list[RouteEntry]:
    program = compile_source("news.yaml", source.encode(), CompilerSettings()).program
    assert program is not None
    return entries_of(link(program, app.context))


async def test_routes_without_history_ask_the_store_for_nothing(shared: Valkey) -> None:
    source = NEWS.replace("history: {size: 40, ttl: 60}\n", "")
    async with two_nodes(shared.url, source) as (one, two), plain(one, "r6") as alice:
        assert one._recall is not None
        assert not one._recall.busy
        async with wrapped(two, {"r6": ["e", 3]}, "r6") as bob:
            assert await welcomed(bob) == {"type": "lost", "channel": "r6", "missed": None}
            assert two._bus
            await two._bus.settled()  # he hears the room from now on
            await say(alice, "hi")
            assert await heard(bob) == {"type": "message", "channel": "r6", "data": "hi"}
        assert two._recall is not None
        assert not two._recall.keeps


async def test_when_the_store_is_lost_members_talk_on_and_who_comes_back_is_told(shared: Valkey) -> None:
    with valkey() as store:
        async with two_nodes(store.url) as (one, two), plain(one) as alice:
            down: list[Event] = []
            one.events.subscribe(lambda event: down.append(event) if isinstance(event, BusDown) else None)
            bob, place = await entered(one, "a")
            await say(alice, "1")
            assert await heard(bob) == message("1", 1)
            store.kill()
            await until(lambda: down)
            await say(alice, "alone")
            assert await heard(bob) == {"type": "message", "channel": "a", "data": "alone"}
            async with wrapped(one, place) as carol:
                assert await welcomed(carol) == {"type": "lost", "channel": "a", "missed": None}
                await say(alice, "still")
                assert (await heard(carol))["data"] == (await heard(bob))["data"] == "still"
                store.start()
                await until(lambda: one._bus and one._bus.is_up and two._bus and two._bus.is_up)
                lost, recovered, joined = await heard(bob), await heard(bob), await heard(carol)
                assert (lost["type"], lost["missed"], lost["offset"]) == ("lost", None, 0)
                assert (recovered["type"], recovered["epoch"]) == ("recovered", lost["epoch"])
                assert lost["epoch"] != place["a"][0]
                assert joined == {"type": "joined", "channel": "a", "epoch": lost["epoch"], "offset": 0}
                await say(alice, "again")
                assert await heard(bob) == message("again", 1)
                assert await heard(carol) == message("again", 1)
            assert one.counters.recoveries == {("down",): 1}
            async with wrapped(two, place) as carol:
                lost = await welcomed(carol)
                assert (lost["missed"], lost["offset"]) == (None, 0)
                assert await heard(carol) == message("again", 1)


async def test_a_node_that_was_cut_off_hands_its_members_what_they_missed(shared: Valkey) -> None:
    async with one_behind_a_wire(shared) as (wire, one, two), plain(two, "r7") as alice:
        bob, place = await entered(one, "r7")
        await say(alice, "1")
        assert (await heard(bob))["offset"] == 1
        await cut_off(one, wire)
        await say(alice, "2", "3")
        await wire.mend()
        assert [await heard(bob) for _ in range(3)] == [
            in_room("r7", message("2", 2)),
            in_room("r7", message("3", 3)),
            {"type": "recovered", "channel": "r7", "epoch": place["r7"][0], "offset": 3, "messages": 2},
        ]
        await say(alice, "4")
        assert await heard(bob) == in_room("r7", message("4", 4))
        assert one.counters.history_healed == 2


async def test_what_a_node_said_alone_begins_a_new_epoch_for_all(shared: Valkey) -> None:
    async with one_behind_a_wire(shared) as (wire, one, two), plain(one, "r8") as alice:
        bob, place = await entered(two, "r8")
        await say(alice, "1")
        assert (await heard(bob))["offset"] == 1
        await cut_off(one, wire)
        await say(alice, "nobody else hears")
        await wire.mend()
        lost = await heard(bob)
        assert lost == {"type": "lost", "channel": "r8", "missed": None, "epoch": lost["epoch"], "offset": 0}
        async with wrapped(two, place, "r8") as carol:
            assert (await welcomed(carol))["missed"] is None
            await say(alice, "2")
            assert await heard(bob) == in_room("r8", message("2", 1))


async def test_a_store_without_room_stops_no_message() -> None:
    with valkey() as store:
        async with two_nodes(store.url) as (one, two), plain(one) as alice, Redis.from_url(store.url) as client:
            bob, place = await entered(two, "a")
            await say(alice, "1")
            assert (await heard(bob))["offset"] == 1
            await client.config_set("maxmemory", 1)
            await say(alice, "2", "3")
            assert [await heard(bob) for _ in range(3)] == [
                {"type": "lost", "channel": "a", "missed": None},
                {"type": "message", "channel": "a", "data": "2"},
                {"type": "message", "channel": "a", "data": "3"},
            ]
            assert one.counters.history_refused == 2
            async with wrapped(one, place) as carol:
                assert await welcomed(carol) == {"type": "lost", "channel": "a", "missed": None}
                await client.config_set("maxmemory", 0)
                await say(alice, "4")
                for who in (bob, carol):
                    joined = await heard(who)
                    assert (joined["type"], joined["offset"]) == ("joined", 0)
                    assert await heard(who) == message("4", 1)
            assert one._bus
            assert two._bus
            assert one._bus.is_up
            assert two._bus.is_up


async def test_a_store_that_forgets_its_scripts_is_taught_them_again() -> None:
    with valkey() as store:
        async with two_nodes(store.url) as (one, two), plain(one) as alice, Redis.from_url(store.url) as client:
            bob, _ = await entered(two, "a")
            await say(alice, "1")
            assert (await heard(bob))["offset"] == 1
            await client.script_flush()
            await say(alice, "2")  # the node loses the store by that, and hands it out itself
            await until(lambda: one._bus and one._bus.is_up)
            await say(alice, "3")
            told = [await heard(bob) for _ in range(2)]
            assert (told[0]["type"], told[0]["missed"]) == ("lost", None)
            assert told[1] == message("3", 1)


async def test_history_may_be_added_to_a_server_that_runs() -> None:
    with valkey() as store:
        source = NEWS.replace("history: {size: 40, ttl: 60}\n", "")
        async with two_nodes(store.url, source) as (one, two):
            for app in (one, two):
                app.swap(entries_of_source(app, NEWS.replace("EXTRA", "")))
            bob, place = await entered(two, "a")
            await bob.close()
            async with plain(one) as alice:
                await say(alice, "1")
            async with wrapped(one, place) as bob:
                assert await welcomed(bob) == message("1", 1)
            # What was kept stays known when the last route that keeps is gone.
            for app in (one, two):
                app.swap(entries_of_source(app, source.replace("EXTRA", "")))
            async with plain(one) as alice, wrapped(two) as bob:
                assert (await heard(bob))["type"] == "welcome"
                assert two._bus
                await two._bus.settled()  # he hears the room from now on
                await say(alice, "2")
                assert (await heard(bob))["data"] == "2"


async def test_many_come_back_at_once_when_their_node_dies(shared: Valkey) -> None:
    async with two_nodes(shared.url, limits=ServerLimits(history_reads=2)) as (one, two), plain(two, "r9") as alice:
        crowd = [await entered(one, "r9") for _ in range(50)]
        for client, _ in crowd:
            client.transport.abort()
        await say(alice, *map(str, range(1, 11)))
        back = await asyncio.gather(*(wrapped(two, place, "r9").__aenter__() for _, place in crowd))
        for client in back:
            assert await welcomed(client) == in_room("r9", message("1", 1))
            assert [(await heard(client))["type"] for _ in range(10)] == ["message"] * 9 + ["recovered"]
            await client.close()
