"""Fields: what stands in them, however deep."""

from __future__ import annotations

from compiler.diagnostics.source import Span
from compiler.syntax.fields import (
    AnyField,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
    Written,
    leaves,
)
from compiler.syntax.parser import parse_condition, parse_template
from compiler.syntax.tree import Scalar, Style

PLACE = Span(3, 7)


def scalar(text: str) -> Scalar:
    return Scalar(text, text, Style.PLAIN, PLACE)


def template(text: str) -> TemplateField:
    return TemplateField(parse_template(text)[0], scalar(text), "Op.value")


def number(value: int) -> ConstantField:
    return ConstantField(value, PLACE, "Op.value")


def test_a_leaf_is_its_own() -> None:
    field = template("a")
    assert list(leaves(field)) == [field]


def test_leaves_come_in_order() -> None:
    a, b, c, d = number(1), template("b"), number(3), template("d")
    inner = ObjectField(((Written("x", PLACE), b), (Written("y", PLACE), c)), PLACE, "Op.value")
    field = ListField((a, inner, ListField((), PLACE, "Op.value"), d), PLACE, "Op.value")
    assert list(leaves(field)) == [a, b, c, d]


def test_deep_values_need_no_stack() -> None:
    field: ListField | ObjectField | ConstantField = number(1)
    for _ in range(5000):
        field = ListField((field,), PLACE, "Op.value")
    assert [leaf for leaf in leaves(field) if isinstance(leaf, ConstantField)] == [number(1)]


def test_fields_know_their_place() -> None:
    text = TextField(parse_template("a")[0], scalar("a"), "Op.message")
    condition = ConditionField(parse_condition("a")[0], scalar("a"), "Op.condition")
    fields: list[AnyField] = [text, condition, template("a"), number(1)]
    assert [field.span for field in fields] == [PLACE] * 4
