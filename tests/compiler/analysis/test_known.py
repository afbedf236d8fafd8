"""Sets of kinds: what two values can be together."""

from __future__ import annotations

import itertools

import pytest

from compiler.analysis.known import (
    ANYTHING,
    NUMBER,
    TEXT,
    VARIES,
    Known,
    can_calculate,
    can_order,
    constant,
    either,
    is_numeric_part,
    is_word,
    singles,
    sum_kinds,
    unless_null,
    unless_true,
)
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Kind, Value, kind_of

SAMPLES: list[Value] = [None, False, True, 0, 1, -2.5, "", "12", "-0.5", "word", [], [1], {}, {"a": 1}]
PAIRS = list(itertools.product(SAMPLES, SAMPLES))


def unknown(value: Value) -> Known:
    """All that kinds tell of a value."""
    return constant(value).varying()


def result_of(helper: object, *operands: Value) -> Value | Fault:
    try:
        return helper(*operands)  # type: ignore[no-any-return, operator]
    except Fault as fault:
        return fault


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_kinds_never_forbid_what_works(left: Value, right: Value) -> None:
    """The kinds of two values foresee each result, and refuse only what fails."""
    a, b = unknown(left), unknown(right)
    total = result_of(values.add, left, right)
    assert isinstance(total, Fault) or kind_of(total) & sum_kinds(a, b)
    assert isinstance(result_of(values.less, left, right), Fault) or can_order(a, b)
    product = result_of(values.multiply, left, right)
    assert isinstance(product, Fault) or (can_calculate(a) and can_calculate(b))


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_kinds_of_choices_hold_their_results(left: Value, right: Value) -> None:
    a, b = unknown(left), unknown(right)
    assert kind_of(right if left is None else left) & unless_null(a, b).kinds
    assert kind_of(left if values.truthy(left) else right) & unless_null(a, b).kinds
    assert kind_of(right if values.truthy(left) else left) & unless_true(a, b).kinds


@pytest.mark.parametrize(
    ("known", "words"), [(constant("a"), True), (constant(""), True), (constant("1"), False), (constant(1), False)]
)
def test_words_are_texts_that_are_no_numbers(known: Known, words: bool) -> None:
    assert is_word(known) is words


def test_a_word_or_null_is_no_word() -> None:
    assert not is_word(either(constant("a"), constant(None)))


def test_either_forgets_what_differs() -> None:
    assert either(constant(1), constant(1)) == constant(1)
    assert either(constant("a"), constant("b")) == Known(Kind.TEXT, VARIES, wordy=True)
    assert either(constant("a"), constant("1")) == Known(Kind.TEXT)
    assert either(TEXT, NUMBER) == Known(Kind.TEXT | Kind.NUMBER)
    assert either(TEXT, Known(Kind.TEXT, absent=True)).absent
    assert either(ANYTHING, TEXT) == ANYTHING


@pytest.mark.parametrize(("left", "right"), [([1], [True]), ([1], [1.0]), ({"a": 0}, {"a": False}), ([""], [None])])
def test_either_does_not_take_one_for_true(left: Value, right: Value) -> None:
    assert either(constant(left), constant(right)).constant is VARIES


def test_null_and_what_is_absent_end_at_a_default() -> None:
    maybe = Known(Kind.TEXT | Kind.NULL, absent=True)
    assert unless_null(maybe, constant("a")) == Known(Kind.TEXT)
    assert unless_null(constant(None), constant(1)) == constant(1)
    assert unless_true(maybe, constant("a")).absent
    assert unless_true(constant([1]), constant(1)) == constant(1)


@pytest.mark.parametrize("value", ["x" * 1001, list(range(1001)), [[[[[[[[[[1]]]]]]]]]], [["y" * 1001]]])
def test_large_constants_are_not_carried_on(value: Value) -> None:
    assert constant(value) == Known(kind_of(value), wordy=isinstance(value, str))


def test_numeric_parts() -> None:
    assert [text for text in ("", "-", "1e", "12", "1 2", "a", ".") if not is_numeric_part(text)] == ["1 2", "a"]


def test_singles() -> None:
    assert list(singles(Kind.TEXT | Kind.NULL)) == [Kind.NULL, Kind.TEXT]
    assert len(singles(Kind.ANY)) == 6
