"""The bus of many nodes: Redis or Valkey Pub/Sub, over one connection for each node.

Why the order holds and what is told where something is lost stands in `order`; here is what it asks for. Commands and
subscriptions share one connection (RESP3 allows that), so a subscription is always in force before what is published
after it, and a lost connection is one event, not two. Members of this node are fed from the subscription like all
others. The topics are `worpen:DB:all` (everybody, and what nodes tell each other), `worpen:DB:node:NODE` (one
connection of that node) and `worpen:DB:channel:NAME`, subscribed to while the channel has a member here.

    down ── connected: end the old connection, subscribe, send a heartbeat ──→ rising ── it came back ──→ up
     ↑ ← connection lost · a command unanswered for 0.5 s · three heartbeats missed · too much in flight ← │

While it is not up, messages go straight to this node's members. Nothing here waits for the store but the task that
talks with it; what is in flight is bounded, and where the bound is reached the store counts as lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection
from time import perf_counter
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, parse_url

from runtime.bus import random_id
from runtime.bus.attendance import Attendance
from runtime.bus.claims import Keys
from runtime.bus.envelopes import VERSION, Envelope, KeptEnvelope, Kind, decode, encode
from runtime.bus.keeping import Keeping
from runtime.bus.line import Line, Then
from runtime.bus.order import Incoming, Letter, Outgoing, Patience, Pulse, Stamp, Verdict
from runtime.bus.presence import Presence
from runtime.bus.records import Records
from runtime.bus.recovery import SharedRecall
from runtime.bus.resp import Refusal
from runtime.bus.streams import Streams
from runtime.channels import Hub
from runtime.events import BusDown, BusGap, BusUp, Events
from runtime.metrics import ServerCounters, count

Member = TypeVar("Member")

TICK_SECONDS: Final = 0.1
ANSWER_TICKS: Final = 5
"""For so long a command may be unanswered: a publish that hangs fails over after half a second."""
RISE_TICKS: Final = 20
BEAT_TICKS: Final = 10
BEATS_MISSED: Final = 3
LEASE_TICKS: Final = 150
"""A node that is not heard for so long is lost."""
CONNECT_SECONDS: Final = 2.0
LEAST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0
FLIGHT_MESSAGES: Final = 50_000
FLIGHT_BYTES: Final = 64 * 1024 * 1024
CHANNEL_BYTES: Final = 8 * 1024 * 1024
NODE_DIGITS: Final = 8
"""A node's name is so many hexadecimal digits, and its connections' ids begin with it."""


class RedisBus(Generic[Member]):
    """Carries frames between nodes. `start` and `stop` belong to one running loop, everything else to its thread."""

    def __init__(
        self,
        url: str,
        hub: Hub[Member],
        deliver: Callable[[Collection[Member], bytes, Member | None], int],
        hand_over: Callable[[Member, bytes], int],
        events: Events,
        counters: ServerCounters,
        presence: Presence,
        recall: SharedRecall | None = None,
        *,
        channel_bytes: int = CHANNEL_BYTES,
        channel_full: Callable[[], None] = lambda: None,
        flight_messages: int = FLIGHT_MESSAGES,
        flight_bytes: int = FLIGHT_BYTES,
    ) -> None:
        """`url`: `redis://`, `rediss://` or `unix://`. `deliver` as in `LocalBus`; `hand_over` writes a frame to one
        member. `recall`: who knows what clients missed; None where nothing is kept. `channel_bytes`: what one channel
        keeps; `channel_full` is called where that makes it keep less. Raises ValueError for an address that is none."""
        self.node = uuid4().hex[:NODE_DIGITS]
        """This node's name."""
        self._settings: dict[str, Any] = dict(parse_url(url))
        self._connection_class: type[Connection] = self._settings.pop("connection_class", Connection)
        prefix = f"worpen:{self._settings.get('db', 0)}:"
        self._everybody = prefix + "all"
        self._nodes = prefix + "node:"
        self._channels = prefix + "channel:"
        self._hub = hub
        self._deliver = deliver
        self._hand_over = hand_over
        self._events = events
        self._counters = counters
        self._attendance = Attendance(self._tell, hub, presence)
        self._changes = self._attendance.changes
        self._outgoing: Outgoing[Member] = Outgoing(flight_messages, flight_bytes)
        self._incoming = Incoming()
        self._patience = Patience(ANSWER_TICKS)
        self._line: Line | None = None
        self._is_up = False
        self._identity: tuple[bytes, bytes] | None = None
        """What the store calls this connection: its number and address; None where it does not tell."""
        self._predecessor: tuple[bytes, bytes] | None = None
        """The same of the last connection that messages were published on."""
        self._is_leaving = False
        self._fell: str | None = None
        """Why it was lost, until it is back."""
        self._ticks = 0
        self._pulse = Pulse()
        self._risen = asyncio.Event()
        self._idle = asyncio.Event()
        """Set when nothing is unanswered any more, or the store is lost."""
        self._task: asyncio.Task[None] | None = None
        self.records = Records(self, Keys(prefix), self._client)
        """What is to be done if this node is killed."""
        self._keeping: Keeping[Member] | None = None
        if recall is not None:
            streams, topics, outgoing = Streams(prefix, channel_bytes), self._channels, self._outgoing
            self._keeping = Keeping(self, streams, topics, hub, deliver, outgoing, recall, counters, channel_full)
        hub.watch(self)

    @property
    def is_up(self) -> bool:
        """Whether messages go over the store now."""
        return self._is_up

    @property
    def lag(self) -> float:
        """Seconds that the latest heartbeat took, there and back; while one is missing, for how long it is."""
        return self._pulse.lag(perf_counter())

    @property
    def queued_bytes(self) -> int:
        """Bytes published that are neither back nor taken by the store."""
        return self._outgoing.bytes

    @property
    def others(self) -> Collection[str]:
        """The other nodes that are there."""
        return tuple(self._incoming)

    # The life of the node.

    async def start(self) -> None:
        """Join the other nodes; where the store does not answer soon, go on alone and keep trying."""
        self._task = asyncio.create_task(self._keep_connected())
        try:
            await asyncio.wait_for(self._risen.wait(), CONNECT_SECONDS)
        except TimeoutError:
            self._give_up("it does not answer")

    async def stop(self) -> None:
        """Take leave of the other nodes, when the last message was published."""
        if self._task is None:
            return
        if self._line is not None and self._is_up:
            self._tell(Kind.BYE)
            self._is_leaving = True
            self.records.leave()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.settled(), ANSWER_TICKS * TICK_SECONDS)
        self._task.cancel()
        await asyncio.gather(self._task, self.records.stop(), return_exceptions=True)
        self._task = None
        self._is_up = False
        self._line = None
        self._attendance.stop()

    # What the server asks (`Bus`).

    def publish(self, channel: str | None, frame: bytes, exclude: Member | None) -> int:
        """See `Bus.publish`. The frame is handed out when it comes back."""
        members = self._hub.everybody() if channel is None else self._hub.members(channel)
        if not self._is_up:
            self._outgoing.kept()
            return self._deliver(members, frame, exclude) if members else 0
        topic = self._everybody if channel is None else self._channels + channel
        recipients = len(members)
        if exclude is not None and recipients:
            # Of a channel `members` knows that at once; of everybody it is a look at all of them.
            recipients -= exclude in members
        self._send(Kind.MESSAGE, Letter(topic, frame, exclude, channel is None or bool(members)))
        return recipients

    def send_to(self, connection_id: str, frame: bytes) -> int:
        """See `Bus.send_to`."""
        node = connection_id[:NODE_DIGITS]
        if not self._is_up or node not in self._incoming:
            return 0
        self._send(Kind.DIRECT, Letter(self._nodes + node, frame, None, False), connection_id)
        return 1

    def new_id(self) -> str:
        """See `Bus.new_id`."""
        return self.node + random_id()[NODE_DIGITS:]

    def _send(self, kind: int, letter: Letter[Member], to: str = "") -> None:
        stamp = self._outgoing.depart(letter)
        envelope = Envelope(VERSION, kind, self.node, stamp.epoch, stamp.number, stamp.previous, to, 0, letter.frame)
        self._publish(letter.topic, envelope)
        self.look_at_flight()

    def look_at_flight(self) -> None:
        """Give the store up where too much is on its way."""
        if self._outgoing.is_full:
            self._give_up("it does not keep up")

    def _tell(self, kind: int, amount: int = 0, frame: bytes = b"", to: str = "", previous: int = 0) -> None:
        """Tell all nodes, this one included; or one, `to`."""
        if self._is_leaving:
            return  # after a farewell nothing: it would bring the node back
        topic = self._nodes + to if to else self._everybody
        epoch = self._outgoing.epoch
        self._publish(topic, Envelope(VERSION, kind, self.node, epoch, 0, previous, "", amount, frame))

    def _publish(self, topic: str, envelope: Envelope) -> None:
        self.ask(envelope.seq, b"PUBLISH", _bytes(topic), encode(envelope))

    def ask(self, then: Then, *parts: bytes) -> None:
        """Give the store a command, if there is a connection. See `Line.asked`."""
        if self._line is not None:
            self._patience.ask()
            self._line.command(then, *parts)

    def flush(self) -> None:
        """Have what was asked leave now."""
        if self._line is not None:
            self._line.flush()

    def begin_anew(self) -> None:
        """Another node has settled this one: go on as one that begins. Raises ConnectionError."""
        self.node = uuid4().hex[:NODE_DIGITS]
        raise ConnectionError("it was silent for too long, and another node took its place")

    async def settled(self) -> None:
        """Return when the store has answered all that was asked of it until now, or is lost."""
        while self._is_up and self._patience.waiting:
            self._idle.clear()
            await self._idle.wait()

    # Which channels have members here (`Watcher`).

    def joined(self, channel: str, connection_id: str, size: int) -> None:
        """See `Watcher.joined`."""
        if size == 1:
            self._subscribe(self._channels + channel)
        if self._is_up:
            self._changes.note(True, channel, connection_id)

    def left(self, channel: str, connection_id: str, size: int) -> None:
        """See `Watcher.left`."""
        if size == 0:
            topic = self._channels + channel
            self._incoming.leave(topic)
            self.ask(0, b"UNSUBSCRIBE", _bytes(topic))
            if self._keeping is not None:
                self._keeping.emptied(channel)
        if self._is_up:
            self._changes.note(False, channel, connection_id)

    def _subscribe(self, topic: str) -> None:
        self.ask(0, b"SUBSCRIBE", _bytes(topic))

    # The connection to the store.

    def _client(self) -> Redis:
        """Another connection, for commands that wait for each other."""
        return Redis(**self._settings, socket_timeout=CONNECT_SECONDS, socket_connect_timeout=CONNECT_SECONDS)

    async def _keep_connected(self) -> None:
        pause = LEAST_PAUSE_SECONDS
        while True:
            try:
                await self._connected()
            except Exception as problem:
                # Whatever it is, a bug of ours too: the node goes on alone, says why, and tries again.
                if self._is_up:
                    pause = LEAST_PAUSE_SECONDS
                self._fall(str(problem) or type(problem).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _connected(self) -> None:
        """One connection, from its beginning to its end. Raises what ended it."""
        connection = self._connection_class(
            **{
                **self._settings,
                "protocol": 3,
                "socket_timeout": None,
                "socket_connect_timeout": CONNECT_SECONDS,
                "maint_notifications_config": None,
            }
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
            line = self._line = Line(self._hear, self._answered)
            line.take_over(connection)
            self._begin()
            tasks = {line.ended, asyncio.create_task(self._watch())}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._line = None
            await connection.disconnect(nowait=True)

    def _begin(self) -> None:
        """The first commands on a connection."""
        self._patience = Patience(RISE_TICKS)
        self._identity = None
        if self._predecessor is not None:
            # Both, since a store that was restarted counts connections anew.
            number, address = self._predecessor
            self.ask(_ignore, b"CLIENT", b"KILL", b"ID", number, b"ADDR", address)
        self.ask(self._identified, b"CLIENT", b"INFO")
        self._ticks = 0
        self._pulse.restart()
        if self._keeping is not None:
            self._keeping.began()
        self._tell(Kind.FENCE)
        self._subscribe(self._everybody)
        self._subscribe(self._nodes + self.node)
        for channel, _ in self._hub.channels():
            self._subscribe(self._channels + channel)
        self._beat()

    def _beat(self) -> None:
        self.records.beat()
        number = self._pulse.beat(perf_counter())
        self._tell(Kind.BEAT, number, previous=self._changes.version)

    def _rise(self) -> None:
        """The first heartbeat came back: all subscriptions are in force."""
        self._predecessor = self._identity
        alone = self._outgoing.rise()
        self._is_up = True
        self._patience.patient(ANSWER_TICKS)
        self._tell(Kind.RISEN, alone)
        self._attendance.rose()
        self.records.rose()
        if self._keeping is not None:
            self._keeping.rose()
        self._risen.set()
        if self._fell is not None:
            self._fell = None
            self._counters.bus_is_down = 0
            self._tell_gap("", "", "reconnected")
            self._events.publish(BusUp(self.node, alone))

    def _fall(self, reason: str) -> None:
        """The store is lost: hand out what is in flight, and go on alone. Does nothing more a second time."""
        if self._is_up:
            self.records.fell()
        self._is_up = False
        self._line = None
        self._idle.set()
        self._incoming.restart()
        if self._fell is None:
            self._fell = reason
            self._counters.bus_is_down = 1
            self._counters.bus_down += 1
            self._events.publish(BusDown(self.node, reason))
            self._pulse.lost(perf_counter())  # the loop's clock counts milliseconds
            self._attendance.fell(LEASE_TICKS * TICK_SECONDS)
        if self._keeping is not None:
            self._keeping.fell()
        for letter in self._outgoing.fall():
            self._hand_out(letter.topic, letter.frame, letter.exclude)

    def _give_up(self, reason: str) -> None:
        """Lose the store by will: the connection ends on the next turn."""
        line = self._line
        self._fall(reason)
        if line is not None:
            line.end(reason)

    async def _watch(self) -> None:
        """Look at the time: is the store there, are the other nodes?"""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if not self._patience.tick():
                raise TimeoutError("it does not answer")
            if not self._is_up:
                continue
            self._ticks += 1
            for node in self._incoming.tick(LEASE_TICKS):
                self._attendance.forget(node)
                self._tell_gap(node, "", "node lost")
            self._attendance.tick()
            if not self._is_leaving:
                self.records.tick(self._ticks, LEASE_TICKS)
            if self._keeping is not None:
                self._keeping.tick()
            if self._ticks % BEAT_TICKS == 0:
                if self._pulse.missing >= BEATS_MISSED:
                    raise TimeoutError("its messages do not come back")
                self._beat()

    # What comes from the store.

    def _hear(self, topic: bytes, content: bytes) -> None:
        self._receive(topic.decode("utf-8", "surrogatepass"), decode(content))

    def _answered(self, then: Then, answer: Any) -> None:
        self._patience.answer()
        if not self._patience.waiting:
            self._idle.set()
        if not isinstance(then, int):
            then(None if isinstance(answer, Refusal) else answer)
        elif isinstance(answer, Refusal):
            raise ConnectionError(str(answer))
        elif then:
            self._outgoing.answered(then)

    def _identified(self, answer: Any) -> None:
        if isinstance(answer, bytes):
            told = dict(part.partition(b"=")[::2] for part in answer.split())
            self._identity = (told[b"id"], told[b"addr"])

    def _receive(self, topic: str, envelope: KeptEnvelope) -> None:
        if envelope.v != VERSION:
            count(self._counters.bus_drops, "version")
        elif envelope.node == self.node:
            self._receive_own(topic, envelope)
        elif envelope.kind in (Kind.MESSAGE, Kind.DIRECT):
            self._receive_message(topic, envelope)
        elif envelope.kind == Kind.BYE:
            self._incoming.forget(envelope.node)
            self._attendance.forget(envelope.node)
        elif self._incoming.heard(envelope.node, envelope.epoch):
            self._receive_notice(topic, envelope)

    def _receive_notice(self, topic: str, envelope: KeptEnvelope) -> None:
        """What nodes tell each other."""
        match envelope.kind:
            case Kind.RISEN if envelope.amount:
                self._tell_gap(envelope.node, "", "node was alone", envelope.amount)
            case Kind.BEGUN if self._keeping is not None:
                self._keeping.begun(topic, envelope)
            case _:
                self._attendance.heard(envelope, self._ticks)

    def _receive_own(self, topic: str, envelope: KeptEnvelope) -> None:
        if envelope.kind == Kind.MESSAGE:
            letter = self._outgoing.returned(envelope.epoch, envelope.seq)
            if letter is not None:
                self._hand_out(topic, letter.frame, letter.exclude, envelope)
        elif envelope.kind == Kind.BEAT and envelope.epoch == self._outgoing.epoch:
            self._pulse.heard(envelope.amount, perf_counter())
            if not self._is_up:
                self._rise()
        elif envelope.kind == Kind.BEGUN and self._keeping is not None:
            self._keeping.begun(topic, envelope)

    def _receive_message(self, topic: str, envelope: KeptEnvelope) -> None:
        verdict = self._incoming.judge(envelope.node, topic, Stamp(envelope.epoch, envelope.seq, envelope.previous))
        # Of what is kept the offset says whether it was handed out.
        if verdict in (Verdict.STALE, Verdict.REPEATED) and not envelope.offset:
            count(self._counters.bus_drops, verdict.value)
            return
        if verdict is Verdict.BEHIND_GAP:
            self._tell_gap(envelope.node, self._name_of(topic), "a message is missing")
        if envelope.kind == Kind.MESSAGE:
            self._hand_out(topic, envelope.frame, None, envelope)
        elif (member := self._hub.find(envelope.to)) is not None:
            self._hand_over(member, envelope.frame)

    def _hand_out(self, topic: str, frame: bytes, exclude: Member | None, heard: KeptEnvelope | None = None) -> None:
        """Hand a message to the members here. `heard`: as it came from the store; None for what did not."""
        keeping = self._keeping
        if topic == self._everybody:
            members = self._hub.everybody()
        elif keeping is not None and keeping.recall.busy:
            keeping.came(topic, frame, exclude, heard)
            return
        else:
            members = self._hub.members(topic.removeprefix(self._channels))
        if members:
            self._deliver(members, frame, exclude)

    def _name_of(self, topic: str) -> str:
        return topic.removeprefix(self._channels)

    def _tell_gap(self, source: str, channel: str, reason: str, missed: int = 0) -> None:
        count(self._counters.bus_gaps, reason)
        self._events.publish(BusGap(self.node, source, channel, reason, missed))


def check_address(url: str) -> None:
    """Raises ValueError, with what is wrong, for an address that no store can have."""
    parse_url(url)


def _bytes(topic: str) -> bytes:
    return topic.encode("utf-8", "surrogatepass")


def _ignore(_: Any) -> None:
    """What takes an answer that nobody wants."""
