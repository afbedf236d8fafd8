"""The way of channels that keep messages: from `recovery` to the store by the commands of `streams`, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Generic, Protocol, TypeVar

from runtime.bus.envelopes import VERSION, KeptEnvelope, Kind, encode
from runtime.bus.line import Then
from runtime.bus.order import KeptLetter, Outgoing
from runtime.bus.recovery import SharedRecall
from runtime.bus.streams import FULL, REFUSED, Streams
from runtime.channels import Hub
from runtime.envelope import Position
from runtime.history import Keep, new_epoch
from runtime.metrics import ServerCounters

Member = TypeVar("Member")
Deliver = Callable[[Collection[Member], bytes, Member | None], int]


class Store(Protocol):
    """The store, as the bus speaks to it."""

    @property
    def node(self) -> str:
        """This node's name."""

    @property
    def is_up(self) -> bool:
        """Whether the store is there."""

    def ask(self, then: Then, *parts: bytes) -> None:
        """Give it a command, if there is a connection. See `Line.asked`."""

    def look_at_flight(self) -> None:
        """Give the store up where too much is on its way."""


class Keeping(Generic[Member]):
    """Publishes, asks and hands out for channels that keep messages: the `recovery.Carrier` of a bus."""

    def __init__(
        self,
        store: Store,
        streams: Streams,
        topics: str,
        hub: Hub[Member],
        deliver: Deliver[Member],
        outgoing: Outgoing[Member],
        recall: SharedRecall,
        counters: ServerCounters,
        full: Callable[[], None],
    ) -> None:
        """`topics`: what the topic of a channel begins with; `deliver` as in `LocalBus`; `full` is called where a
        channel keeps less because of its bytes."""
        self._store = store
        self._streams = streams
        self._topics = topics
        self._hub = hub
        self._deliver = deliver
        self._outgoing = outgoing
        self.recall = recall
        self._counters = counters
        self._full = full
        recall.join(self)

    # What is asked of the bus (`Carrier`).

    @property
    def is_up(self) -> bool:
        """See `Carrier.is_up`."""
        return self._store.is_up

    def members(self, channel: str) -> Collection[Member]:
        """See `Carrier.members`."""
        return self._hub.members(channel)

    def publish_kept(self, channel: str, frame: bytes, exclude: Member | None, keep: Keep | None) -> int:
        """See `Carrier.publish_kept`."""
        members = self._hub.members(channel)
        if not self._store.is_up:
            self._outgoing.kept()
            self.recall.alone(channel)
            return self._pass_on(channel, None, frame, exclude) if members else 0
        letter = KeptLetter(self._topics + channel, frame, exclude, bool(members))
        stamp = self._outgoing.depart(letter)
        message = encode(
            KeptEnvelope(
                VERSION, Kind.MESSAGE, self._store.node, stamp.epoch, stamp.number, stamp.previous, "", 0, frame
            )
        )

        def then(answer: Any) -> None:
            self._answered(stamp.number, answer)

        self._store.ask(
            then, *self._streams.append(channel, self._topic(channel), message, len(frame), new_epoch(), keep)
        )
        self._store.look_at_flight()
        return len(members) - (exclude is not None and exclude in members)

    def _answered(self, number: int, answer: Any) -> None:
        """The store has published a message, and says whether it has kept it."""
        if answer is None:
            raise ConnectionError("it refuses to keep messages")
        self._outgoing.answered(number)
        if answer == FULL:
            self._full()
        elif answer == REFUSED:
            self._counters.history_refused += 1

    def read(
        self, channel: str, seen: Position | None, most_bytes: int, keep: Keep | None, then: Callable[[Any], None]
    ) -> None:
        """See `Carrier.read`."""
        self._store.ask(then, *self._streams.read(channel, seen, most_bytes, new_epoch(), keep))

    def hand_out(self, channel: str, offset: int, frame: bytes, exclude: Member | None) -> None:
        """See `Carrier.hand_out`."""
        self._pass_on(channel, offset, frame, exclude)

    def touch(self, channel: str) -> None:
        """See `Carrier.touch`."""
        self._store.ask(0, *self._streams.touch(channel))

    def renew(self, channel: str) -> None:
        """See `Carrier.renew`."""
        notice = encode(KeptEnvelope(VERSION, Kind.BEGUN, self._store.node, self._outgoing.epoch))
        self._store.ask(0, *self._streams.renew(channel, self._topic(channel), notice, new_epoch()))

    def learn(self) -> None:
        """See `Carrier.learn`."""
        for command in self._streams.load():
            self._store.ask(_must_do, *command)

    # What the bus tells.

    def began(self) -> None:
        """There is a connection: the first commands on it."""
        if self.recall.keeps:
            self.learn()

    def rose(self) -> None:
        """The store is back."""
        self.recall.rose()

    def fell(self) -> None:
        """The store is lost, and what is in flight is still to be handed out."""
        flight = (self._name(letter.topic) for letter in self._outgoing if isinstance(letter, KeptLetter))
        self.recall.fell(dict.fromkeys(flight))

    def tick(self) -> None:
        """Some time has gone by, the store being there."""
        self.recall.tick()

    def emptied(self, channel: str) -> None:
        """The last member here has left a channel."""
        if self.recall.busy:
            self.recall.emptied(channel)

    def begun(self, topic: str, heard: KeptEnvelope) -> None:
        """A channel has a new epoch."""
        self.recall.begun_anew(self._name(topic), heard.row)

    def came(self, topic: str, frame: bytes, exclude: Member | None, heard: KeptEnvelope | None) -> None:
        """Hand a message of a channel to the members here. `heard`: as it came from the store; None for others."""
        channel, recall = self._name(topic), self.recall
        if not self._hub.members(channel):
            return
        if heard is None or not heard.offset:
            if heard is not None:
                recall.unkept(channel)
            self._pass_on(channel, None, frame, exclude)
            return
        at = Position(heard.row, heard.offset)
        if recall.arrived(channel, at, exclude):
            self._pass_on(channel, at.offset, frame, exclude)
            if exclude is not None:
                recall.passed(exclude, channel, at)

    def _pass_on(self, channel: str, offset: int | None, frame: bytes, exclude: Member | None) -> int:
        members = self._hub.members(channel)
        return self.recall.placed(channel, offset, frame, lambda: self._deliver(members, frame, exclude))

    def _topic(self, channel: str) -> bytes:
        return (self._topics + channel).encode("utf-8", "surrogatepass")

    def _name(self, topic: str) -> str:
        return topic.removeprefix(self._topics)


def _must_do(answer: Any) -> None:
    """What takes an answer that must not be a refusal. Raises ConnectionError."""
    if answer is None:
        raise ConnectionError("it runs no scripts")
