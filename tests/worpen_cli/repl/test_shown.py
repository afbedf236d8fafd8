"""Values on one line."""

from __future__ import annotations

import pytest

from compiler.language.values import Kind, Value
from worpen_cli.repl.shown import cut, glance, short_kind, type_name


@pytest.mark.parametrize(
    ("text", "width", "shown"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abc", 1, "…"), ("", 0, "")]
)
def test_cut(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


def deep(depth: int) -> Value:
    value: Value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", ["x" * 10**6, list(range(10**5)), {"k" * 10**5: 1}, deep(5000), [["x" * 10**5] * 1000] * 1000]
)
def test_a_glance_at_anything_is_short(value: Value) -> None:
    assert len(glance(value, 30)) <= 30


def test_a_glance_at_what_fits_is_all_of_it() -> None:
    assert glance({"a": [1, "x", None]}, 40) == '{"a":[1,"x",null]}'


@pytest.mark.parametrize(
    ("value", "name"),
    [("ab", "text of 2"), ([], "list of 0"), ({}, "object of 0"), (1, "number"), (None, "null"), (True, "boolean")],
)
def test_types(value: Value, name: str) -> None:
    assert type_name(value) == name


@pytest.mark.parametrize(
    ("kinds", "name"), [(Kind.ANY, "any value"), (Kind.TEXT | Kind.NULL, "null or text"), (Kind.OBJECT, "object")]
)
def test_kinds(kinds: Kind, name: str) -> None:
    assert short_kind(kinds) == name
