"""The server's side of the board: keeps a log and the frames of one connection, and answers questions from `App`.

Nothing is done while the board does not ask, but for a line per event of the log, and one per frame of the connection
that is looked into. Rows are made for what is in the picture, so that an answer costs the same with 10 and with 10 000
connections, searching excepted.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeVar

from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import UNSET, Value
from runtime.app import App
from runtime.events import Disconnected, Event, FrameIn, FrameOut, HookFaulted, HookFinished, show_operands
from runtime.metrics import percentile
from runtime.server.catalogue import Served
from runtime.server.identity import BEARER, TOKEN_KEY
from runtime.server.link import Link
from worpen_cli.board.exchange import (
    SHOWN_CHARACTERS,
    Ask,
    ChannelRow,
    ConnectionRow,
    Detail,
    FrameRow,
    Listing,
    LogRow,
    Look,
    Panel,
    Reply,
    RouteRow,
    Totals,
)
from worpen_cli.board.listing import list_rows

LOG_LINES: Final = 2_000
FRAMES: Final = 200
RUNS: Final = 400
"""So many hook runs of the connection that is looked into are remembered, for the frames to refer to."""
FEW_CONNECTIONS: Final = 100
RATE_SECONDS: Final = 1.0
"""Rates are taken over this time."""
MANY_MESSAGES: Final = 1_000
"""A second; from there on each connection times one of `TIMED_EVERY` runs."""
TIMED_EVERY: Final = 8
_LEADING_ID: Final = re.compile(r"^([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy_authorization"})
"""Their values are not shown."""
_USER, _QUERY, _PARAMS, _HEADERS = (INPUT_NUMBERS[name] for name in ("user", "query", "params", "headers"))


# What is kept of lines and frames: a row is made of it when it is in a picture, since most never are.


class Noted(NamedTuple):
    """A line of the log: its number, and when it was noted."""

    number: int
    at: float
    level: str
    text: str


class Seen(NamedTuple):
    """A frame that was seen: its number, when, and its size in bytes; in the event is what can be shown of it."""

    number: int
    at: float
    event: FrameIn | FrameOut
    size: int


Item = TypeVar("Item", Noted, Seen)


@dataclass(slots=True)
class Followed:
    """A connection that is looked into, with what was seen of it. It outlives its connection."""

    connection_id: str
    stop: Callable[[], None]
    frames: deque[Seen] = field(default_factory=lambda: deque(maxlen=FRAMES))
    outcomes: dict[int, HookFinished | HookFaulted] = field(default_factory=dict)
    last: Detail | None = None
    ended: str = ""
    counted: int = 0


class Feed:
    """What the board is told. One a board, on the server's loop."""

    def __init__(self, app: App, address: Callable[[], str]) -> None:
        """`address`: what clients connect to, known once the server listens."""
        self.notice = ""
        """What became of the latest order."""
        self.state = ""
        """What the whole server is up to, where that is not just serving: `stopping`."""
        self._app = app
        self._address = address
        self._began = time.monotonic()
        self._log: deque[Noted] = deque(maxlen=LOG_LINES)
        self._logged = 0
        self._followed: Followed | None = None
        self._held: tuple[int, int] | None = None
        self._rates = _Rates(app)
        self._endings = [app.events.subscribe(self._hear), app.events.measure()]

    def close(self) -> None:
        """Listen no more."""
        self._follow("")
        for end in self._endings:
            end()

    def note(self, sentence: str, level: str) -> None:
        """A line for the log; a text of several lines makes several."""
        at = time.time()
        for line in sentence.splitlines() or ("",):
            self._logged += 1
            self._log.append(Noted(self._logged, at, level, line[:SHOWN_CHARACTERS]))

    # Answers.

    def reply(self, ask: Ask) -> Reply:
        """The answer to a question."""
        self._rates.renew()
        self._follow(ask.detail)
        self._hold(ask.held)
        detail = self._detail()
        lists = {panel: self._list(panel, look) for panel, look in ask.looks.items() if look.room > 0}
        return Reply(self._totals(), lists, detail, self.notice)

    def _totals(self) -> Totals:
        rates, uptime = self._rates, time.monotonic() - self._began
        return Totals(self._address(), self._app.connections, rates.received, rates.sent, uptime, self.state)

    def _list(self, panel: Panel, look: Look) -> Listing[Any]:
        match panel:
            case Panel.ROUTES:
                return list_rows(list(self._app.routes()), look, lambda s: str(s.pattern), route_row, _route_text)
            case Panel.CONNECTIONS:
                links, now = list(self._app.links.values()), time.perf_counter()
                return list_rows(links, look, _link_key, lambda link: connection_row(link, now), _link_text)
            case Panel.CHANNELS:
                channels = list(self._app.hub.channels())
                return list_rows(channels, look, lambda c: c[0], self._channel_row, lambda c: c[0])
            case Panel.LOG:
                lines = self._until_held(self._log, 0)
                return list_rows(lines, look, _number_key, log_row, _log_text)
            case Panel.FRAMES:
                frames = self._followed.frames if self._followed else ()
                seen = self._until_held(frames, 1)
                return list_rows(seen, look, _number_key, self._frame_row, _frame_text)

    def _channel_row(self, channel: tuple[str, int]) -> ChannelRow:
        return ChannelRow(channel[0], channel[1], self._rates.channels.get(channel[0], 0.0))

    def _hold(self, held: bool) -> None:
        if not held:
            self._held = None
        elif self._held is None:
            self._held = (self._logged, self._followed.counted if self._followed else 0)

    def _until_held(self, items: Iterable[Item], which: int) -> list[Item]:
        """Those that were there when the picture was asked to stand still."""
        limit = self._held[which] if self._held is not None else None
        return list(items) if limit is None else [item for item in items if item.number <= limit]

    # The connection that is looked into.

    def _follow(self, connection_id: str) -> None:
        if self._followed is not None and self._followed.connection_id == connection_id:
            return
        if self._followed is not None:
            self._followed.stop()
            self._followed = None
        if connection_id in self._app.links:
            self._followed = Followed(connection_id, self._app.events.watch(connection_id, self._hear_detail))

    def _detail(self) -> Detail | None:
        followed = self._followed
        if followed is None:
            return None
        link = self._app.links.get(followed.connection_id)
        if link is not None:
            channels = self._app.hub.channels_of(link.far)
            followed.last = detail_of(link, channels, time.perf_counter())
        return replace(followed.last, ended=followed.ended) if followed.last else None

    def _frame_row(self, seen: Seen) -> FrameRow:
        followed = self._followed
        own = followed is not None and seen.event.connection_id == followed.connection_id
        ended = followed.outcomes.get(seen.event.run) if followed is not None and own else None
        return frame_row(seen, "" if ended is None else outcome_of(ended))

    def _hear(self, event: Event) -> None:
        followed = self._followed
        if followed is None:
            return
        match event:
            case HookFaulted(connection_id=followed.connection_id):
                self._end_run(followed, event)
            case Disconnected(connection_id=followed.connection_id):
                followed.ended = f"{event.code} {event.reason}".rstrip()
            case _:
                pass

    def _hear_detail(self, event: Event) -> None:
        followed = self._followed
        if followed is None:
            return
        match event:
            case FrameIn() | FrameOut():
                followed.counted += 1
                followed.frames.append(seen_frame(followed.counted, event))
            case HookFinished():
                self._end_run(followed, event)
            case _:
                pass

    @staticmethod
    def _end_run(followed: Followed, event: HookFinished | HookFaulted) -> None:
        followed.outcomes[event.run] = event
        if len(followed.outcomes) > RUNS:
            del followed.outcomes[next(iter(followed.outcomes))]


class _Rates:
    """Messages a second, taken about once in `RATE_SECONDS`."""

    def __init__(self, app: App) -> None:
        self.received = 0.0
        self.sent = 0.0
        self.channels: dict[str, float] = {}
        self._app = app
        self._at = time.monotonic()
        self._counted = (0, 0)
        self._traffic: dict[str, int] = {}

    def renew(self) -> None:
        """Take them again, if it is time."""
        now = time.monotonic()
        seconds = now - self._at
        if seconds < RATE_SECONDS:
            return
        # Each connection adds to the counters about once a second by itself. Few are asked, so that few messages count.
        few = self._app.connections <= FEW_CONNECTIONS
        counters = self._app.settle() if few else self._app.wire_counters
        counted = (counters.messages_in, counters.messages_out + counters.deliveries)
        self.received, self.sent = ((new - old) / seconds for new, old in zip(counted, self._counted, strict=True))
        traffic = dict(self._app.traffic)
        self.channels = {name: (number - self._traffic.get(name, 0)) / seconds for name, number in traffic.items()}
        self._at, self._counted, self._traffic = now, counted, traffic
        self._app.events.time_every(TIMED_EVERY if self.received >= MANY_MESSAGES else 1)


def milliseconds(seconds: float) -> str:
    """`0.31 ms`, `12 ms`."""
    return f"{seconds * 1e3:.2g} ms" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


# Rows.


def seen_frame(number: int, event: FrameIn | FrameOut) -> Seen:
    """A frame as it is kept: no more of a long payload than is shown."""
    payload, at = event.payload, time.time()
    size = len(payload) if isinstance(payload, bytes) or payload.isascii() else len(payload.encode("utf-8", "replace"))
    if len(payload) > SHOWN_CHARACTERS:
        event = replace(event, payload=payload[:SHOWN_CHARACTERS])
    return Seen(number, at, event, size)


def frame_row(seen: Seen, outcome: str) -> FrameRow:
    """A frame as the board lists it, with how the hook run ended that it started or that sent it."""
    event = seen.event
    clock = time.strftime("%H:%M:%S", time.localtime(seen.at)) + f".{int(seen.at * 1000) % 1000:03}"
    if isinstance(event, FrameIn):
        hook, place = "on_message" if event.run else "", ""
    else:
        hook, place = event.hook, f"{event.file}:{event.line}" if event.line else ""
    return FrameRow(
        key=str(seen.number),
        clock=clock,
        is_input=isinstance(event, FrameIn),
        text=_frame_text(seen),
        size=seen.size,
        hook=hook,
        run=event.run,
        sender=event.connection_id,
        place=place,
        outcome=outcome,
    )


def _frame_text(seen: Seen) -> str:
    payload = seen.event.payload
    return payload if isinstance(payload, str) else f"binary {payload[: SHOWN_CHARACTERS // 3].hex(' ')}"


def outcome_of(ended: HookFinished | HookFaulted) -> str:
    """How a hook run ended, and how long it took."""
    if isinstance(ended, HookFaulted):
        return f"{ended.code} after {milliseconds(ended.seconds)}"
    return f"ok in {milliseconds(ended.seconds)}"


def route_row(served: Served[Link]) -> RouteRow:
    """A route as the board lists it."""
    reason = served.reason.partition("\n")[0][:SHOWN_CHARACTERS]
    path = str(served.pattern)
    return RouteRow(path, served.name, served.generation, served.condition.value, len(served.links), reason)


def connection_row(link: Link, now: float) -> ConnectionRow:
    """A connection as the board lists it. `now`: by `perf_counter`."""
    far = link.far
    return ConnectionRow(
        key=link.connection_id,
        route=link.route_name,
        generation=link.session.version.generation,
        current=link.served.generation,
        who=_who(link),
        age=now - link.opened_at,
        idle=now - link.idle_since,
        received=far.messages_in,
        sent=far.messages_out,
        queued_bytes=far.queued_bytes,
        p99=percentile(link.timings or (), 0.99),
        result=link.result,
    )


def detail_of(link: Link, channels: tuple[str, ...], now: float) -> Detail:
    """A connection with all that is known of it."""
    inputs = link.session.inputs
    pairs = [("path", link.path)]
    for title, number in (("param", _PARAMS), ("query", _QUERY), ("header", _HEADERS)):
        held = inputs[number]
        for name, value in held.items() if isinstance(held, dict) else ():
            pairs.append((f"{title} {name}", _shown(title, name, value)))
    if inputs[_USER] is not None:
        pairs.append(("user", show_operands([inputs[_USER]])[0]))
    slots = zip(link.session.route.program.slots, link.session.slots, strict=False)
    variables = tuple((slot.name, show_operands([value])[0]) for slot, value in slots if value is not UNSET)  # type: ignore[list-item]
    return Detail(connection_row(link, now), "", tuple(pairs), variables, channels)


def _shown(title: str, name: str, value: Value) -> str:
    if _is_secret(title, name, value):
        return "(not shown)"
    return value[:SHOWN_CHARACTERS] if isinstance(value, str) else show_operands([value])[0]


def _who(link: Link) -> str:
    user = link.session.inputs[_USER]
    if isinstance(user, dict):
        user = next((user[key] for key in ("name", "username", "id", "sub") if user.get(key) is not None), user)
    if user is None:
        return link.remote_address
    return user[:SHOWN_CHARACTERS] if isinstance(user, str) else show_operands([user])[0]


def _link_key(link: Link) -> str:
    return link.connection_id


def _link_text(link: Link) -> str:
    return f"{link.connection_id} {link.route_name} {_who(link)} {link.result} {link.path}"


def _route_text(served: Served[Link]) -> str:
    return f"{served.pattern} {served.name} {served.condition.value}"


def log_row(noted: Noted) -> LogRow:
    """A line of the log as the board lists it."""
    clock = time.strftime("%H:%M:%S", time.localtime(noted.at))
    return LogRow(str(noted.number), clock, noted.level, _shortened(noted.text))


def _shortened(line: str) -> str:
    # Most lines begin with the id of a connection; its beginning is what the list of connections shows.
    return _LEADING_ID.sub(r"\1", line)


def _log_text(noted: Noted) -> str:
    return f"{noted.level} {_shortened(noted.text)}"


def _number_key(item: Noted | Seen) -> str:
    return str(item.number)


def _is_secret(title: str, name: str, value: Value) -> bool:
    """Whether it may be a token: clients send them to routes without `auth`, too."""
    match title:
        case "query":
            return name == TOKEN_KEY
        case "header":
            return name in SECRET_HEADERS or (name == "sec_websocket_protocol" and BEARER in str(value).split(", "))
        case _:
            return False
