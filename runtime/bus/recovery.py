"""Clients that come back to any node of many: what they missed, from the store (`streams`). No I/O, no clock.

A node knows of each channel with members here how far it has handed it out: the channel's *place*, an epoch and an
offset. Messages come in the order of their offsets, so

    the next one                  is handed out
    one that was handed out       is dropped
    a later one                   means that something was missed
    one of another epoch          means that the store lost the channel, or it was begun anew: members are told

Answers of the store come on the same connection as messages, in the order in which the store ran things. So what was
published before the store was asked is in its answer, and what comes after the answer was published after it. That is
all there is to joining without a gap or a repetition: between question and answer a client (or, where the node itself
missed something, the whole channel) gets nothing of the channel; the answer has it.

When the store is lost, members hear what this node's own clients say, without offsets. What was on its way to the store
then may have come to the others or not. When the store is back, the channels of which the others may have missed
something begin a new epoch, which tells everybody, also those who come back later; of all other channels the members
get what they missed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from compiler.bytecode.patterns import matches
from runtime.bus.streams import Answer, parse
from runtime.envelope import Position, Wire, Wrapped
from runtime.history import Keep
from runtime.recall import Deliver, Recall, tell_joined, tell_lost, tell_recovered

BROKEN_MOST: Final = 10_000
"""So many channels are remembered as those of which others missed something; those before are not begun anew."""
REACHED_MOST: Final = 10_000
RENEWALS: Final = 200
"""So many quiet channels are looked at in one tick."""


class Carrier(Protocol):
    """What is asked of the bus."""

    @property
    def is_up(self) -> bool:
        """Whether the store is there."""

    def members(self, channel: str) -> Collection[Any]:
        """Who is in a channel, on this node."""

    def publish_kept(self, channel: str, frame: bytes, exclude: Any, keep: Keep | None) -> int:
        """Have the store keep a message and publish it; without `keep` only where the channel kept messages before."""

    def read(
        self, channel: str, seen: Position | None, most_bytes: int, keep: Keep | None, then: Callable[[Any], None]
    ) -> None:
        """Ask the store what came after a position; the answer as `streams.parse` reads it, None: it refuses."""

    def hand_out(self, channel: str, offset: int, frame: bytes, exclude: Any) -> None:
        """Hand a message of a channel to its members on this node."""

    def touch(self, channel: str) -> None:
        """Have the store know that a channel is used."""

    def renew(self, channel: str) -> None:
        """Have the store begin a new epoch of a channel, if it keeps messages."""

    def learn(self) -> None:
        """Messages are to be kept from now on."""


@dataclass(slots=True)
class _Place:
    """How far a channel was handed out here."""

    at: Position
    used_at: float
    is_stale: bool = False
    """Something may have been missed. Until the store has answered nothing of the channel is handed out."""
    excluded: dict[Position, Any] = field(default_factory=dict)
    """Who does not get its own message, of those that wait for the answer."""


@dataclass(slots=True)
class _Question:
    """What the store is asked of a channel. `epoch`: that which the clients saw, None where they saw nothing."""

    channel: str
    epoch: str | None
    keep: Keep | None
    clients: list[tuple[Any, Position | None]] = field(default_factory=list)
    is_for_all: bool = False
    """The node itself asks, for all members."""

    @property
    def key(self) -> tuple[str, str | None, bool]:
        """Questions that are alike are one, until it is asked."""
        return self.channel, self.epoch, self.is_for_all


class SharedRecall(Recall):
    """What all nodes keep together. Mutable, one owner."""

    def __init__(
        self,
        wire: Wire,
        clock: Callable[[], float],
        most_bytes: int,
        most_questions: int,
        recovered: Callable[[str], None] = lambda _: None,
        healed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`most_questions`: so many the store is asked at a time; `healed` is called with the number of messages that
        members got late. See `Recall`."""
        super().__init__(wire, clock, None, most_bytes, recovered)
        self._most_questions = most_questions
        self._healed = healed
        self.keeps = False
        """Whether a route that keeps messages is or was served."""
        self._patterns: tuple[str, ...] = ()
        self._reached: dict[str, bool] = {}
        """Whether a pattern covers a channel, of those asked for lately."""
        self._carrier: Carrier | None = None
        self.places: dict[str, _Place] = {}
        """Of channels with members here that keep messages."""
        self._kept: dict[str, Keep] = {}
        """What channels with members here keep, by the routes of these."""
        self._waiting: dict[str, set[Any]] = {}
        """Who waits for the store, by channel; plain clients where they came while it was away."""
        self._questions: dict[tuple[str, str | None, bool], _Question] = {}
        """Those to be asked."""
        self._asked: dict[int, _Question] = {}
        self._number = 0
        self._broken: dict[str, None] = {}
        """Channels of which others may have missed something."""
        self._renewals: list[tuple[float, str]] = []
        """When which channel is to be looked at, a heap."""
        self._reminded: set[str] = set()

    @property
    def recovers(self) -> bool:
        """See `Recall.recovers`: whether it is possible now, clients are told for each channel."""
        return True

    def join(self, carrier: Carrier) -> None:
        """Use this bus; to be called before all else."""
        self._carrier = carrier

    @property
    def _bus(self) -> Carrier:
        assert self._carrier is not None
        return self._carrier

    def serve(self, patterns: Iterable[str]) -> None:
        """Routes that keep messages reach channels of these patterns, on all nodes; there are no others."""
        self._patterns = tuple(dict.fromkeys(patterns))
        self._reached.clear()
        if self._patterns and not self.keeps:
            self.busy = self.keeps = True
            self._bus.learn()

    def _may_keep(self, channel: str) -> bool:
        if channel in self.places:
            return True
        known = self._reached.get(channel)
        if known is None:
            if len(self._reached) >= REACHED_MOST:
                self._reached.clear()
            known = self._reached[channel] = any(matches(pattern, channel) for pattern in self._patterns)
        return known

    # Clients.

    def entered(self, far: Any, channel: str, keep: Keep | None, seen: Position | None) -> None:
        """See `Recall.entered`. Where the store must be asked, the client hears of the channel when it has answered."""
        if keep is not None and channel not in self._kept:
            self._kept[channel] = keep
            self._remind(channel, keep)
        place = self.places.get(channel)
        in_step = place is not None and not place.is_stale
        if not self._bus.is_up:
            self._wait_for_rise(far, channel, seen)
        elif not isinstance(far, Wrapped):
            if keep is not None and place is None:
                self._ask(_Question(channel, None, keep))
        elif far in self._waiting.get(channel, ()):
            pass  # it left and is here again: the answer that comes is for it
        elif place is not None and in_step and seen in (None, place.at):
            tell_joined(far, channel, place.at) if seen is None else self._tell_nothing_missed(far, channel, place.at)
        elif keep is not None or self._may_keep(channel):
            self._waiting.setdefault(channel, set()).add(far)
            self._ask(_Question(channel, None if seen is None else seen.epoch, keep, [(far, seen)]))
        elif seen is not None:
            self._tell_unknown(far, channel)

    def _wait_for_rise(self, far: Any, channel: str, seen: Position | None) -> None:
        """What the node misses until the store is back is for those who were here before: this one may have it."""
        if isinstance(far, Wrapped) and seen is not None:
            self._tell_unknown(far, channel, "down")
        if channel in self._kept or channel in self.places:
            waiting, members = self._waiting.setdefault(channel, set()), self._bus.members(channel)
            waiting.add(far)
            if len(waiting) > 2 * len(members):
                waiting.intersection_update(members)

    def _tell_nothing_missed(self, far: Wrapped, channel: str, at: Position) -> None:
        tell_recovered(far, channel, at, 0)
        self._recovered("complete")

    def left(self, channel: str) -> None:
        """See `Recall.left`: while others are there, the channel's time does not begin."""

    def emptied(self, channel: str) -> None:
        """The last member here has left a channel."""
        place, keep = self.places.pop(channel, None), self._kept.pop(channel, None)
        self._waiting.pop(channel, None)
        if (place is not None or keep is not None) and self._bus.is_up:
            self._bus.touch(channel)

    # Messages on their way to the store.

    def publish(self, channel: str, frame: bytes, keep: Keep | None, sender: Any, send: Callable[[], int]) -> int:
        """See `Recall.publish`. `send` is called where the store keeps nothing of the channel."""
        if keep is None and not self._may_keep(channel):
            return send()
        return self._bus.publish_kept(channel, frame, sender, keep)

    def alone(self, channel: str) -> None:
        """A message of a channel that may keep messages goes to this node's members only."""
        self._broken.pop(channel, None)
        if len(self._broken) >= BROKEN_MOST:
            del self._broken[next(iter(self._broken))]
        self._broken[channel] = None

    # Messages from the store.

    def arrived(self, channel: str, at: Position, sender: Any) -> bool:
        """A message came that has a position; whether it is to be handed out now. `sender`: who does not get it."""
        place = self.places.get(channel)
        if place is None:
            if not self._bus.members(channel):
                return False
            place = self._begin(channel, Position(at.epoch, at.offset - 1))
        elif place.is_stale:
            self._put_off(place, at, sender)
            return False
        elif place.at.epoch != at.epoch:
            self._move(channel, place, Position(at.epoch, at.offset - 1), is_lost=at.offset > 1)
        elif at.offset <= place.at.offset:
            return False
        elif at.offset > place.at.offset + 1:
            place.is_stale = True
            self._put_off(place, at, sender)
            self._heal(channel)
            return False
        place.at = at
        place.used_at = self._clock()
        return True

    @staticmethod
    def _put_off(place: _Place, at: Position, sender: Any) -> None:
        if sender is not None:
            place.excluded[at] = sender

    def passed(self, sender: Any, channel: str, at: Position) -> None:
        """A message was handed out to all but its sender, who is told of its place."""
        if isinstance(sender, Wrapped) and sender not in self._waiting.get(channel, ()):
            sender.tell("passed", channel=channel, offset=at.offset)

    def begun_anew(self, channel: str, epoch: str) -> None:
        """A node has begun a new epoch of a channel, since others missed something of the old one."""
        place, at = self.places.get(channel), Position(epoch, 0)
        if place is not None and not place.is_stale:
            self._move(channel, place, at, is_lost=True)
        elif place is None and self._bus.members(channel):
            self._begin(channel, at)

    def unkept(self, channel: str) -> None:
        """A message came that is not kept, in a channel that keeps messages: nothing holds from here on."""
        place = self.places.get(channel)
        if place is not None and not place.is_stale:
            self._drop(channel)

    def _begin(self, channel: str, at: Position) -> _Place:
        """It shows that a channel keeps messages."""
        place = self.places[channel] = _Place(at, self._clock())
        for far in self._listeners(channel):
            tell_joined(far, channel, at)
        return place

    def _move(self, channel: str, place: _Place, at: Position, *, is_lost: bool) -> None:
        place.at = at
        for far in self._listeners(channel):
            if is_lost:
                far.tell("lost", channel=channel, missed=None, epoch=at.epoch, offset=at.offset)
            else:
                tell_joined(far, channel, at)

    def _drop(self, channel: str) -> None:
        self.places.pop(channel, None)
        for far in self._listeners(channel):
            far.tell("lost", channel=channel, missed=None)

    def _listeners(self, channel: str) -> list[Wrapped]:
        """The clients in a channel that are told where they stand, and do not wait for the store to say it."""
        waiting = self._waiting.get(channel, ())
        members = self._bus.members(channel)
        return [member for member in members if isinstance(member, Wrapped) and member not in waiting]

    def deliver(self, write: Deliver, members: Collection[Any], frame: bytes, exclude: Any) -> int:
        """See `Recall.deliver`. Who waits for the store's answer finds the message there."""
        channel, offset = self._place
        if offset is not None and channel is not None and (waiting := self._waiting.get(channel)):
            members = [member for member in members if member not in waiting]
        return super().deliver(write, members, frame, exclude)

    # Questions.

    def _heal(self, channel: str) -> None:
        self._ask(_Question(channel, None, self._kept.get(channel), is_for_all=True))

    def _ask(self, question: _Question) -> None:
        same = self._questions.get(question.key)
        if same is None:
            self._questions[question.key] = question
            self._go_on()
        else:
            same.clients += question.clients
            same.keep = same.keep or question.keep

    def _go_on(self) -> None:
        """Ask the next questions, as many as may be under way."""
        while self._questions and len(self._asked) < self._most_questions:
            question = self._questions.pop(next(iter(self._questions)))
            self._number += 1
            self._asked[self._number] = question
            self._put(self._number, question)

    def _put(self, number: int, question: _Question) -> None:
        def then(answer: Any) -> None:
            self._answered(number, answer)

        place = self.places.get(question.channel)
        if question.is_for_all:
            seen = place.at if place is not None else None
        else:
            seen = min((seen for _, seen in question.clients if seen is not None), key=_offset, default=None)
        self._bus.read(question.channel, seen, self._most_bytes, question.keep, then)

    def _answered(self, number: int, raw: Any) -> None:
        """Raises ConnectionError where the store refuses."""
        if raw is None:
            raise ConnectionError("it refuses to say what channels keep")
        question, answer = self._asked.pop(number), parse(raw)
        if question.is_for_all:
            self._answered_all(question.channel, answer)
        else:
            self._learn(question, answer)
            for far, seen in question.clients:
                self._stop_waiting(question.channel, far)
                if isinstance(far, Wrapped) and far.is_open and far in self._bus.members(question.channel):
                    self._tell_answer(far, question.channel, seen, answer)
        self._go_on()

    def _learn(self, question: _Question, answer: Answer | None) -> None:
        """What an answer says of the channel itself."""
        channel, place = question.channel, self.places.get(question.channel)
        if place is not None and place.is_stale:
            return
        if answer is None:
            if place is not None:
                self._drop(channel)
        elif place is None:
            if self._bus.members(channel):
                self._begin(channel, answer.at)
        elif place.at.epoch != answer.at.epoch:
            self._move(channel, place, answer.at, is_lost=answer.at.offset > 0)
        elif answer.at.offset > place.at.offset:
            place.is_stale = True
            self._heal(channel)

    def _tell_answer(self, far: Wrapped, channel: str, seen: Position | None, answer: Answer | None) -> None:
        if answer is None:
            if seen is not None:
                self._tell_unknown(far, channel)
        elif seen is None:
            tell_joined(far, channel, answer.at)
        else:
            missed = answer.after(seen, self._most_bytes - far.queued_bytes)
            self._tell_missed(far, channel, answer.at, missed)

    def _stop_waiting(self, channel: str, far: Any) -> None:
        waiting = self._waiting.get(channel)
        if waiting is not None:
            waiting.discard(far)
            if not waiting:
                del self._waiting[channel]

    def _answered_all(self, channel: str, answer: Answer | None) -> None:
        """Hand all members what the node missed."""
        place, members = self.places.get(channel), self._bus.members(channel)
        if not members:
            return
        if answer is None:
            if place is not None:
                self._drop(channel)
            return
        if place is None:
            self._begin(channel, answer.at)
            return
        if not place.is_stale:
            return
        excluded, place.excluded = place.excluded, {}
        place.at, place.used_at, place.is_stale = answer.at, self._clock(), False
        missed = answer.missed
        listeners = self._listeners(channel)
        if missed.lost != 0:
            for far in listeners:
                tell_lost(far, channel, answer.at, missed)
        for offset, frame in missed.messages:
            sender = excluded.get(Position(answer.at.epoch, offset))
            self._bus.hand_out(channel, offset, frame, sender)
        for far in listeners:
            tell_recovered(far, channel, answer.at, len(missed.messages))
        self._healed(len(missed.messages))

    # The store goes and comes.

    def fell(self, flight: Iterable[str]) -> None:
        """The store is lost. `flight`: channels with messages that were on their way to it, and may have come there."""
        questions = [*self._asked.values(), *self._questions.values()]
        self._asked, self._questions = {}, {}
        for question in questions:
            for far, seen in question.clients:
                if seen is not None and far.is_open and far in self._bus.members(question.channel):
                    self._tell_unknown(far, question.channel, "down")
        for place in self.places.values():
            place.is_stale = True
        for channel in flight:
            self.alone(channel)
            if channel not in self.places:
                continue
            # Its members hear the message now, without an offset. Whoever said at another node where it stood before
            # would hear it once more there, if it has come to the store.
            self._drop(channel)

    def rose(self) -> None:
        """The store is back, and all subscriptions are in force."""
        broken, self._broken = self._broken, {}
        for channel in broken:
            self._bus.renew(channel)
        for channel in dict.fromkeys([*self.places, *self._kept]):
            self._heal(channel)
        for channel, waiting in list(self._waiting.items()):
            clients: list[tuple[Any, Position | None]] = [(far, None) for far in waiting]
            self._ask(_Question(channel, None, self._kept.get(channel), clients))

    def _remind(self, channel: str, keep: Keep) -> None:
        """Have `tick` look at a channel in time, once."""
        if channel in self._reminded:
            return
        self._reminded.add(channel)
        heapq.heappush(self._renewals, (self._clock() + keep.ttl / 3, channel))

    def tick(self) -> None:
        """Some time has gone by, the store being there: channels with members are used, also quiet ones."""
        now = self._clock()
        for _ in range(RENEWALS):
            if not self._renewals or self._renewals[0][0] > now:
                return
            _, channel = heapq.heappop(self._renewals)
            self._reminded.remove(channel)
            place, keep = self.places.get(channel), self._kept.get(channel)
            if keep is None:
                continue
            self._remind(channel, keep)
            if place is None or place.used_at + keep.ttl / 3 < now:
                self._bus.touch(channel)


def _offset(seen: Position) -> int:
    return seen.offset
