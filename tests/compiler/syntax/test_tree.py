"""Questions to a positioned tree."""

from __future__ import annotations

from compiler.syntax.tree import Mapping, Scalar
from tests.compiler.syntax.reading import tree_of


def test_the_value_under_a_key() -> None:
    tree = tree_of("a: 1\nb: x")
    assert isinstance(tree, Mapping)
    value = tree.get("b")
    assert isinstance(value, Scalar)
    assert value.resolved == "x"
    assert tree.get("c") is None
