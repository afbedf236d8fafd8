"""What the store keeps of channels, by its scripts on a real Valkey: the same as a ring in memory would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from runtime.bus.streams import DROPPED_MOST, FULL, NOT_KEPT, REFUSED, Answer, Streams, parse
from runtime.envelope import Position
from runtime.history import MESSAGE_BYTES, Keep, Missed, Ring
from tests.runtime.bus.valkey import valkey

MUCH = 1 << 30
TOPIC = b"topic"
VIRTUAL = "{redis.call('GET', 'clock'), '0'}"
KEEP = Keep(3, 10.0)
ONE = msgspec.msgpack.encode([1, "head", b"x", 0, ""])


class Store:
    """A store whose clock the test sets, spoken to as a node does."""

    def __init__(self, client: Any, most_bytes: int = MUCH, clock: str = VIRTUAL) -> None:
        self.client = client
        self.streams = Streams("t:", most_bytes, clock)
        for command in self.streams.load():
            client.execute_command(*command)
        self.client.set("clock", "0")

    def at(self, seconds: float) -> None:
        self.client.set("clock", f"{seconds:.6f}")

    def append(self, frame: bytes, fresh: str = "e", keep: Keep | None = KEEP, channel: str = "room") -> Any:
        message = msgspec.msgpack.encode([1, "head", frame, 0, ""])
        return self.client.execute_command(
            *self.streams.append(channel, TOPIC, message, len(frame), fresh, keep)
        )  # fmt: skip

    def read(
        self, seen: Position | None, most_bytes: int = MUCH, fresh: str = "e", keep: Keep | None = None
    ) -> Answer | None:
        return parse(self.client.execute_command(*self.streams.read("room", seen, most_bytes, fresh, keep)))


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with valkey() as server, redis.Redis.from_url(server.url) as made:
        yield made


@pytest.fixture
def store(client: Any) -> Store:
    client.flushall()
    return Store(client)


@contextmanager
def listening(client: Any) -> Iterator[redis.client.PubSub]:
    with client.pubsub(ignore_subscribe_messages=True) as hearing:
        hearing.subscribe(TOPIC)
        hearing.get_message(timeout=5)
        yield hearing


def published(hearing: redis.client.PubSub) -> Any:
    told = hearing.get_message(timeout=5)
    assert told is not None
    return msgspec.msgpack.decode(told["data"])


def test_a_message_gets_its_offset_is_kept_and_is_published_in_one_step(store: Store) -> None:
    with listening(store.client) as hearing:
        for number in range(1, 201):
            assert store.append(b"%d" % number * number, keep=Keep(300, 10.0)) == 1
            assert published(hearing) == [1, "head", b"%d" % number * number, number, "e"]
    assert store.read(Position("e", 198)) == Answer(
        Position("e", 200), Missed(0, ((199, b"199" * 199), (200, b"200" * 200)))
    )


def test_without_terms_a_channel_keeps_only_what_it_kept_before(store: Store) -> None:
    with listening(store.client) as hearing:
        assert store.append(b"1", keep=None) == NOT_KEPT
        assert published(hearing) == [1, "head", b"1", 0, ""]
        assert store.read(Position("e", 0)) is None
        assert store.append(b"2") == 1
        assert store.append(b"3", "other", None) == 1
        assert [published(hearing)[-2:] for _ in range(2)] == [[1, "e"], [2, "e"]]


def test_who_comes_first_begins_the_channel(store: Store) -> None:
    assert store.read(None, keep=KEEP, fresh="first") == Answer(Position("first", 0), Missed(None, ()))
    assert store.append(b"1", "second") == 1
    assert store.read(None, keep=KEEP, fresh="third") == Answer(Position("first", 1), Missed(None, ()))


def test_a_new_epoch_is_told_and_forgets_what_was_kept(store: Store) -> None:
    notice = msgspec.msgpack.encode([1, "notice", 0, ""])
    with listening(store.client) as hearing:
        assert store.client.execute_command(*store.streams.renew("room", TOPIC, notice, "no")) == 0
        store.append(b"1")
        store.client.execute_command(*store.streams.renew("room", TOPIC, notice, "new"))
        store.append(b"2")
        assert [published(hearing) for _ in range(3)] == [
            [1, "head", b"1", 1, "e"],
            [1, "notice", 0, "new"],
            [1, "head", b"2", 1, "new"],
        ]
    assert store.read(Position("e", 1)) == Answer(Position("new", 1), Missed(None, ((1, b"2"),)))


def test_nothing_stays_in_the_store_for_longer_than_it_may(client: Any) -> None:
    client.flushall()
    store = Store(client, clock="redis.call('TIME')")
    store.append(b"1", keep=Keep(3, 1.0))
    assert all(1_000 < client.pttl(key) <= 1_250 for key in (b"t:kept:room", b"t:place:room"))
    store.append(b"1", keep=Keep(3, 60.0), channel="long")
    client.pexpire("t:place:long", 5)
    client.execute_command(*store.streams.touch("long"))
    assert client.pttl("t:place:long") > 50_000
    assert client.execute_command(*store.streams.touch("nowhere")) == 0


def test_of_too_many_bytes_the_oldest_are_dropped(client: Any) -> None:
    client.flushall()
    store = Store(client, 3 * (MESSAGE_BYTES + 10))
    keep = Keep(100, 10.0)
    assert [store.append(b"%d" % number * 10, keep=keep) for number in range(1, 6)] == [1, 1, 1, FULL, FULL]
    answer = store.read(Position("e", 0))
    assert answer is not None
    assert answer.missed == Missed(2, tuple((number, b"%d" % number * 10) for number in (3, 4, 5)))
    assert store.append(b"x" * 500, keep=keep) == FULL
    assert store.read(Position("e", 5)) == Answer(Position("e", 6), Missed(1, ()))
    assert store.append(b"y", keep=keep) == 1
    assert store.read(Position("e", 6)) == Answer(Position("e", 7), Missed(0, ((7, b"y"),)))


def test_where_routes_ask_for_different_terms_the_larger_hold(store: Store) -> None:
    for keep in (Keep(2, 10.0), Keep(4, 1.0), Keep(3, 9.0)):
        store.append(b"x", keep=keep)
    store.at(8.0)
    for _ in range(3):
        store.append(b"x", keep=None)
    assert store.client.xlen("t:kept:room") == 4
    assert store.client.hmget("t:place:room", "size", "ttl") == [b"4", b"10000"]
    store.read(None, keep=Keep(7, 20.0))
    assert store.client.hmget("t:place:room", "size", "ttl") == [b"7", b"20000"]


def test_terms_that_no_store_can_count(store: Store) -> None:
    keep = Keep(10**30, 1e300)
    assert store.append(b"1", keep=keep) == 1
    assert store.read(Position("e", 0), keep=keep) == Answer(Position("e", 1), Missed(0, ((1, b"1"),)))


def test_what_is_very_much_is_dropped_step_by_step(client: Any) -> None:
    client.flushall()
    store, keep = Store(client), Keep(10_000, 100.0)
    pipe = client.pipeline(transaction=False)
    for _ in range(2 * DROPPED_MOST + 500):
        pipe.execute_command(*store.streams.append("room", TOPIC, ONE, 1, "e", keep))
    pipe.execute()
    store.at(200.0)
    left: list[int] = []
    for number in range(4):
        assert store.append(b"x", keep=keep) == 1
        left.append(client.xlen("t:kept:room"))
        answer = store.read(Position("e", 0), keep=keep)
        assert answer is not None
        assert len(answer.missed.messages) == number + 1
    assert left == [1_501, 502, 3, 4]
    small = Store(client, 2 * (MESSAGE_BYTES + 1))
    assert [small.append(b"x", keep=keep) for _ in range(2)] == [FULL, FULL]
    assert client.xlen("t:kept:room") == 2


def test_a_clock_that_goes_back_harms_nothing(store: Store) -> None:
    store.at(100)
    store.append(b"1")
    store.at(50)
    store.append(b"2")
    assert store.read(Position("e", 0)) == Answer(Position("e", 2), Missed(0, ((1, b"1"), (2, b"2"))))


def test_a_store_without_room_publishes_and_keeps_nothing(store: Store) -> None:
    store.append(b"1")
    with listening(store.client) as hearing:
        store.client.config_set("maxmemory", 1)
        try:
            assert store.append(b"2") == REFUSED
            assert published(hearing) == [1, "head", b"2", 0, ""]
            assert store.append(b"3") == REFUSED
            assert store.read(Position("e", 1), keep=KEEP) is None
        finally:
            store.client.config_set("maxmemory", 0)
        assert published(hearing) == [1, "head", b"3", 0, ""]
        assert store.append(b"4", "new") == 1
        assert published(hearing) == [1, "head", b"4", 1, "new"]


def test_a_stream_that_was_evicted_alone_is_known_as_lost(store: Store) -> None:
    store.append(b"1")
    store.append(b"2")
    store.client.delete("t:kept:room")
    assert store.read(Position("e", 1)) == Answer(Position("e", 2), Missed(1, ()))
    store.append(b"3")
    assert store.read(Position("e", 1)) == Answer(Position("e", 3), Missed(1, ((3, b"3"),)))


ROOMS = [0, *(n * MESSAGE_BYTES for n in (1, 2, 3)), 100, 104, 200, 500, MUCH]
STEPS = some.one_of(
    # Many of these meet a boundary exactly: the time to live, the room that is left.
    some.tuples(some.just("append"), some.sampled_from([0, 1, 500, 1_000, 3_000]), some.sampled_from([0, 4, 300])),
    some.tuples(some.just("read"), some.integers(-1, 45), some.sampled_from(ROOMS)),
    some.tuples(some.just("other epoch"), some.integers(0, 20), some.sampled_from(ROOMS)),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(STEPS, min_size=1, max_size=40), some.integers(1, 8), some.integers(1, 12))
def test_the_store_answers_as_the_ring_in_memory(
    store: Store, steps: list[tuple[str, int, int]], size: int, ttl: int
) -> None:
    store.client.flushall()
    store = Store(store.client)
    keep, now = Keep(size, float(ttl)), 0.0
    ring = Ring("e", keep, now)
    store.read(None, keep=keep)
    for kind, number, rest in steps:
        if kind == "append":
            now += number / 1000
            store.at(now)
            frame = b"x" * rest
            ring.append(frame, round(now, 3))
            assert store.append(frame, "wrong", keep) == 1
        else:
            epoch = "e" if kind == "read" else "another"
            missed = ring.after(epoch, number, round(now, 3), rest)
            assert store.read(Position(epoch, number), rest) == Answer(Position("e", ring.offset), missed)
    assert store.client.xlen("t:kept:room") <= size


def test_what_is_as_old_as_it_may_be_is_kept_and_what_is_older_goes(store: Store) -> None:
    for at in (0.0, 5.0, 10.0):
        store.at(at)
        store.append(b"%d" % at)
    assert store.client.xlen("t:kept:room") == 3
    store.at(10.001)
    assert store.read(Position("e", 0)) == Answer(Position("e", 3), Missed(1, ((2, b"5"), (3, b"10"))))
    store.append(b"4")
    assert store.client.xlen("t:kept:room") == 3
