"""Codecs: what is read, what is refused, what goes out."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions.json_text import parse_json
from compiler.language.limits import JSON_DEPTH
from compiler.language.values import ErrorValue, Value, identical, normalise, to_json
from runtime.codecs import CODECS, BadPayload, codec_of, from_json, text_of_bytes, write_json

JSON, MSGPACK = CODECS["json"], CODECS["msgpack"]
pack = msgspec.msgpack.encode

VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.floats(allow_nan=False, allow_infinity=False).map(normalise)
    | some.integers(-(2**53), 2**53)
    | some.text(some.characters(exclude_categories=["Cs"])),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(some.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


def test_a_route_without_a_codec_has_none() -> None:
    assert codec_of({}) is codec_of({"codec": "text"}) is None
    assert codec_of({"codec": "json"}) is JSON
    assert codec_of({"codec": "msgpack"}) is MSGPACK


@pytest.mark.parametrize("codec", [JSON, MSGPACK], ids=["json", "msgpack"])
@given(value=VALUES)
def test_what_goes_out_comes_back(codec: Any, value: Value) -> None:
    payload = codec.encode(value)
    assert identical(codec.decode(payload), value)
    if codec is JSON:
        assert identical(codec.decode(payload.decode()), value)


@given(some.text(some.sampled_from('{}[]":,\\ud8Eb0019.eE+- tfn\n\x00"'), max_size=30) | VALUES.map(json.dumps))
def test_json_is_read_as_the_language_reads_it(text: str) -> None:
    try:
        expected = parse_json(text)
    except Fault:
        with pytest.raises(BadPayload):
            JSON.decode(text)
        return
    try:
        value = JSON.decode(text)
    except BadPayload as bad:
        if "twice" not in str(bad):
            raise
        return
    assert identical(value, expected)


@given(some.binary(max_size=60))
def test_random_bytes_are_decoded_or_refused(payload: bytes) -> None:
    for codec in (JSON, MSGPACK):
        try:
            value = codec.decode(payload)
        except BadPayload:
            continue
        assert identical(codec.decode(codec.encode(value)), value)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ("1.0", 1),
        ("-0.0", 0),
        ("9007199254740993", 9007199254740992),
        ("123456789012345678901234567890", int(1.2345678901234568e29)),
        ('{"a:b": {"c": 1}, "d": ":"}', {"a:b": {"c": 1}, "d": ":"}),
        (b'["\xc3\xa9"]', ["é"]),
        ('"\\ud83d\\ude00"', "😀"),
        ("[" * JSON_DEPTH + "]" * JSON_DEPTH, None),
    ],
)
def test_json_that_is_read(payload: str | bytes, value: Value) -> None:
    decoded = JSON.decode(payload)
    assert value is None or identical(decoded, value)


@pytest.mark.parametrize(
    "payload",
    [
        "", "{", "[1,]", "1 2", "nul", "NaN", "Infinity", "-Infinity", "[1e400]", "'a'", "01", "1" * 400, "1" * 9000,
        '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '{"\\ud800": 1}', '"\x01"', b"\xff", b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        '{"a": 1, "a": 1}', '{"a": 1, "\\u0061": 2}', '[{"k:": {"b": 1, "b": 2}}]',
        "[" * (JSON_DEPTH + 1) + "]" * (JSON_DEPTH + 1), "[" * 60_000, '{"a":' * 60_000,
    ],
    ids=lambda payload: repr(payload[:20]),
)  # fmt: skip
def test_json_that_is_refused(payload: str | bytes) -> None:
    with pytest.raises(BadPayload):
        JSON.decode(payload)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"\xcb\x3f\xf0\0\0\0\0\0\0", 1),
        (b"\xca\x3f\x80\0\0", 1),
        (b"\xcf" + b"\xff" * 8, 2**64),
        (b"\xc4\x01\xff", "/w=="),
        (b"\x91\xc4\x01a", ["YQ=="]),
        (b"\x82\xd9\x01a\x01\xa1b\xcd\x00\x02", {"a": 1, "b": 2}),
        (
            b"\x82\xa1a\xca\x3f\x80\0\0\xa1b\x82\xa1c\xda\0\x02\xc2\x80\xa1d\xdf\0\0\0\0",
            {"a": 1, "b": {"c": "\x80", "d": {}}},
        ),
    ],
)
def test_msgpack_that_is_read(payload: bytes, value: Value) -> None:
    assert identical(MSGPACK.decode(payload), value)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"\xc1", b"\x01\x02", b"\x92\x01", b"\xa1\xff", b"\xd6\xff\0\0\0\0", b"\xd4\x05a", b"\xc7\x00\x01",
        b"\x81\x01\x02", b"\x81\xc4\x01a\x02", b"\x81\x90\x02", b"\x81\x80\x02", b"\x81\xc0\x02",
        b"\x81\xcb" + b"\0" * 9,
        b"\xcb\x7f\xf8\0\0\0\0\0\0", b"\xcb\x7f\xf0\0\0\0\0\0\0", b"\x91\xca\xff\x80\0\0",
        b"\x82\xa1a\x01\xa1a\x01", b"\x82\xa1a\x01\xd9\x01a\x02", b"\xde\0\x02\xa1a\xc0\xa1a\xc0",
        b"\xdd\xff\xff\xff\xff\x01", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\x91" * 60_000,
        b"\x91" * (JSON_DEPTH + 1) + b"\xc0", "text",
    ],
    ids=lambda payload: repr(payload[:12]),
)  # fmt: skip
def test_msgpack_that_is_refused(payload: str | bytes) -> None:
    with pytest.raises(BadPayload):
        MSGPACK.decode(payload)


@given(some.dictionaries(some.text(max_size=3), VALUES, max_size=4))
def test_a_repeated_key_is_found_in_any_msgpack(members: dict[str, Any]) -> None:
    # Not in its shortest form, so that the keys must be counted.
    once = b"\xdf" + len(members).to_bytes(4, "big") + b"".join(pack(k) + MSGPACK.encode(v) for k, v in members.items())
    assert identical(MSGPACK.decode(once), MSGPACK.decode(MSGPACK.encode(members)))
    twice = b"\xdf" + (len(members) + 1).to_bytes(4, "big") + once[5:]
    for key in members:
        with pytest.raises(BadPayload, match="twice"):
            MSGPACK.decode(twice + pack(key) + b"\xc0")


@pytest.mark.parametrize(
    ("value", "json_text", "msgpack"),
    [
        ("é", '"é"', pack("é")),
        (None, "null", b"\xc0"),
        (10**21, "1e+21", pack(1e21)),
        ([10**20], "[100000000000000000000]", pack([1e20])),
        ({"a": 0.1}, '{"a":0.1}', pack({"a": 0.1})),
        ({"a": 2**53}, '{"a":9007199254740992}', pack({"a": 2**53})),
        (ErrorValue(message="no"), '{"message":"no"}', pack({"message": "no"})),
    ],
)
def test_what_is_written(value: Value, json_text: str, msgpack: bytes) -> None:
    assert JSON.encode(value) == json_text.encode()
    assert MSGPACK.encode(value) == msgpack


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False).map(normalise)))
def test_numbers_are_written_as_the_language_writes_them(numbers: list[Value]) -> None:
    assert JSON.encode(numbers).decode() == to_json(numbers)


def deep(levels: int) -> Value:
    value: Value = "end"
    for _ in range(levels):
        value = [value]
    return value


def doubled(times: int) -> Value:
    value: Value = "end"
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize("codec", [JSON, MSGPACK], ids=["json", "msgpack"])
def test_what_cannot_be_written_is_a_fault(codec: Any) -> None:
    assert codec.encode(deep(JSON_DEPTH))
    for value, kind in (
        (deep(JSON_DEPTH + 1), codes.TOO_LARGE),
        (deep(100_000), codes.TOO_LARGE),
        (doubled(40), codes.TOO_LARGE),
        ("\ud800", codes.SEND_REFUSED),
        ([0.5, "\ud800"], codes.SEND_REFUSED),
        ({"\ud800": 1}, codes.SEND_REFUSED),
    ):
        with pytest.raises(Fault) as caught:
            codec.encode(value)
        assert caught.value.kind is kind


def test_what_people_see() -> None:
    assert JSON.show('{"a": 1}') == JSON.show(b'{"a": 1}') == '{"a": 1}'
    assert JSON.show(b"\xff") == b"\xff"
    assert MSGPACK.show(pack({"a": [1, None]})) == '{"a":[1,null]}'
    assert MSGPACK.show(b"\xc1") == b"\xc1"
    assert MSGPACK.show("no") == "no"


def test_what_is_ours_is_always_written() -> None:
    assert write_json({"channel": "é"}) == '{"channel":"é"}'.encode()
    assert json.loads(write_json({"channel": "\ud800"})) == {"channel": "\ud800"}


def test_no_number_is_infinite() -> None:
    assert math.isfinite(JSON.decode("1.7976931348623157e308"))  # type: ignore[arg-type]


def test_json_that_is_none_stays_text() -> None:
    assert from_json('{"a": [1, 9007199254740993]}') == {"a": [1, 2**53]}
    for odd in ("{", "NaN", "[" * 5000 + "]" * 5000):
        assert from_json(odd) == odd


@pytest.mark.parametrize(
    ("payload", "text"), [(b"hi", "hi"), ("سلام".encode(), "سلام"), (b"\xff\x00", "/wA="), (b"", "")]
)
def test_bytes_as_text(payload: bytes, text: str) -> None:
    assert text_of_bytes(payload) == text
