"""A codec that looks at what the hook needs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from compiler.bytecode.needs import Need
from compiler.language.values import Kind
from runtime.codecs import CODECS, BadPayload
from runtime.needs import FittedCodec, Unfit, fitted

JSON, MSGPACK = CODECS["json"], CODECS["msgpack"]
NEEDS = (
    Need((), Kind.OBJECT, 7),
    Need(("n",), Kind.NUMBER | Kind.TEXT, 8),
    Need(("a",), Kind.OBJECT | Kind.NULL, 9),
    Need(("a", "b-c"), Kind.TEXT | Kind.NULL, 0),
)


@pytest.mark.parametrize(
    "payload", [{"n": 1}, {"n": "x", "a": None}, {"n": 0.5, "a": {}}, {"n": 1, "a": {"b-c": "t"}}, {"n": 1, "z": True}]
)
def test_what_fits(payload: Any) -> None:
    for codec in (JSON, MSGPACK):
        raw = codec.encode(payload)
        assert FittedCodec(codec, NEEDS).decode(raw) == payload


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (5, "`message` is a number, and line 7 needs an object"),
        ({}, "`message.n` is missing, and line 8 needs a number or a text"),
        ({"n": None}, "`message.n` is null, and line 8 needs a number or a text"),
        ({"n": True}, "`message.n` is a boolean, and line 8 needs a number or a text"),
        ({"n": 1, "a": []}, "`message.a` is a list, and line 9 needs null or an object"),
        ({"n": 1, "a": {"b-c": 5}}, "`message.a['b-c']` is a number, and it needs null or a text"),
    ],
)
def test_what_does_not(payload: Any, said: str) -> None:
    with pytest.raises(Unfit) as caught:
        FittedCodec(JSON, NEEDS).decode(msgspec.json.encode(payload))
    assert str(caught.value) == said


def test_what_cannot_be_decoded_is_told_as_before() -> None:
    with pytest.raises(BadPayload) as caught:
        FittedCodec(JSON, NEEDS).decode("{")
    assert not isinstance(caught.value, Unfit)
    assert caught.value.what != Unfit.what


def test_what_a_member_of_something_else_would_be_is_not_asked() -> None:
    needs = (Need(("a",), Kind.TEXT | Kind.OBJECT, 1), Need(("a", "length"), Kind.NUMBER, 1))
    assert FittedCodec(JSON, needs).decode('{"a": "text"}') == {"a": "text"}
    with pytest.raises(Unfit):
        FittedCodec(JSON, needs).decode('{"a": {"length": []}}')


def test_a_codec_without_needs_is_itself() -> None:
    assert fitted(JSON, ()) is JSON
    assert fitted(None, NEEDS) is None
    made = fitted(MSGPACK, NEEDS)
    assert made is not None
    assert made.is_text is MSGPACK.is_text
    assert made.encode(5) == MSGPACK.encode(5)
    assert made.show(b"\x05") == "5"
