"""What a field's value is before anything runs."""

from __future__ import annotations

import pytest

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.values import Kind, Value
from compiler.operations.constants import Constant, check_kind, check_whole, constant_of, kind_of_field, number_of
from compiler.syntax.fields import ConstantField, ListField, ObjectField, TemplateField, ValueField
from compiler.syntax.findings import Findings
from compiler.syntax.parser import parse_template
from compiler.syntax.tree import Scalar, Style

HERE = Span(0, 1)


def field_of(value: Value) -> ValueField:
    """The field that a value of a route file becomes."""
    if isinstance(value, str):
        template, _ = parse_template(value)
        return TemplateField(template, Scalar(value, value, Style.DOUBLE, HERE), "Some.field")
    if isinstance(value, list):
        return ListField(tuple(map(field_of, value)), HERE, "Some.field")
    if isinstance(value, dict):
        return ObjectField((), HERE, "Some.field")
    return ConstantField(value, HERE, "Some.field")


def findings() -> Findings:
    return Findings(SourceFile("route.yaml", "x"), Report())


@pytest.mark.parametrize("value", ["a", "", 5, 1.5, True, None])
def test_scalars_without_templates_are_constants(value: Value) -> None:
    assert constant_of(field_of(value)) == Constant(value)


@pytest.mark.parametrize("value", ["{{ a }}", "a {{ b }}", "{{ 1 +", [1], {}])
def test_everything_else_is_not(value: Value) -> None:
    assert constant_of(field_of(value)) is None


def test_an_absent_field_has_no_constant() -> None:
    assert constant_of(None) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a", Kind.TEXT), ("{{ a }}", Kind.ANY), (5, Kind.NUMBER), (None, Kind.NULL), ([], Kind.LIST), ({}, Kind.OBJECT)],
)
def test_kinds_by_form(value: Value, kind: Kind) -> None:
    assert kind_of_field(field_of(value)) == kind


@pytest.mark.parametrize(("value", "fits"), [({}, True), ("{{ a }}", True), ([1], False), ("a", False), (5, False)])
def test_a_value_of_another_kind_is_a_finding(value: Value, fits: bool) -> None:
    found = findings()
    check_kind(found, field_of(value), "headers", Kind.OBJECT)
    assert [d.code.name for d in found.report.diagnostics] == ([] if fits else ["wrong-type"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, ""), (5, ""), ("5", ""), ("5.0", ""), (5.0, ""), ("{{ a }}", ""), ("{{ a }}0", ""),
        (-1, "bad-value"), ("-1", "bad-value"),
        (1.5, "wrong-type"), ("1.5", "wrong-type"), ("soon", "wrong-type"), (True, "wrong-type"), (None, "wrong-type"),
        ([1], "wrong-type"), ({}, "wrong-type"), ("1e999", "wrong-type"), ("", "wrong-type"),
    ],
)  # fmt: skip
def test_whole_numbers(value: Value, code: str) -> None:
    found = findings()
    assert check_whole(found, field_of(value), "ms") is (code == "")
    assert [d.code.name for d in found.report.diagnostics] == ([code] if code else [])


def test_numbers() -> None:
    assert [number_of(field_of(value)) for value in (5, "5", 1.5, "x", True, "{{ a }}")] == [
        5,
        5,
        1.5,
        None,
        None,
        None,
    ]
