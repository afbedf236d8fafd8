"""From offsets in a value to offsets in the file, and back."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.offsets import OffsetMap, offset_map
from compiler.syntax.tree import Scalar, Style
from tests.compiler.syntax.reading import scalars_of, tree_of


def map_of(text: str, name: str = "a.yaml") -> tuple[str, Scalar, OffsetMap]:
    scalar = scalars_of(tree_of(text, name))[1]
    return text, scalar, offset_map(text, scalar)


@pytest.mark.parametrize(
    ("text", "word", "written"),
    [
        ("a: hello world", "world", "world"),
        ("a: hello\n  big\n\n  world # x", "world", "world"),
        ("a: hello\n  big\n\n  world # x", "o big", "o\n  big"),
        ("a: 'it''s here'", "here", "here"),
        ("a: 'it''s here'", "t's", "t''s"),
        ("a: 'it''s here'", "'", "''"),
        ('a: "x\\ty \\u00e9 z"', "z", "z"),
        ('a: "x\\ty \\u00e9 z"', "y é", "y \\u00e9"),
        ('a: "x\\x41\\U0001f600y"', "A😀", "\\x41\\U0001f600"),
        ('a: "one\\\n   two"', "two", "two"),
        ('a: "one\\\n   two"', "et", "e\\\n   t"),
        ('a: "one  \r\n   two"', " ", "\r\n"),
        ("a: |\n  one\n   two\n", "two", "two"),
        ("a: |\n  one\n   two\n", "one\n ", "one\n   "),
        ("a: >-\n  one\n  two\n  three", "three", "three"),
        ("a: >-\n  one\n  two\n  three", "one two", "one\n  two"),
        ("é: 'ü😀 x'", "x", "x"),
    ],
)
def test_a_word_of_the_value_is_found_in_the_file(text: str, word: str, written: str) -> None:
    _, scalar, offsets = map_of(text)
    start = scalar.value.index(word)
    span = offsets.span_to_file(Span(start, start + len(word)))
    assert text[span.start : span.end] == written
    assert offsets.to_file(start) == span.start
    assert offsets.to_value(span.start) == start
    assert offsets.to_value(span.end - 1) == start + len(word) - 1


def test_escapes_of_json() -> None:
    text, scalar, offsets = map_of(r'{"a": "\"\u00e9\ud83d\ude00\/\" {{ x }}"}', "a.json")
    start = scalar.value.index("x")
    assert text[offsets.to_file(start)] == "x"
    emoji = offsets.span_to_file(Span(2, 3))
    assert text[emoji.start : emoji.end] == r"\ud83d\ude00"
    assert {offsets.to_value(place) for place in range(emoji.start, emoji.end)} == {2}


def test_every_escape_of_double_quotes() -> None:
    written = r"\0\a\b\t\n\v\f\r\e\ \"\/\\\N\_\L\P\x41\u0042\U00000043"
    _, scalar, offsets = map_of(f'a: "{written}"')
    assert scalar.value == '\0\a\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029ABC'
    places = [offsets.to_file(number) - 4 for number in range(len(scalar.value))]
    assert places == [*range(0, 34, 2), 34, 38, 44]


@pytest.mark.parametrize("text", ["a: ''", 'a: ""', "a: |\n", "a:"])
def test_an_empty_value_has_a_place(text: str) -> None:
    _, scalar, offsets = map_of(text)
    place = offsets.to_file(0)
    assert scalar.span.start <= place <= scalar.span.end
    assert offsets.span_to_file(Span(0, 0)) == Span(place, place)
    assert offsets.to_value(place) == 0


def test_an_empty_range_stays_empty() -> None:
    _, _, offsets = map_of("a: 'x''y'")
    assert offsets.span_to_file(Span(2, 2)) == Span(7, 7)


def test_the_end_of_a_value_is_behind_its_last_character() -> None:
    _, _, offsets = map_of("a: 'xy' # z")
    assert offsets.to_file(2) == 6


def test_offsets_outside_are_held_inside() -> None:
    _, scalar, offsets = map_of('a: "x\\ny"')
    assert [offsets.to_file(place) for place in (-5, 3, 99)] == [4, 8, 8]
    assert [offsets.to_value(place) for place in (0, 3, 8, 99)] == [0, 0, len(scalar.value), len(scalar.value)]


def test_what_makes_nothing_belongs_to_what_follows() -> None:
    _, scalar, offsets = map_of("a: |\n    x\n    y\n")
    assert offsets.to_value(13) == scalar.value.index("y")


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("value", ["", "x", "unlike what is written", "\n\n"])
def test_a_scalar_that_the_file_does_not_hold_gets_a_straight_line(style: Style, value: str) -> None:
    text = "'some other text'"
    offsets = offset_map(text, Scalar(value, value, style, Span(0, len(text))))
    places = [offsets.to_file(number) for number in range(len(value) + 1)]
    assert places == sorted(places)
    assert all(0 <= place <= len(text) for place in places)
    assert 0 <= offsets.to_value(5) <= len(value)
