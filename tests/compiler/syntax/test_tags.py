"""The core tags on scalars."""

from __future__ import annotations

import pytest

from compiler.syntax.scalars import Resolved
from compiler.syntax.tags import is_core, resolve_tagged

CORE = "tag:yaml.org,2002:"


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("!", "5", "5"),
        (CORE + "str", "null", "null"),
        (CORE + "int", "5", 5),
        (CORE + "float", "5", 5),
        (CORE + "float", "0.5", 0.5),
        (CORE + "bool", "true", True),
        (CORE + "null", "~", None),
    ],
)
def test_a_core_tag_says_what_a_scalar_is(tag: str, text: str, value: Resolved) -> None:
    assert is_core(tag)
    assert resolve_tagged(text, tag) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int", "0.5"),
        ("int", "x"),
        ("int", "true"),
        ("bool", "1"),
        ("bool", "yes"),
        ("null", "0"),
        ("seq", "x"),
        ("map", ""),
    ],
)
def test_a_text_of_another_type_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        resolve_tagged(text, CORE + name)


@pytest.mark.parametrize("tag", ["!WsOp", CORE + "set", CORE + "binary", CORE + "python/object"])
def test_other_tags_are_not_core(tag: str) -> None:
    assert not is_core(tag)
