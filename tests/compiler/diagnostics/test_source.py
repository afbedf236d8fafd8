"""Source text and positions in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.source import Position, SourceFile, Span


def test_spans() -> None:
    assert Span(2, 5).shifted(3) == Span(5, 8)
    assert Span(2, 5).to(Span(7, 9)) == Span(2, 9)


@pytest.mark.parametrize(
    ("text", "offset", "position"),
    [
        ("", 0, Position(1, 1, 0)),
        ("ab\ncd", 3, Position(2, 1, 3)),
        ("ab\r\ncd", 4, Position(2, 1, 4)),
        ("ab\rcd", 4, Position(2, 2, 4)),
        ("é\nx", 2, Position(2, 1, 3)),
        ("👋x", 1, Position(1, 2, 4)),
        ("ab\n", 3, Position(2, 1, 3)),
    ],
)
def test_positions(text: str, offset: int, position: Position) -> None:
    source = SourceFile("a.yaml", text)
    assert source.position(offset) == position
    assert source.place(offset) == (position.line, position.column)
    assert source.line_of(offset) == position.line


def test_bytes_of_a_mark_count() -> None:
    assert SourceFile("a.yaml", "ab", bom_bytes=3).position(1) == Position(1, 2, 4)


def test_lines_are_without_their_breaks() -> None:
    source = SourceFile("a.yaml", "one\r\ntwo\rthree\nfour")
    assert [source.line_text(line) for line in (1, 2, 3, 4)] == ["one", "two", "three", "four"]


@given(st.text(alphabet="ab\r\né👋\u2028"))
def test_every_offset_has_a_place_that_leads_back(text: str) -> None:
    source = SourceFile("a.yaml", text)
    for offset in range(len(text) + 1):
        at = source.position(offset)
        assert source.line_starts[at.line - 1] + at.column - 1 == offset
        assert at.offset == len(text[:offset].encode())


@pytest.mark.parametrize("bom_bytes", [0, 3])
def test_byte_offsets_far_into_a_text(bom_bytes: int) -> None:
    text = "aé日🙂\n" * 2000
    source = SourceFile("a.yaml", text, bom_bytes)
    for offset in (0, 1, 1023, 1024, 1025, 4095, 4096, 9_999, 10_000):
        assert source.position(offset).offset == len(text[:offset].encode()) + bom_bytes
