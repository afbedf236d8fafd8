"""One served connection: between the wire, which tells it what happens, and its session, which says what to do.

To the transport it is the `Peer`, to the session the `Shell`, to the host the `Run`. It owns what the session
may not: the wire's end, the waiting hook's task, timers, and the clock that hooks are measured by.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from compiler.diagnostics import codes
from compiler.language.faults import Fault, Uncatchable
from compiler.language.values import Value
from runtime.allowance import Allowance, allowance_of
from runtime.codecs import BadPayload, Codec, codec_of, from_json, text_of_bytes
from runtime.envelope import Position, Wrapped
from runtime.events import Connected, Disconnected, FrameIn, HookFinished, LogLine
from runtime.history import keep_of
from runtime.host import Host, hand_over_all
from runtime.limits import route_limit
from runtime.metrics import TIMED_RUNS, Tally, count, tally_of
from runtime.needs import fitted
from runtime.server.catalogue import Served
from runtime.server.floor import Floor
from runtime.server.troubles import Complaints, result_of, tell_trouble
from runtime.server.waiting import Report, WaitingRun
from runtime.services import Services
from runtime.session import MESSAGE, MESSAGE_TYPE, Event, Message, Outcome, Renewal, Session, State
from runtime.transport.seam import Connection, HttpResponse, refusal

# A member of an enumeration takes longer to look up than a message may.
_OPEN: Final = State.OPEN
_RUNNING: Final = State.RUNNING
POLICY: Final = 1008
EXPIRED: Final = 4401
FORBIDDEN, INTERNAL_ERROR, UNAVAILABLE = 403, 500, 503
_LIMITS_OF: Final = {
    codes.SQL_TIMEOUT.name: "sql_seconds",
    codes.SQL_TOO_MANY_ROWS.name: "sql_rows",
    codes.REDIS_TIMEOUT.name: "redis_seconds",
}
"""The limits behind faults of what is outside."""

if TYPE_CHECKING:
    from runtime.services.tokens import Proof

ServedRoute: TypeAlias = "Served[Link]"


class Link:
    """A connection of a route, from the accepted handshake to the end of `on_disconnect`."""

    __slots__ = (
        "_allowance",
        "_codec",
        "_complaints",
        "_connection",
        "_events",
        "_expires_at",
        "_expiry",
        "_far",
        "_floor",
        "_heard_at",
        "_host",
        "_idle_timer",
        "_started",
        "_tally",
        "_waiting",
        "emit",
        "followed",
        "has_departed",
        "hook",
        "opened_at",
        "path",
        "rejection",
        "result",
        "runs",
        "served",
        "session",
        "timings",
        "user",
    )

    def __init__(
        self,
        floor: Floor,
        served: ServedRoute,
        connection: Connection,
        path: str,
        given: Mapping[str, Value],
        seen: dict[str, Position] | None = None,
        connection_id: str = "",
        proof: Proof | None = None,
    ) -> None:
        """`given`: see `Session`. `seen`: where a client that speaks `worpen.v1` stood in its channels; None for all
        other clients. `connection_id`: of a connection that another node had; empty for a new one. `proof`: what
        its token says, where the route has `auth`."""
        assert served.version is not None
        self.served = served
        self.has_departed = False
        self.followed = False
        """Whether somebody wants to see its frames and hook runs: kept by `Floor.turn` while it is among the links."""
        self.session = Session(connection_id or floor.node.bus.new_id(), served.version, given, self)
        self._floor = floor
        self._events = floor.node.events
        self._connection = connection
        self.user = proof.user if proof is not None else ""
        """The `sub` of its token; empty where there is none."""
        self._expires_at = proof.expires_at if proof is not None else None
        self._expiry: asyncio.TimerHandle | None = None
        self.rejection: tuple[int, str] | None = None
        """The status and reason with which `on_auth` refused the handshake."""
        self.path = path
        """The address that was asked for, without the query."""
        self.opened_at = 0.0
        """When it opened, by `perf_counter`."""
        self.runs = 0
        """Hook runs that have begun."""
        self.hook = ""
        """The hook that runs, or ran last."""
        self.result = ""
        """How the latest hook ended: `ok`, `cancelled`, or the fault's name."""
        self.timings: array[float] | None = None
        """How long the latest hooks took, in seconds and no order, while somebody looks. Numbers without objects: with
        many connections most of a look at something else is to fetch it."""
        self._far: Connection | Wrapped = connection if seen is None else Wrapped(connection, floor.node.wire)
        self._host = Host(floor.node, self._far, self)
        if seen:
            self._host.seen = seen
        self._codec: Codec | None = None
        self._allowance: Allowance | None = None
        self.renewed()
        self._complaints: Complaints | None = None
        """What was told of messages that no hook saw, by reason."""
        self.emit = self._host.emit
        """Performs effects; see `Shell.emit`."""
        self._waiting: WaitingRun | None = None
        self._tally: Tally | None = None
        """Where runs of `on_message` that end well are counted; None before the first."""
        self._started = 0.0
        self._heard_at = 0.0
        self._idle_timer: asyncio.Handle | None = None

    # What the wire tells (`Peer`).

    def opened(self) -> None:
        """The handshake's answer is written."""
        floor, connection_id = self._floor, self.session.id
        self.opened_at = self._started = perf_counter()
        floor.enter(self)
        floor.gate.entered(self._connection.remote_address, self.user)
        if self._expires_at is not None:
            left = max(0.0, self._expires_at - time.time())
            self._expiry = asyncio.get_running_loop().call_later(left, self.shut, EXPIRED, "the token has expired")
        floor.node.hub.enter(connection_id, self._far)
        self.served.links.add(self)
        if floor.node.events.wanted:
            address = self._connection.remote_address
            generation = self.session.version.generation
            floor.node.events.publish(Connected(connection_id, self.route_name, generation, self.path, address))
        if floor.lives is not None:
            floor.lives.opened(self)
        self._watch_idleness()
        if isinstance(self._far, Wrapped) and floor.node.recall is not None:
            floor.node.recall.opened(connection_id, self._far)
        self.session.receive(Event.ADMITTED)

    def received(self, message: str | bytes) -> None:
        """One whole message: what the route's codec makes of it; without one text as it is, binary as text where it is
        UTF-8, else as base64."""
        # The usual case, a text or what a codec decodes, to an open connection whose hook does not wait and ends well
        # while nobody follows it, is written out: the same as `_hear`, `Session.hear`, `started` and `ended`. It is
        # most of what a server does.
        session = self.session
        run, tally, codec = session.at_once, self._tally, self._codec
        if (
            run is None
            or tally is None
            or session.state is not _OPEN
            or self._allowance is not None
            or (codec is None and message.__class__ is not str)
            or self.followed
        ):
            self._hear(message)
            return
        inputs = session.inputs
        if codec is None:
            inputs[MESSAGE] = message  # type: ignore[assignment]  # a text: a cast would be a call
            inputs[MESSAGE_TYPE] = "text"
        else:
            try:
                inputs[MESSAGE] = codec.decode(message)
            except BadPayload as bad:
                self._refuse(message, bad)
                return
            inputs[MESSAGE_TYPE] = "text" if message.__class__ is str else "binary"
        session.state = _RUNNING
        session.hook = self.hook = "on_message"
        self.runs += 1
        self._started = perf_counter()
        try:
            returned = run(inputs, session.slots, self.emit)
        except (Uncatchable, Exception) as problem:
            session.finished(None, problem)
            return
        if returned is not None or session.held or session.state is not _RUNNING:
            session.finished(cast("Value", returned), None)
            return
        seconds = perf_counter() - self._started
        tally.runs += 1
        tally.seconds += seconds
        every = self._events.timed_every
        if every and not self.runs % every:
            self._time(seconds, self.runs // every)
        self.result = "ok"
        session.hook = ""
        inputs[MESSAGE] = None
        session.state = _OPEN

    def received_texts(self, texts: Iterator[str]) -> None:
        """Text messages that came together: the usual case of `received` for each, with what is the same done once.

        Ends before a message that is not usual, and after one whose hook did not end as usual. Hooks of one call are
        timed together, and share the time evenly; their answers leave together.
        """
        session, tally = self.session, self._tally
        run = session.at_once
        if (
            run is None
            or tally is None
            or session.state is not _OPEN
            or self._allowance is not None
            or self._codec is not None
            or self.followed
        ):
            return
        inputs, slots, runs, connection = session.inputs, session.slots, self.runs, self._connection
        answers: list[bytes] = []
        emit = self._host.batching(answers)
        inputs[MESSAGE_TYPE] = "text"
        session.state = _RUNNING
        session.hook = self.hook = "on_message"
        self._started = perf_counter()
        for text in texts:
            inputs[MESSAGE] = text
            self.runs += 1
            try:
                returned = run(inputs, slots, emit)
            except (Uncatchable, Exception) as problem:
                hand_over_all(self._far, answers)
                self._share_time(tally, self.runs - runs, but_one=True)
                session.finished(None, problem)
                return
            if returned is not None or session.held or session.state is not _RUNNING:
                hand_over_all(self._far, answers)
                self._share_time(tally, self.runs - runs, but_one=True)
                session.finished(cast("Value", returned), None)
                return
            if not connection.is_open:  # it was dropped: it takes no answers
                break
        self._share_time(tally, self.runs - runs)
        self.result = "ok"
        session.hook = ""
        inputs[MESSAGE] = None
        session.state = _OPEN
        hand_over_all(self._far, answers)

    def _share_time(self, tally: Tally, runs: int, *, but_one: bool = False) -> None:
        """Count hooks that were timed together from `_started` on; the last is counted by who ends it."""
        now = perf_counter()
        each = (now - self._started) / max(runs, 1)
        last = self.runs
        if but_one:
            runs -= 1
            last -= 1
            self._started = now - each
        tally.runs += runs
        tally.seconds += runs * each
        if every := self._events.timed_every:
            for run in range((last - runs) // every + 1, last // every + 1):
                self._time(each, run)

    def _hear(self, message: str | bytes) -> None:
        now = self._heard_at = perf_counter()
        if self._allowance is not None and not self._allowance.take(now):
            self._complain(message, "rate_limited", "warn", "more messages than the route's rate_limit lets through")
            return
        if self._codec is not None:
            self._decode(self._codec, message)
            return
        if self.followed:
            self._tell_frame(message)
        if isinstance(message, str):
            self.session.hear(message, "text")
        else:
            self.session.hear(text_of_bytes(message), "binary")

    def _refuse(self, message: str | bytes, bad: BadPayload) -> None:
        self._complain(message, "bad_payload", "error", f"{bad.what}: {bad}")

    def _decode(self, codec: Codec, message: str | bytes) -> None:
        """One whole message of a route with a codec. What cannot be decoded runs no hook."""
        try:
            value = codec.decode(message)
        except BadPayload as bad:
            self._refuse(message, bad)
            return
        if self.followed:
            self._tell_frame(codec.show(message))
        self.session.hear(value, "text" if isinstance(message, str) else "binary")

    def _complain(self, message: str | bytes, reason: str, level: str, sentence: str) -> None:
        """No hook sees a message: count it, and say so at most once a second."""
        events = self._events
        count(self._floor.counters.messages_dropped, reason)
        if self.followed:
            self._tell_frame(message, runs_hook=False)
        if self._complaints is None:
            self._complaints = Complaints()
        said = self._complaints.said(reason, sentence, perf_counter())
        if said is not None and events.wanted:
            events.publish(LogLine(self.session.id, self.route_name, "on_message", level, said))

    def _tell_frame(self, message: str | bytes, *, runs_hook: bool = True) -> None:
        run = self.runs + 1 if runs_hook and "on_message" in self.session.route.hooks else 0
        self._events.publish_detail(FrameIn(self.session.id, self.route_name, message, run))

    def closed(self, code: int, reason: str) -> None:
        """The connection is over."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        self._floor.gate.left(self._connection.remote_address, self.user)
        self.served.links.discard(self)
        if isinstance(self._far, Wrapped) and self._floor.node.recall is not None:
            self._floor.node.recall.closed()
        if self._floor.lives is None:
            self.session.gone(code, reason)
        else:
            self._floor.lives.gone(self, code, reason)

    # What another node left behind, or took.

    def bury(self, variables: Mapping[str, Value], code: int, reason: str) -> None:
        """Run the `on_disconnect` of a connection whose node was killed, with the variables it had."""
        self._floor.enter(self)
        self.session.revive(variables)
        self.session.gone(code, reason)

    def forsake(self, code: int, reason: str) -> None:
        """Close, and run no hook any more: another node does."""
        self._connection.close(code, reason)
        self.session.forsake()

    # Before it is accepted.

    def vet(self) -> HttpResponse | Awaitable[HttpResponse | None] | None:
        """Run `on_auth`, if the route has one: the refusal, None where it lets the client in, or an awaitable of it."""
        session = self.session
        run = session.route.hooks.get("on_auth")
        if run is None:
            return None
        self.started("on_auth")
        try:
            outcome = run(session.inputs, session.slots, self.emit)
        except (Uncatchable, Exception) as problem:
            return self._vetted(problem)
        if session.route.program.hooks["on_auth"].waits:
            return self._vet(cast("Awaitable[Value]", outcome))
        return self._vetted(None)

    async def _vet(self, outcome: Awaitable[Value]) -> HttpResponse | None:
        """Wait for an `on_auth` that waits, and see that the route is still there then."""
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def report(_: Value, how: Outcome) -> None:
            if not ended.done():
                ended.set_result(how)

        limits = self._floor.limits
        seconds, least = min((limits.auth_seconds, "auth_seconds"), (limits.hook_seconds, "hook_seconds"))

        def reached(limit: str) -> None:
            self._floor.reached(least if limit == "hook_seconds" else limit)

        self._drive(outcome, seconds, report, reached)
        try:
            refused = self._vetted(await ended)
        except asyncio.CancelledError:
            self.cancel()  # the client is gone, or took too long
            raise
        finally:
            self._waiting = None
        return refused or self._catch_up()

    def _vetted(self, outcome: Outcome) -> HttpResponse | None:
        self.ended("on_auth", outcome)
        if outcome is None:
            return None if self.rejection is None else refusal(*self.rejection)
        if isinstance(outcome, Fault | Uncatchable):
            return refusal(FORBIDDEN, "the handshake is refused")
        return refusal(INTERNAL_ERROR, "the handshake could not be judged")

    def _catch_up(self) -> HttpResponse | None:
        """Take over what became of the route meanwhile."""
        version = self.served.version
        if version is None:
            return refusal(UNAVAILABLE, "the route is not served any more")
        if version is not self.session.version:
            self.session.receive(Event.RELOADED, Renewal(version, {}, changed=True))
        return None

    # What the server tells.

    def renew(self, renewal: Renewal) -> None:
        """The route has a new program."""
        self._tally = None
        self.session.receive(Event.RELOADED, renewal)

    def shut(self, code: int, reason: str) -> None:
        """Send a close frame; no further message runs a hook."""
        self._connection.close(code, reason)
        self.session.receive(Event.SHUT)

    def abort(self) -> None:
        """Drop the connection, and end a hook that waits: there is no time left."""
        self._connection.abort()
        self.cancel()

    # What effects ask (`Run`).

    @property
    def connection_id(self) -> str:
        """The connection's id."""
        return self.session.id

    @property
    def far(self) -> Connection | Wrapped:
        """The wire's end: the member of channels."""
        return self._far

    @property
    def remote_address(self) -> str:
        """The client's IP address."""
        return self._connection.remote_address

    @property
    def route_name(self) -> str:
        """The name of the route, as the program that runs now calls it."""
        return self.session.route.program.name

    @property
    def source_name(self) -> str:
        """The file of the program that runs."""
        return self.session.version.owner.source_name

    @property
    def services(self) -> Services:
        """The things outside."""
        return self._floor.node.services

    @property
    def idle_since(self) -> float:
        """When a hook began last, or it opened, by `perf_counter`."""
        return self._started

    @property
    def joins_by_publishing(self) -> bool:
        """Whether a broadcast makes its sender a member."""
        return not self.has_departed and self.session.route.program.membership.automatic

    def reject(self, status: int, reason: str) -> None:
        """Refuse the handshake; the first refusal counts."""
        if self.rejection is None:
            self.rejection = (status, reason or "the handshake is refused")

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait within the run's budget."""
        return _sleep(self, seconds)

    def reached(self, limit: str) -> None:
        """Count a limit that was reached."""
        self._floor.reached(limit)

    def call(self, effect: str, *arguments: Any) -> Awaitable[Value]:
        """Have something outside perform an effect, within the run's time and number of such calls."""
        return _call(self, effect, arguments)

    @property
    def waiting(self) -> WaitingRun:
        """The hook that waits. Only a hook compiled as one that waits can ask for it."""
        assert self._waiting is not None
        return self._waiting

    # What the session orders (`Shell`).

    def wait_for(self, hook: str, outcome: Awaitable[Value]) -> None:
        """Drive a hook that waits."""
        self._drive(outcome, self._floor.limits.hook_seconds, self._waited, self._floor.reached)

    def _drive(self, outcome: Awaitable[Value], seconds: float, report: Report, reached: Callable[[str], None]) -> None:
        """Start what is left of a hook that waits, within these seconds of the server or fewer of its route."""
        limits = self._floor.limits
        self._waiting = WaitingRun(
            outcome,
            hook_seconds=route_limit(self.session.route.program.options, "hook_timeout", seconds),
            sleep_seconds=limits.sleep_seconds,
            calls=limits.outside_calls,
            sql_calls=limits.sql_calls,
            report=report,
            reached=reached,
        )

    def _waited(self, value: Value, outcome: Outcome) -> None:
        self._waiting = None
        self.session.finished(value, outcome)

    def cancel(self) -> None:
        """End the hook that waits, if there is one."""
        if self._waiting is not None:
            self._waiting.cancel()

    def reply(self, value: Value) -> None:
        """Send what a hook returned."""
        self._host.reply(value)

    def started(self, hook: str) -> None:
        """A hook begins."""
        self.hook = hook
        self.runs += 1
        self._started = perf_counter()

    def ended(self, hook: str, outcome: Outcome) -> None:
        """A hook ended: count it, tell it."""
        seconds = perf_counter() - self._started
        tally = self._tally
        if tally is None or outcome is not None or hook != "on_message":
            tally = self._tally_of(hook, result_of(outcome))
        tally.runs += 1
        tally.seconds += seconds
        events = self._events
        every = events.timed_every
        if every and not self.runs % every:
            self._time(seconds, self.runs // every)
        if outcome is not None:
            self.result = result_of(outcome)
            tell_trouble(self._floor, self, hook, outcome, seconds)
            return
        self.result = "ok"
        # Not `followed`: `on_auth` ends before it is kept, and a hook that waits may end after.
        if events.detailed and events.is_followed(self.session.id):
            events.publish_detail(HookFinished(self.session.id, self.route_name, hook, seconds, self.runs))

    def _time(self, seconds: float, run: int) -> None:
        """Remember how long a hook took, by its number: somebody looks."""
        timings = self.timings
        if timings is None:
            timings = self.timings = array("f")
        if len(timings) < TIMED_RUNS:
            timings.append(seconds)
        else:
            timings[run % TIMED_RUNS] = seconds

    def _tally_of(self, hook: str, result: str) -> Tally:
        """The tally of such runs. That of messages that end well is kept: it is wanted for nearly every message."""
        tally = tally_of(self._floor.counters.hook, self.route_name, hook, result)
        if hook == "on_message" and result == "ok" and not self.session.held:
            self._tally = tally
        return tally

    def pause(self) -> None:
        """Hold messages back."""
        self._connection.pause()

    def resume(self) -> None:
        """Deliver what was held back."""
        self._connection.resume()

    def join(self, channel: str) -> None:
        """Enter a channel."""
        self._host.join(channel)

    def leave(self, channel: str) -> None:
        """Leave a channel."""
        self._host.leave(channel)

    def depart(self) -> None:
        """Leave all channels and be counted no more."""
        self.has_departed = True
        node = self._floor.node
        if node.recall is not None and node.recall.busy:
            for channel in node.hub.channels_of(self._far):
                node.recall.left(channel)
        node.hub.exit(self.session.id, self._far)

    def renewed(self) -> None:
        """A new program has taken over: it may have another codec, rate or limits, or keep something else."""
        route = self.session.route
        options = route.program.options
        self._host.bounds = route.bounds
        codec = self._host.codec = codec_of(options)
        self._codec = fitted(codec, route.needs)
        self._allowance = allowance_of(options, perf_counter(), self._allowance)
        self._host.keep = keep_of(options)
        if self in self.served.links:
            own = cast("Mapping[str, int]", options.get("limits", {}))
            self._connection.limit_messages(own.get("max_message_bytes"))
            self._watch_idleness()

    def frame_of(self, text: str) -> bytes:
        """What somebody typed, as a frame for this connection; for a codec it may be JSON, else it is a text.

        Raises UnicodeEncodeError.
        """
        text.encode()
        return self._host.encode(text if self._codec is None else from_json(text), False)

    def dropped(self, message: Message) -> None:
        """A message came too late."""
        count(self._floor.counters.messages_dropped, "closing")

    def over(self) -> None:
        """The session's life is complete."""
        floor, session = self._floor, self.session
        count(floor.counters.disconnects, str(session.close_code))
        if floor.lives is not None:
            floor.lives.over(self)
        floor.leave(self)
        if floor.node.events.wanted:
            floor.node.events.publish(
                Disconnected(session.id, self.route_name, session.close_code, session.close_reason)
            )
        if self._waiting is None:  # else a hook that was cancelled has still to be told of
            session.part()
            self._host.part()

    # Idleness.

    def _watch_idleness(self) -> None:
        """Close when nothing was heard for as long as the route allows, if it says so."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        limit = route_limit(self.session.route.program.options, "idle_timeout", 0.0)
        if limit:
            # Not at once: where a reload made the limit shorter, the session is about to take over its program.
            self._idle_timer = asyncio.get_running_loop().call_soon(self._check_idleness, limit)

    def _check_idleness(self, limit: float) -> None:
        left = max(self._heard_at, self._started) + limit - perf_counter()
        if left > 0:
            self._idle_timer = asyncio.get_running_loop().call_later(left, self._check_idleness, limit)
        else:
            self.shut(POLICY, "idle")


async def _sleep(link: Link, seconds: float) -> None:
    # The run exists when the hook's first step is made, which is after `emit` could be looked up.
    await link.waiting.sleep(seconds)


async def _call(link: Link, effect: str, arguments: tuple[Any, ...]) -> Value:
    try:
        return await link.waiting.call(effect, lambda: link.services.perform(effect, *arguments))
    except Fault as fault:
        if limit := fault.limit or _LIMITS_OF.get(fault.kind.name, ""):
            link.reached(limit)
        raise
