"""Nodes on a real Valkey: order, interest, what happens when it hangs, ends, comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from runtime.bus import records
from runtime.bus import redis as bus_module
from runtime.bus.envelopes import decode
from runtime.bus.presence import Presence
from runtime.bus.redis import NODE_DIGITS, RedisBus, check_address
from runtime.channels import Hub
from runtime.events import BusDown, BusGap, BusUp, Event, Events
from runtime.metrics import ServerCounters
from tests.runtime.bus.valkey import Valkey, Wire, valkey

PATIENCE_SECONDS = 15.0


@pytest.fixture(scope="module")
def shared() -> Iterator[Valkey]:
    """One server for the tests that leave it alone."""
    with valkey() as server:
        yield server


class Node:
    """A hub with its bus. Members are names; what they get is written down."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.hub: Hub[str] = Hub(128)
        self.got: dict[str, list[bytes]] = {}
        self.told: list[Event] = []
        self.counters = ServerCounters()
        self.presence = Presence()
        events = Events()
        events.subscribe(self.told.append)
        self.bus = RedisBus(
            url, self.hub, self.deliver, self.hand_over, events, self.counters, self.presence, **settings
        )

    def deliver(self, members: Collection[str], frame: bytes, exclude: str | None) -> int:
        taking = [member for member in members if member != exclude]
        for member in taking:
            self.hand_over(member, frame)
        return len(taking)

    def hand_over(self, member: str, frame: bytes) -> int:
        self.got.setdefault(member, []).append(frame)
        return 1

    def enter(self, member: str, *channels: str) -> str:
        """A connection comes, and joins channels; its id."""
        connection_id = self.bus.new_id()
        self.hub.enter(connection_id, member)
        for channel in channels:
            self.hub.join(connection_id, member, channel)
        return connection_id

    def heard(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]


@asynccontextmanager
async def nodes(*urls: str, **settings: Any) -> AsyncIterator[list[Node]]:
    made = [Node(url, **settings) for url in urls]
    for node in made:
        await node.bus.start()
    try:
        yield made
    finally:
        for node in made:
            await node.bus.stop()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@contextmanager
def own_valkey() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


async def test_everybody_hears_one_order(shared: Valkey) -> None:
    async with nodes(*[shared.url] * 3) as three:
        for number, node in enumerate(three):
            node.enter(f"m{number}", "room")
            await node.bus.settled()
        for turn in range(200):
            for number, node in enumerate(three):
                node.bus.publish("room", b"%d-%d" % (number, turn), None)
            if turn % 10 == 0:
                await asyncio.sleep(0)
        lists = [node.got.setdefault(f"m{number}", []) for number, node in enumerate(three)]
        await until(lambda: all(len(got) == 600 for got in lists))
        assert lists[0] == lists[1] == lists[2]
        for number in range(3):
            mine = [frame for frame in lists[0] if frame.startswith(b"%d-" % number)]
            assert mine == [b"%d-%d" % (number, turn) for turn in range(200)]
        assert not any(node.told for node in three)


async def test_joining_comes_before_what_is_published_after_it(shared: Valkey) -> None:
    async with nodes(shared.url, shared.url) as (one, two):
        for number in range(50):
            one.enter(f"m{number}", f"room{number}")
            assert one.bus.publish(f"room{number}", b"hello", None) == 1
        await until(lambda: len(one.got) == 50)
        two.bus.publish("room7", b"far", None)
        await until(lambda: one.got["m7"] == [b"hello", b"far"])


async def test_the_sender_may_be_left_out(shared: Valkey) -> None:
    async with nodes(shared.url, shared.url) as (one, two):
        one.enter("a", "room")
        one.enter("b", "room")
        two.enter("c", "room")
        await two.bus.settled()
        assert one.bus.publish("room", b"1", "a") == 1
        assert one.bus.publish(None, b"2", "a") == 1
        await until(lambda: len(two.got.get("c", ())) == 2 and len(one.got.get("b", ())) == 2)
        assert "a" not in one.got


async def test_only_channels_with_members_are_heard(shared: Valkey) -> None:
    async with nodes(shared.url, shared.url) as (one, two):
        connection_id = one.enter("a", "room")
        await one.bus.settled()
        one.hub.exit(connection_id, "a")
        one.enter("b")
        two.bus.publish("room", b"nobody", None)
        two.bus.publish(None, b"everybody", None)
        await until(lambda: one.got.get("b") == [b"everybody"])
        assert "a" not in one.got


async def test_a_connection_of_another_node(shared: Valkey) -> None:
    async with nodes(shared.url, shared.url) as (one, two):
        connection_id = two.enter("far")
        await until(lambda: two.bus.node in one.bus.others)
        assert connection_id[:NODE_DIGITS] == two.bus.node
        assert one.bus.send_to(connection_id, b"psst") == 1
        assert one.bus.send_to("00000000-nobody", b"psst") == 0
        await until(lambda: two.got.get("far") == [b"psst"])


async def test_a_node_that_leaves_is_forgotten(shared: Valkey) -> None:
    async with nodes(shared.url) as (one,):
        async with nodes(shared.url) as (two,):
            await until(lambda: two.bus.node in one.bus.others)
        await until(lambda: not one.bus.others)
        assert not one.told


async def test_what_was_in_flight_is_handed_out_once_when_the_store_hangs() -> None:
    with own_valkey() as server:
        async with nodes(server.url, server.url) as (one, two):
            one.enter("a", "room")
            two.enter("b", "room")
            await two.bus.settled()
            one.bus.publish("room", b"before", None)
            await until(lambda: two.got.get("b") == [b"before"])
            server.hang()
            one.bus.publish("room", b"flight", None)
            await until(lambda: one.heard(BusDown))
            assert one.got["a"] == [b"before", b"flight"]
            one.bus.publish("room", b"alone", None)
            assert one.got["a"] == [b"before", b"flight", b"alone"]
            assert one.counters.bus_is_down == 1
            await until(lambda: two.heard(BusDown))
            server.wake()
            await until(lambda: one.bus.is_up and two.bus.is_up)
            await until(lambda: one.heard(BusUp) and two.heard(BusUp))
            one.bus.publish("room", b"after", None)
            await until(lambda: b"after" in two.got["b"] and b"after" in one.got["a"])
            assert one.got["a"] == [b"before", b"flight", b"alone", b"after"]
            assert two.got["b"] in ([b"before", b"after"], [b"before", b"flight", b"after"])
            assert BusGap(two.bus.node, "", "", "reconnected", 0) in two.told
            assert one.counters.bus_is_down == 0


async def test_a_restart_is_a_gap() -> None:
    with own_valkey() as server:
        async with nodes(server.url, server.url) as (one, two):
            one.enter("a", "room")
            two.enter("b", "room")
            server.kill()
            await until(lambda: one.heard(BusDown) and two.heard(BusDown))
            one.bus.publish("room", b"alone", None)
            server.start()
            await until(lambda: one.heard(BusUp) and two.heard(BusUp))
            two.bus.publish("room", b"after", None)
            await until(lambda: one.got.get("a") == [b"alone", b"after"] and two.got.get("b") == [b"after"])
            assert one.counters.bus_gaps["reconnected",] == two.counters.bus_gaps["reconnected",] == 1


async def test_others_hear_of_a_node_that_was_cut_off(shared: Valkey) -> None:
    async with Wire(shared.port) as wire, nodes(wire.url, shared.url) as (one, two):
        one.enter("a", "room")
        two.enter("b", "room")
        await until(lambda: one.bus.node in two.bus.others)
        await wire.cut()
        await until(lambda: one.heard(BusDown))
        one.bus.publish("room", b"alone", None)
        await wire.mend()
        await until(lambda: two.heard(BusGap))
        assert two.told == [BusGap(two.bus.node, one.bus.node, "", "node was alone", 1)]
        assert two.got.get("b") is None


async def test_a_server_starts_without_its_bus_and_finds_it_later() -> None:
    with own_valkey() as server:
        server.kill()
        async with nodes(server.url) as (one,):
            one.enter("a", "room")
            assert one.counters.bus_is_down == 1
            assert one.bus.publish("room", b"alone", None) == 1
            assert one.got["a"] == [b"alone"]
            server.start()
            await until(lambda: one.bus.is_up)


async def test_the_lag_and_what_is_in_flight_are_seen_from_outside() -> None:
    with own_valkey() as server:
        async with nodes(server.url) as (one,):
            one.enter("a", "room")
            await one.bus.settled()
            await until(lambda: 0 < one.bus.lag < bus_module.ANSWER_TICKS * bus_module.TICK_SECONDS)
            assert one.bus.queued_bytes == 0
            server.hang()
            one.bus.publish("room", b"12345", None)
            assert one.bus.queued_bytes == 5
            await until(lambda: one.heard(BusDown))
            assert one.bus.queued_bytes == 0
            await until(lambda: one.bus.lag > 1.0)
            server.wake()
            await until(lambda: one.bus.is_up)
            await until(lambda: one.bus.lag < 1.0)


async def test_what_is_in_flight_is_bounded() -> None:
    with own_valkey() as server:
        async with nodes(server.url, flight_messages=10) as (one,):
            one.enter("a", "room")
            server.hang()
            for number in range(30):
                one.bus.publish("room", b"%d" % number, None)
            assert one.got["a"] == [b"%d" % number for number in range(30)]
            assert not one.bus.is_up
            server.wake()


async def test_everybody_knows_who_is_where(shared: Valkey) -> None:
    async with nodes(shared.url, shared.url) as (one, two):
        first = one.enter("a", "room")
        second = two.enter("b", "room", "hall")
        third = two.enter("c")
        await until(lambda: one.presence.members("room") == [second] and two.presence.members("room") == [first])
        assert (one.presence.connections(), two.presence.connections()) == (2, 1)
        two.hub.leave("b", "hall")
        two.hub.exit(third, "c")
        await until(lambda: one.presence.connections() == 1 and not one.presence.size("hall"))
        async with nodes(shared.url) as (three,):
            await until(lambda: three.presence.size("room") == 2)
        await until(lambda: len(one.bus.others) == 1)


async def test_what_is_known_of_others_ends_with_them(shared: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "LEASE_TICKS", 15)
    async with Wire(shared.port) as wire, nodes(wire.url, shared.url) as (one, two):
        one.enter("a", "room")
        two.enter("b", "room")
        await until(lambda: one.presence.size("room") and two.presence.size("room"))
        await wire.cut()
        await until(lambda: not one.presence.size("room") and not two.presence.size("room"))
        assert BusGap(two.bus.node, one.bus.node, "", "node lost", 0) in two.told
        await wire.mend()
        await until(lambda: one.presence.size("room") and two.presence.size("room"))


class Keeper:
    """Connections of a node, and what became of them."""

    def __init__(self, bus: RedisBus[str]) -> None:
        self.bus = bus
        self.open: dict[str, bytes] = {}
        self.revived: list[str] = []
        self.was_fenced = 0
        self.proofs = 0

    def risen(self) -> None:
        for connection_id, record in self.open.items():
            self.bus.records.keep(connection_id, record)

    def tick(self) -> None:
        return

    def proven(self) -> None:
        self.proofs += 1

    def fenced(self) -> None:
        self.was_fenced += 1
        self.open.clear()

    async def revive(self, records: Mapping[str, bytes]) -> list[str]:
        self.revived += records
        return list(records)


async def test_a_lost_node_is_settled_once_and_knows_it_when_it_comes_back(
    shared: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "LEASE_TICKS", 15)
    monkeypatch.setattr(records, "SETTLE_TICKS", 5)
    async with Wire(shared.port) as wire:
        three = [Node(wire.url), Node(shared.url), Node(shared.url)]
        keepers = [Keeper(node.bus) for node in three]
        for node, keeper in zip(three, keepers, strict=True):
            node.bus.records.serve(keeper)
            await node.bus.start()
        ids = [three[0].bus.new_id() for _ in range(3)]
        for connection_id in ids:
            three[0].bus.records.keep(connection_id, b"record")
        three[0].bus.records.release(ids[0])
        await three[0].bus.settled()
        name = three[0].bus.node
        await wire.cut()
        await until(lambda: keepers[1].revived or keepers[2].revived)
        await until(lambda: sorted(keepers[1].revived + keepers[2].revived) == sorted(ids[1:]))
        await wire.mend()
        await until(lambda: three[0].bus.is_up)
        assert keepers[0].was_fenced == 1
        assert three[0].bus.node != name
        assert three[0].bus.records.is_sure
        for node in three:
            await node.bus.stop()
    assert sorted(keepers[1].revived + keepers[2].revived) == sorted(ids[1:])


async def test_records_are_true_again_after_the_store_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with own_valkey() as server:
        node = Node(server.url)
        keeper = Keeper(node.bus)
        node.bus.records.serve(keeper)
        await node.bus.start()
        keeper.open = {"c1": b"1", "c2": b"2"}
        server.kill()
        await until(lambda: node.heard(BusDown))
        assert node.bus.records.is_sure
        node.bus.records.release("c2")
        del keeper.open["c2"]
        server.start()
        await until(lambda: node.bus.is_up)
        await node.bus.settled()
        async with Redis.from_url(server.url) as client:
            assert await client.hgetall(f"worpen:0:records:{node.bus.node}") == {b"c1": b"1"}
            assert keeper.proofs
            await node.bus.stop()
            assert await client.keys("*") == []


async def test_an_older_or_newer_version_is_counted(shared: Valkey) -> None:
    async with nodes(shared.url) as (one,):
        one.bus._receive("worpen:0:all", decode(msgspec.msgpack.encode((2, 0, "x", 1))))
        assert one.counters.bus_drops["version",] == 1


@pytest.mark.parametrize("url", ["http://nowhere", "redis://here:port", "nothing"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError):
        check_address(url)


def test_addresses() -> None:
    for url in ("redis://h", "rediss://u:p@h:1/2", "unix:///run/valkey.sock"):
        check_address(url)
