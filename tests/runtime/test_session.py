"""One connection's life, told to a shell that writes down what it is ordered."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.bytecode.program import Membership, RouteProgram, Slot
from compiler.diagnostics import codes
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import UNSET, Kind, Unset, Value
from runtime.seam import Emit, Hook
from runtime.session import TABLE, Cancelled, Event, Message, Outcome, Renewal, Session, State, carry_variables
from tests.runtime.parts import route, version

Slots: TypeAlias = "list[Value | Unset]"
GIVEN: Mapping[str, Value] = {"params": {"room": "lobby"}, "query": {}, "headers": {}, "remote_addr": "192.0.2.1"}


class Shell:
    """Writes down orders; `waiting` holds the hook that waits."""

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.waiting: Awaitable[Value] | None = None
        self.session: Session
        self.full: set[str] = set()
        self.renewals = 0

    def emit(self, effect: str, *arguments: Value) -> Any:
        self.orders.append((effect, *arguments))
        if effect == "close":
            self.session.receive(Event.SHUT)
        if effect == "lose":
            self.session.gone(1006, "")

    def wait_for(self, hook: str, outcome: Awaitable[Value]) -> None:
        self.orders.append(f"{hook} waits")
        self.waiting = outcome

    def cancel(self) -> None:
        self.orders.append("cancel")

    def reply(self, value: Value) -> None:
        if value == "too large":
            raise Fault(codes.TOO_LARGE, "no")
        self.orders.append(("reply", value))

    def started(self, hook: str) -> None:
        self.orders.append(f"{hook} starts")

    def ended(self, hook: str, outcome: Outcome) -> None:
        self.orders.append(f"{hook} ends" if outcome is None else f"{hook}: {type(outcome).__name__}")

    def pause(self) -> None:
        self.orders.append("pause")

    def resume(self) -> None:
        self.orders.append("resume")

    def join(self, channel: str) -> None:
        if channel in self.full:
            raise Fault(codes.CHANNEL_LIMIT, "no")
        self.orders.append(f"join {channel}")

    def leave(self, channel: str) -> None:
        self.orders.append(f"leave {channel}")

    def depart(self) -> None:
        self.orders.append("depart")

    def dropped(self, message: Message) -> None:
        self.orders.append(f"drop {message[0]}")

    def renewed(self) -> None:
        self.renewals += 1

    def over(self) -> None:
        self.orders.append("over")

    def finish(self, value: Value = None, outcome: Outcome = None) -> None:
        """The hook that waits is over."""
        assert self.waiting is not None
        self.waiting.close()  # type: ignore[attr-defined]
        self.waiting = None
        self.session.finished(value, outcome)

    def taken(self) -> list[Any]:
        """The orders since the last time."""
        orders, self.orders = self.orders, []
        return orders


def begin(**parts: Any) -> Shell:
    """A session that has not begun, of a route with these parts."""
    shell = Shell()
    shell.session = Session("the-id", version(route(**parts)), GIVEN, shell)
    return shell


def opened(**parts: Any) -> Shell:
    """A session whose `on_connect` is done, with nothing written down yet."""
    shell = begin(**parts)
    shell.session.receive(Event.ADMITTED)
    shell.taken()
    return shell


def says(text: str) -> Hook:
    """A hook that emits its own name and the message."""

    def hook(inputs: Sequence[Value], slots: Slots, emit: Emit) -> Value:
        emit(text, inputs[INPUT_NUMBERS["message"]])
        return None

    return hook


async def waits(inputs: Sequence[Value], slots: Slots, emit: Emit) -> Value:
    """A hook that waits; tests end it."""
    return None


def effects(effect: str) -> Hook:
    """A hook that performs one effect."""
    return lambda inputs, slots, emit: emit(effect)


def returns(value: Value) -> Hook:
    """A hook that returns this."""
    return lambda inputs, slots, emit: value


def raises(problem: BaseException) -> Hook:
    """A hook that ends like this."""

    def hook(inputs: Sequence[Value], slots: Slots, emit: Emit) -> Value:
        raise problem

    return hook


MESSAGE = ("hi", "text")


# G1: one after the other.


def test_a_life() -> None:
    shell = begin(on_connect=says("c"), on_message=says("m"), on_disconnect=says("d"))
    session = shell.session
    session.receive(Event.ADMITTED)
    session.receive(Event.MESSAGE, ("1", "text"))
    session.receive(Event.MESSAGE, ("2", "binary"))
    session.gone(1001, "bye")
    assert shell.taken() == [
        "on_connect starts", ("c", None), "on_connect ends",
        "on_message starts", ("m", "1"), "on_message ends",
        "on_message starts", ("m", "2"), "on_message ends",
        "depart", "on_disconnect starts", ("d", None), "on_disconnect ends", "over",
    ]  # fmt: skip
    assert (session.state, session.close_code, session.close_reason) == (State.CLOSED, 1001, "bye")


def test_a_route_needs_no_hook_but_one() -> None:
    shell = begin(on_disconnect=says("d"))
    shell.session.receive(Event.ADMITTED)
    shell.session.receive(Event.MESSAGE, MESSAGE)
    assert shell.taken() == []
    assert shell.session.state is State.OPEN


def test_messages_wait_while_a_hook_waits() -> None:
    shell = opened(on_message=waits, waiting=("on_message",))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    assert shell.taken() == ["on_message starts", "pause", "on_message waits"]
    with pytest.raises(RuntimeError, match="while a hook runs"):
        shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.finish("answer")
    assert shell.taken() == [("reply", "answer"), "on_message ends", "resume"]
    assert shell.session.state is State.OPEN


def test_on_connect_ends_before_the_first_message() -> None:
    shell = begin(on_connect=waits, on_message=says("m"), waiting=("on_connect",))
    shell.session.receive(Event.ADMITTED)
    assert shell.session.state is State.CONNECTING
    shell.taken()
    shell.finish()
    assert shell.taken() == ["on_connect ends", "resume"]


# Inputs and variables.


def test_what_hooks_are_given() -> None:
    seen: list[list[Value]] = []
    shell = opened(on_message=lambda inputs, slots, emit: seen.append(list(inputs)))
    shell.session.receive(Event.MESSAGE, ("hi", "binary"))
    (inputs,) = seen
    named = {name: inputs[number] for name, number in INPUT_NUMBERS.items()}
    assert named == {
        "connection_id": "the-id", "message": "hi", "message_type": "binary", "params": {"room": "lobby"},
        "query": {}, "headers": {}, "user": None, "close_code": None, "close_reason": None, "route": "test",
        "remote_addr": "192.0.2.1",
    }  # fmt: skip
    assert shell.session.inputs[INPUT_NUMBERS["message"]] is None


def test_on_disconnect_is_told_why() -> None:
    seen: list[Value] = []
    numbers = INPUT_NUMBERS["close_code"], INPUT_NUMBERS["close_reason"]
    shell = opened(on_disconnect=lambda inputs, slots, emit: seen.extend(inputs[n] for n in numbers))
    shell.session.gone(3001, "done")
    assert seen == [3001, "done"]


def test_variables_live_as_long_as_the_connection() -> None:
    def counts(inputs: Sequence[Value], slots: Slots, emit: Emit) -> Value:
        slots[0] = 1 if isinstance(slots[0], Unset) else slots[0] + 1  # type: ignore[operator]
        return slots[0]  # type: ignore[return-value]

    shell = opened(on_message=counts, slots=("score",))
    for _ in range(3):
        shell.session.receive(Event.MESSAGE, MESSAGE)
    assert [order[1] for order in shell.taken() if order[0] == "reply"] == [1, 2, 3]
    shell.session.gone(1000, "")
    assert shell.session.slots == []


# What hooks return, and how they fail.


@pytest.mark.parametrize("value", ["", "text", 0, False, [], {}])
def test_whatever_is_returned_is_sent(value: Value) -> None:
    shell = begin(on_connect=returns(value))
    shell.session.receive(Event.ADMITTED)
    assert ("reply", value) in shell.taken()


def test_nothing_is_sent_for_null_or_by_on_disconnect() -> None:
    shell = begin(on_connect=returns(None), on_disconnect=returns("late"))
    shell.session.receive(Event.ADMITTED)
    shell.session.gone(1000, "")
    assert not [order for order in shell.taken() if order[0] == "reply"]


def test_a_reply_that_cannot_be_sent_is_a_fault() -> None:
    shell = opened(on_message=returns("too large"))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    assert shell.taken() == ["on_message starts", "on_message: Fault"]


@pytest.mark.parametrize("problem", [Fault(codes.THROWN, "no"), OutOfFuel("no"), KeyError("bug")])
def test_a_hook_that_fails_ends_and_the_session_goes_on(problem: BaseException) -> None:
    shell = opened(on_message=raises(problem), on_disconnect=says("d"))
    for _ in range(2):
        shell.session.receive(Event.MESSAGE, MESSAGE)
    assert shell.taken() == ["on_message starts", f"on_message: {type(problem).__name__}"] * 2
    shell.session.gone(1006, "")
    assert ("d", None) in shell.taken()


def test_a_waiting_hook_that_fails() -> None:
    shell = opened(on_message=waits, waiting=("on_message",))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.taken()
    shell.finish(outcome=Fault(codes.THROWN, "no"))
    assert shell.taken() == ["on_message: Fault", "resume"]


# G2: on_disconnect exactly once.


def test_nothing_runs_where_on_connect_did_not_begin() -> None:
    shell = begin(on_connect=says("c"), on_disconnect=says("d"))
    shell.session.gone(1006, "")
    shell.session.receive(Event.ADMITTED)
    assert shell.taken() == ["over"]


@pytest.mark.parametrize("hook", ["on_connect", "on_message"])
def test_a_connection_that_ends_while_a_hook_waits(hook: str) -> None:
    shell = begin(**{hook: waits, "on_disconnect": says("d")}, waiting=(hook,))
    shell.session.receive(Event.ADMITTED)
    if hook == "on_message":
        shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.taken()
    shell.session.gone(1006, "")
    assert shell.taken() == ["cancel"]
    shell.finish(outcome=Cancelled())
    assert shell.taken() == [
        f"{hook}: Cancelled", "depart", "on_disconnect starts", ("d", None), "on_disconnect ends", "over", "resume",
    ]  # fmt: skip


def test_a_connection_that_is_lost_inside_a_hook() -> None:
    shell = opened(on_message=effects("lose"), on_disconnect=says("d"))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    orders = shell.taken()
    assert orders.index("on_message ends") < orders.index("on_disconnect starts")
    assert orders[-1] == "over"


def test_on_disconnect_may_wait() -> None:
    shell = opened(on_disconnect=waits, waiting=("on_disconnect",))
    shell.session.gone(1000, "")
    shell.session.gone(1006, "again")
    assert shell.session.state is State.LEAVING
    shell.finish("unsent")
    assert shell.taken()[-3:] == ["on_disconnect ends", "over", "resume"]
    assert shell.session.close_code == 1000


def test_no_message_runs_after_the_server_closed() -> None:
    shell = opened(on_message=effects("close"), on_disconnect=says("d"))
    for text in "12":
        shell.session.receive(Event.MESSAGE, (text, "text"))
    assert shell.taken() == ["on_message starts", ("close",), "depart", "on_message ends", "drop 2"]
    shell.session.gone(1000, "")
    assert shell.taken()[-3:] == [("d", None), "on_disconnect ends", "over"]


def test_a_hook_that_waits_goes_on_after_the_server_closed() -> None:
    shell = opened(on_message=waits, waiting=("on_message",))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.session.receive(Event.SHUT)
    shell.taken()
    shell.finish()
    assert shell.session.state is State.CLOSING


EVENTS = st.lists(st.sampled_from(["message", "finished", "shut", "gone", "reloaded"]), max_size=25)


@given(EVENTS, st.sets(st.sampled_from(["on_connect", "on_message", "on_disconnect"])))
def test_whatever_happens_in_whatever_order(events: list[str], waiting: set[str]) -> None:
    hooks: dict[str, Any] = {
        name: waits if name in waiting else says(name) for name in ("on_connect", "on_message", "on_disconnect")
    }
    shell = begin(waiting=tuple(waiting), **hooks)
    shell.session.receive(Event.ADMITTED)
    for event in [*events, "gone", "finished", "finished"]:
        if event == "finished" and shell.waiting is not None:
            shell.finish(outcome=Cancelled() if "cancel" in shell.orders else None)
        elif event == "message" and shell.session.state not in (State.CONNECTING, State.RUNNING):
            shell.session.receive(Event.MESSAGE, MESSAGE)
        elif event == "shut":
            shell.session.receive(Event.SHUT)
        elif event == "gone":
            shell.session.gone(1000, "")
        elif event == "reloaded":
            shell.session.receive(Event.RELOADED, Renewal(version(route(**hooks, waiting=tuple(waiting))), {}, True))
    starts = [order for order in shell.orders if isinstance(order, str) and order.endswith("starts")]
    running = 0
    for order in shell.orders:
        running += str(order).endswith("starts")
        running -= str(order).endswith((" ends", "Cancelled"))
        assert running in (0, 1)
    assert starts.count("on_connect starts") == starts.count("on_disconnect starts") == shell.orders.count("over") == 1
    assert starts[-1] == "on_disconnect starts"
    assert shell.session.state is State.CLOSED


def test_the_table_starts_no_hook_while_one_runs() -> None:
    idle = {State.NEW, State.OPEN, State.CLOSING}
    starters = {"start_connect", "start_message", "leave"}
    for (state, event), (_, action) in TABLE.items():
        if action in starters:
            assert state in idle or event is Event.FINISHED


# Channels that the route names (M1, M2).


def template(channel: str | None) -> Any:
    def evaluate(inputs: Sequence[Value], slots: Slots, emit: Emit) -> str:
        if channel is None:
            raise Fault(codes.UNDEFINED_VARIABLE, "no")
        return channel

    return evaluate


def test_automatic_literals_before_on_connect_and_templates_after() -> None:
    membership = Membership(True, ("news",), ())
    shell = begin(
        membership=membership, templates=(template("room"), template(None), template("news")), on_connect=says("c")
    )
    shell.session.receive(Event.ADMITTED)
    assert shell.taken() == ["join news", "on_connect starts", ("c", None), "on_connect ends", "join room"]


def test_templates_are_joined_after_a_fault_too() -> None:
    shell = begin(templates=(template("room"),), on_connect=raises(Fault(codes.THROWN, "no")))
    shell.session.receive(Event.ADMITTED)
    assert shell.taken() == ["on_connect starts", "on_connect: Fault", "join room"]


def test_explicit_channels_after_on_connect() -> None:
    membership = Membership(False, ("news",), ())
    shell = begin(membership=membership, templates=(template("room"),), on_connect=says("c"))
    shell.session.receive(Event.ADMITTED)
    assert shell.taken() == ["on_connect starts", ("c", None), "on_connect ends", "join news", "join room"]


def test_too_many_channels_are_a_fault_of_on_connect() -> None:
    shell = begin(membership=Membership(True, ("a", "b"), ()), on_connect=says("c"))
    shell.full = {"b"}
    shell.session.receive(Event.ADMITTED)
    assert shell.taken() == ["join a", "on_connect: Fault", "on_connect starts", ("c", None), "on_connect ends"]


def test_nothing_is_joined_once_the_server_closed() -> None:
    shell = begin(templates=(template("room"),), on_connect=effects("close"))
    shell.session.receive(Event.ADMITTED)
    assert "join room" not in shell.taken()


# Reload.


def test_the_next_event_runs_the_new_program() -> None:
    shell = opened(on_message=says("old"))
    shell.session.receive(Event.RELOADED, Renewal(version(route(on_message=says("new"), name="renamed"), 2), {}, True))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    assert ("new", "hi") in shell.taken()
    assert (shell.session.version.generation, shell.session.inputs[INPUT_NUMBERS["route"]]) == (2, "renamed")


def test_a_hook_that_runs_ends_on_the_old_program() -> None:
    shell = opened(on_message=waits, waiting=("on_message",))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.session.receive(Event.RELOADED, Renewal(version(route(on_message=says("new")), 2), {}, True))
    assert shell.session.version.generation == 1
    shell.finish()
    assert shell.session.version.generation == 2
    shell.session.receive(Event.MESSAGE, MESSAGE)
    assert ("new", "hi") in shell.taken()


def test_on_disconnect_runs_the_new_program() -> None:
    shell = opened(on_message=waits, waiting=("on_message",), on_disconnect=says("old"))
    shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.session.receive(Event.RELOADED, Renewal(version(route(on_disconnect=says("new"))), {}, True))
    shell.session.gone(1006, "")
    shell.finish(outcome=Cancelled())
    assert ("new", None) in shell.taken()


def test_two_reloads_during_one_hook_rename_one_after_the_other() -> None:
    shell = opened(on_message=waits, waiting=("on_message",), slots=("a",))
    shell.session.slots[0] = 7
    shell.session.receive(Event.MESSAGE, MESSAGE)
    shell.session.receive(Event.RELOADED, Renewal(version(route(slots=("b",))), {"a": "b"}, True))
    shell.session.receive(Event.RELOADED, Renewal(version(route(slots=("x", "c"))), {"b": "c"}, True))
    shell.finish()
    assert shell.session.slots == [UNSET, 7]


def test_the_channels_that_the_new_program_names() -> None:
    shell = opened(membership=Membership(True, ("a", "b"), ()))
    renewed = route(membership=Membership(True, ("b", "c"), ()))
    shell.session.receive(Event.RELOADED, Renewal(version(renewed), {}, True))
    assert shell.taken() == ["leave a", "join c"]


def test_parameters_take_their_new_names() -> None:
    shell = opened(path="/ws/:room")
    shell.session.receive(Event.RELOADED, Renewal(version(route(path="/ws/:place")), {}, True))
    assert shell.session.inputs[INPUT_NUMBERS["params"]] == {"place": "lobby"}


def test_only_the_source_map_changed() -> None:
    shell = opened(slots=("a",), on_message=says("old"))
    shell.session.slots[0] = 1
    relinked = route(slots=("a",), on_message=says("new"))
    shell.session.receive(Event.RELOADED, Renewal(version(relinked), {"a": "b"}, changed=False))
    assert (shell.session.slots, shell.session.route) == ([1], relinked)


def programs(*slots: Slot) -> RouteProgram:
    return replace(route().program, slots=slots)


def test_variables_are_carried_by_name() -> None:
    old = programs(Slot("a", Kind.ANY), Slot("b", Kind.ANY), Slot("c", Kind.ANY))
    new = programs(Slot("c", Kind.ANY), Slot("d", Kind.ANY), Slot("a", Kind.ANY))
    assert carry_variables(old, new, [1, 2, UNSET], {}) == [UNSET, UNSET, 1]


def test_a_renamed_variable_wins_over_one_of_that_name() -> None:
    both = programs(Slot("a", Kind.ANY), Slot("b", Kind.ANY))
    assert carry_variables(both, both, [1, 2], {"a": "b"}) == [UNSET, 1]
    assert carry_variables(both, both, [1, 2], {"a": "b", "b": "a"}) == [2, 1]
    assert carry_variables(both, both, [UNSET, 2], {"a": "b"}) == [UNSET, 2]


def test_a_value_of_another_kind_is_left_behind() -> None:
    old, new = programs(Slot("a", Kind.ANY)), programs(Slot("a", Kind.NUMBER))
    assert carry_variables(old, new, ["text"], {}) == [UNSET]
    assert carry_variables(old, new, [1], {}) == [1]


# The way of most messages.

SHAPES: dict[str, dict[str, Any]] = {
    "ends well": {"on_message": says("send")},
    "returns": {"on_message": returns("value")},
    "returns what cannot be sent": {"on_message": returns("too large")},
    "fails": {"on_message": raises(Fault(codes.THROWN, "no"))},
    "is a bug": {"on_message": raises(KeyError("bug"))},
    "runs out of fuel": {"on_message": raises(OutOfFuel("no"))},
    "closes": {"on_message": effects("close"), "on_disconnect": says("bye")},
    "is lost meanwhile": {"on_message": effects("lose"), "on_disconnect": says("bye")},
    "waits": {"waiting": ("on_message",), "on_message": waits},
    "has no hook": {"on_connect": says("send")},
}


@pytest.mark.parametrize("parts", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("before", [(), (Event.SHUT,), (Event.SHUT, Event.GONE)], ids=["open", "closing", "closed"])
def test_hearing_is_receiving_a_message(parts: dict[str, Any], before: tuple[Event, ...]) -> None:
    heard, received = opened(**parts), opened(**parts)
    for shell in (heard, received):
        for event in before:
            shell.session.receive(event)
    heard.session.hear("hi", "binary")
    received.session.receive(Event.MESSAGE, ("hi", "binary"))
    assert heard.orders == received.orders
    for name in ("state", "hook", "inputs", "slots", "close_code"):
        assert getattr(heard.session, name) == getattr(received.session, name), name
    for shell in (heard, received):
        if shell.waiting is not None:
            shell.finish()


class Reloader(Shell):
    """A shell that swaps the program when it is told of a hook's end."""

    def ended(self, hook: str, outcome: Outcome) -> None:
        super().ended(hook, outcome)
        if hook == "on_message":
            new = version(route(on_message=says("new")), 2)
            self.session.receive(Event.RELOADED, Renewal(new, {}, changed=True))


def test_a_program_that_comes_at_the_end_of_a_hook_takes_over() -> None:
    shell = Reloader()
    shell.session = Session("the-id", version(route(on_message=says("old"))), GIVEN, shell)
    shell.session.receive(Event.ADMITTED)
    shell.taken()
    for _ in range(2):
        shell.session.hear("hi", "text")
    assert [order for order in shell.orders if isinstance(order, tuple)] == [("old", "hi"), ("new", "hi")]
    assert shell.session.state is State.OPEN
