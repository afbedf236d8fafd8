"""What a bus gives the store for channels that keep messages, and what it makes of what comes. The store is made up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from runtime.bus.envelopes import VERSION, KeptEnvelope, Kind, decode
from runtime.bus.keeping import Keeping
from runtime.bus.order import KeptLetter, Outgoing
from runtime.bus.recovery import SharedRecall
from runtime.bus.streams import FULL, NOT_KEPT, REFUSED, Streams
from runtime.channels import Hub
from runtime.history import Keep
from runtime.metrics import ServerCounters
from runtime.transport import frames

KEEP = Keep(3, 10.0)
FRAME = frames.encode_text("hi")


class Store:
    """Writes down what it is asked."""

    node = "0a1b2c3d"

    def __init__(self) -> None:
        self.is_up = True
        self.asked: list[tuple[Any, tuple[bytes, ...]]] = []
        self.looked = 0

    def ask(self, then: Any, *parts: bytes) -> None:
        self.asked.append((then, parts))

    def look_at_flight(self) -> None:
        self.looked += 1


class Bus:
    """A hub, a made-up store, and what keeps between them."""

    def __init__(self) -> None:
        self.store, self.hub, self.outgoing = Store(), Hub[str](8), Outgoing[str](100, 100_000)
        self.counters, self.full = ServerCounters(), 0
        self.got: list[tuple[str, bytes]] = []
        self.recall = SharedRecall(frames, lambda: 0.0, 1 << 20, 4)
        self.keeping = Keeping(
            self.store,
            Streams("p:", 1 << 20),
            "p:channel:",
            self.hub,
            self.deliver,
            self.outgoing,
            self.recall,
            self.counters,
            self.note_full,
        )
        self.recall.serve(["room"])

    def note_full(self) -> None:
        self.full += 1

    def deliver(self, members: Collection[str], frame: bytes, exclude: str | None) -> int:
        taking = [member for member in members if member != exclude]
        self.got += [(member, frame) for member in taking]
        return len(taking)

    def enter(self, *members: str) -> None:
        for member in members:
            self.hub.join(member, member, "room")


@pytest.fixture
def bus() -> Bus:
    return Bus()


def heard(offset: int, epoch: str = "e", frame: bytes = FRAME) -> KeptEnvelope:
    return KeptEnvelope(VERSION, Kind.MESSAGE, "other", 1, 5, 4, frame=frame, offset=offset, row=epoch)


def test_a_message_leaves_in_pieces_that_the_store_puts_together(bus: Bus) -> None:
    bus.enter("a", "b")
    assert bus.keeping.publish_kept("room", FRAME, "a", KEEP) == 1
    _, parts = bus.store.asked[-1]
    assert parts[3:6] == (b"p:kept:room", b"p:place:room", b"p:channel:room")
    assert parts[7] == FRAME
    assert parts[-2:] == (b"3", b"10000")
    envelope = decode(parts[6] + parts[7] + b"\x07" + b"\xa1e")
    assert (envelope.node, envelope.frame, envelope.offset, envelope.row) == (bus.store.node, FRAME, 7, "e")
    assert [type(letter) for letter in bus.outgoing] == [KeptLetter]
    assert bus.store.looked == 1
    assert bus.got == []


def test_what_the_store_says_of_a_message(bus: Bus) -> None:
    for answer in (NOT_KEPT, 1, FULL, REFUSED):
        bus.keeping.publish_kept("room", FRAME, None, KEEP)
        bus.store.asked[-1][0](answer)
    assert (bus.full, bus.counters.history_refused) == (1, 1)
    assert len(bus.outgoing) == 0, "nobody is here for whom they would come back"
    bus.keeping.publish_kept("room", FRAME, None, KEEP)
    with pytest.raises(ConnectionError):
        bus.store.asked[-1][0](None)


def test_without_the_store_members_here_get_it_at_once(bus: Bus) -> None:
    bus.enter("a", "b")
    bus.store.asked.clear()
    bus.store.is_up = False
    assert bus.keeping.publish_kept("room", FRAME, "a", KEEP) == 1
    assert bus.got == [("b", FRAME)]
    assert bus.outgoing.rise() == 1
    bus.store.is_up = True
    bus.keeping.rose()
    assert [parts[3] for _, parts in bus.store.asked] == [b"p:kept:room"], "others missed it: it begins anew"


def test_what_comes_is_handed_out_by_its_offset(bus: Bus) -> None:
    bus.enter("a", "b")
    bus.keeping.came("p:channel:room", FRAME, None, heard(4))
    bus.keeping.came("p:channel:room", FRAME, "a", heard(5))
    bus.keeping.came("p:channel:room", FRAME, None, heard(5))
    assert bus.got == [("a", FRAME), ("b", FRAME), ("b", FRAME)]
    asked = len(bus.store.asked)
    bus.keeping.came("p:channel:room", FRAME, None, heard(8))
    assert len(bus.got) == 3
    assert len(bus.store.asked) == asked + 1, "what is missing is asked for"
    bus.keeping.came("p:channel:hall", FRAME, None, heard(1))
    bus.keeping.came("p:channel:room", FRAME, None, heard(0, ""))
    bus.keeping.came("p:channel:room", FRAME, None, None)
    assert len(bus.got) == 7


def test_scripts_are_taught_where_a_route_keeps(bus: Bus) -> None:
    taught = [parts[:2] for _, parts in bus.store.asked]
    assert taught == [(b"SCRIPT", b"LOAD")] * 4
    bus.keeping.began()
    assert len(bus.store.asked) == 8
    with pytest.raises(ConnectionError):
        bus.store.asked[-1][0](None)
    bus.recall.keeps = False
    bus.store.asked.clear()
    bus.keeping.began()
    assert bus.store.asked == []


def test_the_end_of_a_channel_here(bus: Bus) -> None:
    bus.enter("a")
    bus.keeping.came("p:channel:room", FRAME, None, heard(1))
    bus.keeping.emptied("room")
    _, parts = bus.store.asked[-1]
    assert parts[3:] == (b"p:kept:room", b"p:place:room")
    assert bus.recall.places == {}
