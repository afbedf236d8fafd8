"""Reading JSON that anybody may have sent."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.language.faults import Fault
from compiler.language.functions.json_text import parse_json
from compiler.language.limits import JSON_DEPTH, LIST_ITEMS
from compiler.language.values import Value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (" \t\r\n true ", True),
        ("-0", 0),
        ("-0.0", 0),
        ("2.0", 2),
        ("1e2", 100),
        ("1.5E-3", 0.0015),
        ("12345678901234567890", 12345678901234567168),
        ("1e-400", 0),
        ('"\\u00e9\\ud83d\\ude00\\/"', "é😀/"),
        ('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        ('{"": []}', {"": []}),
        ('"[[[["', "[[[["),
    ],
)
def test_values(text: str, value: Value) -> None:
    found = parse_json(text)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value should stand at line 1, column 1"),
        ("nope", "a value should stand at line 1, column 1"),
        ("[1,\n 2,]", "line 2"),
        ("{'a': 1}", "a key in double quotes should stand"),
        ('{"a" 1}', "a `:` should stand"),
        ("[1 2]", "a `,` or the closing bracket"),
        ('"abc', "never closed"),
        ('"a\nb"', "unescaped"),
        ('"\\x41"', "starts no escape"),
        ('"\\u00"', "starts no escape"),
        ("1 2", "more follows"),
        ("01", "more follows"),
        ("[1] // done", "more follows"),
        ("NaN", "`NaN` is no JSON value"),
        ("[-Infinity]", "`-Infinity` is no JSON value"),
        (".5", "a value should stand"),
        ("+1", "a value should stand"),
        ("\ufeff1", "a value should stand"),
        ("\u0661", "a value should stand"),
        ('"\\ud800"', "surrogate"),
        ('{"\\ude00\\ud83d": 1}', "surrogate"),
        ('[["\\uD83D"]]', "surrogate"),
    ],
)
def test_what_is_not_json(text: str, message: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_json(text)
    assert caught.value.kind is codes.BAD_ARGUMENT
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1e400", codes.NUMBER_RANGE),
        ("[-1e999]", codes.NUMBER_RANGE),
        ("9" * 400, codes.NUMBER_RANGE),
        ("9" * 10_000, codes.NUMBER_RANGE),
        ("[" * (JSON_DEPTH + 1) + "]" * (JSON_DEPTH + 1), codes.TOO_LARGE),
        ('{"a":' * (JSON_DEPTH + 1) + "1" + "}" * (JSON_DEPTH + 1), codes.TOO_LARGE),
        ("[" * 1_000_000, codes.TOO_LARGE),
        ("[" + "0," * LIST_ITEMS + "0]", codes.TOO_LARGE),
        ("[{" + ",".join(f'"{n}":0' for n in range(LIST_ITEMS + 1)) + "}]", codes.TOO_LARGE),
    ],
    ids=range(9),
)
def test_limits(text: str, kind: Code) -> None:
    with pytest.raises(Fault) as caught:
        parse_json(text)
    assert caught.value.kind is kind


def test_just_within_the_limits() -> None:
    assert parse_json("[" * JSON_DEPTH + "]" * JSON_DEPTH)
    assert parse_json("[" + "[]," * JSON_DEPTH + "[]]")
    assert parse_json('["' + "[" * 1_000 + '\\"[[["]')
    assert isinstance(parse_json("[" + "0," * (LIST_ITEMS - 1) + "0]"), list)


def test_texts_that_are_never_closed_take_linear_time() -> None:
    with pytest.raises(Fault):
        parse_json('\\"' * 500_000 + "[" * 300)
