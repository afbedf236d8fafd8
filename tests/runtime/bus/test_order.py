"""Numbers, flights, verdicts and patience, without a store; and a store that is only a list, with everything that can
happen to it, against the promise of one order."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from runtime.bus.order import Incoming, Letter, Outgoing, Patience, Pulse, Stamp, Verdict


def letter(frame: bytes = b"x", topic: str = "t", awaited: bool = True) -> Letter[str]:
    return Letter(topic, frame, None, awaited)


def outgoing(most: int = 100, remembered: int = 100) -> Outgoing[str]:
    return Outgoing(most, 1000, remembered)


def test_a_message_names_the_one_before_it_in_its_topic() -> None:
    out = outgoing()
    stamps = [out.depart(letter(topic=topic)) for topic in "aba"]
    assert stamps == [Stamp(1, 1, 0), Stamp(1, 2, 0), Stamp(1, 3, 1)]


def test_a_message_comes_back_once() -> None:
    out = outgoing()
    sent = letter()
    stamp = out.depart(sent)
    assert out.returned(stamp.epoch, stamp.number) is sent
    assert out.returned(stamp.epoch, stamp.number) is None
    assert len(out) == 0


def test_what_is_not_awaited_is_done_with_when_it_is_answered() -> None:
    out = outgoing()
    for awaited in (True, False):
        out.depart(letter(awaited=awaited))
    for number in (1, 2, 3):
        out.answered(number)
    assert len(out) == 1


def test_the_flight_is_bounded_by_number_and_size() -> None:
    out = outgoing(most=1)
    out.depart(letter())
    assert not out.is_full
    out.depart(letter())
    assert out.is_full
    large = outgoing()
    large.depart(letter(bytes(1001)))
    assert large.is_full


def test_falling_gives_the_flight_in_order_and_begins_an_epoch() -> None:
    out = outgoing()
    for frame in (b"1", b"2"):
        out.depart(letter(frame))
    out.depart(letter(b"3", awaited=False))
    out.kept()
    assert [one.frame for one in out.fall()] == [b"1", b"2"]
    assert out.epoch == 2
    assert out.returned(1, 1) is None
    assert (out.rise(), out.rise()) == (4, 0)
    assert out.depart(letter()) == Stamp(2, 4, 0)


def test_topics_that_are_forgotten_begin_anew() -> None:
    out = outgoing(remembered=1)
    incoming = Incoming()
    stamps = [(topic, out.depart(letter(topic=topic))) for topic in "aaba"]
    assert [stamp.previous for _, stamp in stamps] == [0, 1, 0, 0]
    assert {incoming.judge("n", topic, stamp) for topic, stamp in stamps} == {Verdict.FRESH}


def test_verdicts() -> None:
    incoming = Incoming()
    cases = [
        (Stamp(1, 5, 3), Verdict.FRESH),
        (Stamp(1, 6, 5), Verdict.FRESH),
        (Stamp(1, 6, 5), Verdict.REPEATED),
        (Stamp(1, 9, 8), Verdict.BEHIND_GAP),
        (Stamp(2, 10, 0), Verdict.FRESH),
        (Stamp(1, 10, 9), Verdict.STALE),
    ]
    assert [incoming.judge("n", "t", stamp) for stamp, _ in cases] == [verdict for _, verdict in cases]
    incoming.leave("t")
    assert incoming.judge("n", "t", Stamp(2, 14, 12)) is Verdict.FRESH


def test_a_fence_ends_older_epochs() -> None:
    incoming = Incoming()
    assert incoming.heard("n", 1)
    assert incoming.heard("n", 2)
    assert not incoming.heard("n", 1)
    assert incoming.judge("n", "t", Stamp(1, 1, 0)) is Verdict.STALE
    incoming.forget("n")
    assert "n" not in incoming
    assert list(incoming) == []


def test_a_node_that_is_quiet_is_lost_once() -> None:
    incoming = Incoming()
    incoming.heard("n", 1)
    incoming.heard("m", 1)
    assert incoming.tick(2) == []
    assert incoming.tick(2) == []
    incoming.heard("m", 1)
    assert incoming.tick(2) == ["n"]
    incoming.restart()
    assert incoming.tick(2) == []
    assert incoming.tick(2) == []
    assert incoming.tick(2) == ["m"]


def test_patience_ends_when_one_command_waits_too_long() -> None:
    patience = Patience(3)
    assert patience.tick()
    patience.ask()
    assert [patience.tick() for _ in range(4)] == [True, True, True, False]
    patience.patient(100)
    assert patience.tick()


def test_patience_is_not_used_up_by_many_commands_that_are_answered() -> None:
    patience = Patience(3)
    patience.ask()
    for _ in range(50):
        patience.ask()
        assert patience.tick()
        patience.answer()
    assert patience.waiting == 1


# A store as a list: what each node's connection gave it, and what it ran.


@dataclass
class Connection:
    given: list[tuple[str, int, int, str]]
    """`kill`, `fence`, `risen` or `message` with epoch, number and text, or `subscribe`; not run yet."""
    older: list[Connection] = field(default_factory=list)
    """What its first command ends."""
    heard: int | None = None
    """How much of the store's log this connection got; None before it subscribed."""


@dataclass
class Node:
    name: str
    out: Outgoing[str] = field(default_factory=lambda: Outgoing(1000, 10**6))
    incoming: Incoming = field(default_factory=Incoming)
    connection: Connection | None = None
    connections: list[Connection] = field(default_factory=list)
    is_up: bool = False
    said: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    """How much was seen when a gap was told."""


class World:
    """Nodes with one channel each of them hears, and a store that may run late what it was given."""

    def __init__(self) -> None:
        self.nodes = [Node(name) for name in "ABC"]
        self.connections: list[Connection] = []
        self.log: list[tuple[str, str, int, int, str]] = []
        self.count = 0

    def connect(self, node: Node) -> None:
        if node.connection is None:
            older = list(node.connections)
            node.connection = Connection(
                [("kill", 0, 0, ""), ("fence", node.out.epoch, 0, ""), ("subscribe", 0, 0, "")], older
            )
            node.connections.append(node.connection)
            self.connections.append(node.connection)

    def publish(self, node: Node) -> None:
        self.count += 1
        text = f"{node.name}{self.count}"
        node.said.append(text)
        if not node.is_up or node.connection is None:
            node.out.kept()
            node.seen.append(text)
            return
        stamp = node.out.depart(Letter("t", text.encode(), None, True))
        node.connection.given.append(("message", stamp.epoch, stamp.number, text))

    def run(self, connection: Connection, owner: str) -> None:
        if not connection.given:
            return
        kind, epoch, number, text = connection.given.pop(0)
        if kind == "kill":
            for older in connection.older:
                older.given.clear()
        elif kind == "subscribe":
            connection.heard = len(self.log)
        else:
            self.log.append((kind, owner, epoch, number, text))

    def hear(self, node: Node) -> None:
        connection = node.connection
        if connection is None or connection.heard is None:
            return
        if not node.is_up:
            alone = node.out.rise()
            node.is_up = True
            node.gaps.append(len(node.seen))
            connection.given.append(("risen", node.out.epoch, alone, ""))
        if connection.heard == len(self.log):
            return
        kind, source, epoch, number, text = self.log[connection.heard]
        connection.heard += 1
        if source == node.name:
            if kind == "message" and node.out.returned(epoch, number) is not None:
                node.seen.append(text)
        elif kind == "message":
            if node.incoming.judge(source, "t", Stamp(epoch, number, 0)) is Verdict.FRESH:
                node.seen.append(text)
        elif node.incoming.heard(source, epoch) and kind == "risen" and number:
            node.gaps.append(len(node.seen))

    def fall(self, node: Node) -> None:
        if node.connection is not None:
            node.connection.heard = None
            node.connection = None
            node.is_up = False
            node.incoming.restart()
            node.seen += [letter.frame.decode() for letter in node.out.fall()]


STEPS = ("publish",) * 5 + ("run",) * 6 + ("hear",) * 6 + ("late",) * 2 + ("fall", "connect", "connect")


@given(st.integers(0, 2**32))
def test_one_order_no_repetition_no_silent_loss(seed: int) -> None:
    # A list of steps from hypothesis is mostly short, and what goes wrong here takes many.
    chance = Random(seed)
    steps = [(chance.choice(STEPS), chance.randrange(60)) for _ in range(200)]
    world = World()
    owners: dict[int, str] = {}
    finish(world, owners)
    for step, number in steps:
        node = world.nodes[number % 3]
        for one in world.nodes:
            if one.connection is not None:
                owners[id(one.connection)] = one.name
        match step:
            case "publish":
                world.publish(node)
            case "run" if node.connection is not None:
                world.run(node.connection, node.name)
            case "late":
                old = world.connections[number % len(world.connections)]
                world.run(old, owners[id(old)])
            case "hear":
                world.hear(node)
            case "fall":
                world.fall(node)
            case "connect":
                world.connect(node)
            case _:
                pass
    finish(world, owners)
    for node in world.nodes:
        assert len(node.seen) == len(set(node.seen))
        assert [text for text in node.seen if text in node.said] == node.said
    for one in world.nodes:
        for other in world.nodes:
            shared = set(one.seen) & set(other.seen)
            assert [m for m in one.seen if m in shared] == [m for m in other.seen if m in shared]
            assert_no_silent_loss(one, other)


def finish(world: World, owners: dict[int, str]) -> None:
    """Let the store run everything, and everybody rise and hear everything; then everybody says one thing more."""
    for _ in range(3):
        for node in world.nodes:
            world.publish(node)
            world.connect(node)
            assert node.connection is not None
            owners[id(node.connection)] = node.name
        for _ in range(4):
            for connection in world.connections:
                while connection.given:
                    world.run(connection, owners[id(connection)])
            for node in world.nodes:
                for _ in range(len(world.log) + 2):
                    world.hear(node)


def assert_no_silent_loss(sender: Node, hearer: Node) -> None:
    """Of one node's messages, as it saw them: where another one missed some, it was told of a gap in between."""
    seen = {text: place for place, text in enumerate(hearer.seen)}
    before, missed = 0, False
    for text in (text for text in sender.seen if text.startswith(sender.name)):
        if text not in seen:
            missed = True
            continue
        if missed:
            assert any(before <= place <= seen[text] for place in hearer.gaps), (text, hearer.gaps)
        before, missed = seen[text] + 1, False


def test_the_pulse_is_as_slow_as_its_latest_beat() -> None:
    pulse = Pulse()
    assert pulse.lag(5.0) == 0
    pulse.heard(pulse.beat(10.0), 10.25)
    assert (pulse.missing, pulse.lag(99.0)) == (0, 0.25)


def test_a_beat_that_is_missing_counts_from_when_it_was_sent() -> None:
    pulse = Pulse()
    pulse.heard(pulse.beat(10.0), 10.25)
    pulse.beat(11.0)
    last = pulse.beat(12.0)
    assert (pulse.missing, pulse.lag(11.1), pulse.lag(13.0)) == (2, 0.25, 2.0)
    pulse.heard(last, 13.0)
    assert (pulse.missing, pulse.lag(20.0)) == (0, 1.0)


def test_what_is_missing_when_the_store_is_lost_stays_so_until_one_comes_back() -> None:
    pulse = Pulse()
    pulse.heard(pulse.beat(10.0), 10.5)
    pulse.lost(11.0)
    assert pulse.lag(13.0) == 2.0
    pulse.restart()
    number = pulse.beat(14.0)
    assert (number, pulse.missing, pulse.lag(15.0)) == (1, 1, 4.0)
    pulse.heard(number, 15.0)
    assert pulse.lag(20.0) == 1.0


def test_what_is_in_flight_is_measured() -> None:
    outgoing: Outgoing[str] = Outgoing(10, 100)
    stamp = outgoing.depart(Letter("t", b"12345", None, True))
    assert outgoing.bytes == 5
    outgoing.returned(stamp.epoch, stamp.number)
    assert outgoing.bytes == 0
