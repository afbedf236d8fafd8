"""Who is in which channel."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from runtime.channels import Hub


def hub(limit: int = 128) -> Hub[str]:
    """Members are their own ids in capitals."""
    return Hub(limit)


def test_members_come_in_the_order_of_joining() -> None:
    rooms = hub()
    for name in "bca":
        rooms.join(name, name.upper(), "room")
    assert list(rooms.members("room")) == ["B", "C", "A"]
    assert rooms.ids("room") == ["b", "c", "a"]
    assert rooms.size("room") == 3


def test_joining_twice_counts_once() -> None:
    rooms = hub()
    assert rooms.join("a", "A", "room") is True
    assert rooms.join("a", "A", "room") is False
    assert rooms.size("room") == 1


def test_names_are_compared_exactly() -> None:
    rooms = hub()
    rooms.join("a", "A", "Room ")
    assert rooms.size("room") == rooms.size("Room") == 0
    assert rooms.ids("nowhere") == []


def test_leaving() -> None:
    rooms = hub()
    rooms.join("a", "A", "room")
    assert rooms.leave("A", "room") is True
    assert rooms.leave("A", "room") is False
    assert rooms.leave("stranger", "room") is False
    assert list(rooms.channels()) == []


def test_who_exits_is_nowhere() -> None:
    rooms = hub()
    rooms.enter("a", "A")
    rooms.enter("b", "B")
    for channel in ("x", "y"):
        rooms.join("a", "A", channel)
    rooms.join("b", "B", "x")
    rooms.exit("a", "A")
    rooms.exit("a", "A")
    assert (len(rooms), rooms.find("a"), rooms.find("b")) == (1, None, "B")
    assert list(rooms.everybody()) == ["B"]
    assert list(rooms.channels()) == [("x", 1)]


def test_no_room_is_kept_for_those_who_left() -> None:
    rooms = hub()
    for name in map(str, range(1_000)):
        rooms.enter(name, name)
        rooms.join(name, name, "room")
    for name in map(str, range(990)):
        rooms.exit(name, name)
    members = rooms.members("room")
    full = sys.getsizeof(rooms._everybody) + sys.getsizeof(rooms._joined)
    rooms.pack()
    assert sys.getsizeof(rooms._everybody) + sys.getsizeof(rooms._joined) < full / 10
    assert [*rooms.everybody()] == [*members] == [str(number) for number in range(990, 1_000)]


def test_the_number_of_channels_is_limited() -> None:
    rooms = hub(limit=2)
    rooms.join("a", "A", "1")
    rooms.join("a", "A", "2")
    rooms.join("a", "A", "2")
    with pytest.raises(Fault) as caught:
        rooms.join("a", "A", "3")
    assert caught.value.kind is codes.CHANNEL_LIMIT
    assert rooms.size("3") == 0
    rooms.leave("A", "1")
    assert rooms.join("a", "A", "3")


STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "exit"]), st.sampled_from("abc"), st.sampled_from(["x", "y", "z"])),
    max_size=60,
)


@given(STEPS)
def test_both_views_agree_with_a_plain_list_of_pairs(steps: list[tuple[str, str, str]]) -> None:
    rooms, pairs = hub(), list[tuple[str, str]]()
    for step, member, channel in steps:
        changes, former = rooms.changes, list(pairs)
        if step == "join":
            rooms.join(member, member.upper(), channel)
            pairs += [(channel, member)] if (channel, member) not in pairs else []
        elif step == "leave":
            rooms.leave(member.upper(), channel)
            pairs = [pair for pair in pairs if pair != (channel, member)]
        else:
            rooms.exit(member, member.upper())
            pairs = [pair for pair in pairs if pair[1] != member]
        assert (rooms.changes != changes) == (pairs != former)
    for channel in "xyz":
        assert rooms.ids(channel) == [m for c, m in pairs if c == channel]
    for member in "abc":
        assert list(rooms.channels_of(member.upper())) == [c for c, m in pairs if m == member]
    assert dict(rooms.channels()) == {c: rooms.size(c) for c, _ in pairs}


def test_whoever_watches_hears_of_members() -> None:
    class Watching:
        def joined(self, channel: str, connection_id: str, size: int) -> None:
            heard.append(f"+{channel}{connection_id}{size}")

        def left(self, channel: str, connection_id: str, size: int) -> None:
            heard.append(f"-{channel}{connection_id}{size}")

    heard: list[str] = []
    rooms = hub()
    rooms.watch(Watching())
    rooms.join("a", "A", "x")
    rooms.join("b", "B", "x")
    rooms.join("b", "B", "x")
    rooms.join("b", "B", "y")
    rooms.leave("A", "x")
    rooms.exit("b", "B")
    assert heard == ["+xa1", "+xb2", "+yb1", "-xa1", "-xb0", "-yb0"]
