"""Trees from parts, as a reader tells them."""

from __future__ import annotations

import pytest

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.limits import NODES, TREE_DEPTH
from compiler.syntax.tree import Mapping, Scalar, Style
from compiler.syntax.tree_builder import Properties, ReadingStopped, TreeBuilder, shortened
from tests.compiler.syntax.reading import plain


def builder_of(text: str) -> tuple[TreeBuilder, Report]:
    report = Report()
    return TreeBuilder(SourceFile("a.yaml", text), report), report


def test_a_tree_of_parts() -> None:
    builder, report = builder_of("a: [1, x]")
    builder.open(True, 0, False)
    builder.add_scalar("a", Style.PLAIN, 0, 1)
    builder.open(False, 3, True)
    assert (builder.brackets, builder.depth) == ((3,), 2)
    builder.add_scalar("1", Style.PLAIN, 4, 5)
    builder.add_scalar("x", Style.PLAIN, 7, 8)
    builder.close(9)
    builder.close(9)
    tree = builder.end_document()
    assert isinstance(tree, Mapping)
    assert plain(tree) == {"a": [1, "x"]}
    assert tree.span == Span(0, 9)
    assert not report.diagnostics


def test_a_block_collection_ends_with_its_last_item() -> None:
    builder, _ = builder_of("- a\n\n\n")
    builder.open(False, 0, False)
    builder.add_scalar("a", Style.PLAIN, 2, 3)
    builder.close(6)
    tree = builder.end_document()
    assert tree is not None
    assert tree.span == Span(0, 3)


def test_nothing_is_no_document() -> None:
    builder, _ = builder_of("")
    assert builder.end_document() is None
    builder.add_scalar("", Style.PLAIN, 0, 0)
    assert builder.end_document() is None


def test_a_refused_document_is_left_out_and_the_next_one_is_not() -> None:
    builder, _ = builder_of("a b")
    builder.add_scalar("a", Style.PLAIN, 0, 1)
    builder.refuse_document()
    assert builder.end_document() is None
    builder.add_scalar("b", Style.PLAIN, 2, 3)
    assert builder.end_document() == Scalar("b", "b", Style.PLAIN, Span(2, 3))


def test_an_alias_counts_as_much_as_what_it_stands_for() -> None:
    builder, report = builder_of("*a" * NODES)
    builder.open(False, 0, True)
    builder.open(False, 0, True, Properties(0, None, "a"))
    for _ in range(998):
        builder.add_scalar("x", Style.PLAIN, 0, 1)
    builder.close(1)
    for number in range(99):
        builder.add_alias("a", number, number + 2)
    assert not report.diagnostics
    with pytest.raises(ReadingStopped):
        builder.add_alias("a", 200, 202)
    assert [(found.code.name, found.span) for found in report.diagnostics] == [("limit", Span(200, 202))]


def test_depth_ends_at_its_limit() -> None:
    builder, report = builder_of("[" * 2000)
    for place in range(TREE_DEPTH):
        builder.open(False, place, True)
    assert not report.diagnostics
    with pytest.raises(ReadingStopped):
        builder.open(False, TREE_DEPTH, True)
    assert report.diagnostics[0].span.start == TREE_DEPTH


@pytest.mark.parametrize(
    ("text", "short"),
    [("abc", "abc"), ("x" * 40, "x" * 40), ("x" * 41, "x" * 40 + "…"), ("a\nb", "a…"), ("", "")],
)
def test_texts_in_messages_are_short(text: str, short: str) -> None:
    assert shortened(text) == short
