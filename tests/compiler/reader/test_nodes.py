"""What nodes are in words, and what they must be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from compiler.diagnostics.diagnostic import Report
from compiler.reader.nodes import (
    Unreadable,
    describe_node,
    is_null,
    names_in,
    require_flag,
    require_list,
    require_literal,
    require_mapping,
    require_number,
    require_text,
    require_variable,
    require_word,
)
from compiler.syntax.events import decode_source, read_documents
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Mapping, Node


def node_of(text: str) -> tuple[Node, Findings]:
    """The node under `key:` in a file, and where findings about it go."""
    report = Report()
    source = decode_source("route.yaml", f"key: {text}".encode(), report)
    assert source is not None
    (document,) = read_documents(source, report)
    assert not report.diagnostics
    assert isinstance(document, Mapping)
    return document.entries[0].value, Findings(source, report)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "text"), ("''", "an empty text"), ("5", "the number 5"), ("1.50", "the number 1.50"),
        ("true", "the boolean true"), ("null", "null"), ("~", "null"), ("", "empty"), ("[a]", "a list"),
        ("[]", "an empty list"), ("{a: 1}", "a mapping"), ("{}", "an empty mapping"), ("!x a", "a node tagged !x"),
    ],
)  # fmt: skip
def test_nodes_in_words(text: str, words: str) -> None:
    assert describe_node(node_of(text)[0]) == words


def test_null() -> None:
    assert [is_null(node_of(text)[0]) for text in ("", "null", "~", "''", "'null'", "0")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


REQUIRING: list[tuple[Callable[[Findings, Node], object], str, object]] = [
    (partial(require_text, label="k"), "a", "a"),
    (partial(require_text, label="k"), "'5'", "5"),
    (partial(require_text, label="k"), "yes", "yes"),
    (partial(require_text, label="k"), "017", "017"),
    (partial(require_literal, label="k"), "a } b", "a } b"),
    (partial(require_flag, label="k"), "true", True),
    (partial(require_word, label="k", words=("a", "b")), "b", "b"),
    (partial(require_number, label="k", whole=True, minimum=1, maximum=5), "5", 5),
    (partial(require_number, label="k", whole=True, minimum=1), "1.0", 1),
    (partial(require_number, label="k", whole=False, minimum=0.5), "0.5", 0.5),
    (partial(require_variable, label="k"), "_a1", "_a1"),
]


@pytest.mark.parametrize(("require", "text", "value"), REQUIRING)
def test_what_is_right_is_given_back(require: Callable[[Findings, Node], object], text: str, value: object) -> None:
    node, found = node_of(text)
    assert require(found, node) == value
    assert not found.report.diagnostics


REFUSING: list[tuple[Callable[[Findings, Node], object], str, str, str]] = [
    (partial(require_text, label="k"), "5", "wrong-type", 'put it in quotes: "5"'),
    (partial(require_text, label="k"), "true", "wrong-type", 'put it in quotes: "true"'),
    (partial(require_text, label="k"), "null", "wrong-type", "a value must stand behind `k:`"),
    (partial(require_text, label="a.k"), "", "wrong-type", "a value must stand behind `k:`"),
    (partial(require_text, label="k"), "[a]", "wrong-type", ""),
    (partial(require_text, label="k"), "!x a", "unknown-tag", "leave the tag out"),
    (partial(require_literal, label="k"), "'{{ a }}'", "bad-value", ""),
    (partial(require_flag, label="k"), "'true'", "wrong-type", "without quotes: true"),
    (partial(require_flag, label="k"), "yes", "wrong-type", "write `true`"),
    (partial(require_flag, label="k"), "OFF", "wrong-type", "write `false`"),
    (partial(require_flag, label="k"), "1", "wrong-type", "write `true`"),
    (partial(require_word, label="k", words=("aa", "bb")), "ab", "bad-value", "known: aa, bb"),
    (partial(require_word, label="k", words=("aa", "bb")), "'{{ a }}'", "bad-value", "known: aa, bb"),
    (partial(require_number, label="k", whole=True, minimum=1), "0", "bad-value", ""),
    (partial(require_number, label="k", whole=True, minimum=1, maximum=5), "6", "bad-value", ""),
    (partial(require_number, label="k", whole=True), "1.5", "wrong-type", ""),
    (partial(require_number, label="k", whole=True), "'5'", "wrong-type", "without quotes: 5"),
    (partial(require_number, label="k", whole=False), "true", "wrong-type", ""),
    (partial(require_variable, label="k"), "'{{ a }}'", "bad-value", "without braces"),
    (partial(require_variable, label="k"), "1a", "bad-value", "a name is a letter"),
    (partial(require_variable, label="k"), "params", "reserved-name", "my_params"),
    (partial(require_mapping, label="k", help="write one"), "[]", "wrong-type", "write one"),
    (partial(require_list, label="k"), "{}", "wrong-type", ""),
]


@pytest.mark.parametrize(("require", "text", "code", "help"), REFUSING)
def test_what_is_wrong_is_one_finding(
    require: Callable[[Findings, Node], object], text: str, code: str, help: str
) -> None:
    node, found = node_of(text)
    with pytest.raises(Unreadable):
        require(found, node)
    (finding,) = found.report.diagnostics
    assert finding.code.name == code
    assert help in finding.help
    assert finding.span.start >= node.span.start


def test_the_bounds_are_named() -> None:
    for text, minimum, maximum, said in (
        ("0", 1, 5, "from 1 to 5"),
        ("0", 1, None, "at least 1"),
        ("9", None, 5, "at most 5"),
    ):
        node, found = node_of(text)
        with pytest.raises(Unreadable):
            require_number(found, node, "k", whole=True, minimum=minimum, maximum=maximum)
        assert found.report.diagnostics[0].message == f"`k` must be {said}"


def test_quotes_are_a_repair() -> None:
    node, found = node_of("5")
    with pytest.raises(Unreadable):
        require_text(found, node, "k")
    ((edit,),) = [fix.edits for fix in found.report.diagnostics[0].fixes]
    assert (edit.span, edit.replacement) == (node.span, '"5"')


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{SetVar: {name: a, value: 1}}", {"a", "value"}),
        ("{total: 5}", {"total"}),
        ("[{x: {output_var: b}}, !t {as: c}]", {"b", "c"}),
        ("5", set()),
    ],
)
def test_names_that_an_unreadable_part_may_set(text: str, names: set[str]) -> None:
    assert names_in(node_of(text)[0]) == names
