"""Columns of source lines on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from compiler.diagnostics.layout import ELLIPSIS, cut, lay_out, text_width


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", [0, 1, 2, 3]),
        ("\tx", [0, 4, 5]),
        ("ab\tx", [0, 1, 2, 4, 5]),
        ("日本x", [0, 2, 4, 5]),
        ("e\u0301x", [0, 0, 1, 2]),
        ("👨\u200d👩\u200d👧x", [0, 0, 0, 0, 0, 2, 3]),
        ("\x1b[x", [0, 4, 5, 6]),
        ("", [0]),
    ],
)
def test_where_each_character_stands(text: str, columns: list[int]) -> None:
    line = lay_out(text)
    assert [line.column(offset) for offset in range(len(text) + 1)] == columns


def test_a_mark_that_ends_inside_a_group_reaches_over_it() -> None:
    line = lay_out("e\u0301x")
    assert line.column_after(1) == 1


def test_places_beyond_the_line_are_its_end() -> None:
    assert lay_out("ab").column(9) == 2
    assert lay_out("ab").column_after(9) == 2


def test_a_line_that_fits_is_not_cut() -> None:
    window = cut(lay_out("a short line  "), [(2, 7)], 20)
    assert (window.text, window.shift) == ("a short line", 0)


def test_the_end_of_a_long_line_is_cut() -> None:
    window = cut(lay_out("abcdefghij" * 5), [(2, 7)], 20)
    assert window.text == "abcdefghijabcdefghi" + ELLIPSIS
    assert window.shift == 0


def test_both_ends_of_a_long_line_are_cut() -> None:
    text = "." * 50 + "HERE" + "." * 50
    window = cut(lay_out(text), [(50, 54)], 30)
    assert window.text[50 - window.shift : 54 - window.shift] == "HERE"
    assert window.text[0] == window.text[-1] == ELLIPSIS
    assert len(window.text) == 30


def test_of_marks_too_far_apart_the_first_one_given_is_shown() -> None:
    text = "A" + "." * 100 + "B"
    window = cut(lay_out(text), [(101, 102), (0, 1)], 30)
    assert window.text.endswith("B")


def test_half_a_wide_character_is_a_blank() -> None:
    text = "日" * 60
    window = cut(lay_out(text), [(61, 63), (61, 63)], 30)
    assert text_width(window.text) <= 30
    assert window.text.startswith(ELLIPSIS)


@given(st.text(min_size=1), st.data())
def test_a_window_is_never_too_wide_and_shows_its_mark(text: str, draw: st.DataObject) -> None:
    line = lay_out(text * 8)
    start = draw.draw(st.integers(0, len(text) * 8 - 1))
    mark = (line.column(start), line.column_after(start + 1))
    window = cut(line, [mark], 24)
    assert wcswidth(window.text) <= 24
    assert 0 <= mark[0] - window.shift <= 24
