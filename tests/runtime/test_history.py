"""Rings: offsets, epochs, age, bounds. Time is virtual."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runtime.history import MESSAGE_BYTES, RING_BYTES, History, Keep, Missed, Ring, keep_of, new_epoch

MUCH = 1 << 30
KEEP = Keep(3, 10.0)


def ring(*messages: tuple[float, bytes], keep: Keep = KEEP) -> Ring:
    made = Ring("e", keep, 0.0)
    for at, frame in messages:
        made.append(frame, at)
    return made


def history(most_bytes: int = MUCH, full: Callable[[], None] = lambda: None) -> History:
    numbers = itertools.count(1)
    return History(most_bytes, lambda: f"e{next(numbers)}", full)


def test_what_a_route_asks_for() -> None:
    assert keep_of({}) is None
    assert keep_of({"history": {"size": 50, "ttl": 0.5}}) == Keep(50, 0.5)


def test_epochs_differ() -> None:
    assert new_epoch() != new_epoch()


@pytest.mark.parametrize(
    ("epoch", "offset", "missed"),
    [
        ("e", 5, Missed(0, ())),
        ("e", 4, Missed(0, ((5, b"5"),))),
        ("e", 2, Missed(0, ((3, b"3"), (4, b"4"), (5, b"5")))),
        ("e", 1, Missed(1, ((3, b"3"), (4, b"4"), (5, b"5")))),
        ("e", 0, Missed(2, ((3, b"3"), (4, b"4"), (5, b"5")))),
        ("e", 6, Missed(None, ((3, b"3"), (4, b"4"), (5, b"5")))),
        ("other", 4, Missed(None, ((3, b"3"), (4, b"4"), (5, b"5")))),
    ],
)
def test_what_was_missed(epoch: str, offset: int, missed: Missed) -> None:
    kept = ring(*((0.0, str(number).encode()) for number in range(1, 6)))
    assert kept.after(epoch, offset, 0.0, MUCH) == missed


def test_what_is_too_old_is_lost() -> None:
    kept = ring((0.0, b"1"), (5.0, b"2"))
    assert kept.after("e", 0, 10.0, MUCH) == Missed(0, ((1, b"1"), (2, b"2")))
    assert kept.after("e", 0, 10.1, MUCH) == Missed(1, ((2, b"2"),))
    assert kept.after("e", 0, 99.0, MUCH) == Missed(2, ())
    assert kept.after("e", 2, 99.0, MUCH) == Missed(0, ())
    assert kept.held_bytes == RING_BYTES


def test_of_what_is_too_much_at_once_the_newest_comes() -> None:
    kept = ring((0.0, b"1"), (0.0, b"2" * 100), (0.0, b"3"))
    assert kept.after("e", 0, 0.0, 2 * MESSAGE_BYTES + 101) == Missed(1, ((2, b"2" * 100), (3, b"3")))
    assert kept.after("e", 0, 0.0, 0) == Missed(3, ())


@given(
    some.lists(some.tuples(some.floats(0, 3), some.binary(max_size=4)), max_size=30),
    some.integers(1, 6),
    some.integers(0, 30),
)
def test_a_ring_is_the_end_of_the_row(steps: list[tuple[float, bytes]], size: int, seen: int) -> None:
    kept, now, model = Ring("e", Keep(size, 5.0), 0.0), 0.0, deque[tuple[float, int, bytes]]()
    for number, (wait, frame) in enumerate(steps, 1):
        now += wait
        assert kept.append(frame, now) == number
        model.append((now, number, frame))
    expected = [(n, f) for at, n, f in list(model)[-size:] if at >= now - 5.0 and n > seen]
    missed = kept.after("e", seen, now, MUCH)
    if seen <= len(steps):
        assert list(missed.messages) == expected
        assert missed.lost == len(steps) - seen - len(expected)
    else:
        assert missed.lost is None
    assert kept.held_bytes == RING_BYTES + sum(MESSAGE_BYTES + len(f) for _, f in kept._messages)


def test_a_ring_is_given_up_when_nobody_used_it_for_its_time() -> None:
    kept = history()
    assert kept.open("a", KEEP, 0.0).epoch == "e1"
    kept.append("a", b"x", 1.0)
    kept.touch("a", 5.0)
    kept.open("b", KEEP, 15.0)
    assert kept.ring("a") is not None
    kept.open("c", KEEP, 15.1)
    assert kept.ring("a") is None
    assert kept.open("a", KEEP, 15.2).epoch == "e4"


def test_where_routes_ask_for_different_terms_the_larger_hold() -> None:
    kept = history()
    for keep in (Keep(2, 10.0), Keep(5, 1.0), Keep(3, 9.0)):
        assert kept.open("a", keep, 0.0).epoch == "e1"
    ring = kept.ring("a")
    assert ring is not None
    assert ring.keep == Keep(5, 10.0)


def test_over_its_bytes_the_longest_unused_channels_lose_first() -> None:
    told: list[str] = []
    kept = history(3 * RING_BYTES + 3 * (MESSAGE_BYTES + 10), lambda: told.append("full"))
    for channel in ("a", "b"):
        kept.open(channel, KEEP, 0.0)
        kept.append(channel, b"x" * 10, 0.0)
    kept.open("c", KEEP, 0.0)
    kept.append("c", b"x" * 10, 0.0)
    kept.append("c", b"y" * 10, 0.0)
    assert told == ["full"]
    a = kept.ring("a")
    assert a is not None
    assert len(a) == 0
    assert a.after("e1", 0, 0.0, MUCH) == Missed(1, ())
    kept.append("c", b"z" * (MESSAGE_BYTES + 10), 0.0)
    assert kept.ring("a") is None
    assert kept.held_bytes <= 3 * RING_BYTES + 3 * (MESSAGE_BYTES + 10)


@given(some.lists(some.tuples(some.sampled_from("abcdef"), some.binary(max_size=900), some.floats(0, 6)), max_size=60))
def test_the_bytes_are_counted_right_and_bounded(steps: list[tuple[str, bytes, float]]) -> None:
    kept, now = history(4_000), 0.0
    for channel, frame, wait in steps:
        now += wait
        kept.open(channel, KEEP, now)
        kept.append(channel, frame, now)
        rings = [kept.ring(name) for name in "abcdef"]
        assert kept.held_bytes == sum(each.held_bytes for each in rings if each is not None) <= 4_000
        assert len(kept) == sum(each is not None for each in rings)
