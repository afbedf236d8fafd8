"""Answers and pushes, whole and in pieces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.bus.resp import Decoder, Malformed, Refusal

SAMPLES: list[tuple[bytes, Any]] = [
    (b">3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$3\r\na\r\n\r\n", [b"message", b"room", b"a\r\n"]),
    (b">3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:1\r\n", [b"subscribe", b"room", 1]),
    (b":12\r\n", 12),
    (b"(-7\r\n", -7),
    (b"+OK\r\n", b"OK"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b"#f\r\n", False),
    (b",1.5\r\n", 1.5),
    (b"=8\r\ntxt:id=3\r\n", b"id=3"),
    (b"*2\r\n:1\r\n*1\r\n:2\r\n", [1, [2]]),
    (b"~1\r\n+a\r\n", [b"a"]),
    (b"%1\r\n+a\r\n:1\r\n", {b"a": 1}),
]


@pytest.mark.parametrize(("raw", "value"), SAMPLES)
def test_values(raw: bytes, value: Any) -> None:
    assert Decoder().feed(raw) == [value]


@pytest.mark.parametrize("raw", [b"-ERR no\r\n", b"!6\r\nERR no\r\n"])
def test_refusals_are_values(raw: bytes) -> None:
    [value] = Decoder().feed(raw)
    assert isinstance(value, Refusal)
    assert str(value) == "ERR no"


@pytest.mark.parametrize("raw", [b"?\r\n", b":x\r\n", b"\r\n", b"$x\r\n", b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n:1\r\n"])
def test_what_is_none(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Decoder().feed(raw)


@given(st.lists(st.sampled_from(SAMPLES), max_size=8), st.lists(st.integers(1, 9), max_size=40))
def test_pieces_make_the_same_values(samples: list[tuple[bytes, Any]], sizes: list[int]) -> None:
    raw, decoder, found = b"".join(one for one, _ in samples), Decoder(), list[Any]()
    for size in sizes:
        found += decoder.feed(raw[:size])
        raw = raw[size:]
    found += decoder.feed(raw)
    assert found == [value for _, value in samples]
