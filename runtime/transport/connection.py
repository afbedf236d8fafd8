"""One WebSocket connection, from the written handshake to its end.

    NEW ──begin──▶ OPEN ──close()──▶ CLOSING ──answer, lost, too late──▶ ENDED
                    │ ├──close frame or loss from the other side──▶ DRAINING ──all delivered──▶ ENDED
                    │ └──abort()──▶ ABORTED ──lost──▶ ENDED
                    └──broken protocol or limit──▶ ENDED

ENDED is entered once, and there the peer's `closed` is called. In DRAINING what arrived before the end is delivered
first. In CLOSING messages are discarded until the other side's close frame. ABORTED lasts until the loop's next turn:
`abort` may be called from anywhere, `closed` may not.

Input goes `data_received` → (slices) → FrameReader → `deliver`, which is the peer's `received` while nothing stands in
between, and `_hold` while the peer has paused. Reading from the socket pauses while slices wait or the inbox is full.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Final, cast

from runtime.transport import frames
from runtime.transport.compression import Deflate
from runtime.transport.frames import FrameReader
from runtime.transport.linger import part_with, reset
from runtime.transport.outbox import Outbox
from runtime.transport.rates import Bucket, first_tokens, tokens_after, whole_seconds
from runtime.transport.seam import Acceptance, Peer
from runtime.transport.wheel import Spoke
from runtime.transport.wire import Wire

SMALLER: Final = 4
"""Of more than a slice a quarter is parsed at a time, since it may be many small messages; of a long one a whole."""
PONG_ROOM: Final = 16 * 1024
"""With more than this unsent, only the latest ping is answered, later."""
_LOST: Final = (frames.ABNORMAL, "")
_NOTHING_COUNTED: Final = (0, 0, 0, 0, 0)
_PING: Final = frames.encode_frame(frames.PING, b"")


class State(Enum):
    """Where a connection stands; see the module's picture."""

    NEW = auto()
    OPEN = auto()
    CLOSING = auto()
    DRAINING = auto()
    ABORTED = auto()
    ENDED = auto()


def _discard(_: str | bytes) -> None:
    """Takes messages that nobody shall hear."""


def _stopped() -> FrameReader:
    reader = FrameReader(cast(frames.Listener, None), _discard, max_message=0, max_fragments=0, allowance=0)
    reader.stop()
    return reader


_STOPPED: Final = _stopped()
"""The reader of all connections that have ended: it reads nothing and tells nobody."""


class WebSocketConnection(Outbox, asyncio.Protocol):
    """The `seam.Connection` on an asyncio transport."""

    __slots__ = (
        "_assembly_number",
        "_assembly_since",
        "_backlog",
        "_backlog_at",
        "_byte_ceiling",
        "_bytes_in",
        "_controls",
        "_counted",
        "_delivering",
        "_end",
        "_end_by",
        "_filled_at",
        "_granted",
        "_halted",
        "_heard_bytes",
        "_inbox",
        "_inbox_bytes",
        "_owed_pong",
        "_paused",
        "_peer",
        "_ping_at",
        "_quiet_since",
        "_reader",
        "_scheduled",
        "_slice_bytes",
        "_spoke",
        "_wire",
        "is_open",
        "remote_address",
        "state",
    )

    _peer: Peer
    _reader: FrameReader
    _spoke: Spoke

    def __init__(self, wire: Wire, remote_address: str) -> None:
        Outbox.__init__(self)
        self.remote_address = remote_address
        self.state = State.NEW
        self.is_open = False
        """Whether what is sent now can still arrive."""
        self._wire = wire
        self._slice_bytes = wire.limits.slice_bytes
        # Reading
        self._bytes_in = 0
        self._heard_bytes = -1
        self._backlog = b""
        self._backlog_at = 0
        self._halted = False
        self._scheduled = False
        # Delivery
        self._paused = False
        self._delivering = False
        self._inbox: deque[str | bytes] | None = None
        self._inbox_bytes = 0
        # Clock
        self._quiet_since = 0.0
        self._ping_at = 0.0
        self._assembly_since = 0.0
        self._assembly_number = 0
        self._end_by = 0.0
        self._owed_pong: bytes | None = None
        self._controls: Bucket | None = None
        # The end
        self._end = _LOST
        self._counted = _NOTHING_COUNTED

    # ------------------------------------------------------------------------------------------------ what servers do

    def _enter(self, state: State) -> None:
        self.state = state
        self.is_open = state is State.OPEN

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and end in good order. Raises ValueError for a code that may not be sent."""
        frame = frames.encode_close(code, reason)
        if self.state is not State.OPEN:
            self._end_early()
            return
        self._enter(State.CLOSING)
        self._end = (code, reason)
        self._end_by = self._wire.loop.time() + self._wire.limits.close_seconds
        self._say_last(frame)
        self._reader.deliver = _discard
        self._forget_waiting()
        self._paused = False
        self._arrange_reading()

    def abort(self) -> None:
        """Drop the connection at once; the peer hears `closed` on a later turn of the loop."""
        if self.state not in (State.OPEN, State.CLOSING):
            self._end_early()
            return
        self._enter(State.ABORTED)
        self._end = _LOST
        self._reader.stop()
        self._forget_waiting()
        self.silence()
        reset(self.transport)

    def _end_early(self) -> None:
        """End what is not open yet, or not open any more: nothing that waits will be delivered.

        On the wire the end is under way: who said goodbye still gets what was sent to it, and the answer.
        """
        if self.state is State.NEW:
            self._enter(State.ENDED)
        elif self.state is State.DRAINING:
            self._forget_waiting()
            self._wire.loop.call_soon(self._finish, *self._end)

    def limit_messages(self, most: int | None) -> None:
        """Take messages of so many bytes from now on, of the server's limit where that is less or `most` is None."""
        if self.state is State.OPEN:
            server = self._wire.limits.max_message_bytes
            self._reader.limit(server if most is None else min(server, most))

    def pause(self) -> None:
        """Stop delivering; what arrives waits in the inbox."""
        if self.state in (State.OPEN, State.DRAINING):
            self._paused = True
            self._reader.deliver = self._hold

    def resume(self) -> None:
        """Deliver what waits, then go on."""
        if not self._paused:
            return
        self._paused = False
        if self._inbox:
            self._empty_inbox()
        if self.state not in (State.OPEN, State.DRAINING):
            return
        if not self._paused:
            self._reader.deliver = self._peer.received
        if not self._paused or self._has_room():
            self._arrange_reading()
            self._end_if_drained()

    # ------------------------------------------------------------------------------------------------ begin

    def begin(self, transport: asyncio.Transport, acceptance: Acceptance, deflate: Deflate | None = None) -> None:
        """Take over a transport on which the handshake's answer was just written; `deflate` was agreed on there."""
        wire, limits = self._wire, self._wire.limits
        now = wire.loop.time()
        allowance = first_tokens(limits.message_rate, limits.message_burst)
        most = acceptance.max_message_bytes
        self._peer = acceptance.peer
        self._reader = FrameReader(
            self,
            acceptance.peer.received,
            max_message=limits.max_message_bytes if most is None else most,
            max_fragments=limits.fragments,
            allowance=allowance,
            inflate=None if deflate is None else deflate.inflate,
        )
        self.deflate = deflate
        self._granted = allowance
        self._byte_ceiling = first_tokens(limits.byte_rate, limits.byte_burst)
        self._filled_at = self._quiet_since = self._progress_at = now
        self.transport = transport
        self.sink = transport
        transport.set_write_buffer_limits(high=limits.unsent_bytes)
        transport.set_protocol(self)
        self._spoke = wire.wheel.add(self)
        wire.counters.connections += 1
        self._enter(State.OPEN)
        self._corked(acceptance.peer.opened)

    # ------------------------------------------------------------------------------------------------ input

    def data_received(self, data: bytes) -> None:
        """Count what came, and parse it; what is more than a slice waits for its turn."""
        size = len(data)
        self._bytes_in = came = self._bytes_in + size
        if came > self._byte_ceiling and not self._bytes_allowed():
            self._fail(frames.POLICY, "too many bytes", "byte_rate")
            return
        if size > self._slice_bytes or self._backlog or self._halted:
            self._backlog = self._backlog[self._backlog_at :] + data
            self._backlog_at = 0
            self._arrange_reading()
            return
        # `_parse` and `flush`, written out: every message comes this way.
        self.corked = True
        try:
            self._reader.feed(data)
        except Exception as exception:
            self._break_down(exception)
        self.corked = False
        pending = self.pending
        if isinstance(pending, bytes):
            self.pending = None
            self.handed += len(pending)
            self.sink.write(pending)
        elif pending is not None:
            self.flush()

    def _parse(self, data: bytes) -> None:
        self.corked = True
        try:
            self._reader.feed(data)
        except Exception as exception:
            self._break_down(exception)
        self.corked = False
        if self.pending is not None:
            self.flush()

    def texts_received(self, texts: Iterator[str]) -> None:
        """Let the peer take what came in one piece at once, if it hears at all; the rest goes where messages go."""
        reader = self._reader
        if not self._paused and self.state is State.OPEN:
            self._peer.received_texts(texts)
        while reader.is_running and (text := next(texts, None)) is not None:
            reader.deliver(text)

    def _parse_slice(self) -> None:
        """Parse the next slice of what waits, unless the inbox is full; see to the rest."""
        self._scheduled = False
        if self.state is State.ENDED or self._is_full():
            return
        end = self._backlog_at + max(self._slice_bytes // SMALLER, min(self._reader.missing, self._slice_bytes))
        piece = self._backlog[self._backlog_at : end]
        self._backlog_at = end
        if end >= len(self._backlog):
            self._backlog = b""
            self._backlog_at = 0
        self._halted = False
        self._parse(piece)
        self._arrange_reading()
        self._end_if_drained()

    def _arrange_reading(self) -> None:
        """Read from the socket when nothing that was read waits; else see that it is parsed, room permitting."""
        if self.state is State.ENDED:
            return
        waits = bool(self._backlog) or self._halted
        if waits and not self._scheduled and not self._is_full():
            self._scheduled = True
            self._wire.lane.add(self._parse_slice)
        self._set_reading(not waits and not self._is_full())

    def _set_reading(self, wanted: bool) -> None:
        transport = self.transport
        if transport.is_closing() or transport.is_reading() is wanted:
            return
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()

    # ------------------------------------------------------------------------------------------------ the inbox

    def _is_full(self) -> bool:
        inbox, limits = self._inbox or (), self._wire.limits
        return len(inbox) >= limits.inbox_messages or self._inbox_bytes >= limits.inbox_bytes

    def _has_room(self) -> bool:
        """Whether reading on is worth it: the inbox is at most half full."""
        inbox, limits = self._inbox or (), self._wire.limits
        return len(inbox) * 2 <= limits.inbox_messages and self._inbox_bytes * 2 <= limits.inbox_bytes

    def _hold(self, message: str | bytes) -> None:
        """Takes messages while the peer has paused; the last that fits halts the reader."""
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(message)
        self._inbox_bytes += len(message)
        if self._is_full():
            full = len(self._inbox) >= self._wire.limits.inbox_messages
            self._wire.counters.reached("inbox_messages" if full else "inbox_bytes")
            self._halted = True
            self._reader.halt()
            self._set_reading(False)

    def _empty_inbox(self) -> None:
        """Deliver held messages until the peer pauses again."""
        if not self._delivering:
            self._corked(self._deliver_held)

    def _deliver_held(self) -> None:
        self._delivering = True
        try:
            while self._inbox and not self._paused:
                message = self._inbox.popleft()
                self._inbox_bytes -= len(message)
                self._peer.received(message)
        finally:
            self._delivering = False

    def _forget_waiting(self) -> None:
        """Drop what came and was not delivered. In CLOSING what is cut off may be the answer: it is still parsed."""
        if self._inbox:
            self._inbox.clear()
        self._inbox_bytes = 0
        if self.state is not State.CLOSING:
            self._halted = False
            self._backlog = b""

    def _corked(self, action: Callable[[], None]) -> None:
        """Run what calls the peer: answers leave in one write, an exception ends the connection."""
        corked, self.corked = self.corked, True
        try:
            action()
        except Exception as exception:
            self._break_down(exception)
        self.corked = corked
        if not corked:
            self.flush()

    # ------------------------------------------------------------------------------------------------ frames.Listener

    def ping_received(self, payload: bytes) -> None:
        """Answer a ping, or owe the answer while much is unsent."""
        self._wire.counters.pings_in += 1
        if not self._control_allowed():
            return
        if self.state is not State.OPEN:
            return
        if self.transport.get_write_buffer_size() > PONG_ROOM:
            self._owed_pong = payload
        else:
            self._send_control(frames.encode_frame(frames.PONG, payload))

    def pong_received(self, payload: bytes) -> None:
        """A pong is input like any other: that something came is all that counts."""
        self._control_allowed()

    def close_received(self, code: int, reason: str) -> None:
        """Answer the other side's close frame; end when all that came before it is delivered."""
        if self.state is State.CLOSING:
            self._finish(*(self._end if code == frames.NO_CODE else (code, reason)))
        elif self.state in (State.OPEN, State.DRAINING):
            self._enter(State.DRAINING)
            self._end = (code, reason)
            self._halted = False
            self._backlog = b""
            self._say_last(frames.encode_close(code))
        part_with(self._wire, self.transport)
        self._end_if_drained()

    def stream_failed(self, code: int, reason: str, limit: str) -> None:
        """The other side broke the protocol or a limit."""
        self._fail(code, reason, limit)

    def allowance_spent(self) -> bool:
        """Refill both buckets; whether there is a message more."""
        self._refill(self._wire.loop.time())
        return self._reader.allowance >= 0

    def _send_control(self, frame: bytes) -> None:
        self.send(frame)
        self.sent -= 1  # only messages are counted

    def _control_allowed(self) -> bool:
        limits = self._wire.limits
        if limits.control_rate <= 0:
            return True
        now = self._wire.loop.time()
        if self._controls is None:
            self._controls = Bucket(limits.control_rate, limits.control_burst, now)
        if self._controls.take(now):
            return True
        self._fail(frames.POLICY, "too many control frames", "control_rate")
        return False

    def _bytes_allowed(self) -> bool:
        self._refill(self._wire.loop.time())
        return self._bytes_in <= self._byte_ceiling

    def _refill(self, now: float) -> None:
        """Top up the buckets of messages and bytes."""
        limits, reader = self._wire.limits, self._reader
        seconds = whole_seconds(limits.message_rate, now - self._filled_at)
        self._filled_at += seconds
        left = reader.allowance
        reader.allowance = tokens_after(left, limits.message_rate, limits.message_burst, seconds)
        self._granted += reader.allowance - left
        unspent = tokens_after(self._byte_ceiling - self._bytes_in, limits.byte_rate, limits.byte_burst, seconds)
        self._byte_ceiling = self._bytes_in + unspent

    # ------------------------------------------------------------------------------------------------ time

    def tick(self, now: float) -> None:
        """What time asks for, about once a second."""
        self.settle()
        if self.state is State.CLOSING:
            if now >= self._end_by:
                self._give_up()
            return
        if self.state is not State.OPEN:
            return
        if self.is_stalled(now, self._wire.limits.stall_seconds):
            self._drop("slow_consumer", "stall_seconds")
            return
        self._refill(now)
        self._check_heartbeat(now)
        self._check_assembly(now)
        self._pay_pong()

    def _check_heartbeat(self, now: float) -> None:
        limits = self._wire.limits
        if self._bytes_in != self._heard_bytes or not self.transport.is_reading():
            self._heard_bytes = self._bytes_in
            self._quiet_since = now
            self._ping_at = 0.0
        elif self._ping_at:
            if now - self._ping_at >= limits.pong_seconds:
                self._drop("heartbeat", "pong_seconds")
        elif limits.ping_seconds > 0 and now - self._quiet_since >= limits.ping_seconds:
            self._ping_at = now
            self._wire.counters.reached("ping_seconds")
            self._send_control(_PING)

    def _check_assembly(self, now: float) -> None:
        reader = self._reader
        messages = self._counted[0]
        if not reader.inside_message or not self.transport.is_reading():
            self._assembly_since = 0.0
        elif not self._assembly_since or messages != self._assembly_number:
            self._assembly_since = now
            self._assembly_number = messages
        elif now - self._assembly_since >= self._wire.limits.assembly_seconds:
            self._fail(frames.POLICY, "message took too long", "assembly_seconds")

    def _pay_pong(self) -> None:
        """Answer the latest of the pings that were not answered, once there is room."""
        if self._owed_pong is not None and self.transport.get_write_buffer_size() <= PONG_ROOM:
            payload, self._owed_pong = self._owed_pong, None
            self._send_control(frames.encode_frame(frames.PONG, payload))

    @property
    def messages_in(self) -> int:
        """Messages that came."""
        if self.state is State.NEW or self._reader is _STOPPED:
            return self._counted[0]
        return self._granted - max(self._reader.allowance, 0)

    def settle(self) -> None:
        """Add to the shared counters what was counted here since the last time."""
        counters = self._wire.counters
        messages, received, sent, handed, queued = self._counted
        now = (self.messages_in, self._bytes_in, self.sent, self.bytes_out, self.queued_bytes)
        counters.messages_in += now[0] - messages
        counters.bytes_in += now[1] - received
        counters.messages_out += now[2] - sent
        counters.bytes_out += now[3] - handed
        counters.queued_bytes += now[4] - queued
        self._counted = now

    # ------------------------------------------------------------------------------------------------ the end

    def pause_writing(self) -> None:
        """More is unsent than allowed: this fires inside `write`, so nothing else is done here."""
        if self.state is State.DRAINING:
            reset(self.transport)
        else:
            self._drop("slow_consumer", "unsent_bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        self.silence()
        if self.state is State.OPEN:
            self._enter(State.DRAINING)
            self._end_if_drained()
        elif self.state in (State.CLOSING, State.ABORTED):
            self._finish(*self._end)

    def _drop(self, reason: str, limit: str) -> None:
        """End the connection without a word, and count it."""
        if self.state in (State.OPEN, State.CLOSING):
            self._wire.counters.reached(limit)
            self._wire.counters.dropped(reason)
            self.abort()

    def _give_up(self) -> None:
        """The other side did not answer our close frame."""
        self._wire.counters.reached("close_seconds")
        self._wire.counters.dropped("close_timeout")
        reset(self.transport)

    def _fail(self, code: int, reason: str, limit: str = "") -> None:
        """End the connection by a close frame that needs no answer. `limit`: the name of the one that was broken."""
        if self.state is State.CLOSING:
            self._finish(*self._end)
            part_with(self._wire, self.transport)
        if self.state is not State.OPEN:
            return
        if limit:
            self._wire.counters.reached(limit)
        self._wire.counters.dropped(limit or ("fault" if code == frames.INTERNAL_ERROR else "protocol"))
        last = frames.encode_close(code, reason)
        self._wire.counters.bytes_out += len(last)  # even if said later, when nothing is counted here any more
        self.flush()
        part_with(self._wire, self.transport, last, at_fault=code != frames.INTERNAL_ERROR)
        self._finish(code, reason)

    def _break_down(self, exception: Exception) -> None:
        """The peer raised, which is a bug of ours: tell the loop, close with 1011."""
        self._wire.loop.call_exception_handler({"message": "a connection's peer failed", "exception": exception})
        if self.state is State.DRAINING:
            self._finish(*self._end)
        else:
            self._fail(frames.INTERNAL_ERROR, "")

    def _say_last(self, close_frame: bytes) -> None:
        """Write what is pending and the close frame; nothing after that."""
        self._send_control(close_frame)
        self.flush()
        self.silence()

    def _end_if_drained(self) -> None:
        if self.state is State.DRAINING and not (self._inbox or self._backlog or self._halted or self._delivering):
            self._finish(*self._end)

    def _finish(self, code: int, reason: str) -> None:
        """Enter ENDED: the one place that tells the peer."""
        if self.state is State.ENDED:
            return
        self._enter(State.ENDED)
        self.silence()
        self.settle()  # nothing waits any more
        self._forget_waiting()
        self._reader.stop()
        self._reader.deliver = _discard
        self._spoke.discard(self)
        self._wire.counters.connections -= 1
        try:
            self._peer.closed(code, reason)
        except Exception as exception:
            self._wire.loop.call_exception_handler({"message": "a connection's peer failed", "exception": exception})
        # The peer knows the connection, and so does the reader. Forgotten here, all three leave memory at once: the
        # garbage collector looks seldom at what has lived for long, and thousands may come and go meanwhile.
        del self._peer
        self._reader = _STOPPED
