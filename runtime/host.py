"""Performs what programs ask for: one `match` over the effects of `compiler.language.effects`.

One `Host` belongs to one connection and holds three references; everything shared is in its `Node`. All
effects but the waiting ones are done when `emit` returns. What goes out is encoded before any connection is
touched, and once for all recipients.
"""

from __future__ import annotations

import base64
import binascii
import os
import sys
import time
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.bounds import UNBOUNDED, Bounds, outside
from runtime.bus import Bus
from runtime.bus.presence import Presence
from runtime.channels import Hub
from runtime.codecs import Codec, half_a_pair
from runtime.envelope import Position
from runtime.events import Events, FrameOut, LogLine
from runtime.history import Keep
from runtime.interpreter import mark_in
from runtime.recall import Recall
from runtime.seam import Emit
from runtime.services import Services

NORMAL_CLOSURE: Final = 1000
APPLICATION_CODES: Final = range(3000, 5000)
"""Close codes that applications may use, besides 1000."""
_CALLERS: Final = 8
"""Of so many callers one runs the hook whose effect is performed."""
REASON_BYTES: Final = 123
"""Room for the reason in a close frame."""


class Far(Protocol):
    """The far end of a connection, as effects see it."""

    @property
    def is_open(self) -> bool:
        """Whether what is sent now can still arrive."""

    def send(self, frame: bytes) -> None:
        """Write a frame after all before it."""

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Write these frames after all before them."""


class Wire(Protocol):
    """How frames are made."""

    def encode_text(self, text: str) -> bytes:
        """A text frame. Raises UnicodeEncodeError for what is no UTF-8 text."""

    def encode_utf8(self, payload: bytes) -> bytes:
        """A text frame whose text is UTF-8 already."""

    def encode_binary(self, payload: bytes) -> bytes:
        """A binary frame."""

    def content_of(self, frame: bytes) -> str | bytes:
        """What a frame carries: text or bytes."""


class Run(Protocol):
    """The connection whose hook runs, as far as effects concern it."""

    @property
    def connection_id(self) -> str:
        """Its id."""

    @property
    def route_name(self) -> str:
        """The name of its route."""

    @property
    def hook(self) -> str:
        """The hook that runs, or whose returned value is being sent."""

    @property
    def runs(self) -> int:
        """The number, on this connection, of the hook run that goes on."""

    @property
    def source_name(self) -> str:
        """The file of the program that runs."""

    @property
    def followed(self) -> bool:
        """Whether somebody wants to see its frames and hook runs."""

    @property
    def joins_by_publishing(self) -> bool:
        """Whether a broadcast makes its sender a member (language section 8, M3)."""

    @property
    def has_departed(self) -> bool:
        """Whether it left all channels for good: `on_disconnect` runs."""

    def shut(self, code: int, reason: str) -> None:
        """Send a close frame; no further message runs a hook."""

    def reject(self, status: int, reason: str) -> None:
        """Refuse the handshake that this run decides on; the first refusal counts."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait within the run's budget. Raises HookTimeout over it."""

    def call(self, effect: str, *arguments: Any) -> Awaitable[Value]:
        """Have something outside perform an effect, within the run's time and its number of such calls.

        Raises Fault, and HookTimeout when the run's time is up.
        """


@dataclass(frozen=True, slots=True)
class Node:
    """What all connections of a server share."""

    hub: Hub[Far]
    bus: Bus[Far]
    wire: Wire
    events: Events
    services: Services
    """Databases, Redis, HTTP."""
    recall: Recall | None = None
    """Keeps what channels are sent, for clients that come back; None where that is not to be had."""
    traffic: dict[str, int] = field(default_factory=dict)
    """Messages to each channel, counted while `events.measured`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world as functions see it: the `Moment` of a server. `allowed`: names that `env` may read."""

    hub: Hub[Any]
    allowed: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    elsewhere: Presence = field(default_factory=Presence)
    """What is known of other nodes."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    def random_bytes(self, count: int) -> bytes:
        """So many unpredictable bytes."""
        return os.urandom(count)

    def environment(self, name: str) -> str | None:
        """A variable that the settings allow; None where it is not allowed or not set."""
        return self.variables.get(name) if name in self.allowed else None

    def connections(self) -> int:
        """How many connections are open on the server, all nodes together."""
        return len(self.hub) + self.elsewhere.connections()

    def members(self, channel: str) -> Sequence[str]:
        """The ids of the connections in a channel."""
        return self.hub.ids(channel) + self.elsewhere.members(channel)

    def channel_size(self, channel: str) -> int:
        """How many connections are in a channel."""
        return self.hub.size(channel) + self.elsewhere.size(channel)


_NOTHING_SEEN: Final[dict[str, Position]] = {}
"""Of nearly all clients: one for them all, always empty."""


BATCH_BYTES: Final = 64 * 1024
"""Answers to messages that came together are handed over when they are more than this."""
_LEFT_OUT: Final = object()
"""What stands for an argument of `emit` that an effect does not have."""


class Host:
    """Performs the effects of one connection's hooks."""

    __slots__ = ("_far", "_node", "_run", "bounds", "codec", "keep", "seen")

    def __init__(self, node: Node, far: Far, run: Run) -> None:
        self.codec: Codec | None = None
        """What encodes all that is sent; None where it is text."""
        self.bounds: Bounds = UNBOUNDED
        """What the route's program may ask for."""
        self.keep: Keep | None = None
        """What channels keep that the route sends to or is in; None where it asks for nothing."""
        self.seen: dict[str, Position] = _NOTHING_SEEN
        """Where the client stood before, in channels that it has not joined again yet."""
        self._node = node
        self._far = far
        self._run = run

    def emit(self, effect: str, message: Any = _LEFT_OUT, binary: Any = _LEFT_OUT, *others: Any) -> Any:
        """Perform one effect and return its reply; for those that wait an awaitable.

        Raises Fault, and OutsideManifest where its program says nothing of what it asks for. The first two arguments
        have the names that `send` gives them: packing them together would cost every answer."""
        if effect == "send":
            # `_send` of a text while nobody follows it, written out: it is most of what hooks ask for.
            far, node = self._far, self._node
            if (
                message.__class__ is str
                and not binary
                and self.codec is None
                and far.is_open
                and not self._run.followed
            ):
                try:
                    far.send(node.wire.encode_text(message))
                except UnicodeEncodeError:
                    raise half_a_pair(message) from None
                return 1
        arguments = (message, binary, *others) if binary is not _LEFT_OUT else (message,)
        match effect:
            case "send":
                return self._send(*arguments)
            case "publish":
                return self._publish(*arguments)
            case "broadcast":
                return self._broadcast(*arguments)
            case "send_to":
                return self._send_to(*arguments)
            case "subscribe":
                return self._subscribe(*arguments)
            case "unsubscribe":
                return self._unsubscribe(*arguments)
            case "close":
                return self._close(*arguments)
            case "log":
                return self._log(*arguments)
            case "reject":
                return self._run.reject(*arguments)
            case "sleep":
                return self._run.sleep(to_seconds(*arguments))
            case "sql" | "redis" | "http":
                self._admit(effect, arguments)
                return self._run.call(effect, *arguments)
            case _:
                raise NotImplementedError(f"routes that ask for `{effect}` are not served")

    def batching(self, answers: list[bytes]) -> Emit:
        """`emit` for hooks of messages that came together, while nobody follows the connection and it has no codec.

        Texts that they send wait in `answers`, which the caller hands over in the end. Before any other effect, and
        when they are many, they are handed over here.
        """
        far, encode_text = self._far, self._node.wire.encode_text
        room = BATCH_BYTES

        def emit(effect: str, message: Any = _LEFT_OUT, binary: Any = _LEFT_OUT, *others: Any) -> Any:
            nonlocal room
            if effect == "send" and message.__class__ is str and not binary and far.is_open:
                try:
                    frame = encode_text(message)
                except UnicodeEncodeError:
                    raise half_a_pair(message) from None
                answers.append(frame)
                room -= len(frame)
                if room < 0:
                    room = BATCH_BYTES
                    hand_over_all(far, answers)
                return 1
            hand_over_all(far, answers)
            return self.emit(effect, message, binary, *others)

        return emit

    def reply(self, value: Value) -> None:
        """Send what a hook returned: encoded by the route's codec; without one a text as it is, anything else as JSON.

        Raises Fault."""
        payload = value if self.codec is not None or isinstance(value, str) else values.to_json(value)
        self._send(payload, False)

    def part(self) -> None:
        """Forget the run: its life is complete, and nothing is emitted any more. See `Session.part`."""
        self._run = cast("Run", None)

    # Frames.

    def _send(self, message: Value, binary: bool) -> int:
        frame = self.encode(message, binary)
        far = self._far
        recipients = 1 if far.is_open else 0
        if recipients:
            far.send(frame)
        if self._run.followed:
            own = self._run.connection_id
            self._show(own, recipients, message, binary, self._watched_of(own))
        return recipients

    def _send_to(self, message: Value, binary: bool, to: str) -> int:
        frame = self.encode(message, binary)
        far = self._node.hub.find(to)
        recipients = self._node.bus.send_to(to, frame) if far is None else hand_over(far, frame)
        if self._node.events.detailed:
            self._show(to, recipients, message, binary, self._watched_of(to))
        return recipients

    def _broadcast(self, message: Value, binary: bool, exclude_self: bool) -> int:
        frame = self.encode(message, binary)
        recipients = self._node.bus.publish(None, frame, self._far if exclude_self else None)
        if self._node.events.detailed:
            everybody = self._node.hub.everybody()
            self._show("everybody", recipients, message, binary, self._watched_among(everybody, exclude_self))
        return recipients

    def _publish(self, message: Value, binary: bool, exclude_self: bool, channel: str) -> int:
        frame = self.encode(message, binary)
        # `_admit_channel`, written out: a room that talks asks for nothing else.
        names = self.bounds.channels
        if names is not None and not names[channel]:
            raise outside("channel", channel)
        if not exclude_self and self._run.joins_by_publishing:
            self._enter(channel)
        node, exclude = self._node, self._far if exclude_self else None
        if node.recall is not None and (node.recall.busy or self.keep is not None):
            recipients = self._publish_kept(node.recall, channel, frame, exclude)
        else:
            recipients = node.bus.publish(channel, frame, exclude)
        if self._node.events.measured:
            self._node.traffic[channel] = self._node.traffic.get(channel, 0) + 1
        if self._node.events.detailed:
            members = self._node.hub.members(channel)
            self._show(f"channel {channel}", recipients, message, binary, self._watched_among(members, exclude_self))
        return recipients

    def _publish_kept(self, recall: Recall, channel: str, frame: bytes, exclude: Far | None) -> int:
        # By itself, since what a lambda refers to is slower to look up all through the function around it.
        bus = self._node.bus
        return recall.publish(channel, frame, self.keep, exclude, lambda: bus.publish(channel, frame, exclude))

    def encode(self, message: Value, binary: bool) -> bytes:
        """A message as a frame; `binary`: it is base64 text, and its bytes go past any codec. Raises Fault."""
        if self.codec is not None and not binary:
            payload = self.codec.encode(message)
            return (
                self._node.wire.encode_utf8(payload) if self.codec.is_text else self._node.wire.encode_binary(payload)
            )
        if not isinstance(message, str):
            raise Fault(codes.TYPE_ERROR, f"a message is a text, not {values.describe(message)}", message)
        if binary:
            return self._node.wire.encode_binary(decode_base64(message))
        try:
            return self._node.wire.encode_text(message)
        except UnicodeEncodeError:
            raise half_a_pair(message) from None

    def _watched_of(self, connection_id: str) -> Collection[str]:
        return (connection_id,) if connection_id in self._node.events.watched else ()

    def _watched_among(self, members: Collection[Far], exclude_self: bool) -> Collection[str]:
        """The watched connections that a broadcast reaches."""
        found: list[str] = []
        for connection_id in self._node.events.watched:
            far = self._node.hub.find(connection_id)
            if far is not None and far in members and not (exclude_self and far is self._far):
                found.append(connection_id)
        return found

    def _show(self, to: str, recipients: int, message: Value, binary: bool, concerned: Collection[str]) -> None:
        if not self._node.events.wants_frame(concerned):
            return
        run = self._run
        payload = decode_base64(values.text(message)) if binary else self._shown(message)
        file = run.source_name
        sent = FrameOut(
            run.connection_id, run.route_name, to, recipients, payload, run.hook, run.runs, file, _emitting_line(file)
        )
        self._node.events.publish_detail(sent, concerned)

    def _shown(self, message: Value) -> str:
        return values.text(message) if self.codec is None else values.to_json(message)

    # What is outside.

    def _admit(self, effect: str, arguments: Sequence[Any]) -> None:
        """Whether the manifest names what one of the `OUTSIDE` is asked for. Raises OutsideManifest, and Fault
        http-refused for an address that is none."""
        bounds = self.bounds
        match effect:
            case "sql":
                if bounds.statements is not None and arguments[0] not in bounds.statements:
                    raise outside("SQL statement", arguments[0])
            case "redis":
                if bounds.keys is not None and not bounds.keys[arguments[1]]:
                    raise outside("Redis key", arguments[1])
            case _:
                if (hosts := bounds.hosts) is None:
                    return
                if not hosts[host := self._node.services.host_of(arguments[1])]:
                    raise outside("host", host)

    # Channels, the connection, the log.

    def join(self, channel: str) -> None:
        """Enter a channel, and tell the client where it stands there if it wants that.

        Raises Fault channel-limit, and OutsideManifest.
        """
        self._admit_channel(channel)
        self._enter(channel)

    def _admit_channel(self, channel: str) -> None:
        names = self.bounds.channels
        if names is not None and not names[channel]:
            raise outside("channel", channel)

    def _enter(self, channel: str) -> None:
        node = self._node
        if not node.hub.join(self._run.connection_id, self._far, channel):
            return
        recall = node.recall
        if recall is not None and (recall.busy or self.keep is not None):
            recall.entered(self._far, channel, self.keep, self.seen.pop(channel, None))

    def leave(self, channel: str) -> None:
        """Leave a channel."""
        node = self._node
        if node.hub.leave(self._far, channel) and node.recall is not None and node.recall.busy:
            node.recall.left(channel)

    def _subscribe(self, channel: str) -> int:
        self._admit_channel(channel)
        if not self._run.has_departed:
            self._enter(channel)
        return self._node.hub.size(channel)

    def _unsubscribe(self, channel: str) -> int:
        self._admit_channel(channel)
        self.leave(channel)
        return self._node.hub.size(channel)

    def _close(self, code: Value, reason: str) -> int:
        number = to_close_code(code)
        if len(reason.encode("utf-8", "replace")) > REASON_BYTES:
            raise Fault(codes.BAD_ARGUMENT, f"a close reason has at most {REASON_BYTES} bytes", reason)
        if not self._far.is_open:
            return 0
        self._run.shut(number, reason)
        return 1

    def _log(self, level: str, message: str) -> None:
        if self._node.events.wanted:
            run = self._run
            self._node.events.publish(LogLine(run.connection_id, run.route_name, run.hook, level, message))


def _emitting_line(file: str) -> int:
    """The line of a route's file whose effect is being performed; 0 where that is not known.

    Looked for where it costs nothing until somebody wants it: among the callers of `emit`, one of which runs the hook.
    """
    frame = sys._getframe(1)
    for _ in range(_CALLERS):
        if frame.f_code.co_filename == file:
            return frame.f_lineno or 0
        if (mark := mark_in(frame)) is not None:
            return mark.line
        if frame.f_back is None:
            break
        frame = frame.f_back
    return 0


def hand_over(far: Far, frame: bytes) -> int:
    """Write a frame to one connection, where that can still arrive; to how many it can."""
    if not far.is_open:
        return 0
    far.send(frame)
    return 1


def hand_over_all(far: Far, frames: list[bytes]) -> None:
    """Write these frames to one connection, and forget them."""
    if frames:
        far.send_all(frames)
        frames.clear()


def decode_base64(text: str) -> bytes:
    """The bytes that base64 text stands for. Raises Fault send-refused."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Fault(codes.SEND_REFUSED, "with `binary` the message is base64 text, and this is not", text) from None


def to_close_code(code: Value) -> int:
    """The code of a close operation: 1000, or 3000 to 4999. Raises Fault."""
    number = values.to_operand(code, "code")
    if number == NORMAL_CLOSURE or number in APPLICATION_CODES:
        return int(number)
    raise Fault(codes.BAD_ARGUMENT, "a close code is 1000, or one of 3000 to 4999", code)


def to_seconds(duration_ms: Value) -> float:
    """The duration of a Sleep: a whole number of milliseconds, at least 0. Raises Fault."""
    number = values.to_operand(duration_ms, "duration_ms")
    if isinstance(number, float) or number < 0:
        raise Fault(codes.BAD_ARGUMENT, "`duration_ms` is a whole number of milliseconds, at least 0", duration_ms)
    return number / 1000
