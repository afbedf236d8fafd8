"""Trees as outlines."""

from __future__ import annotations

import pytest

from compiler.syntax.parser import parse_expression, parse_template
from worpen_cli.repl.trees import outline

ALL = "{k: -a[0].b?.c, 'x y': [1, (p ? q : r)]} | f(true) ?? !(z && w)"


def rows(text: str) -> list[str]:
    tree, _ = parse_expression(text)
    assert tree is not None
    return list(outline(tree))


def test_every_kind_of_node() -> None:
    assert [row.rpartition("  ")[0] for row in rows(ALL)] == [
        "Logical ??",
        "  Call | f",
        "    ObjectLiteral",
        "      k: Unary -",
        "        Member ?.c",
        "          of: Member .b",
        "            of: Index []",
        "              of: Name a",
        "              at: Literal 0",
        "      x y: ListLiteral",
        "        Literal 1",
        "        Parenthesised",
        "          Conditional",
        "            if: Name p",
        "            then: Name q",
        "            else: Name r",
        "    Literal true",
        "  Unary !",
        "    Parenthesised",
        "      Logical &&",
        "        Name z",
        "        Name w",
    ]


def test_ranges_are_those_of_the_text() -> None:
    for row in rows("a + 'b'"):
        start, _, end = row.rpartition("  ")[2].partition("..")
        assert "a + 'b'"[int(start) : int(end)] in ("a + 'b'", "a", "'b'")


def test_templates() -> None:
    tree, _ = parse_template("hi {{ a }}\n")
    assert list(outline(tree)) == ["Template  0..11", '  Text "hi "', "  Name a  6..7", '  Text "\\n"']


@pytest.mark.parametrize("text", ["1" + " + 1" * 5000, "a" + ".b" * 5000])
def test_chains_need_no_stack(text: str) -> None:
    assert len(rows(text)) > 5000
