"""A route on stage: its real hooks, session and host, one virtual connection, nobody else, and no network.

What a server would send is written down instead. Time is virtual, so no Sleep waits; databases and other servers
are not asked, and reply as they would to a first, harmless question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from compiler.bytecode.program import Chunk, Mark, Program
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, Uncatchable
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import UNSET, Value
from runtime.bus.local import LocalBus
from runtime.channels import Hub
from runtime.codecs import CODECS, codec_of
from runtime.events import Events
from runtime.host import Far, Host, Node, Surroundings
from runtime.limits import ServerLimits
from runtime.loader import link
from runtime.seam import Context
from runtime.services import Addresses, Services
from runtime.session import Event, Message, Outcome, Session, State, Version

CONNECTION_ID: Final = "00000000-0000-4000-8000-000000000001"
"""The same in every rehearsal, so that two of them can be compared."""
CHANNELS: Final = 1000
"""So many channels can be joined."""
NORMAL: Final = 1000
_AUTH: Final = "on_auth"


@dataclass(frozen=True, slots=True)
class Deed:
    """One effect: what was asked for with which arguments, what came of it, and where it stands in the route.

    `rehearsed`: a server would have gone outside, and the reply is made up.
    """

    effect: str
    arguments: tuple[Value, ...]
    reply: Value = None
    fault: Fault | None = None
    mark: Mark | None = None
    rehearsed: bool = False


@dataclass(frozen=True, slots=True)
class Performance:
    """One run of a hook: its effects, how it ended, how many instructions it took, the frames this client gets."""

    hook: str
    deeds: tuple[Deed, ...]
    outcome: Outcome
    steps: int
    frames: tuple[bytes, ...]


class _Ready:
    """An awaitable that is done."""

    def __init__(self, value: Value = None) -> None:
        self.value = value

    def __await__(self) -> Generator[None, None, Value]:
        return self.value
        yield  # a generator, as `await` wants it


class _Payloads:
    """Frames that are their payloads."""

    def encode_text(self, text: str) -> bytes:
        return text.encode()

    def encode_utf8(self, payload: bytes) -> bytes:
        return payload

    def encode_binary(self, payload: bytes) -> bytes:
        return payload

    def content_of(self, frame: bytes) -> bytes:
        return frame


class Rehearsal:
    """One virtual connection of one route. Mutable, one owner; what the session, the host and the bus ask for."""

    def __init__(
        self, program: Program, number: int, given: Mapping[str, Value], environment: frozenset[str] = frozenset()
    ) -> None:
        """`number`: which route of the program; `given`: what the handshake told (params, query, headers …)."""
        self.hub: Hub[Far] = Hub(CHANNELS)
        self.surroundings = Surroundings(self.hub, environment)
        self.route = link(program, Context(self.surroundings, observe=self._observe)).routes[number]
        self.session = Session(CONNECTION_ID, Version(program, self.route, 1), given, self)
        self.is_open = True
        self.has_departed = self.followed = False
        self.runs = 0
        self.source_name = program.source_name
        node = Node(
            self.hub, LocalBus(self.hub, self._deliver), _Payloads(), Events(), Services(Addresses(), ServerLimits())
        )
        self._host = Host(node, self, self)
        # What a codec makes is shown as JSON, whichever it is.
        self._host.codec = CODECS["json"] if codec_of(self.route.program.options) is not None else None
        self._mark: Mark | None = None
        self._steps = 0
        self._deeds: list[Deed] = []
        self._frames: list[bytes] = []
        self._outcome: Outcome = None
        self.hub.enter(CONNECTION_ID, self)

    # What the prompt asks.

    @property
    def is_over(self) -> bool:
        """Whether a message can no longer run a hook."""
        return self.session.state > State.RUNNING

    def perform(self, hook: str, message: Value = None) -> Performance:
        """Run a hook as the server would when its time has come: the handshake, a message, the end."""
        self._deeds, self._frames, self._outcome, self._steps = [], [], None, 0
        match hook:
            case "on_auth":
                self._authenticate()
            case "on_connect":
                self.session.receive(Event.ADMITTED)
            case "on_message":
                self.session.receive(Event.MESSAGE, (message, "text"))
            case _:
                self.is_open = False
                self.session.gone(NORMAL, "")
        return Performance(hook, tuple(self._deeds), self._outcome, self._steps, tuple(self._frames))

    def inputs(self) -> dict[str, Value]:
        """What the server provides, by name."""
        return {name: self.session.inputs[number] for name, number in INPUT_NUMBERS.items()}

    def variables(self) -> dict[str, Value]:
        """The connection's variables that are set."""
        slots = zip(self.route.program.slots, self.session.slots, strict=False)
        return {slot.name: cast(Value, value) for slot, value in slots if value is not UNSET}

    def assign(self, name: str, value: Value) -> bool:
        """Set a variable of the connection; False where the route has none of this name."""
        for number, slot in enumerate(self.route.program.slots):
            if slot.name == name and number < len(self.session.slots):
                self.session.slots[number] = value
                return True
        return False

    def channels(self) -> tuple[str, ...]:
        """The channels that the connection is in."""
        return self.hub.channels_of(self)

    def _authenticate(self) -> None:
        """`on_auth` is no part of a session's life: it runs before there is one."""
        if (run := self.route.hooks.get(_AUTH)) is None:
            return
        try:
            outcome = run(self.session.inputs, self.session.slots, self.emit)
            if self.route.program.hooks[_AUTH].waits:
                _finish(cast("Awaitable[Value]", outcome))
        except (Fault, Uncatchable) as fault:
            self._outcome = fault

    # What effects ask (`host.Run`, `host.Far`).

    def reject(self, status: int, reason: str) -> None:
        """A refusal is written down by `emit` like every other deed."""

    def _observe(self, chunk: Chunk, pc: int, stack: Sequence[Any]) -> None:
        self._mark = chunk.source_map.mark(pc)
        self._steps += 1

    def emit(self, effect: str, *arguments: Value) -> Any:
        """Perform an effect on the virtual server, and write it down. Raises Fault."""
        mark, rehearsed = self._mark, effect in _OUTSIDE
        try:
            reply = _OUTSIDE[effect](*arguments) if rehearsed else self._host.emit(effect, *arguments)
        except Fault as fault:
            self._deeds.append(Deed(effect, arguments, None, fault, mark))
            raise
        waits = EFFECTS[effect].waits
        shown = None if waits and not rehearsed else reply
        self._deeds.append(Deed(effect, arguments, shown, None, mark, rehearsed))
        return _Ready(shown) if waits else reply

    @property
    def connection_id(self) -> str:
        """Its id."""
        return self.session.id

    @property
    def route_name(self) -> str:
        """The name of its route."""
        return self.route.program.name

    @property
    def hook(self) -> str:
        """The hook that runs."""
        return self.session.hook

    @property
    def joins_by_publishing(self) -> bool:
        """Whether a broadcast makes its sender a member."""
        return not self.has_departed and self.route.program.membership.automatic

    def shut(self, code: int, reason: str) -> None:
        """A close frame was asked for."""
        self.is_open = False
        self.session.receive(Event.SHUT)

    def sleep(self, seconds: float) -> Awaitable[None]:
        """No time passes."""
        return cast("Awaitable[None]", _Ready())

    def call(self, effect: str, *arguments: Any) -> Awaitable[Value]:
        """Nothing outside is touched; see `_OUTSIDE`."""
        raise NotImplementedError(effect)

    def send(self, frame: bytes) -> None:
        """A frame for the client."""
        self._frames.append(frame)

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Frames for the client."""
        self._frames.extend(frames)

    def _deliver(self, members: Collection[Far], frame: bytes, exclude: Far | None) -> int:
        reached = [member for member in members if member is not exclude and member.is_open]
        for member in reached:
            member.send(frame)
        return len(reached)

    # What the session orders (`session.Shell`).

    def wait_for(self, hook: str, outcome: Awaitable[Value]) -> None:
        """Drive a hook that waits: nothing here really does."""
        try:
            value = _finish(outcome)
        except (Fault, Uncatchable) as fault:
            self.session.finished(None, fault)
        else:
            self.session.finished(value, None)

    def reply(self, value: Value) -> None:
        """Send what a hook returned."""
        mark = self._mark
        self._host.reply(value)
        self._deeds.append(Deed("send", (value, False), 1, None, mark))

    def started(self, hook: str) -> None:
        """A hook begins."""
        self.runs += 1

    def ended(self, hook: str, outcome: Outcome) -> None:
        """A hook ended."""
        if outcome is not None and not isinstance(outcome, Fault | Uncatchable):
            raise outcome
        self._outcome = self._outcome or outcome

    def join(self, channel: str) -> None:
        """Enter a channel."""
        self.hub.join(self.session.id, self, channel)

    def leave(self, channel: str) -> None:
        """Leave a channel."""
        self.hub.leave(self, channel)

    def depart(self) -> None:
        """Leave all channels."""
        self.has_departed = True
        self.hub.exit(self.session.id, self)

    def cancel(self) -> None:
        """No hook is ever in the middle of waiting."""

    def pause(self) -> None:
        """Messages come one by one, when the prompt says so."""

    def resume(self) -> None:
        """See `pause`."""

    def renewed(self) -> None:
        """A rehearsal's program stays."""

    def dropped(self, message: Message) -> None:
        """The connection is closing; the prompt asks `is_over` first."""

    def over(self) -> None:
        """The session's life is complete."""


def _finish(outcome: Awaitable[Value]) -> Value:
    """The value of a coroutine whose every `await` is ready. Raises Fault, Uncatchable."""
    waiting = outcome.__await__()
    try:
        next(waiting)
    except StopIteration as end:
        return cast(Value, end.value)
    raise AssertionError("a rehearsed effect waited")


# What is outside of the server, and is not asked.


def _sql(query: Value, params: Value, operation: Value, fetch: Value) -> Value:
    if operation == "execute":
        return {"rows_affected": 0, "last_insert_id": None}
    return None if fetch == "one" else []


def _redis(command: Value, *_: Value) -> Value:
    return {"GET": None, "SET": "OK", "EXPIRE": False}.get(str(command), 0)


def _http(*_: Value) -> Value:
    return {"status": 200, "headers": {}, "body": None}


def _reject(*_: Value) -> Value:
    return None


_OUTSIDE: Final[Mapping[str, Any]] = {"sql": _sql, "redis": _redis, "http": _http, "reject": _reject}
"""Effects that reach beyond the connection, and how they reply here."""
