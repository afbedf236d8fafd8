"""One connection's life: state × event → state, action. No I/O, no clock, no event loop.

Theory. A session is what a connection means to its route: its variables and the hook that runs now. It is
told what happens (events) and answers with orders to its shell, which owns the wire, the tasks and the clock.
Guarantees that follow from the table (runtime section 1):

- One hook at a time. Hooks start on the way into CONNECTING, RUNNING and LEAVING only; each of these is
  entered from a state in which no hook runs, and left when its hook has finished.
- Messages in their order. While a hook waits, the session has its shell hold back what arrives; the wire's
  inbox is the only queue, and it is bounded. A message in a state where a hook runs is a bug and says so.
- `on_disconnect` exactly once where `on_connect` began. Every row for GONE leads to LEAVING, at once or,
  when a hook runs, after that hook ended; LEAVING is never entered again.
- A hook ends on the program it began with. A new program takes over between hooks.
- After the server said close, messages run no hook any more, the hook that runs may go on, and
  `on_disconnect` runs when the connection is really gone.

A hook without a waiting effect starts and ends within one call, and FINISHED arrives before that call
returns. A waiting one is handed to the shell, and FINISHED arrives later. The rows are the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol, TypeAlias, cast

from compiler.bytecode.program import Program, RouteProgram
from compiler.language.faults import Fault, Uncatchable
from compiler.language.hooks import INPUT_NUMBERS, INPUTS
from compiler.language.values import UNSET, Unset, Value, kind_of
from runtime.loader import LinkedRoute
from runtime.seam import Hook


class State(IntEnum):
    """Where a connection is in its life."""

    NEW = 0
    CONNECTING = 1
    OPEN = 2
    RUNNING = 3
    FINISHING = 4
    CLOSING = 5
    ENDING = 6
    LEAVING = 7
    CLOSED = 8


class Event(IntEnum):
    """What can happen to a connection."""

    ADMITTED = 0
    """The handshake was accepted."""
    MESSAGE = 1
    """A whole message arrived."""
    FINISHED = 2
    """The hook that ran is over, however it ended."""
    SHUT = 3
    """The server sent a close frame: an operation, a drain, a removed route."""
    GONE = 4
    """The connection is over, whoever ended it."""
    RELOADED = 5
    """A new program stands ready for the route."""


_S, _E = State, Event

TABLE: Final[dict[tuple[State, Event], tuple[State, str]]] = {
    (_S.NEW, _E.ADMITTED): (_S.CONNECTING, "start_connect"),
    (_S.NEW, _E.GONE): (_S.CLOSED, "end"),
    (_S.NEW, _E.RELOADED): (_S.NEW, "renew"),
    (_S.CONNECTING, _E.MESSAGE): (_S.CONNECTING, "protest"),
    (_S.CONNECTING, _E.FINISHED): (_S.OPEN, "settle"),
    (_S.CONNECTING, _E.SHUT): (_S.FINISHING, "withdraw"),
    (_S.CONNECTING, _E.GONE): (_S.ENDING, "cancel"),
    (_S.CONNECTING, _E.RELOADED): (_S.CONNECTING, "hold"),
    (_S.OPEN, _E.MESSAGE): (_S.RUNNING, "start_message"),
    (_S.OPEN, _E.SHUT): (_S.CLOSING, "withdraw"),
    (_S.OPEN, _E.GONE): (_S.LEAVING, "leave"),
    (_S.OPEN, _E.RELOADED): (_S.OPEN, "renew"),
    (_S.RUNNING, _E.MESSAGE): (_S.RUNNING, "protest"),
    (_S.RUNNING, _E.FINISHED): (_S.OPEN, "take_over"),
    (_S.RUNNING, _E.SHUT): (_S.FINISHING, "withdraw"),
    (_S.RUNNING, _E.GONE): (_S.ENDING, "cancel"),
    (_S.RUNNING, _E.RELOADED): (_S.RUNNING, "hold"),
    (_S.FINISHING, _E.MESSAGE): (_S.FINISHING, "drop"),
    (_S.FINISHING, _E.FINISHED): (_S.CLOSING, "take_over"),
    (_S.FINISHING, _E.GONE): (_S.ENDING, "cancel"),
    (_S.FINISHING, _E.RELOADED): (_S.FINISHING, "hold"),
    (_S.CLOSING, _E.MESSAGE): (_S.CLOSING, "drop"),
    (_S.CLOSING, _E.GONE): (_S.LEAVING, "leave"),
    (_S.CLOSING, _E.RELOADED): (_S.CLOSING, "renew"),
    (_S.ENDING, _E.MESSAGE): (_S.ENDING, "drop"),
    (_S.ENDING, _E.FINISHED): (_S.LEAVING, "leave"),
    (_S.ENDING, _E.RELOADED): (_S.ENDING, "hold"),
    (_S.LEAVING, _E.MESSAGE): (_S.LEAVING, "drop"),
    (_S.LEAVING, _E.FINISHED): (_S.CLOSED, "end"),
    (_S.CLOSED, _E.MESSAGE): (_S.CLOSED, "drop"),
}
"""THE table: what is not in it changes nothing."""


Message: TypeAlias = tuple[Value, str]
"""A message as a hook sees it: its value, and `text` or `binary`."""
Outcome: TypeAlias = BaseException | None
"""How a hook ended: well, by a fault, cancelled (`Cancelled`), or by a bug of ours (any other exception)."""


class Cancelled(Exception):
    """The connection ended while the hook waited; the rest of the hook does not run."""


@dataclass(frozen=True, slots=True)
class Version:
    """A route as one program has it. `generation` grows whenever the route does something else than before."""

    owner: Program
    route: LinkedRoute
    generation: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """A route's new version, and the variables that change their names with it, old to new.

    `changed` is False where only the source map differs: nothing of the connection changes then.
    """

    version: Version
    renames: Mapping[str, str]
    changed: bool


class Shell(Protocol):
    """What a session asks of the world around it. None of these calls waits."""

    def emit(self, effect: str, *arguments: Value) -> Any:
        """Perform an effect for the hook that runs."""

    def wait_for(self, hook: str, outcome: Awaitable[Value]) -> None:
        """Drive a hook that waits; report its end with `Session.finished`."""

    def cancel(self) -> None:
        """End the hook that waits, if there is one; its end is still reported."""

    def reply(self, value: Value) -> None:
        """Send what a hook returned. Raises Fault."""

    def started(self, hook: str) -> None:
        """A hook begins."""

    def ended(self, hook: str, outcome: Outcome) -> None:
        """A hook ended in this way; where that was a bug, the connection must be closed."""

    def pause(self) -> None:
        """Hold back messages until `resume`."""

    def resume(self) -> None:
        """Deliver what was held back, in order, and go on; that may start hooks before this returns."""

    def join(self, channel: str) -> None:
        """Enter a channel. Raises Fault channel-limit."""

    def leave(self, channel: str) -> None:
        """Leave a channel."""

    def depart(self) -> None:
        """Leave all channels and be counted no more."""

    def renewed(self) -> None:
        """A new program has taken over."""

    def dropped(self, message: Message) -> None:
        """A message was not handed to a hook because the connection is closing."""

    def over(self) -> None:
        """The session's life is complete."""


MESSAGE: Final = INPUT_NUMBERS["message"]
MESSAGE_TYPE: Final = INPUT_NUMBERS["message_type"]
_PARAMS: Final = INPUT_NUMBERS["params"]
_CLOSE_CODE: Final = INPUT_NUMBERS["close_code"]
_CLOSE_REASON: Final = INPUT_NUMBERS["close_reason"]
_ROUTE: Final = INPUT_NUMBERS["route"]
_SILENT_HOOKS: Final = frozenset({"on_auth", "on_disconnect"})
"""Hooks whose returned value is not sent."""


class _Nobody:
    """A shell that takes every order and does nothing."""

    def __getattr__(self, order: str) -> Callable[..., None]:
        return lambda *_: None


_NOBODY: Final = _Nobody()


class Session:
    """The life of one connection. Mutable, one owner, never used from two threads."""

    __slots__ = (
        "_paused", "_placed", "_shell",
        "at_once", "held", "hook", "id", "inputs", "route", "slots", "state", "version",
    )  # fmt: skip

    def __init__(self, connection_id: str, version: Version, given: Mapping[str, Value], shell: Shell) -> None:
        """`given`: the inputs known from the handshake: params, query, headers, user, remote_addr."""
        route = version.route
        self.id = connection_id
        self.version = version
        self.route = route
        self.inputs: list[Value] = [None] * len(INPUTS)
        for name, value in given.items():
            self.inputs[INPUT_NUMBERS[name]] = value
        self.inputs[INPUT_NUMBERS["connection_id"]] = connection_id
        self.inputs[_ROUTE] = route.program.name
        self.slots: list[Value | Unset] = [UNSET] * len(route.program.slots)
        self.hook = ""
        self.state = State.NEW
        self._shell = shell
        self.at_once = _hook_at_once(route)
        """The hook for messages, where it runs to its end without waiting."""
        self.held: tuple[Renewal, ...] = ()
        """New programs that take over when the hook that runs has finished."""
        self._paused = False
        self._placed: tuple[str, ...] = ()

    # Events.

    def receive(self, event: Event, detail: Any = None) -> None:
        """Something happened: go to the next state and do what the table says."""
        row = _ROWS[self.state][event]
        if row is not None:
            self.state = row[0]
            row[1](self, detail)

    def hear(self, value: Value, kind: str) -> None:
        """A message arrived: its value, and `text` or `binary`.

        A shell may do the usual case by itself, see `at_once`.
        """
        self.receive(Event.MESSAGE, (value, kind))

    def gone(self, code: int, reason: str) -> None:
        """The connection is over, with this close code and reason."""
        if self.state < State.ENDING:
            self.inputs[_CLOSE_CODE] = code
            self.inputs[_CLOSE_REASON] = reason
        self.receive(Event.GONE)

    def revive(self, variables: Mapping[str, Value]) -> None:
        """Be an open connection with these variables, by name: one whose node was killed. `gone` comes next."""
        kept = ((variables.get(slot.name, UNSET), slot.kinds) for slot in self.route.program.slots)
        self.slots = [_fitting(value, kinds) for value, kinds in kept]
        self.state = State.OPEN

    def forsake(self) -> None:
        """End without another hook: another node runs the last one."""
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._shell.cancel()
            self._shell.depart()
            self._shell.over()

    def finished(self, value: Value, outcome: Outcome) -> None:
        """The hook that ran is over: with the value it returned, or what ended it."""
        hook, self.hook = self.hook, ""
        self.inputs[MESSAGE] = None
        if value is not None and hook not in _SILENT_HOOKS:
            try:
                self._shell.reply(value)
            except Fault as fault:
                outcome = fault
        self._shell.ended(hook, outcome)
        self.receive(Event.FINISHED)
        if self._paused and not self.hook:
            self._paused = False
            self._shell.resume()

    def part(self) -> None:
        """The shell is told of nothing any more. To be called by the shell, when this life is complete: two that know
        each other stay in memory until the garbage collector finds them."""
        self._shell = cast("Shell", _NOBODY)

    @property
    def close_code(self) -> int:
        """The code the connection closed with; 0 before."""
        return cast(int, self.inputs[_CLOSE_CODE] or 0)

    @property
    def close_reason(self) -> str:
        """The reason it closed with; "" before."""
        return cast(str, self.inputs[_CLOSE_REASON] or "")

    # Hooks.

    def _run(self, hook: str) -> None:
        run = self.route.hooks.get(hook)
        if run is None:
            self.receive(Event.FINISHED)
            return
        self.hook = hook
        self._shell.started(hook)
        try:
            outcome = run(self.inputs, self.slots, self._shell.emit)
        except (Uncatchable, Exception) as problem:
            self.finished(None, problem)
            return
        if self.route.program.hooks[hook].waits:
            self._paused = True
            self._shell.pause()
            self._shell.wait_for(hook, cast("Awaitable[Value]", outcome))
        else:
            self.finished(cast("Value", outcome), None)

    def _start_connect(self, _: object) -> None:
        if self.route.program.membership.automatic:
            self._place(self.route.program.membership.literals)
        self._run("on_connect")

    def _start_message(self, message: Message) -> None:
        self.inputs[MESSAGE], self.inputs[MESSAGE_TYPE] = message
        self._run("on_message")

    def _settle(self, _: object) -> None:
        """`on_connect` ended, also by a fault: enter the channels whose names are known only now."""
        self._place(self._channels_named())
        self._take_over(None)

    def _cancel(self, _: object) -> None:
        self._shell.cancel()

    def _leave(self, _: object) -> None:
        self._take_over(None)
        self._shell.depart()
        self._run("on_disconnect")

    def _end(self, _: object) -> None:
        self.slots = []
        self.held = ()
        self._shell.over()

    def _drop(self, message: Message) -> None:
        self._shell.dropped(message)

    def _protest(self, _: Message) -> None:
        raise RuntimeError("a message was delivered while a hook runs")

    def _withdraw(self, _: object) -> None:
        """Nothing reaches the connection any more, so it is in no channel and in no count."""
        self._shell.depart()

    # Channels that the route names by itself (language section 8).

    def _place(self, channels: tuple[str, ...]) -> None:
        """Be in these channels, and no more in those that the route named before."""
        if channels == self._placed:
            return
        for channel in self._placed:
            if channel not in channels:
                self._shell.leave(channel)
        fresh = [channel for channel in channels if channel not in self._placed]
        self._placed = channels
        for channel in fresh:
            try:
                self._shell.join(channel)
            except (Fault, Uncatchable) as fault:
                self._shell.ended("on_connect", fault)
                return

    def _channels_named(self) -> tuple[str, ...]:
        literals = self.route.program.membership.literals
        if not self.route.templates:
            return literals
        named = dict.fromkeys(literals)
        for template in self.route.templates:
            try:
                name = template(self.inputs, self.slots, self._shell.emit)
            except (Fault, Uncatchable):
                continue
            named[name] = None
        return tuple(named)

    # Reload.

    def _hold(self, renewal: Renewal) -> None:
        self.held = (*self.held, renewal)

    def _renew(self, renewal: Renewal) -> None:
        self.held = (*self.held, renewal)
        self._take_over(None)

    def _take_over(self, _: object) -> None:
        """Let the newest program take over, with the variables it knows."""
        if not self.held:
            return
        changed = False
        for renewal in self.held:
            if renewal.changed:
                changed = True
                self._rename(renewal)
            self.version, self.route = renewal.version, renewal.version.route
        self.at_once = _hook_at_once(self.route)
        self.held = ()
        self._shell.renewed()
        if changed and self.state is State.OPEN:
            self._place(self._channels_named())

    def _rename(self, renewal: Renewal) -> None:
        old, new = self.route.program, renewal.version.route.program
        self.slots = carry_variables(old, new, self.slots, renewal.renames)
        self.inputs[_ROUTE] = new.name
        params = cast("dict[str, Value]", self.inputs[_PARAMS] or {})
        self.inputs[_PARAMS] = dict(zip(renewal.version.route.pattern.parameters, params.values(), strict=False))


def _hook_at_once(route: LinkedRoute) -> Hook | None:
    """The hook for messages, where it runs to its end without waiting."""
    chunk = route.program.hooks.get("on_message")
    return None if chunk is None or chunk.waits else route.hooks["on_message"]


def carry_variables(
    old: RouteProgram, new: RouteProgram, slots: Sequence[Value | Unset], renames: Mapping[str, str]
) -> list[Value | Unset]:
    """The variables for a new program: kept by name, or by their new name where `renames` has one.

    A value of a kind that the new program never gives that variable is left out, since its code relies on
    kinds; the variable is unset then.
    """
    kept: dict[str, Value | Unset] = {}
    for slot, value in zip(old.slots, slots, strict=True):
        if value is not UNSET and slot.name not in renames:
            kept[slot.name] = value
    for slot, value in zip(old.slots, slots, strict=True):
        if value is not UNSET and slot.name in renames:
            kept[renames[slot.name]] = value
    return [_fitting(kept.get(slot.name, UNSET), slot.kinds) for slot in new.slots]


def _fitting(value: Value | Unset, kinds: int) -> Value | Unset:
    return value if isinstance(value, Unset) or kind_of(value) & kinds else UNSET


_Action = Callable[[Session, Any], None]
_ROWS: Final[tuple[tuple[tuple[State, _Action] | None, ...], ...]] = tuple(
    tuple(
        (cell[0], getattr(Session, "_" + cell[1])) if (cell := TABLE.get((state, event))) is not None else None
        for event in Event
    )
    for state in State
)
"""The table by number, its actions looked up."""
