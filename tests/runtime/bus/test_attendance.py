"""Nodes that tell each other who is where, without a store: what they tell is handed over by the test."""

from __future__ import annotations

import asyncio

from runtime.bus.attendance import PAUSE_TICKS, Attendance
from runtime.bus.envelopes import VERSION, KeptEnvelope, Kind
from runtime.bus.presence import Presence
from runtime.channels import Hub


class Node:
    """A node with what it knows of the others, and what it has told and nobody heard yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hub: Hub[str] = Hub(8)
        self.presence = Presence()
        self.told: list[tuple[str, KeptEnvelope]] = []
        self.attendance = Attendance(self.tell, self.hub, self.presence)

    def tell(self, kind: int, amount: int = 0, frame: bytes = b"", to: str = "", previous: int = 0) -> None:
        self.told.append((to, KeptEnvelope(VERSION, kind, self.name, 1, 0, previous, "", amount, frame)))

    def beat(self) -> None:
        self.tell(Kind.BEAT, 1, previous=self.attendance.changes.version)

    def join(self, *channels: str) -> None:
        """A connection comes, and joins these."""
        self.hub.enter(f"of {self.name}", f"of {self.name}")
        for channel in channels:
            self.hub.join(f"of {self.name}", f"of {self.name}", channel)
            self.attendance.changes.note(True, channel, f"of {self.name}")

    def kinds(self) -> list[int]:
        """What it told since the last look, thrown away."""
        told, self.told = self.told, []
        return [envelope.kind for _, envelope in told]


def talk(one: Node, two: Node, ticks: int = 0) -> None:
    """Hand over what each told the other, until both are quiet."""
    while one.told or two.told:
        for node, other in ((one, two), (two, one)):
            told, node.told = node.told, []
            for to, envelope in told:
                assert to in ("", other.name)
                other.attendance.heard(envelope, ticks)


def test_whoever_is_new_learns_all_by_a_heartbeat_and_then_what_changes() -> None:
    one, two = Node("one"), Node("two")
    one.join("room", "hall")
    one.attendance.tick()
    assert one.kinds() == [Kind.CHANGED], "before the other was there"
    one.beat()
    talk(one, two)
    assert (two.presence.members("room"), two.presence.members("hall")) == (["of one"], ["of one"])
    assert two.presence.connections() == 1
    one.hub.leave("of one", "hall")
    one.attendance.changes.note(False, "hall", "of one")
    one.attendance.tick()
    one.beat()
    [(_, change), _] = one.told
    talk(one, two)
    assert change.kind == Kind.CHANGED
    assert (two.presence.size("room"), two.presence.size("hall")) == (1, 0)
    one.beat()
    two.attendance.heard(one.told.pop()[1], 0)
    assert two.kinds() == [], "it missed nothing"


def test_what_was_missed_is_asked_for_but_not_at_every_word() -> None:
    one, two = Node("one"), Node("two")
    one.beat()
    talk(one, two)
    for channel in ("a", "b"):
        one.join(channel)
        one.attendance.tick()
    [_, (_, second)] = one.told
    one.told = []
    for ticks, wanted in ((10, True), (10 + PAUSE_TICKS - 1, False), (10 + PAUSE_TICKS, True)):
        two.attendance.heard(second, ticks)
        assert two.kinds() == [Kind.WANTED] * wanted
    two.told.append(("one", KeptEnvelope(VERSION, Kind.WANTED, "two", 1)))
    talk(one, two)
    assert (two.presence.size("a"), two.presence.size("b")) == (1, 1)


def test_what_happened_while_the_store_was_away_is_not_told_but_asked_for() -> None:
    one, two = Node("one"), Node("two")
    one.beat()
    talk(one, two)
    one.join("room")
    one.attendance.rose()
    one.attendance.tick()
    assert two.presence.size("room") == 0
    one.kinds()
    one.beat()
    talk(one, two, PAUSE_TICKS)
    assert two.presence.size("room") == 1


async def test_what_is_known_grows_too_old_without_the_store_unless_that_comes_back() -> None:
    one, two = Node("one"), Node("two")
    one.join("room")
    one.beat()
    talk(one, two)
    two.attendance.fell(0.0)
    two.attendance.rose()
    await asyncio.sleep(0.01)
    assert two.presence.size("room") == 1
    two.attendance.fell(0.0)
    await asyncio.sleep(0.01)
    assert two.presence.size("room") == 0


def test_a_node_that_is_gone_is_forgotten() -> None:
    one, two = Node("one"), Node("two")
    one.join("room")
    one.beat()
    talk(one, two)
    two.attendance.forget("one")
    assert two.presence.connections() == 0
