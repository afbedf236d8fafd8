"""Every function, called with anything: a value in normal form that JSON can write, or a Fault, and nothing else."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS, Evaluate, Function, Parameter, call, parse_json
from compiler.language.limits import SAFE_INTEGER, TEXT_BYTES
from compiler.language.values import Kind, Value, identical, kind_of, normalise, number_text, to_json
from tests.compiler.language.functions.evaluator import StillMoment

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.sampled_from([0, 1, -1, 0.5, 1.005, 100_001, 1_048_577, 10**9, SAFE_INTEGER, 253_402_300_800, 1e-7, 1e300]),
    st.integers(-(10**30), 10**30),
    FLOATS,
).map(normalise)
WRITTEN = ("", " ", "0", "-1.5", "-0.0", "1e400", "9" * 5_000, "\u0661\u0662", "\uff41", "\x00", "x" * 3_000)
DATES = ("2024-02-29", "2023-02-29", "2024-12-18T10:30:45.5+05:30", "0001-01-01T00:00+14:00", "9999-12-31T23:59-01:00")
FORMATS = ("%Y-%m-%d %H:%M:%S %j %U %c", "%", "%Q", "%-d%%", "[0-9]+", "(a", "a{1000}{1000}", "\\")
LETTERS = ("é", "ß", "İ", "👋🏽", "हिन्दी")
JSONS = (
    '{"a": [1, 2.5e3, "\\ud83d\\ude00"]}',
    '"\\ud800"',
    "[1e999]",
    "[NaN]",
    "[" * 300,
    "{'a': 1}",
    "[" + "7" * 999 + "]",
)
ENCODED = ("&#" + "1" * 5_000 + ";", "&#xD800;&lt", "%zz", "%ff", "+%20", "aGk=", "aGk")
ADDRESSES = ("a@b.co", "https://[::1]:99999/", "http://a.b/\u2028")
TELLING = st.sampled_from([*WRITTEN, *DATES, *FORMATS, *LETTERS, *JSONS, *ENCODED, *ADDRESSES])
TEXTS = st.one_of(TELLING, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def fails(item: Value) -> Value:
    raise Fault(codes.TYPE_ERROR, "the expression fails", item)


EXPRESSIONS: st.SearchStrategy[Evaluate] = st.sampled_from(
    [lambda item: item, lambda item: 2.0, lambda item: 2**60 + 1, lambda item: None, str, fails]
)


OF_KIND: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.NULL: st.none(),
    Kind.BOOLEAN: st.booleans(),
    Kind.NUMBER: NUMBERS,
    Kind.TEXT: TEXTS,
    Kind.LIST: st.one_of(st.lists(VALUES, max_size=6), st.lists(NUMBERS, max_size=6)),
    Kind.OBJECT: st.dictionaries(TEXTS, VALUES, max_size=4),
}


@st.composite
def arguments(draw: st.DrawFn, row: Function) -> list[Value | Evaluate]:
    """As many arguments as the row takes; most of a right kind, for otherwise little would run."""
    most = row.minimum + 3 if row.maximum is None else row.maximum
    count = draw(st.integers(row.minimum, most))
    return [draw(argument(row.parameter(place))) for place in range(count)]


def argument(parameter: Parameter) -> st.SearchStrategy[Value | Evaluate]:
    if parameter.literal == "expression":
        return EXPRESSIONS
    fitting = [strategy for kind, strategy in OF_KIND.items() if kind & parameter.kinds]
    return st.one_of(*fitting * 3, VALUES)


def is_normal(value: Value) -> bool:
    """Whether every number in the value has its one form."""
    if isinstance(value, list):
        return all(map(is_normal, value))
    if isinstance(value, dict):
        return all(map(is_normal, value.values()))
    if isinstance(value, float):
        return math.isfinite(value) and not value.is_integer()
    return not isinstance(value, int) or abs(value) <= SAFE_INTEGER or value == int(float(value))


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
@settings(max_examples=max(25, settings().max_examples // 4))
@given(st.data())
def test_a_normal_value_or_a_fault(row: Function, data: st.DataObject) -> None:
    given_arguments = data.draw(arguments(row))
    try:
        result = call(row, given_arguments, StillMoment(rooms={"a": ["1", "2"]}))
    except Fault:
        return
    assert is_normal(result)
    assert kind_of(result) in row.result
    plain = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    if len(plain.encode()) <= TEXT_BYTES:  # escapes can make the JSON of a text larger than the text
        assert json.loads(to_json(result), parse_int=float) == json.loads(plain, parse_int=float)


@given(VALUES)
def test_json_reads_what_json_writes(value: Value) -> None:
    assert identical(parse_json(to_json(value)), value)
    assert identical(parse_json(to_json(value, indent=2)), value)


@given(st.text(max_size=40) | TEXTS)
def test_json_agrees_with_a_second_reader(text: str) -> None:
    try:
        ours = parse_json(text)
    except Fault:
        return
    assert json.loads(text, parse_int=float) == ours


@given(NUMBERS, st.integers(-25, 25))
def test_round_is_exact_on_the_digits_shown(number: float, digits: int) -> None:
    exact = Fraction(number_text(number)) * Fraction(10) ** digits
    nearest = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    expected = normalise(float(nearest / Fraction(10) ** digits))
    assert call(FUNCTIONS["round"], [number, digits], StillMoment()) == expected


@given(st.floats(-1e15, 1e15), st.integers(0, 12))
def test_format_number_groups_thousands(number: float, digits: int) -> None:
    shown = call(FUNCTIONS["format_number"], [number, digits], StillMoment())
    assert isinstance(shown, str)
    step = Decimal(1).scaleb(-digits)
    assert Decimal(shown.replace(",", "")) == Decimal(number_text(number)).quantize(step, rounding=ROUND_HALF_UP)
    whole = shown.lstrip("-").partition(".")[0].split(",")
    assert all(len(group) == 3 for group in whole[1:])
    assert 1 <= len(whole[0]) <= 3


@given(st.lists(VALUES, max_size=8))
def test_unique_keeps_the_first_of_each_content(elements: list[Value]) -> None:
    expected: list[Value] = []
    for element in elements:
        if not any(identical(element, kept) for kept in expected):
            expected.append(element)
    assert identical(call(FUNCTIONS["unique"], [elements], StillMoment()), expected)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-1_000, 1_000))
def test_dates_agree_with_the_calendar(time: datetime, days: int) -> None:
    time = time.replace(microsecond=0)
    text = time.isoformat() + "Z"
    try:
        later = (time + timedelta(days=days)).isoformat() + "Z"
    except OverflowError:
        later = None
    if later is not None:
        assert call(FUNCTIONS["add_days"], [text, days], StillMoment()) == later
    seconds = call(FUNCTIONS["parse_timestamp"], [text], StillMoment())
    assert seconds == int((time.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert call(FUNCTIONS["add_days"], [seconds, 0], StillMoment()) == text


PORTABLE = "%d|%m|%y|%H|%I|%M|%S|%j|%U|%W|%w|%%"


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_directives_agree_with_strftime(time: datetime) -> None:
    text = time.isoformat() + "Z"
    assert call(FUNCTIONS["format_timestamp"], [text, PORTABLE], StillMoment()) == time.strftime(PORTABLE)
    year, week, day = time.isocalendar()
    assert call(FUNCTIONS["format_timestamp"], [text, "%G-%V-%u"], StillMoment()) == f"{year}-{week:02}-{day}"


@given(TEXTS)
def test_encodings_come_back(text: str) -> None:
    for name, back in (
        ("url_encode", "url_decode"),
        ("html_escape", "html_unescape"),
        ("base64_encode", "base64_decode"),
    ):
        encoded = call(FUNCTIONS[name], [text], StillMoment())
        assert call(FUNCTIONS[back], [encoded], StillMoment()) == text
