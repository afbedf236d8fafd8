"""Effects are performed: frames, channels, the close, the log, the sleep."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from compiler.diagnostics import codes
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, OutsideManifest
from compiler.language.hooks import INPUTS
from compiler.language.values import Value
from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime import interpreter, translator
from runtime.bounds import bounds_of
from runtime.bus.local import LocalBus
from runtime.channels import Hub
from runtime.events import Event, Events, FrameOut, LogLine
from runtime.host import BATCH_BYTES, Far, Host, Node, Surroundings, hand_over_all
from runtime.limits import ServerLimits
from runtime.loader import link
from runtime.seam import Context, Engine
from runtime.services import OUTSIDE, Addresses, Services
from runtime.transport import frames
from tests.assembly import NO_MANIFEST

ENGINES: tuple[Engine, ...] = (interpreter.build_hook, translator.build_hook)


class End:
    """The far end of a connection: keeps what it is sent."""

    def __init__(self) -> None:
        self.is_open = True
        self.frames: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def send_all(self, frames: Sequence[bytes]) -> None:
        self.frames.extend(frames)


class Running:
    """The connection whose hook runs, and what it is asked."""

    def __init__(self, connection_id: str, far: End, events: Events) -> None:
        self.connection_id = connection_id
        self._events = events
        self.route_name = "test"
        self.hook = "on_message"
        self.runs = 1
        self.source_name = "test.yaml"
        self.joins_by_publishing = True
        self.has_departed = False
        self.far = far
        self.closed: list[tuple[int, str]] = []
        self.slept: list[float] = []
        self.called: list[tuple[Any, ...]] = []
        self.rejected: list[tuple[int, str]] = []

    @property
    def followed(self) -> bool:
        return self._events.is_followed(self.connection_id)

    def reject(self, status: int, reason: str) -> None:
        self.rejected.append((status, reason))

    def shut(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))
        self.far.is_open = False

    async def _rest(self) -> None:
        return

    async def call(self, effect: str, *arguments: Any) -> Value:
        self.called.append((effect, *arguments))
        return None

    def sleep(self, seconds: float) -> Awaitable[None]:
        self.slept.append(seconds)
        return self._rest()


class Server:
    """A node with its connections, without a wire."""

    def __init__(self, *names: str) -> None:
        self.hub: Hub[Far] = Hub(2)
        self.events = Events()
        services = Services(Addresses(), ServerLimits())
        self.node = Node(self.hub, LocalBus(self.hub, self.deliver), frames, self.events, services)
        self.far = {name: End() for name in names}
        self.runs = {name: Running(name, self.far[name], self.events) for name in names}
        self.hosts = {name: Host(self.node, self.far[name], self.runs[name]) for name in names}
        for name, far in self.far.items():
            self.hub.enter(name, far)

    @staticmethod
    def deliver(members: Collection[Far], frame: bytes, exclude: Far | None) -> int:
        chosen = [member for member in members if member is not exclude]
        for member in chosen:
            member.send(frame)
        return len(chosen)

    def heard(self, name: str) -> list[bytes]:
        """The payloads of the short frames that a connection got since the last time."""
        got, self.far[name].frames = self.far[name].frames, []
        return [frame[2:] for frame in got]


def refuse(host: Host, effect: str, *arguments: Value) -> Fault:
    """The fault that an effect raises."""
    with pytest.raises(Fault) as caught:
        host.emit(effect, *arguments)
    return caught.value


def test_send_reaches_this_connection() -> None:
    server = Server("a", "b")
    assert server.hosts["a"].emit("send", "hi", False) == 1
    assert (server.heard("a"), server.heard("b")) == ([b"hi"], [])
    server.far["a"].is_open = False
    assert server.hosts["a"].emit("send", "hi", False) == 0
    assert server.heard("a") == []


def test_answers_of_a_batch_wait_and_keep_their_place() -> None:
    server = Server("a")
    answers: list[bytes] = []
    emit = server.hosts["a"].batching(answers)
    assert [emit("send", text, False) for text in ("1", "2")] == [1, 1]
    assert (server.heard("a"), [frame[2:] for frame in answers]) == ([], [b"1", b"2"])
    assert emit("publish", "3", False, False, "room") == 1
    assert (server.heard("a"), answers) == ([b"1", b"2", b"3"], [])
    assert [emit("send", "4", False), emit("send", "NQ==", True)] == [1, 1]
    assert (server.heard("a"), answers) == ([b"4", b"5"], [])
    with pytest.raises(Fault):
        emit("send", "\ud800", False)
    emit("send", "6", False)
    emit("close", 1000, "")
    assert emit("send", "7", False) == 0
    assert (server.heard("a"), answers) == ([b"6"], [])


def test_a_batch_keeps_no_more_than_some_answers() -> None:
    server = Server("a")
    answers: list[bytes] = []
    emit = server.hosts["a"].batching(answers)
    most = 0
    for _ in range(1_000):
        emit("send", "x" * 1_000, False)
        most = max(most, sum(map(len, answers)))
    assert most <= BATCH_BYTES
    hand_over_all(server.far["a"], answers)
    assert len(server.heard("a")) == 1_000


def test_send_to_another_by_id() -> None:
    server = Server("a", "b")
    assert server.hosts["a"].emit("send_to", "hi", False, "b") == 1
    assert server.hosts["a"].emit("send_to", "hi", False, "nobody") == 0
    assert (server.heard("a"), server.heard("b")) == ([], [b"hi"])


@pytest.mark.parametrize(("exclude", "recipients"), [(False, 3), (True, 2)])
def test_broadcast_reaches_everybody(exclude: bool, recipients: int) -> None:
    server = Server("a", "b", "c")
    assert server.hosts["a"].emit("broadcast", "hi", False, exclude) == recipients
    assert server.heard("a") == ([] if exclude else [b"hi"])
    assert server.heard("b") == server.heard("c") == [b"hi"]


def test_publishing_joins_the_sender() -> None:
    server = Server("a", "b")
    assert server.hosts["a"].emit("publish", "1", False, False, "room") == 1
    assert server.hosts["b"].emit("publish", "2", False, True, "room") == 1
    assert server.hosts["b"].emit("publish", "3", False, False, "room") == 2
    assert (server.heard("a"), server.heard("b")) == ([b"1", b"2", b"3"], [b"3"])


def test_publishing_joins_nobody_where_membership_is_explicit_or_over() -> None:
    server = Server("a")
    server.runs["a"].joins_by_publishing = False
    assert server.hosts["a"].emit("publish", "1", False, False, "room") == 0
    assert server.hub.size("room") == 0


def test_a_frame_is_encoded_once_for_all() -> None:
    server = Server("a", "b")
    server.hosts["a"].emit("broadcast", "x" * 1000, False, False)
    assert server.far["a"].frames[0] is server.far["b"].frames[0]


def test_a_frame_that_cannot_be_made_reaches_nobody_and_joins_nothing() -> None:
    server = Server("a", "b")
    assert refuse(server.hosts["a"], "broadcast", "\ud800", False, False).kind is codes.SEND_REFUSED
    assert refuse(server.hosts["a"], "publish", "no base64", True, False, "room").kind is codes.SEND_REFUSED
    assert refuse(server.hosts["a"], "send", 5, False).kind is codes.TYPE_ERROR
    assert server.heard("a") == server.heard("b") == []
    assert server.hub.size("room") == 0


def test_binary_frames() -> None:
    server = Server("a")
    server.hosts["a"].emit("send", "AP8=", True)
    assert server.far["a"].frames == [frames.encode_binary(b"\x00\xff")]


@pytest.mark.parametrize("text", ["AP8", "A P8=", "ÄÖ==", "AP8=\n", "-_8="])
def test_bad_base64(text: str) -> None:
    assert refuse(Server("a").hosts["a"], "send", text, True).kind is codes.SEND_REFUSED


@pytest.mark.parametrize(
    ("value", "text"), [("a", b"a"), (5, b"5"), (True, b"true"), ([1, "x"], b'[1,"x"]'), ({"k": None}, b'{"k":null}')]
)
def test_what_a_hook_returned(value: Value, text: bytes) -> None:
    server = Server("a")
    server.hosts["a"].reply(value)
    assert server.heard("a") == [text]


def test_joining_and_leaving_reply_the_members() -> None:
    server = Server("a", "b")
    assert server.hosts["a"].emit("subscribe", "room") == 1
    assert server.hosts["b"].emit("subscribe", "room") == 2
    assert server.hosts["b"].emit("subscribe", "room") == 2
    assert server.hosts["a"].emit("unsubscribe", "room") == 1
    assert server.hosts["a"].emit("unsubscribe", "room") == 1


def test_too_many_channels() -> None:
    server = Server("a")
    for channel in "12":
        server.hosts["a"].emit("subscribe", channel)
    assert refuse(server.hosts["a"], "subscribe", "3").kind is codes.CHANNEL_LIMIT
    assert refuse(server.hosts["a"], "publish", "hi", False, False, "3").kind is codes.CHANNEL_LIMIT
    assert server.heard("a") == []


def test_who_has_left_joins_nothing() -> None:
    server = Server("a")
    server.runs["a"].has_departed = True
    assert server.hosts["a"].emit("subscribe", "room") == 0


@pytest.mark.parametrize("code", [1000, 3000, 4999, "4000"])
def test_close(code: Value) -> None:
    server = Server("a")
    assert server.hosts["a"].emit("close", code, "bye") == 1
    assert server.hosts["a"].emit("close", code, "again") == 0
    assert server.runs["a"].closed == [(int(code), "bye")]  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [1001, 1005, 2999, 5000, 0, 3000.5])
def test_close_codes_that_are_not_for_routes(code: Value) -> None:
    assert refuse(Server("a").hosts["a"], "close", code, "").kind is codes.BAD_ARGUMENT


def test_a_close_reason_has_room_for_123_bytes() -> None:
    server = Server("a")
    assert refuse(server.hosts["a"], "close", 1000, "é" * 62).kind is codes.BAD_ARGUMENT
    assert server.hosts["a"].emit("close", 1000, "é" * 61 + "e") == 1


@pytest.mark.parametrize(("duration", "seconds"), [(0, 0), (1500, 1.5), ("20", 0.02)])
async def test_sleep(duration: Value, seconds: float) -> None:
    server = Server("a")
    await server.hosts["a"].emit("sleep", duration)
    assert server.runs["a"].slept == [seconds]


@pytest.mark.parametrize(
    ("duration", "kind"),
    [(-1, codes.BAD_ARGUMENT), (0.5, codes.BAD_ARGUMENT), (None, codes.TYPE_ERROR), (True, codes.TYPE_ERROR),
     ("soon", codes.TYPE_ERROR), ([], codes.TYPE_ERROR)],
)  # fmt: skip
def test_durations_that_are_none(duration: Value, kind: codes.Code) -> None:
    assert refuse(Server("a").hosts["a"], "sleep", duration).kind is kind


def test_the_log_is_an_event() -> None:
    server, heard = Server("a"), list[Event]()
    server.events.subscribe(heard.append)
    assert server.hosts["a"].emit("log", "warn", "line\x1b[2J") is None
    assert heard == [LogLine("a", "test", "on_message", "warn", "line\x1b[2J")]


def test_frames_are_events_for_those_who_want_details() -> None:
    server, heard = Server("a", "b"), list[Any]()
    server.events.subscribe(heard.append, detailed=True)
    server.hosts["a"].emit("send", "1", False)
    server.hosts["a"].emit("send_to", "2", False, "b")
    server.hosts["a"].emit("broadcast", "AA==", True, False)
    server.hosts["a"].emit("publish", "4", False, False, "room")
    assert heard == [
        FrameOut("a", "test", "a", 1, "1", "on_message", 1, "test.yaml"),
        FrameOut("a", "test", "b", 1, "2", "on_message", 1, "test.yaml"),
        FrameOut("a", "test", "everybody", 2, b"\x00", "on_message", 1, "test.yaml"),
        FrameOut("a", "test", "channel room", 1, "4", "on_message", 1, "test.yaml"),
    ]


def test_who_watches_a_connection_hears_the_frames_that_reach_it() -> None:
    server, heard = Server("a", "b", "c"), list[Any]()
    end = server.events.watch("b", heard.append)
    host = server.hosts["a"]
    host.emit("send", "own", False)
    host.emit("send_to", "to b", False, "b")
    host.emit("send_to", "to c", False, "c")
    host.emit("broadcast", "all", False, False)
    host.emit("publish", "not in it", False, False, "room")
    server.hosts["b"].emit("subscribe", "room")
    host.emit("publish", "in it", False, False, "room")
    server.hosts["b"].emit("broadcast", "all others", False, True)
    assert [frame.payload for frame in heard] == ["to b", "all", "in it"]
    end()
    host.emit("send_to", "unwatched", False, "b")
    assert len(heard) == 3


def test_messages_to_channels_are_counted_while_somebody_looks() -> None:
    server = Server("a")
    server.hosts["a"].emit("publish", "1", False, False, "room")
    end = server.events.measure()
    for channel in ("room", "room", "hall"):
        server.hosts["a"].emit("publish", "2", False, False, channel)
    end()
    server.hosts["a"].emit("publish", "3", False, False, "room")
    assert server.node.traffic == {"room": 2, "hall": 1}


@pytest.mark.parametrize("engine", ENGINES, ids=["interpreter", "translator"])
@pytest.mark.parametrize("waits", [False, True])
def test_a_frame_names_the_line_that_sent_it(engine: Engine, waits: bool) -> None:
    source = [
        "name: Two", "path: /ws/two", "route_type: WebSocket", "ws_hooks:", "  on_message:",
        "    - WsOp: {command: send, message: first}", "    - Sleep: {duration_ms: 0}" if waits else "",
        "    - If:", "        condition: '{{ true }}'", "        then:",
        "          - WsOp: {command: send, message: '{{ [1, 2] | map(\\'item + 1\\') }}'}",
    ]  # fmt: skip
    compilation = compile_source("two.yaml", "\n".join(source).replace("\\'", "''").encode(), CompilerSettings())
    assert compilation.program is not None
    server, heard = Server("a"), list[Any]()
    server.runs["a"].source_name = "two.yaml"
    server.events.watch("a", heard.append)
    route = link(compilation.program, Context(Surroundings(server.hub)), engine).routes[0]
    outcome = route.hooks["on_message"]([None] * len(INPUTS), [], server.hosts["a"].emit)
    if waits:
        asyncio.run(_outcome(outcome))
    assert [(frame.file, frame.line) for frame in heard] == [("two.yaml", 6), ("two.yaml", 11)]


async def _outcome(waiting: Any) -> Any:
    return await waiting


def test_every_effect_is_performed() -> None:
    host = Server("a").hosts["a"]
    for effect in EFFECTS.values():
        if effect.name in OUTSIDE:
            asyncio.run(_outcome(host.emit(effect.name, *[None] * effect.arity)))
        else:
            with pytest.raises((Fault, TypeError, ValueError, AttributeError)):
                host.emit(effect.name, *[object()] * (effect.arity + 1))


PUBLISHED = ("publish", "hi", False, False)


def bounded(**names: Any) -> Server:
    server = Server("a", "b")
    server.hosts["a"].bounds = bounds_of(replace(NO_MANIFEST, **names))
    return server


@pytest.mark.parametrize(
    ("names", "inside", "beyond"),
    [
        ({"channels": ("room-*", "hall")}, (*PUBLISHED, "room-1"), (*PUBLISHED, "roo")),
        ({"channels": ("room-*", "hall")}, (*PUBLISHED, "hall"), ("publish", "hi", False, True, "hall-1")),
        ({"channels": ("room-*",)}, ("subscribe", "room-1"), ("subscribe", "x")),
        ({"channels": ("room-*",)}, ("unsubscribe", "room-1"), ("unsubscribe", "x")),
        ({"keys": ("user:*",)}, ("redis", "GET", "user:1", None, None), ("redis", "GET", "admin:1", None, None)),
        (
            {"statements": ("SELECT 1",)},
            ("sql", "SELECT 1", None, "query", "all"),
            ("sql", "SELECT 2", None, "query", "all"),
        ),
        (
            {"hosts": ("api.example",)},
            ("http", "GET", "https://API.example/x", None, None, 5000),
            ("http", "GET", "https://api.example.evil.test/x", None, None, 5000),
        ),
        (
            {"hosts": ("xn--bcher-kva.example",)},
            ("http", "GET", "https://bücher.example/x", None, None, 5000),
            ("http", "GET", "https://api.example\\.evil.test/x", None, None, 5000),
        ),
    ],
)
def test_a_program_asks_for_what_its_manifest_names_and_for_nothing_else(
    names: dict[str, Any], inside: tuple[Any, ...], beyond: tuple[Any, ...]
) -> None:
    server = bounded(**names)
    host, run = server.hosts["a"], server.runs["a"]
    reply = host.emit(*inside)
    if asyncio.iscoroutine(reply):
        asyncio.run(_outcome(reply))
        assert run.called == [inside]
    before = len(run.called), len(server.far["a"].frames), server.hub.channels_of(server.far["a"])
    with pytest.raises(OutsideManifest) as caught:
        host.emit(*beyond)
    assert caught.value.operands
    assert (len(run.called), len(server.far["a"].frames), server.hub.channels_of(server.far["a"])) == before


def test_membership_is_bounded_too() -> None:
    server = bounded(channels=("room-*",))
    server.hosts["a"].join("room-1")
    with pytest.raises(OutsideManifest):
        server.hosts["a"].join("x")
    assert (server.hub.size("room-1"), server.hub.size("x")) == (1, 0)


def test_who_has_left_learns_nothing_of_other_channels() -> None:
    server = bounded(channels=("room-*",))
    server.runs["a"].has_departed = True
    assert server.hosts["a"].emit("subscribe", "room-1") == 0
    with pytest.raises(OutsideManifest):
        server.hosts["a"].emit("subscribe", "x")


def test_an_address_that_is_none_is_refused_as_before() -> None:
    server = bounded(hosts=("api.example",))
    assert refuse(server.hosts["a"], "http", "GET", "ftp://api.example/", None, None, 5000).kind is codes.HTTP_REFUSED


def test_the_moment() -> None:
    hub: Hub[str] = Hub(128)
    hub.enter("a", "A")
    hub.join("a", "A", "room")
    moment = Surroundings(hub, frozenset({"SEEN", "UNSET"}), {"SEEN": "yes", "HIDDEN": "no"})
    assert [moment.environment(name) for name in ("SEEN", "HIDDEN", "UNSET")] == ["yes", None, None]
    assert (moment.connections(), moment.channel_size("room"), moment.members("room")) == (1, 1, ["a"])
    moment.elsewhere.replace("n2", 1, 5, {"room": ["z"]})
    assert (moment.connections(), moment.channel_size("room"), moment.members("room")) == (6, 2, ["a", "z"])
    assert len(moment.random_bytes(16)) == 16
    assert moment.now() > 1_700_000_000
    assert re.fullmatch("[0-9.]+", str(moment.now()))
