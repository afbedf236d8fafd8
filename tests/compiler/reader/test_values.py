"""The positions: what stands in a field, and what may not."""

from __future__ import annotations

import pytest

from compiler.language.limits import BRACKET_DEPTH
from tests.compiler.checking import in_hook, shown

SEND = "[{WsOp: {command: send, message: hi}}]"


def field(position: str, value: str) -> str:
    """A route with a value in a field of a position."""
    written = {
        "value": f"- Return: {{value: {value}}}",
        "text": f"- Log: {{message: {value}}}",
        "channel": f"- WsOp: {{command: subscribe, channel: {value}}}",
        "condition": f"- If: {{condition: {value}, then: {SEND}}}",
        "collection": f"- Loop: {{collection: {value}, body: {SEND}}}",
        "variable": f"- Loop: {{collection: [1], var: {value}, body: {SEND}}}",
        "word": f"- Log: {{message: a, level: {value}}}",
        "flag": f"- WsOp: {{command: send, message: a, binary: {value}}}",
        "integer": f"- WsOp: {{command: close, code: {value}}}",
        "literal": f"- Comment: {{text: {value}}}",
        "whole": f"- Sleep: {{ms: {value}}}",
        "statement": f"- SqlOp: {{query: {value}}}",
    }
    return in_hook(written[position])


GOOD = {
    "value": ["5", "true", "null", "a", "'{{ message }}'", "[1, [a]]", "{a: {b: '{{ message }}'}}", "{'{x': 1}"],
    "text": ["a", "''", "'{{ message }}'", "yes", "2024-01-01", "12:30:00", "|-\n      a\n    "],
    "channel": ["a", "'{{ message }}'", "'a{{ message }}'"],
    "condition": ["'{{ message }}'", "message == 'a'", "'{{message}} == 1'"],
    "collection": ["[1, 2]", "'{{ message | split(1 | string) }}'", "null", "[]"],
    "variable": ["a", "_b", "A1"],
    "word": ["debug", "info", "warn", "error", "'warn'", "null"],
    "flag": ["false", "null"],
    "integer": ["1000", "1e3", "1000.0"],
    "literal": ["a", "'}}'"],
    "whole": ["5", "'5'", "'{{ message }}'"],
    "statement": ["SELECT 1"],
}
BAD = {
    "value": [
        ("!x 1", "unknown-tag @ !x"),
        ("'{{ }}'", "empty-template @ {{ }}"),
        ("'{{ a'", "unclosed-template @ {{"),
    ],
    "text": [
        ("5", "wrong-type @ 5"),
        ("null", "wrong-type @ null"),
        ("[a]", "wrong-type @ [a]"),
        ("{a: b}", "wrong-type @ {a: b}"),
        ("!x a", "unknown-tag @ !x"),
        ("'{{ }}'", "empty-template @ {{ }}"),
    ],
    "channel": [("' '", "empty-channel @ ' '"), ("5", "wrong-type @ 5"), ("null", "wrong-type @ null")],
    "condition": [
        ("1", "wrong-type @ 1"),
        ("[a]", "wrong-type @ [a]"),
        ("null", "wrong-type @ null"),
        ("'a = 1'", "unknown-operator @ ="),
        ("''", "bad-expression @ "),
    ],
    "collection": [("5", "wrong-type @ 5"), ("true", "wrong-type @ true"), ("{a: 1}", "wrong-type @ {a: 1}")],
    "variable": [("a b", "bad-value @ a b"), ("loop", "reserved-name @ loop"), ("5", "wrong-type @ 5")],
    "word": [
        ("warning", "bad-value @ warning"),
        ("5", "wrong-type @ 5"),
        ("'{{ message }}'", "bad-value @ '{{ message }}'"),
    ],
    "flag": [("yes", "wrong-type @ yes"), ("'{{ message }}'", "wrong-type @ '{{ message }}'")],
    "integer": [("'1000'", "wrong-type @ '1000'"), ("1000.5", "wrong-type @ 1000.5")],
    "literal": [("'{{ message }}'", "bad-value @ '{{ message }}'"), ("5", "wrong-type @ 5")],
    "whole": [("-1", "bad-value @ -1"), ("soon", "wrong-type @ soon")],
    "statement": [("''", "bad-value @ ''"), ("5", "wrong-type @ 5")],
}


@pytest.mark.parametrize(
    ("position", "value"), [(position, value) for position, values in GOOD.items() for value in values]
)
def test_what_a_position_takes(position: str, value: str) -> None:
    codes = {found.split(" ")[0] for found in shown(field(position, value))}
    assert not codes & {"wrong-type", "bad-value", "missing-key", "unknown-tag", "reserved-name"}


@pytest.mark.parametrize(
    ("position", "value", "finding"), [(position, *row) for position, rows in BAD.items() for row in rows]
)
def test_what_a_position_refuses(position: str, value: str, finding: str) -> None:
    assert shown(field(position, value)) == [finding]


@pytest.mark.parametrize("depth", [BRACKET_DEPTH, BRACKET_DEPTH + 2])
def test_values_nest_to_the_limit(depth: int) -> None:
    found = shown(field("value", "[" * depth + "1" + "]" * depth))
    assert [finding.split(" ")[0] for finding in found] == ([] if depth == BRACKET_DEPTH else ["limit"])


def test_several_mistakes_in_one_text_are_all_found() -> None:
    assert len(shown(field("text", "'{{ a = 1 }} {{ }} {{ b === 1 }}'"))) >= 3
