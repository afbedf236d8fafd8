"""Codecs over real connections: conversations, what hostile payloads do to others, binary frames, reload."""

from __future__ import annotations

import asyncio
import json
import random
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.events import Event, FrameIn, FrameOut, LogLine
from runtime.loader import link
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings

ROOM = """\
name: Room
path: /ws/room
route_type: WebSocket
codec: CODEC
ws_hooks:
  on_message:
    - If:
        condition: "{{ type(message) == 'object' && message.whisper }}"
        then:
          - Return: {value: "{{ message.whisper }}"}
    - WsOp: {command: broadcast, channel: room, message: {from: "{{ connection_id }}", said: "{{ message }}",
        as: "{{ message_type }}"}, output_var: heard}
"""
PLAIN = """\
name: Room
path: /ws/room
route_type: WebSocket
ws_hooks: {on_message: [WsOp: {command: send, message: "{{ message }}"}]}
"""
UNLIMITED = {"message_rate": 0.0, "byte_rate": 0.0}
pack: Callable[[Any], bytes] = msgspec.msgpack.encode
unpack: Callable[[Any], Any] = msgspec.msgpack.decode


def room(codec: str) -> str:
    return ROOM.replace("CODEC", codec)


def swap(app: App, source: str) -> None:
    program = compile_source("room.yaml", textwrap.dedent(source).encode(), CompilerSettings()).program
    assert program is not None
    app.swap(entries_of(link(program, app.context)))


@asynccontextmanager
async def served(source: str, **wire: Any) -> AsyncIterator[App]:
    settings = Settings(port=0)
    if wire:
        settings = replace(settings, wire=replace(settings.wire, **wire))
    app = App(settings)
    await app.start()
    swap(app, source)
    try:
        yield app
    finally:
        await app.drain()


def client(app: App) -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/room", compression=None)


@pytest.mark.parametrize(
    ("codec", "write", "read", "kind"),
    [("json", json.dumps, json.loads, "text"), ("msgpack", pack, unpack, "binary")],
    ids=["json", "msgpack"],
)
async def test_a_conversation(codec: str, write: Callable[[Any], Any], read: Callable[[Any], Any], kind: str) -> None:
    frame = str if kind == "text" else bytes
    async with served(room(codec)) as app, client(app) as alice, client(app) as bob:
        await alice.send(write({"text": "سلام", "n": [1.0, None, 2**53 + 1]}))
        heard = [await one.recv() for one in (alice, bob)]
        assert isinstance(heard[0], frame)
        assert heard[0] == heard[1]
        message = read(heard[1])
        assert message["said"] == {"text": "سلام", "n": [1, None, 2**53]}
        assert message["as"] == kind
        whispers: tuple[Any, ...] = ("plain text", {"deep": [True]}, 0, False, [])
        for whispered in whispers:
            await bob.send(write({"whisper": whispered}))
            if whispered in (0, False):  # falsy: the hook goes on
                assert read(await bob.recv())["said"] == {"whisper": whispered}
                await alice.recv()
            else:
                answer = await bob.recv()
                assert isinstance(answer, frame)
                assert read(answer) == whispered


async def test_json_reads_binary_frames_and_answers_in_text() -> None:
    async with served(room("json")) as app, client(app) as alice:
        await alice.send(b'"hi"')
        assert json.loads(await alice.recv())["as"] == "binary"


async def test_a_text_frame_is_no_msgpack() -> None:
    heard: list[Event] = []
    async with served(room("msgpack")) as app, client(app) as alice:
        app.events.subscribe(heard.append)
        await alice.send("hi")
        await alice.send(pack("hi"))
        assert unpack(await alice.recv())["said"] == "hi"
        (complaint,) = [event for event in heard if isinstance(event, LogLine)]
        assert complaint.level == "error"
        assert "text frame" in complaint.message


async def test_a_bad_payload_is_counted_and_told_of_once_a_second() -> None:
    heard: list[Event] = []
    async with served(room("json")) as app, client(app) as alice:
        app.events.subscribe(heard.append, detailed=True)
        for bad in ("{", b"\xff", "NaN"):
            await alice.send(bad)
        await alice.send('{"whisper": "still here"}')
        assert await alice.recv() == '"still here"'
        assert app.counters.messages_dropped == {("bad_payload",): 3}
        assert 'worpen_messages_dropped_total{reason="bad_payload"} 3' in app.exposition()
        assert [event.level for event in heard if isinstance(event, LogLine)] == ["error"]
        frames = [event for event in heard if isinstance(event, FrameIn)]
        assert [(event.payload, event.run) for event in frames] == [
            ("{", 0),
            (b"\xff", 0),
            ("NaN", 0),
            ('{"whisper": "still here"}', 1),
        ]


async def test_frames_are_shown_as_json() -> None:
    heard: list[Event] = []
    async with served(room("msgpack")) as app, client(app) as alice:
        app.events.subscribe(heard.append, detailed=True)
        await alice.send(pack({"whisper": [1, "a"]}))
        assert unpack(await alice.recv()) == [1, "a"]
        assert [event.payload for event in heard if isinstance(event, FrameIn)] == ['{"whisper":[1,"a"]}']
        assert [event.payload for event in heard if isinstance(event, FrameOut)] == ['[1,"a"]']


@pytest.mark.parametrize(("typed", "value"), [('{"a": 1}', {"a": 1}), ("hello", "hello"), ("{", "{")])
async def test_what_somebody_types_is_encoded(typed: str, value: Any) -> None:
    async with served(room("msgpack")) as app, client(app) as alice:
        await alice.send(pack({"hi": 1}))
        await alice.recv()
        assert app.send(next(iter(app.links)), typed)
        assert app.broadcast("room", typed) == 1
        assert [unpack(await alice.recv()) for _ in range(2)] == [value, value]
        with pytest.raises(UnicodeEncodeError):
            app.broadcast("room", "\ud800")


async def test_a_reload_changes_the_codec_of_open_connections() -> None:
    async with served(room("json")) as app, client(app) as alice:
        await alice.send('"one"')
        assert json.loads(await alice.recv())["said"] == "one"
        swap(app, room("msgpack"))
        await alice.send(pack("two"))
        assert unpack(await alice.recv())["said"] == "two"
        swap(app, PLAIN)
        await alice.send(b"three")
        assert await alice.recv() == "three"


async def test_bytes_that_are_named_so_go_past_the_codec() -> None:
    raw = room("json").replace('value: "{{ message.whisper }}"', "value: null").replace(
        "- Return:", '- WsOp: {command: send, binary: true, message: "{{ message.whisper }}"}\n          - Return:'
    )  # fmt: skip
    async with served(raw) as app, client(app) as alice:
        await alice.send('{"whisper": "/wA="}')
        assert await alice.recv() == b"\xff\x00"


POINTS = """\
name: Points
path: /ws/room
route_type: WebSocket
codec: CODEC
ws_hooks:
  on_message:
    - If: {condition: "message.user | trim == ''", then: [{Return: {value: nobody}}]}
    - SetVar: {name: score, value: "{{ (score ?? 0) + message.points }}"}
    - WsOp: {command: broadcast, channel: room, message: {who: "{{ message.user | upper }}", score: "{{ score }}"}}
    - Log: {message: "{{ message.later | upper }}"}
"""
UNFIT: tuple[tuple[Any, str], ...] = (
    ("hi", "`message` is a text, and line 7 needs an object"),
    ([1], "`message` is a list, and line 7 needs an object"),
    (None, "`message` is null, and line 7 needs an object"),
    ({}, "`message.user` is missing, and line 7 needs a text"),
    ({"user": 5, "points": 1}, "`message.user` is a number, and line 7 needs a text"),
    ({"user": None}, "`message.user` is null, and line 7 needs a text"),
)


@pytest.mark.parametrize(
    ("codec", "write", "read"),
    [("json", msgspec.json.encode, msgspec.json.decode), ("msgpack", pack, unpack)],
    ids=["json", "msgpack"],
)
async def test_a_message_that_is_not_what_the_hook_needs_runs_no_hook(
    codec: str, write: Callable[[Any], bytes], read: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.server.troubles.COMPLAINT_SECONDS", 0.0)
    heard: list[Event] = []
    async with served(POINTS.replace("CODEC", codec)) as app, client(app) as alice, client(app) as bob:
        await bob.send(write({"user": " "}))
        assert read(await bob.recv()) == "nobody"
        app.events.subscribe(heard.append)
        for payload, _ in UNFIT:
            await alice.send(write(payload))
        good: dict[str, Any] = {"user": "ann", "points": 3, "later": "x"}
        for points, score in ((3, 3), ("4", 7)):
            await alice.send(write({**good, "points": points}))
            assert [read(await one.recv()) for one in (alice, bob)] == [{"who": "ANN", "score": score}] * 2
        told = [event.message for event in heard if isinstance(event, LogLine) and event.level == "error"]
        assert told == [f"a message is not what the hook needs: {sentence}" for _, sentence in UNFIT]
        assert app.counters.messages_dropped == {("bad_payload",): len(UNFIT)}
        # What would fault only after something was done is for the hook to find out.
        await alice.send(write({"user": "ann", "points": 1}))
        assert read(await bob.recv())["score"] == 8
        # Not needed on the way of the early Return, so not needed at all.
        await alice.send(write({"user": "ann"}))
        await alice.send(write(good))
        assert [read(await bob.recv())["score"]] == [11]
        assert {result: tally.runs for (_, _, result), tally in app.counters.hook.items()} == {
            "ok": 4, "type_error": 2,
        }  # fmt: skip


async def test_a_reload_changes_what_is_needed() -> None:
    needy = ROOM.replace("CODEC", "json").replace("type(message) == 'object' && message.whisper", "message.whisper")
    async with served(room("json")) as app, client(app) as alice:
        await alice.send('"one"')
        assert json.loads(await alice.recv())["said"] == "one"
        swap(app, needy)
        await alice.send('"two"')
        await alice.send('{"whisper": 3}')
        assert await alice.recv() == "3"
        assert app.counters.messages_dropped == {("bad_payload",): 1}


def hostile(chance: random.Random, good: bytes) -> bytes | str:
    """A payload that is random, cut, altered, deep, or claims to be long."""
    match chance.randrange(8):
        case 0:
            return chance.randbytes(chance.randrange(40))
        case 1:
            return good[: chance.randrange(len(good))]
        case 2:
            place = chance.randrange(len(good))
            return good[:place] + bytes([chance.randrange(256)]) + good[place + 1 :]
        case 3:
            return chance.choice([b"\x91", b"[", b'{"a":', b"\x81\xa1a"]) * chance.randrange(1, 400)
        case 4:
            return chance.choice([b"\xdd", b"\xdf", b"\xdb", b"\xc6"]) + chance.randbytes(4) + good
        case 5:
            return chance.choice(['"\\ud800"', '{"a":1,"a":2}', "NaN", "-", "1e999", "9" * 300, "{", '"\x00"', ""])
        case 6:
            return "".join(chance.choices('{}[]":,\\u0dtfn1.e-', k=chance.randrange(20)))
        case _:
            return good + good


HOSTILE = 10_000
"""Payloads of each codec."""
QUIET = """\
name: Quiet
path: /ws/room
route_type: WebSocket
codec: CODEC
ws_hooks:
  on_message:
    - If:
        condition: "{{ type(message) == 'object' && type(message.say) == 'number' }}"
        then:
          - WsOp: {command: broadcast, channel: room, message: "{{ message.say }}"}
        else:
          - Return: {value: "{{ message }}"}
"""


@pytest.mark.parametrize(
    ("codec", "write", "read"),
    [("json", msgspec.json.encode, msgspec.json.decode), ("msgpack", pack, unpack)],
    ids=["json", "msgpack"],
)
async def test_hostile_payloads_leave_the_others_undisturbed(
    codec: str, write: Callable[[Any], bytes], read: Callable[[Any], Any]
) -> None:
    chance = random.Random(11)
    good = write([1, "text", None, {"k": 2.5, "l": {}}])
    async with served(QUIET.replace("CODEC", codec), **UNLIMITED) as app, client(app) as alice, client(app) as bob:
        async with client(app) as mallory:
            answers = asyncio.create_task(_drop(mallory))
            for number in range(HOSTILE):
                await mallory.send(hostile(chance, good))
                if number % 500 == 0:
                    await alice.send(write({"say": number}))
                    assert [read(await one.recv()) for one in (alice, bob)] == [number, number]
            await (await mallory.ping())
            answers.cancel()
        refused = app.counters.messages_dropped[("bad_payload",)]
        assert refused > HOSTILE / 4
        assert refused + app.counters.hook[("Quiet", "on_message", "ok")].runs == HOSTILE + 20
        assert app.counters.troubles == 0


async def _drop(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


def test_the_guide_names_what_the_codecs_refuse() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "codecs.md").read_text(encoding="utf-8")
    for word in ("base64", "2**53", "surrogate", "NaN", "twice", "200", "bad_payload", "binary: true"):
        assert word in guide
