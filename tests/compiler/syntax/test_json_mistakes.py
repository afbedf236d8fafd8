"""Mistakes against JSON's syntax: recognised, placed, worded, repaired."""

from __future__ import annotations

import json

import pytest

from compiler.syntax.json_mistakes import misplaced_character
from tests.compiler.syntax.reading import finding_of, read, repaired

QUOTES = "names and texts need double quotes"
OPEN = "the quote opened here is never closed"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{\n  // why\n  "a": 1}', 2, 3, "JSON has no comments"),
        ("/* why\n */ {}", 1, 1, "JSON has no comments"),
        ("{} # why", 1, 4, "JSON has no comments"),
        ("{'a': 1}", 1, 2, QUOTES),
        ("{\"a\": 'b'}", 1, 7, QUOTES),
        ("{a: 1}", 1, 2, QUOTES + ": `a`"),
        ('{"a": NaN}', 1, 7, "`NaN` is not JSON"),
        ("[-Infinity]", 1, 2, "`-Infinity` is not JSON"),
        ("[undefined]", 1, 2, "`undefined` is not JSON"),
        ("[True]", 1, 2, "`True` is not JSON; it is written `true`"),
        ("[nulls]", 1, 2, QUOTES + ": `nulls`"),
        ('{"a": 1,}', 1, 8, "JSON has no comma in front of `}`"),
        ("[1,\n2,\n]", 2, 2, "JSON has no comma in front of `]`"),
        ("[01]", 1, 2, "`01` is not a number in JSON"),
        ("[+1]", 1, 2, "`+1` is not a number in JSON"),
        ("[.5]", 1, 2, "`.5` is not a number in JSON"),
        ("[1.]", 1, 2, "`1.` is not a number in JSON"),
        ("[-]", 1, 2, "`-` is not a number in JSON"),
        ("[0x1F]", 1, 2, "`0x1F` is not a number in JSON"),
        ('["a\nb"]', 1, 2, OPEN),
        ('{"a": "b}', 1, 7, OPEN),
        ('["a\tb"]', 1, 4, r"a control character in a text is written `\t`"),
        (r'["ab\x41"]', 1, 5, r"`\x` is no escape of JSON"),
        (r'["\u12"]', 1, 3, r"`\u` needs 4 hexadecimal digits"),
        (r'["\ud83d\ude00 \ud83d!"]', 1, 16, r"`\ud83d` is half of a character; the other half is missing"),
        (r'["\ude00"]', 1, 3, r"`\ude00` is half of a character; the other half is missing"),
        ('{"a" 1}', 1, 6, "a `:` is missing between the name and its value"),
        ('{"a"}', 1, 5, "a `:` is missing between the name and its value"),
        ('{"a": 1 "b": 2}', 1, 9, "a comma is missing in front of this"),
        ("[1 2]", 1, 4, "a comma is missing in front of this"),
        ("[[] []]", 1, 5, "a comma is missing in front of this"),
        ("[1: 2]", 1, 3, "`:` cannot stand here"),
        ("[,1]", 1, 2, "a value is missing in front of `,`"),
        ("[1,,2]", 1, 4, "a value is missing in front of `,`"),
        ('{"a":}', 1, 6, "a value is missing in front of `}`"),
        ("{1: 2}", 1, 2, "a name in double quotes is expected here"),
        ("{,}", 1, 2, "a name in double quotes is expected here"),
        ("[1}", 1, 3, "`}` cannot close the `[`"),
        ("[1]]", 1, 4, "`]` closes nothing that is open"),
        ('{"a": [1', 1, 7, "the `[` opened here is never closed"),
        ('{"a": ', 1, 1, "the `{` opened here is never closed"),
        ("{} {}", 1, 4, "the file goes on behind its end"),
        ("{} x", 1, 4, "the file goes on behind its end"),
        ("1\n---\n2", 2, 1, "the file goes on behind its end"),
        ("[@]", 1, 2, "`@` begins nothing in JSON"),
    ],
)
def test_mistakes(text: str, line: int, column: int, words: str) -> None:
    assert finding_of(text, "a.json") == ("json-syntax", line, column, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a']", ["a"]),
        ("{a: 1}", {"a": 1}),
        ("[1, ]", [1]),
        ("[1 2]", [1, 2]),
        ("[None]", [None]),
        (r'["\d"]', [r"\d"]),
        (r'["it\'s"]', ["it's"]),
        ('["a\tb"]', ["a\tb"]),
    ],
)
def test_repairs_make_what_was_meant(text: str, value: object) -> None:
    assert json.loads(repaired(text, "a.json")) == value


@pytest.mark.parametrize("text", ["['it''s']", "['say \"hi\"']", "['open]"])
def test_no_repair_where_the_meaning_is_not_sure(text: str) -> None:
    assert read(text, "a.json")[1][0].fixes == ()


def test_the_opening_of_what_is_closed_wrongly_is_shown() -> None:
    (finding,) = read('{"a": [1}}', "a.json")[1]
    assert [(label.span.start, label.text) for label in finding.labels] == [(6, "opened here")]


@pytest.mark.parametrize("token", ['"', "{", "]", ",", ":", "true", "false", "null"])
def test_tokens_of_json_are_no_mistakes(token: str) -> None:
    assert misplaced_character(token, 0) is None
