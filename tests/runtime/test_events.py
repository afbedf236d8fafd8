"""Listeners hear events, and cannot harm what they listen to."""

from __future__ import annotations

import pytest

from compiler.language.faults import Mark
from compiler.language.values import Value
from runtime.events import OPERAND_CHARACTERS, Event, Events, FrameIn, FrameOut, HookFaulted, Stopped, show_operands

FRAME = FrameIn("id", "route", "hi")


def test_nobody_listens() -> None:
    events = Events()
    assert (events.wanted, events.detailed) == (False, False)
    events.publish(Stopped(0))


def test_details_go_to_those_who_asked() -> None:
    events, plain, detailed = Events(), list[Event](), list[Event]()
    events.subscribe(plain.append)
    assert (events.wanted, events.detailed) == (True, False)
    events.subscribe(detailed.append, detailed=True)
    assert events.detailed
    events.publish(Stopped(0))
    events.publish_detail(FRAME)
    assert plain == [Stopped(0)]
    assert detailed == [Stopped(0), FRAME]


def test_a_subscription_ends() -> None:
    events, heard = Events(), list[Event]()
    end = events.subscribe(heard.append, detailed=True)
    end()
    events.publish(Stopped(0))
    assert heard == []
    assert (events.wanted, events.detailed) == (False, False)


def test_a_watch_hears_of_one_connection() -> None:
    events, heard = Events(), list[Event]()
    end = events.watch("id", heard.append)
    assert (events.wanted, events.detailed) == (False, True)
    assert events.is_followed("id")
    assert not events.is_followed("other")
    to_both = FrameOut("other", "route", "everybody", 2, "hi")
    events.publish_detail(FRAME)
    events.publish_detail(FrameIn("other", "route", "hi"))
    events.publish_detail(to_both, ["id"])
    events.publish_detail(to_both, [])
    assert heard == [FRAME, to_both]
    end()
    events.publish_detail(FRAME)
    assert len(heard) == 2
    assert (events.detailed, list(events.watched)) == (False, [])


def test_who_may_be_followed_from_now_on_or_no_more_is_told() -> None:
    def broken(event: Event) -> None:
        raise RuntimeError

    events, turned, answers = Events(), list[str | None](), list[bool]()

    def ask(connection_id: str | None) -> None:
        turned.append(connection_id)
        answers.append(events.is_followed("id"))

    events.on_turn(ask)
    events.subscribe(lambda _: None)()
    assert turned == []
    end_all = events.subscribe(lambda _: None, detailed=True)
    end_one = events.watch("id", lambda _: None)
    end_all()
    end_one()
    events.watch("id", broken)
    events.publish_detail(FRAME)
    assert turned == [None, "id", None, "id", "id", "id"]
    assert answers == [True, True, True, False, True, False]


def test_a_watch_that_fails_is_forgotten() -> None:
    def broken(event: Event) -> None:
        raise RuntimeError

    events, heard = Events(), list[Event]()
    events.watch("id", broken)
    events.watch("id", heard.append)
    events.publish_detail(FRAME)
    events.publish_detail(FRAME)
    assert heard == [FRAME, FRAME]


def test_measuring_lasts_until_the_last_who_looks_has_gone() -> None:
    events = Events()
    ends = [events.measure(), events.measure()]
    for end in ends:
        assert events.measured
        assert events.timed_every == 1
        end()
    assert not events.measured


def test_how_many_runs_are_timed_counts_while_somebody_looks() -> None:
    events = Events()
    events.time_every(8)
    assert events.timed_every == 0
    end = events.measure()
    assert events.timed_every == 8
    events.time_every(1)
    assert events.timed_every == 1
    end()
    assert events.timed_every == 0


def test_a_listener_that_fails_is_heard_of_no_more() -> None:
    events, heard, calls = Events(), list[Event](), list[Event]()

    def broken(event: Event) -> None:
        calls.append(event)
        raise RuntimeError

    events.subscribe(broken)
    events.subscribe(heard.append)
    events.publish(Stopped(1))
    events.publish(Stopped(2))
    assert heard == [Stopped(1), Stopped(2)]
    assert calls == [Stopped(1)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"), (True, "true"), (1, "1"), (0, "0"), (0.5, "0.5"), ("a", '"a"'),
        ([1, [2]], "[1, [2]]"), ({"k": "v", "l": None}, '{"k": "v", "l": null}'),
    ],
)  # fmt: skip
def test_operands(value: Value, shown: str) -> None:
    assert show_operands((value,)) == (shown,)


@pytest.mark.parametrize("value", ["x" * 10**6, ["x"] * 10**5, {str(n): n for n in range(10**5)}, {"k" * 10**6: 1}])
def test_long_operands_are_cut(value: Value) -> None:
    (shown,) = show_operands((value,))
    assert len(shown) == OPERAND_CHARACTERS
    assert shown.endswith("…")


def test_deep_operands_are_cut() -> None:
    deep: Value = None
    for _ in range(100_000):
        deep = [deep]
    assert show_operands((deep,)) == ("[" * (OPERAND_CHARACTERS - 1) + "…",)


def test_where_a_fault_was() -> None:
    fault = HookFaulted(
        "id", "r", "on_message", "type_error", "no", "a.yaml", Mark(3, 7, 3, 9, "WsOp.message"), (), 0.0
    )
    assert (fault.place, fault.operation) == ("a.yaml:3:7", "WsOp.message")
    stripped = HookFaulted("id", "r", "on_message", "type_error", "no", "a.yaml", None, (), 0.0)
    assert (stripped.place, stripped.operation) == ("a.yaml", "")
