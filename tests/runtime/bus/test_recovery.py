"""Many nodes on a store that is made up, with virtual time: whatever comes between what, each client hears each message
once and in order, or is told that something is lost."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import pytest

from runtime.bus.recovery import SharedRecall
from runtime.envelope import Position, Wrapped
from runtime.history import Keep, missed_after
from runtime.transport import frames
from tests.runtime.parts import End

ROOM = "room"
KEEP = Keep(12, 60.0)
MUCH = 1 << 20


class Store:
    """One channel of a store: its epoch, its messages, and all that was ever published, in order."""

    def __init__(self) -> None:
        self.epochs = 0
        self.messages: list[bytes] | None = None
        self.published: list[str] = []
        self.nodes: list[Node] = []

    def begin(self) -> None:
        self.epochs += 1
        self.messages = []

    @property
    def epoch(self) -> str:
        return f"e{self.epochs}"

    def append(self, frame: bytes, sender: Any, node: Node, keep: Keep | None) -> None:
        if self.messages is None and keep is not None:
            self.begin()
        self.published.append(str(frames.content_of(frame)))
        at = Position("", 0)
        if self.messages is not None:
            self.messages.append(frame)
            at = Position(self.epoch, len(self.messages))
        for each in self.nodes:
            if each.is_subscribed:
                each.coming.append(("message", frame, at, sender if each is node else None))

    def renew(self) -> None:
        if self.messages is not None:
            self.begin()
            for each in self.nodes:
                if each.is_subscribed:
                    each.coming.append(("begun", self.epoch))

    def answer(self, seen: Position | None, most_bytes: int, keep: Keep | None) -> Any:
        """As the script answers."""
        if self.messages is None:
            if keep is None:
                return [b""]
            self.begin()
        assert self.messages is not None
        last = len(self.messages)
        is_known = seen is not None and seen.epoch == self.epoch and seen.offset <= last
        missed = missed_after(
            seen.offset if is_known and seen else None,
            last,
            reversed(self.messages[-KEEP.size :]),
            most_bytes if seen is not None else 0,
        )
        newest_first = [frame for _, frame in reversed(missed.messages)]
        sizes = b" ".join(b"%d" % len(frame) for frame in newest_first)
        lost = -1 if missed.lost is None else missed.lost
        return [self.epoch.encode(), last, lost, sizes, b"".join(newest_first)]


class Node:
    """A node as its recall sees it. What goes to the store and comes from it waits until the test lets it through."""

    def __init__(self, store: Store, questions: int = 2) -> None:
        self.store = store
        self.is_up = self.is_subscribed = True
        self.going: deque[tuple[Any, ...]] = deque()
        self.coming: deque[tuple[Any, ...]] = deque()
        self.flight: list[tuple[bytes, Any]] = []
        self.room: dict[Any, None] = {}
        self.now = 0.0
        self.touched = 0
        self.results: list[str] = []
        self.healed = 0
        self.recall = SharedRecall(frames, lambda: self.now, MUCH, questions, self.results.append, self._heal)
        self.recall.join(self)
        self.recall.serve([ROOM])
        store.nodes.append(self)

    def _heal(self, messages: int) -> None:
        self.healed += messages

    # `Carrier`.

    def members(self, channel: str) -> Collection[Any]:
        return self.room.keys() if channel == ROOM else ()

    def publish_kept(self, channel: str, frame: bytes, exclude: Any, keep: Keep | None) -> int:
        if not self.is_up:
            self.recall.alone(channel)
            self._write_out(channel, None, frame, exclude)
        else:
            self.flight.append((frame, exclude))
            self.going.append(("append", frame, exclude, keep))
        return len(self.room)

    def read(
        self, channel: str, seen: Position | None, most_bytes: int, keep: Keep | None, then: Callable[[Any], None]
    ) -> None:
        self.going.append(("read", seen, most_bytes, keep, then))

    def hand_out(self, channel: str, offset: int, frame: bytes, exclude: Any) -> None:
        self._write_out(channel, offset, frame, exclude)

    def touch(self, channel: str) -> None:
        self.touched += 1

    def renew(self, channel: str) -> None:
        self.going.append(("renew",))

    def learn(self) -> None:
        return

    def _write_out(self, channel: str, offset: int | None, frame: bytes, exclude: Any) -> None:
        self.recall.placed(
            channel, offset, frame, lambda: self.recall.deliver(self._write, self.room.keys(), frame, exclude)
        )

    @staticmethod
    def _write(members: Collection[Any], frame: bytes, exclude: Any) -> int:
        for member in members:
            if member is not exclude:
                member.send(frame)
        return len(members)

    # What is let through.

    def run_one(self) -> None:
        """Have the store run the next command."""
        match self.going.popleft():
            case ("append", frame, sender, keep):
                self.store.append(frame, sender, self, keep)
            case ("read", seen, most_bytes, keep, then):
                self.coming.append(("answer", then, self.store.answer(seen, most_bytes, keep)))
            case ("renew",):
                self.store.renew()
            case other:
                assert other == ("subscribe",)
                self.is_subscribed = True

    def hear_one(self) -> None:
        """Take the next thing that the store says, as the bus does."""
        match self.coming.popleft():
            case ("answer", then, answer):
                then(answer)
            case ("begun", epoch):
                self.recall.begun_anew(ROOM, epoch)
            case other:
                _, frame, at, sender = other
                self.flight = [letter for letter in self.flight if letter[0] is not frame]
                if not at.offset:
                    self.recall.unkept(ROOM)
                    self._write_out(ROOM, None, frame, sender)
                elif self.room and self.recall.arrived(ROOM, at, sender):
                    self._write_out(ROOM, at.offset, frame, sender)
                    if sender is not None:
                        self.recall.passed(sender, ROOM, at)

    def settle(self) -> None:
        while self.going or self.coming:
            while self.going:
                self.run_one()
            while self.coming:
                self.hear_one()

    # The store is lost, and comes back.

    def fall(self) -> None:
        if not self.is_up:
            return
        self.is_up = self.is_subscribed = False
        self.going.clear()
        self.coming.clear()
        flight, self.flight = self.flight, []
        self.recall.fell([ROOM] if flight else [])
        for frame, sender in flight:
            self._write_out(ROOM, None, frame, sender)

    def rise(self) -> None:
        if not self.is_up:
            self.is_up = True
            self.going.append(("subscribe",))
            self.recall.rose()

    # Clients.

    def say(self, text: str, sender: Any = None, keep: Keep | None = KEEP) -> None:
        self.recall.publish(ROOM, frames.encode_text(text), keep, sender, lambda: 0)

    def enter(self, end: End, seen: Position | None = None, keep: Keep | None = KEEP) -> Wrapped:
        far = Wrapped(end, frames)
        self.recall.opened("id", far)
        self.room[far] = None
        self.recall.entered(far, ROOM, keep, seen)
        return far

    def leave(self, far: Any) -> None:
        far.end.is_open = False
        del self.room[far]
        self.recall.closed()
        if not self.room:
            self.recall.emptied(ROOM)


def kinds(end: End) -> list[Any]:
    """What was heard, shortly: the data of messages, and of all else the type."""
    return [each["data"] if each["type"] == "message" else each["type"] for each in end.heard()]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def node(store: Store) -> Node:
    return Node(store)


def test_who_joins_hears_where_it_stands_when_the_store_has_answered(node: Node) -> None:
    end = End()
    node.enter(end)
    assert kinds(end) == ["welcome"]
    node.say("1")
    node.settle()
    assert end.heard() == [
        {"type": "joined", "channel": ROOM, "epoch": "e1", "offset": 0},
        {"type": "message", "channel": ROOM, "offset": 1, "data": "1"},
    ]
    other = End()
    node.enter(other)
    assert kinds(other) == ["welcome", "joined"], "now the node knows"


def test_what_is_published_between_question_and_answer_comes_once(store: Store, node: Node) -> None:
    far = Node(store)
    stays, end = End(), End()
    node.enter(stays)
    node.settle()
    far.say("1")
    far.settle()
    node.settle()
    gone = node.enter(end, Position("e1", 0))
    far.say("2")
    far.settle()
    node.run_one()
    far.say("3")
    far.settle()
    node.hear_one()
    assert kinds(end) == ["welcome"], "the answer will have it"
    node.settle()
    assert kinds(end) == ["1", "2", "recovered", "3"]
    assert kinds(stays) == ["welcome", "joined", "1", "2", "3"]
    node.leave(gone)
    node.enter(end, Position("e1", 3))
    assert kinds(end) == ["welcome", "recovered"], "who is in step need not ask the store"
    assert node.results == ["complete", "complete"]


def test_many_that_come_back_at_once_ask_once(node: Node) -> None:
    stays = End()
    node.enter(stays)
    for number in range(5):
        node.say(str(number))
    node.settle()
    node.recall._most_questions = 0
    ends = [End() for _ in range(30)]
    for number, end in enumerate(ends):
        node.enter(end, Position("e1", number % 5))
    node.recall._most_questions = 1
    node.recall._go_on()
    assert len(node.going) == 1
    node.settle()
    for number, end in enumerate(ends):
        assert kinds(end) == ["welcome", *map(str, range(number % 5, 5)), "recovered"]


def test_a_gap_is_filled_from_the_store(node: Node) -> None:
    end, plain = End(), End()
    far = node.enter(end)
    node.room[plain] = None
    node.settle()
    node.say("1")
    node.say("2", far)
    node.say("3")
    for _ in range(3):
        node.run_one()
    node.coming.popleft()
    node.settle()
    assert kinds(end) == ["welcome", "joined", "1", "3", "recovered"], "its own message it does not hear"
    assert len(plain.sent) == 3
    assert node.healed == 3


def test_a_message_that_comes_twice_is_handed_out_once(node: Node) -> None:
    end = End()
    node.enter(end)
    node.settle()
    node.say("1")
    node.run_one()
    node.coming.append(node.coming[0])
    node.settle()
    assert kinds(end) == ["welcome", "joined", "1"]


def test_a_store_that_forgets_is_told(store: Store, node: Node) -> None:
    end = End()
    node.enter(end)
    node.say("1")
    node.settle()
    store.messages = None
    node.say("2")
    node.settle()
    assert kinds(end) == ["welcome", "joined", "1", "joined", "2"], "nothing was lost, but the epoch is another one"
    store.messages = None
    other = Node(store)
    other.say("unheard")
    other.settle()
    node.coming.clear()
    other.say("3")
    other.settle()
    node.settle()
    assert kinds(end) == ["lost", "3"]


def test_a_store_without_room_is_told_once(store: Store, node: Node) -> None:
    end = End()
    node.enter(end)
    node.say("1")
    node.settle()
    store.messages = None
    node.going.extend([("append", frames.encode_text(text), None, None) for text in ("2", "3")])
    node.settle()
    assert kinds(end) == ["welcome", "joined", "1", "lost", "2", "3"]


def test_while_the_store_is_away_it_is_said_and_afterwards_all_stand_somewhere(node: Node) -> None:
    stays, back = End(), End()
    node.enter(stays)
    node.say("1")
    node.settle()
    node.fall()
    node.enter(back, Position("e1", 1))
    assert kinds(back) == ["welcome", "lost"]
    node.rise()
    node.settle()
    assert kinds(stays) == ["welcome", "joined", "1", "recovered"]
    assert kinds(back) == ["joined"]
    assert node.results == ["down"]


def test_what_a_node_said_alone_begins_a_new_epoch(store: Store, node: Node) -> None:
    other, ends = Node(store), [End(), End(), End()]
    node.enter(ends[0])
    node.settle()
    other.enter(ends[1])
    other.settle()
    node.fall()
    node.say("alone")
    node.rise()
    node.settle()
    other.settle()
    assert kinds(ends[0]) == ["welcome", "joined", "alone", "lost", "recovered"]
    assert ends[1].heard()[2:] == [{"type": "lost", "channel": ROOM, "missed": None, "epoch": "e2", "offset": 0}]
    other.enter(ends[2], Position("e1", 0))
    other.settle()
    assert kinds(ends[2]) == ["welcome", "lost", "recovered"], "also who was away then"


def test_an_answer_may_show_that_the_store_forgot(store: Store, node: Node) -> None:
    stays, back = End(), End()
    node.enter(stays)
    node.say("1")
    node.settle()
    store.messages = None
    node.enter(back, Position("e1", 0))
    node.settle()
    assert stays.heard()[-1] == {"type": "joined", "channel": ROOM, "epoch": "e2", "offset": 0}
    assert kinds(back) == ["welcome", "lost", "recovered"]
    node.say("2")
    node.settle()
    assert kinds(stays) == kinds(back) == ["2"]


def test_who_came_while_the_store_was_away_does_not_hear_what_others_missed(store: Store, node: Node) -> None:
    far = Node(store)
    stays, moved, new, plain = End(), End(), End(), End()
    node.enter(stays)
    node.settle()
    node.fall()
    far.say("1")
    far.settle()
    node.enter(moved, Position("e1", 1))  # it heard that at the other node
    node.enter(new)
    node.room[plain] = None
    node.recall.entered(plain, ROOM, KEEP, None)
    node.rise()
    node.settle()
    assert kinds(stays) == ["welcome", "joined", "1", "recovered"]
    assert kinds(moved) == ["welcome", "lost", "joined"]
    assert kinds(new) == ["welcome", "joined"]
    assert plain.sent == []
    node.fall()
    node.say("alone")
    for end in (stays, moved, new):
        assert kinds(end) == ["alone"]
    node.rise()
    node.settle()
    for end in (stays, moved, new):
        assert kinds(end) == ["lost", "recovered"]
    far.say("2")
    far.settle()
    node.settle()
    assert kinds(moved) == kinds(new) == kinds(stays) == ["2"]
    assert [str(frames.content_of(frame)) for frame in plain.sent] == ["alone", "2"]
    assert not node.recall._waiting


def test_who_comes_and_goes_while_the_store_is_away_is_forgotten(node: Node) -> None:
    node.enter(End())
    node.settle()
    node.fall()
    for _ in range(50):
        node.leave(node.enter(End()))
    assert len(node.recall._waiting[ROOM]) <= 3
    node.rise()
    node.settle()
    assert not node.recall._waiting


def test_who_waits_for_a_store_that_falls_is_told(node: Node) -> None:
    back, new = End(), End()
    node.enter(back, Position("e1", 1))
    node.enter(new)
    node.fall()
    node.say("alone")
    assert kinds(back) == ["welcome", "lost", "alone"]
    assert kinds(new) == ["welcome", "alone"]
    node.rise()
    node.settle()
    assert kinds(back)[-1] == kinds(new)[-1] == "joined"


def test_a_quiet_channel_with_members_is_kept_in_use(node: Node) -> None:
    far = node.enter(End())
    node.settle()
    for _ in range(10):
        node.now += KEEP.ttl / 3 + 0.1
        node.recall.tick()
    assert node.touched == 10
    node.leave(far)
    assert node.touched == 11
    node.now += KEEP.ttl
    node.recall.tick()
    assert node.touched == 11
    for _ in range(100):
        node.leave(node.enter(End()))
    assert len(node.recall._renewals) <= 1


def test_who_leaves_and_is_back_before_the_answer_waits_for_the_same(store: Store, node: Node) -> None:
    far, end = Node(store), End()
    node.enter(End())
    node.settle()
    far.say("1")
    far.settle()
    node.settle()
    back = node.enter(end, Position("e1", 0))
    del node.room[back]
    node.room[back] = None
    node.recall.entered(back, ROOM, KEEP, None)
    assert len(node.going) == 1
    node.settle()
    far.say("2")
    far.settle()
    node.settle()
    assert kinds(end) == ["welcome", "1", "recovered", "2"]


def test_a_store_that_refuses_counts_as_lost(node: Node) -> None:
    node.enter(End())
    with pytest.raises(ConnectionError):
        node.going[0][-1](None)


def test_channels_that_no_route_keeps_cost_nothing(node: Node) -> None:
    assert node.recall.publish("hall", b"frame", None, None, lambda: 7) == 7
    assert not node.going


class Client:
    """A client that comes back, with a diary of what it heard."""

    def __init__(self) -> None:
        self.end = End()
        self.place: Position | None = None
        self.diary: list[str] = []
        """Texts; `?` where something is lost, or it does not know where it stands; `+` where it begins to know."""

    def read(self, share: float = 1.0) -> None:
        heard = self.end.heard()
        for each in heard[: round(len(heard) * share)]:
            match each:
                case {"type": "message", "data": data}:
                    if self.place is None:
                        self.diary.append("?")  # told lost, and not yet where it stands: nothing is promised
                        continue
                    if "offset" in each:
                        self.place = Position(self.place.epoch, each["offset"])
                    self.diary.append(data)
                case {"type": "lost"}:
                    self.diary.append("?")
                    self.place = Position(each["epoch"], each["offset"]) if "epoch" in each else None
                case {"type": "joined" | "recovered" as kind, "epoch": epoch, "offset": offset}:
                    if kind == "joined" and self.place is None:
                        self.diary.append("+")
                    self.place = Position(epoch, offset)
                case _:
                    assert each["type"] == "welcome"


def judge(diary: list[str], published: list[str]) -> None:
    """Nothing twice, all in the store's order, nothing missing without a word. What a node said alone has no order.

    Who was told that nobody knows what is lost begins anew where it hears where it stands: `+`."""
    place = {text: number for number, text in enumerate(published)}
    heard: set[str] = set()
    before, excused = -1, True
    for text in diary:
        if text == "+":
            heard, before, excused = set(), -1, True
        elif text == "?":
            excused = True
        else:
            assert text not in heard, "twice"
            heard.add(text)
            if text in place:
                assert place[text] > before, "out of order"
                assert excused or place[text] == before + 1, "lost in silence"
                before, excused = place[text], False


@pytest.mark.parametrize("seed", range(60))
def test_over_many_cuts_each_message_comes_once_or_is_told_lost(seed: int) -> None:
    chance = random.Random(seed)
    store = Store()
    nodes = [Node(store, chance.choice([1, 2, 8])) for _ in range(3)]
    clients = [Client() for _ in range(4)]
    at: dict[int, tuple[Node, Wrapped]] = {}
    faults = seed % 3
    """0: only cuts; 1: nodes lose the store; 2: the store forgets as well."""
    said = cuts = 0

    def come(number: int) -> None:
        node, client = chance.choice(nodes), clients[number]
        client.end = End()
        if client.place is None:
            client.diary.append("+")
        at[number] = node, node.enter(client.end, client.place)

    def go(number: int) -> None:
        node, far = at.pop(number)
        clients[number].read(chance.choice([1.0, 1.0, chance.random()]))
        node.leave(far)

    for _ in range(700):
        match chance.choices(["say", "run", "hear", "cut", "come", "fall", "rise", "forget"], [4, 9, 9, 1, 3, 1, 4, 1])[
            0
        ]:
            case "say":
                said += 1
                chance.choice(nodes).say(str(said))
            case "run":
                ready = [node for node in nodes if node.going]
                if ready:
                    chance.choice(ready).run_one()
            case "hear":
                ready = [node for node in nodes if node.coming]
                if ready:
                    chance.choice(ready).hear_one()
            case "cut" if at:
                cuts += 1
                go(chance.choice(list(at)))
            case "come":
                away = [number for number in range(len(clients)) if number not in at]
                if away:
                    come(chance.choice(away))
            case "fall" if faults and chance.random() < 0.2:
                node = chance.choice(nodes)
                for _ in range(chance.randrange(len(node.going) + 1)):
                    node.run_one()
                node.fall()
            case "rise":
                chance.choice(nodes).rise()
            case "forget" if faults == 2 and chance.random() < 0.1:
                for node in nodes:
                    while node.going:
                        node.run_one()
                    node.fall()
                store.messages = None
            case _:
                pass
    for node in nodes:
        node.rise()
    for number in range(len(clients)):
        if number not in at:
            come(number)
    for _ in range(3):
        for node in nodes:
            node.settle()
    nodes[0].say("end")
    for _ in range(3):
        for node in nodes:
            node.settle()
    for client in clients:
        client.read()
        assert client.diary[-1] == "end", "nobody waits for ever"
        judge(client.diary, store.published)
    assert cuts > 5
    if not faults:
        assert max(len(client.diary) for client in clients) > 20
        for client in clients:
            first = next(number for number, text in enumerate(client.diary) if text != "+")
            assert "+" not in client.diary[first:], "it knew where it stood"
