"""Clients that come back: each message once and in order, or told what is lost. Time is virtual, no sockets."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection
from typing import Any

import pytest

from runtime import recall as recall_module
from runtime.envelope import Position, Wrapped
from runtime.history import History, Keep
from runtime.recall import Recall
from runtime.transport import frames
from tests.runtime.parts import End

KEEP = Keep(5, 10.0)


class Room:
    """One channel of one node."""

    def __init__(self, keep: Keep | None = KEEP, *, recalls: bool = True) -> None:
        numbers = itertools.count(1)
        self.now = 0.0
        self.keep = keep
        history = History(1 << 20, lambda: f"e{next(numbers)}") if recalls else None
        self.recall = Recall(frames, lambda: self.now, history)
        self.members: dict[Any, None] = {}
        self.written: list[bytes] = []

    def enter(self, *, wrapped: bool = True, seen: Position | None = None) -> tuple[Any, End]:
        end = End()
        far: Any = Wrapped(end, frames) if wrapped else end
        if wrapped:
            self.recall.opened("id", far)
            end.heard()
        self.members[far] = None
        self.recall.entered(far, "room", self.keep, seen)
        return far, end

    def cut(self, far: Any) -> None:
        self.recall.left("room")
        del self.members[far]
        if isinstance(far, Wrapped):
            self.recall.closed()

    def say(self, text: str, sender: Any = None) -> int:
        frame = frames.encode_text(text)
        return self.recall.publish("room", frame, self.keep, sender, lambda: self._send(frame, sender))

    def _send(self, frame: bytes, exclude: Any) -> int:
        if self.recall.wrapped:
            return self.recall.deliver(self._write, self.members, frame, exclude)
        return self._write(self.members, frame, exclude)

    def _write(self, members: Collection[Any], frame: bytes, exclude: Any) -> int:
        reached = [member for member in members if member is not exclude]
        for member in reached:
            member.send(frame)
        self.written.append(frame)
        return len(reached)


def message(text: str, offset: int) -> dict[str, Any]:
    return {"type": "message", "channel": "room", "offset": offset, "data": text}


def test_plain_clients_hear_plain_messages() -> None:
    room = Room()
    plain, heard = room.enter(wrapped=False)
    _, wrapped = room.enter()
    _, other = room.enter()
    assert room.say("hi") == 3
    assert heard.heard() == ["hi"]
    assert wrapped.heard() == other.heard() == [
        {"type": "joined", "channel": "room", "epoch": "e1", "offset": 0},
        message("hi", 1),
    ]  # fmt: skip
    assert len(room.written) == 2, "one frame for the plain, one for the wrapped"
    assert room.say("without me", sender=plain) == 2
    assert heard.heard() == []


def test_nothing_is_kept_where_nobody_asks() -> None:
    room = Room(keep=None)
    _, end = room.enter(wrapped=False)
    assert not room.recall.busy
    room.say("hi")
    assert not room.recall.busy
    assert end.heard() == ["hi"]
    _, wrapped = room.enter(seen=Position("e1", 3))
    room.say("there")
    assert wrapped.heard() == [
        {"type": "lost", "channel": "room", "missed": None},
        {"type": "message", "channel": "room", "data": "there"},
    ]


def test_what_others_send_to_such_a_channel_is_kept_too() -> None:
    room = Room()
    _, end = room.enter()
    room.keep = None
    room.say("from another route")
    _, other = room.enter(seen=Position("e1", 0))
    assert end.heard()[1:] == [message("from another route", 1)]
    assert other.heard()[0] == message("from another route", 1)


def test_a_client_that_comes_back_gets_what_it_missed() -> None:
    room = Room()
    far, end = room.enter()
    room.say("1")
    room.cut(far)
    assert [each["type"] for each in end.heard()] == ["joined", "message"]
    room.say("2")
    room.say("3")
    _, again = room.enter(seen=Position("e1", 1))
    room.say("4")
    assert again.heard() == [
        message("2", 2),
        message("3", 3),
        {"type": "recovered", "channel": "room", "epoch": "e1", "offset": 3, "messages": 2},
        message("4", 4),
    ]


def test_a_client_that_was_away_too_long_is_told() -> None:
    room = Room()
    far, _ = room.enter()
    room.cut(far)
    for number in range(1, 9):
        room.say(str(number))
    _, by_number = room.enter(seen=Position("e1", 0))
    heard = by_number.heard()
    assert [each["type"] for each in heard] == ["lost", *["message"] * 5, "recovered"]
    assert heard[0]["missed"] == 3
    room.now = 11.0
    _, by_age = room.enter(seen=Position("e1", 0))
    assert by_age.heard() == [
        {"type": "lost", "channel": "room", "missed": 8, "epoch": "e1", "offset": 8},
        {"type": "recovered", "channel": "room", "epoch": "e1", "offset": 8, "messages": 0},
    ]
    _, of_another_server = room.enter(seen=Position("gone", 8))
    assert of_another_server.heard()[0] == {
        "type": "lost", "channel": "room", "missed": None, "epoch": "e1", "offset": 8,
    }  # fmt: skip


def test_a_quiet_channel_is_remembered_for_its_time_after_the_last_left() -> None:
    room = Room()
    far, _ = room.enter()
    room.now = 1_000.0
    room.cut(far)
    room.now = 1_009.0
    room.recall.entered(object(), "other", KEEP, None)
    far, end = room.enter(seen=Position("e1", 0))
    assert end.heard()[0]["type"] == "recovered"


def test_a_sender_that_leaves_itself_out_keeps_its_place() -> None:
    room = Room()
    far, end = room.enter()
    assert room.say("not for me", sender=far) == 0
    assert end.heard()[1:] == [{"type": "passed", "channel": "room", "offset": 1}]


def test_what_many_missed_is_wrapped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    room.say("1")
    room.say("2")
    ends = [room.enter(seen=Position("e1", 0))[1] for _ in range(3)]
    assert ends[0].sent[0] is ends[2].sent[0]
    assert [each["data"] for each in ends[1].heard()[:2]] == ["1", "2"]
    monkeypatch.setattr(recall_module, "MADE_BYTES", 10)
    for number in range(10):
        room.say(str(number))
        room.enter(seen=Position("e1", 0))
        assert len(room.recall._made) == 1


def test_who_is_in_a_channel_hears_that_another_epoch_begins() -> None:
    room = Room()
    far, end = room.enter()
    _, plain = room.enter(wrapped=False)
    room.say("1")
    end.heard()
    room.now = 100.0
    room.recall.entered(object(), "other", KEEP, None)  # the ring is given up: nobody used it
    assert room.say("2", sender=far) == 1
    assert end.heard() == [
        {"type": "joined", "channel": "room", "epoch": "e3", "offset": 0},
        {"type": "passed", "channel": "room", "offset": 1},
    ]
    room.say("3")
    assert end.heard() == [message("3", 2)]
    assert plain.heard() == ["1", "2", "3"]


def test_a_slow_client_is_not_sent_more_than_it_can_take() -> None:
    room = Room()
    room.recall = Recall(frames, lambda: 0.0, History(1 << 20, lambda: "e1"), 400)
    for number in range(5):
        room.say("x" * 50 + str(number))
    _, end = room.enter(seen=Position("e1", 0))
    heard = end.heard()
    assert heard[0] == {"type": "lost", "channel": "room", "missed": 3, "epoch": "e1", "offset": 3}
    assert [each["offset"] for each in heard[1:]] == [4, 5, 5]


def test_without_a_history_of_its_own_a_node_says_that_it_cannot_tell() -> None:
    room = Room(recalls=False)
    _, end = room.enter(seen=Position("e1", 3))
    room.say("hi")
    assert end.heard() == [
        {"type": "lost", "channel": "room", "missed": None},
        {"type": "message", "channel": "room", "data": "hi"},
    ]


def test_what_is_no_message_of_a_channel_is_wrapped_without_a_place() -> None:
    room = Room()
    far, end = room.enter()
    end.heard()
    room.recall.deliver(room._write, room.members, frames.encode_text("all"), None)
    far.send(frames.encode_text("you"))
    assert end.heard() == [{"type": "message", "data": "all"}, {"type": "message", "data": "you"}]


@pytest.mark.parametrize("seed", range(4))
def test_over_a_thousand_cuts_each_message_comes_once_or_is_told_lost(seed: int) -> None:
    chance = random.Random(seed)
    room = Room(Keep(20, 30.0))
    far, end = room.enter()
    said = cuts = lost = 0
    seen: list[int] = []
    position = Position("", 0)
    while cuts < 1_000:
        for _ in range(chance.randrange(6)):
            said += 1
            room.say(str(said))
            room.now += chance.random() * 2
        # Some of what is under way when the line is cut never arrives: it was not seen.
        heard = end.heard()
        arrived = heard[: chance.randrange(len(heard) + 1)] if chance.random() < 0.3 else heard
        for each in arrived:
            match each:
                case {"type": "message", "offset": offset, "data": data}:
                    seen.append(int(data))
                    position = Position(position.epoch, offset)
                case {"type": "joined" | "recovered", "epoch": epoch, "offset": offset}:
                    position = Position(epoch, offset)
                case {"type": "lost", "missed": missed, "epoch": epoch, "offset": offset}:
                    lost += missed
                    position = Position(epoch, offset)
                    seen.extend(range(seen[-1] + 1 if seen else 1, (seen[-1] if seen else 0) + missed + 1))
                case _:
                    raise AssertionError(each)
        room.cut(far)
        cuts += 1
        for _ in range(chance.choice([0, 0, 1, 3, 40])):
            said += 1
            room.say(str(said))
            room.now += chance.random()
        far, end = room.enter(seen=position if position.epoch else None)
        if not position.epoch:
            seen = list(range(1, said + 1))
    assert lost > 0
    assert seen == list(range(1, seen[-1] + 1)), "in order, none twice, none missing that was not told lost"
