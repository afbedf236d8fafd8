"""The subprotocol's objects, and what a client says of where it stood."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from runtime.envelope import BadRecovery, Position, Wrapped, message, parse_recovery
from runtime.transport import frames


class End:
    def __init__(self) -> None:
        self.is_open, self.queued_bytes, self.messages_in, self.messages_out = True, 3, 4, 5
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)

    def send_all(self, frames: Sequence[bytes]) -> None:
        self.sent.extend(frames)


def read(frame: bytes) -> object:
    content = frames.content_of(frame)
    assert isinstance(content, str)
    return json.loads(content)


def test_a_message_is_wrapped() -> None:
    text = frames.encode_text('say "سلام"')
    assert read(message(frames, text)) == {"type": "message", "data": 'say "سلام"'}
    assert read(message(frames, text, "room", 7)) == {
        "type": "message", "channel": "room", "offset": 7, "data": 'say "سلام"',
    }  # fmt: skip
    assert read(message(frames, frames.encode_binary(b"\xff\0"))) == {"type": "message", "base64": "/wA="}
    assert read(message(frames, frames.encode_text("x" * (1 << 20)))) == {"type": "message", "data": "x" * (1 << 20)}


def test_the_wrapped_end_is_the_end() -> None:
    end = End()
    wrapped = Wrapped(end, frames)
    wrapped.send(frames.encode_text("hi"))
    wrapped.send_all([frames.encode_text("one"), frames.encode_text("two")])
    wrapped.tell("joined", channel="room", offset=0)
    assert [read(frame) for frame in end.sent] == [
        *({"type": "message", "data": text} for text in ("hi", "one", "two")),
        {"type": "joined", "channel": "room", "offset": 0},
    ]
    assert (wrapped.is_open, wrapped.queued_bytes, wrapped.messages_in, wrapped.messages_out) == (True, 3, 4, 5)


def test_where_a_client_stood() -> None:
    assert parse_recovery("{}") == {}
    assert parse_recovery('{"a": ["e", 0], "b:c": ["f", 12]}') == {"a": Position("e", 0), "b:c": Position("f", 12)}


@pytest.mark.parametrize(
    "written",
    ["", "no", "[]", "1", '{"a": 1}', '{"a": ["e"]}', '{"a": ["e", -1]}', '{"a": ["e", 1.5]}', '{"a": ["e", true]}',
     '{"a": [1, 1]}', '{"a": ["e", 1, 2]}', '{"a": ["e", 1e300]}', '{"a": ["e", 1], "a": ["e", 1]}', '{"a":' * 9_000],
)  # fmt: skip
def test_what_cannot_be_read_of_that(written: str) -> None:
    with pytest.raises(BadRecovery):
        parse_recovery(written)
