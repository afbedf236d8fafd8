"""What makes messages of many nodes one order, without loss that nobody hears of: pure, no I/O and no clock.

Theory. Every node speaks to the store on one connection, commands first in, first out, and hears its own messages
back on it like everybody else's. The store runs one command after the other, so all that is published has one order,
and each node hears a part of it in that order. What remains is what happens when a node loses the store.

- *Falling.* What a node published and did not hear back is its flight. When it loses the store, it hands its flight to
  its own members, in the order of publishing, and from then on each new message at once: it is alone, and a new epoch
  of it begins. It publishes nothing of that ever again, so nobody gets it twice from here.
- *Stragglers.* The store may still hold commands of the connection that was given up. The first command on the new
  connection, before any subscription, has the store end the old one with all that it has not run. So a message of the
  flight that others get all the same lies, in the store's order, behind all that its node had heard before it fell and
  before all that it hears after it rose. The node saw it between these two: the order is still one. (To drop what
  comes from older epochs is not enough: who was away did not hear that they are over. It is done as well, for stores
  where one may not end connections.)
- *Gaps.* What a node cannot have heard is told. Rising again, a node tells itself that it may have missed something of
  everybody; it tells the others how many messages it kept for itself, and they tell a gap where that is not zero.
  Beside that, each message names its predecessor in the channel, so that a loss where none can be is seen too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Generic, TypeVar

Member = TypeVar("Member")

REMEMBERED_TOPICS: Final = 100_000
"""Of so many topics a node knows the message that it published last; beyond, it begins anew."""


@dataclass(frozen=True, slots=True)
class Letter(Generic[Member]):
    """A message on its way: what is to be done with it where it comes back."""

    topic: str
    frame: bytes
    exclude: Member | None
    awaited: bool
    """Whether it comes back: this node is subscribed to the topic."""


class KeptLetter(Letter[Member]):
    """A message that the store may keep for clients that come back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a message stands among those of its node. `previous`: the number of the one before it in the same topic;
    0 where the node does not know."""

    epoch: int
    number: int
    previous: int


class Outgoing(Generic[Member]):
    """What this node publishes. Mutable, one owner."""

    def __init__(self, most_messages: int, most_bytes: int, remembered: int = REMEMBERED_TOPICS) -> None:
        """Over `most_messages` or `most_bytes` in flight `is_full` says so."""
        self.epoch = 1
        self.alone = 0
        """Messages since it rose last that the other nodes may not have got."""
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._remembered = remembered
        self._number = 0
        self._latest: dict[str, int] = {}
        self._flight: dict[int, Letter[Member]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._flight)

    def __iter__(self) -> Iterator[Letter[Member]]:
        return iter(self._flight.values())

    @property
    def bytes(self) -> int:
        """How much is in flight."""
        return self._bytes

    @property
    def is_full(self) -> bool:
        """Whether more is in flight than may be."""
        return len(self._flight) > self._most_messages or self._bytes > self._most_bytes

    def depart(self, letter: Letter[Member]) -> Stamp:
        """A message is being published."""
        self._number += 1
        previous = self._latest.get(letter.topic, 0)
        if not previous and len(self._latest) >= self._remembered:
            del self._latest[next(iter(self._latest))]
        self._latest[letter.topic] = self._number
        self._flight[self._number] = letter
        self._bytes += len(letter.frame)
        return Stamp(self.epoch, self._number, previous)

    def returned(self, epoch: int, number: int) -> Letter[Member] | None:
        """A message came back; None where it was handed out already."""
        return self._land(number) if epoch == self.epoch else None

    def answered(self, number: int) -> None:
        """The store has taken a message: one that does not come back is done with."""
        letter = self._flight.get(number)
        if letter is not None and not letter.awaited:
            self._land(number)

    def _land(self, number: int) -> Letter[Member] | None:
        letter = self._flight.pop(number, None)
        if letter is not None:
            self._bytes -= len(letter.frame)
        return letter

    def kept(self) -> None:
        """A message goes to this node's members only."""
        self.alone += 1

    def fall(self) -> list[Letter[Member]]:
        """The store is lost: what is to be handed to this node's members now, in order. A new epoch begins."""
        flight = list(self._flight.values())
        self.epoch += 1
        self.alone += len(flight)
        self._flight.clear()
        self._latest.clear()
        self._bytes = 0
        return [letter for letter in flight if letter.awaited]

    def rise(self) -> int:
        """The store is back; how many messages the others may not have got."""
        alone, self.alone = self.alone, 0
        return alone


class Verdict(Enum):
    """What a message is, seen after those that came before it."""

    FRESH = "fresh"
    BEHIND_GAP = "behind a gap"
    """Fresh, but the one before it did not come."""
    REPEATED = "repeated"
    STALE = "stale"
    """Of an epoch that is over: its node handed it out by itself."""


@dataclass(slots=True)
class _Source:
    epoch: int
    quiet: int = 0
    """Ticks since it was heard."""
    latest: dict[str, int] = field(default_factory=dict)


class Incoming:
    """What other nodes publish, as this one hears it. Mutable, one owner."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __contains__(self, node: str) -> bool:
        return node in self._sources

    def heard(self, node: str, epoch: int) -> bool:
        """A node shows itself, in this epoch; False where that epoch is over."""
        source = self._sources.get(node)
        if source is None:
            self._sources[node] = _Source(epoch)
            return True
        if epoch < source.epoch:
            return False
        source.quiet = 0
        if epoch > source.epoch:
            source.epoch = epoch
            source.latest.clear()
        return True

    def judge(self, node: str, topic: str, stamp: Stamp) -> Verdict:
        """A message came."""
        if not self.heard(node, stamp.epoch):
            return Verdict.STALE
        latest = self._sources[node].latest
        before = latest.get(topic)
        if before is not None and stamp.number <= before:
            return Verdict.REPEATED
        latest[topic] = stamp.number
        is_next = before is None or not stamp.previous or stamp.previous == before
        return Verdict.FRESH if is_next else Verdict.BEHIND_GAP

    def leave(self, topic: str) -> None:
        """This node hears the topic no more."""
        for source in self._sources.values():
            source.latest.pop(topic, None)

    def forget(self, node: str) -> None:
        """A node is gone."""
        self._sources.pop(node, None)

    def restart(self) -> None:
        """The store was lost: what was heard of each topic does not count any more, nor how long nodes were quiet."""
        for source in self._sources.values():
            source.quiet = 0
            source.latest.clear()

    def tick(self, patience: int) -> list[str]:
        """Time goes by while the store is there; the nodes that were not heard for `patience` ticks, now forgotten."""
        lost: list[str] = []
        for node, source in self._sources.items():
            source.quiet += 1
            if source.quiet > patience:
                lost.append(node)
        for node in lost:
            self.forget(node)
        return lost


class Patience:
    """Whether the store answers, measured in ticks of this node's own clock, so that a node that was stopped itself
    does not take the store for the one that hung."""

    def __init__(self, ticks: int) -> None:
        """`ticks`: for so long one command may be without its answer."""
        self._ticks = ticks
        self._asked = 0
        self._answered = 0
        self._mark = 0
        self._waited = 0

    def patient(self, ticks: int) -> None:
        """Be so patient from now on."""
        self._ticks = ticks

    @property
    def waiting(self) -> int:
        """Commands without an answer."""
        return self._asked - self._answered

    def ask(self) -> None:
        """A command was given."""
        self._asked += 1

    def answer(self) -> None:
        """The oldest command was answered."""
        self._answered += 1

    def tick(self) -> bool:
        """Time goes by; False when patience is at its end."""
        if self._answered >= self._mark:
            self._mark, self._waited = self._asked, 0
            return True
        self._waited += 1
        return self._waited < self._ticks


class Pulse:
    """Heartbeats that go to the store and come back. Times in seconds, by any one clock."""

    def __init__(self) -> None:
        self._sent = 0
        self._heard = 0
        self._sent_at: dict[int, float] = {}
        self._latest = 0.0
        self._since: float | None = None
        """Since when one is missing."""

    @property
    def missing(self) -> int:
        """How many are not back."""
        return self._sent - self._heard

    def beat(self, now: float) -> int:
        """One is sent; its number."""
        self._sent += 1
        self._sent_at[self._sent] = now
        if self._since is None:
            self._since = now
        return self._sent

    def heard(self, number: int, now: float) -> None:
        """One came back, and with it those before it."""
        self._heard = number
        self._latest = now - self._sent_at.get(number, now)
        for one in [one for one in self._sent_at if one <= number]:
            del self._sent_at[one]
        self._since = next(iter(self._sent_at.values()), None)

    def lost(self, now: float) -> None:
        """The store is lost."""
        if self._since is None:
            self._since = now

    def restart(self) -> None:
        """Count anew, on another connection; what is missing stays so until one comes back."""
        self._sent = self._heard = 0
        self._sent_at.clear()

    def lag(self, now: float) -> float:
        """How long the latest took; while one is missing, for how long it is, if that is more."""
        return self._latest if self._since is None else max(self._latest, now - self._since)
