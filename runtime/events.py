"""What the runtime tells the outside: plain lines of `dev`, its NDJSON, the board.

Events are frozen values without a time of their own: whoever listens is called at once and may look at
a clock. Texts in them are as the client or the route wrote them; escaping for a terminal is the printer's.
Nobody listening costs one attribute look-up where an event would have been made.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

from compiler.bytecode.program import Mark
from compiler.language.values import Value, text

OPERAND_CHARACTERS: Final = 120
"""How much of an operand's value a fault shows."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The server accepts connections at these addresses (`127.0.0.1:3000`, `[::1]:3000`)."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connected:
    """A handshake was accepted; `on_connect` is about to run."""

    connection_id: str
    route: str
    generation: int
    path: str
    remote_addr: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection is over and its `on_disconnect` is done."""

    connection_id: str
    route: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class FrameIn:
    """A message arrived; `payload` is text, or the bytes of a binary frame."""

    connection_id: str
    route: str
    payload: str | bytes
    run: int = 0
    """The number, on this connection, of the hook run that it starts."""


@dataclass(frozen=True, slots=True)
class FrameOut:
    """A message was handed to `recipients` connections. `to`: a connection id, `channel NAME` or `everybody`.

    The connection, route and hook run that are named sent it, from this line of the route's file (0: not known).
    """

    connection_id: str
    route: str
    to: str
    recipients: int
    payload: str | bytes
    hook: str = ""
    run: int = 0
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class HookFinished:
    """A hook ran to its end in so many seconds, waiting included."""

    connection_id: str
    route: str
    hook: str
    seconds: float
    run: int = 0


@dataclass(frozen=True, slots=True)
class HookFaulted:
    """A fault ended a hook (language section 7). `operation` is the field it happened in (`WsOp.message`),
    `operands` the values it was about, shortened; `mark` is None where the program was stripped."""

    connection_id: str
    route: str
    hook: str
    code: str
    message: str
    file: str
    mark: Mark | None
    operands: tuple[str, ...]
    seconds: float
    run: int = 0

    @property
    def operation(self) -> str:
        """The operation and field at fault, `WsOp.message`; "" where that is not known."""
        return self.mark.field if self.mark else ""

    @property
    def place(self) -> str:
        """`file:line:column`, or what is known of it."""
        return f"{self.file}:{self.mark.line}:{self.mark.column}" if self.mark else self.file


@dataclass(frozen=True, slots=True)
class HookCancelled:
    """The connection ended while a hook waited; the rest of that hook does not run."""

    connection_id: str
    route: str
    hook: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A `Log` operation ran. `level`: debug, info, warn or error."""

    connection_id: str
    route: str
    hook: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Swapped:
    """A new set of routes is being served. Each field names routes by their paths."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A handshake or plain request was answered with a status and a reason instead."""

    path: str
    remote_addr: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Draining:
    """The server stops: no new connections, and so many are to be closed within `seconds`."""

    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """All connections are over; `abandoned` of them without a complete `on_disconnect`."""

    abandoned: int


@dataclass(frozen=True, slots=True)
class BusDown:
    """This node lost the bus: messages reach its own connections only, until `BusUp`."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class BusUp:
    """This node has the bus again; `alone` messages reached perhaps its own connections only."""

    node: str
    alone: int


@dataclass(frozen=True, slots=True)
class BusGap:
    """Connections of `node` may have missed messages that came from the node `source` ("": from any other) to
    `channel` ("": to any). `missed`: how many at most, 0 where that is not known."""

    node: str
    source: str
    channel: str
    reason: str
    missed: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A bug of ours was caught where it could not harm others: an id that clients see too, and the traceback."""

    error_id: str
    where: str
    traceback: str


Event: TypeAlias = (
    Listening
    | Connected
    | Disconnected
    | FrameIn
    | FrameOut
    | HookFinished
    | HookFaulted
    | HookCancelled
    | LogLine
    | Swapped
    | Refused
    | Draining
    | Stopped
    | BusDown
    | BusUp
    | BusGap
    | Trouble
)
Listener: TypeAlias = Callable[[Event], None]


def event_name(event: Event) -> str:
    """`HookFaulted` → `hook_faulted`."""
    return _outline(type(event))[0]


def _event_name(kind: type[Any]) -> str:
    name = kind.__name__
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def to_document(event: Event) -> dict[str, Any]:
    """An event as a JSON object: `event`, its name, and its fields."""
    kind, names = _outline(type(event))
    document: dict[str, Any] = {"event": kind}
    for name in names:
        document[name] = _document_value(getattr(event, name))
    return document


_OUTLINES: Final[dict[type[Any], tuple[str, tuple[str, ...]]]] = {}


def _outline(kind: type[Any]) -> tuple[str, tuple[str, ...]]:
    """The name of a class of events, and its fields."""
    known = _OUTLINES.get(kind)
    if known is None:
        known = _OUTLINES[kind] = _event_name(kind), tuple(row.name for row in fields(kind))
    return known


def _document_value(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Mark):
        return {"line": value.line, "column": value.column, "field": value.field}
    return list(value) if isinstance(value, tuple) else value


class Events:
    """The listeners. `wanted`: somebody listens at all; `detailed`: somebody wants frames and hook runs too, of all
    connections or of some; `measured`: somebody looks at what connections and channels count for themselves;
    `timed_every`: then each so many-th run of a connection is timed, else 0."""

    __slots__ = (
        "_all", "_detailed", "_every", "_looking", "_turned", "_watches",
        "detailed", "measured", "timed_every", "wanted",
    )  # fmt: skip

    def __init__(self) -> None:
        self._all: tuple[Listener, ...] = ()
        self._detailed: tuple[Listener, ...] = ()
        self._watches: dict[str, tuple[Listener, ...]] = {}
        self._looking = 0
        self._every = 1
        self._turned: Callable[[str | None], None] = _not_told
        self.wanted = False
        self.detailed = False
        self.measured = False
        self.timed_every = 0

    def subscribe(self, listener: Listener, *, detailed: bool = False) -> Callable[[], None]:
        """Call `listener` for each event from now on; `detailed` includes frames and hooks that finish well.

        Returns what ends it. A listener runs inside the server: it must be quick and must not wait.
        """
        self._all = (*self._all, listener)
        if detailed:
            self._detailed = (*self._detailed, listener)
        self._renew()
        if detailed:
            self._turned(None)
        return lambda: self._forget(listener)

    def watch(self, connection_id: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` for frames to and from one connection, and for its hooks that finish well.

        Other connections pay for it with one look-up for what they send to others. Returns what ends it.
        """
        self._watches[connection_id] = (*self._watches.get(connection_id, ()), listener)
        self._renew()
        self._turned(connection_id)
        return lambda: self._unwatch(connection_id, listener)

    def on_turn(self, turned: Callable[[str | None], None]) -> None:
        """Have this called whenever `is_followed` may have another answer: for the connection with an id, or for all
        (None). So each connection can keep its answer, and needs not ask at every message."""
        self._turned = turned

    def measure(self) -> Callable[[], None]:
        """Have connections time their hooks and channels count their messages. Returns what ends it."""
        self._looking += 1
        self._renew()

        def end() -> None:
            self._looking -= 1
            self._renew()

        return end

    def time_every(self, runs: int) -> None:
        """Of many runs, have each connection time only each so many-th: what few of them touch must be fetched from
        memory for each, which takes longer than to write it down."""
        self._every = runs
        self._renew()

    def _unwatch(self, connection_id: str, listener: Listener) -> None:
        left = tuple(other for other in self._watches.get(connection_id, ()) if other is not listener)
        if left:
            self._watches[connection_id] = left
        else:
            self._watches.pop(connection_id, None)
        self._renew()
        self._turned(connection_id)

    def _forget(self, listener: Listener) -> None:
        self._all = tuple(other for other in self._all if other is not listener)
        detailed, self._detailed = self._detailed, tuple(other for other in self._detailed if other is not listener)
        for connection_id in [name for name, listeners in self._watches.items() if listener in listeners]:
            self._unwatch(connection_id, listener)
        self._renew()
        if self._detailed != detailed:
            self._turned(None)

    def _renew(self) -> None:
        self.wanted = bool(self._all)
        self.detailed = bool(self._detailed or self._watches)
        self.measured = self._looking > 0
        self.timed_every = self._every if self.measured else 0

    def publish(self, event: Event) -> None:
        """Tell everybody who listens."""
        self._tell(self._all, event)

    @property
    def watched(self) -> Collection[str]:
        """The connections that somebody watches, by id."""
        return self._watches.keys()

    def is_followed(self, connection_id: str) -> bool:
        """Whether somebody wants the frames and hook runs of this connection."""
        return bool(self._detailed) or connection_id in self._watches

    def wants_frame(self, concerned: Collection[str]) -> bool:
        """Whether somebody wants a frame that goes to these of the watched connections."""
        return bool(self._detailed or concerned)

    def publish_detail(self, event: FrameIn | FrameOut | HookFinished, concerned: Iterable[str] = ()) -> None:
        """Tell those who asked for every frame and hook run, and those who watch one of the `concerned`; of a hook or
        a frame that came in, that is its own connection."""
        self._tell(self._detailed, event)
        if self._watches:
            for connection_id in concerned if isinstance(event, FrameOut) else (event.connection_id,):
                self._tell(self._watches.get(connection_id, ()), event)

    def _tell(self, listeners: Sequence[Listener], event: Event) -> None:
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                # A listener that fails would fail again; connections must not suffer from who watches them.
                self._forget(listener)


def _not_told(_: str | None) -> None:
    """No connections are there to be told."""


def show_operands(operands: Sequence[Value]) -> tuple[str, ...]:
    """The values of a fault for a log line: JSON-like, each at most `OPERAND_CHARACTERS` long."""
    return tuple(_show(value) for value in operands)


def _show(value: Value) -> str:
    parts: list[str] = []
    _render(value, parts, OPERAND_CHARACTERS)
    shown = "".join(parts)
    return shown if len(shown) <= OPERAND_CHARACTERS else shown[: OPERAND_CHARACTERS - 1] + "…"


def _render(value: Value, parts: list[str], room: int) -> int:
    """Write a value while there is room; returns the room that is left. Never looks at more than fits."""
    if room <= 0:
        return room
    if isinstance(value, str):
        clipped = value[: room + 1]
        return _write('"' + clipped + ('"' if len(clipped) == len(value) else ""), parts, room)
    if isinstance(value, list):
        return _render_items([("", item) for item in value[:room]], "[]", parts, room)
    if isinstance(value, dict):
        heads = [key for key, _ in zip(value, range(room), strict=False)]
        return _render_items([(f'"{key[:room]}": ', value[key]) for key in heads], "{}", parts, room)
    return _write(text(value), parts, room)


def _render_items(items: Sequence[tuple[str, Value]], brackets: str, parts: list[str], room: int) -> int:
    room = _write(brackets[0], parts, room)
    for number, (prefix, item) in enumerate(items):
        if room <= 0:
            return room
        room = _render(item, parts, _write((", " if number else "") + prefix, parts, room))
    return _write(brackets[1], parts, room)


def _write(piece: str, parts: list[str], room: int) -> int:
    parts.append(piece)
    return room - len(piece)
