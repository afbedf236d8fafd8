"""JSON with positions."""

from __future__ import annotations

import json

import pytest

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile
from compiler.syntax.json_reader import read_json
from compiler.syntax.tree import Style
from tests.compiler.syntax.reading import finding_of, nodes_of, plain, read, scalars_of, tree_of


@pytest.mark.parametrize(
    "text",
    [
        *(
            "{}",
            "[]",
            "0",
            "-1.5e3",
            "1e2",
            '"x"',
            "true",
            "null",
            " [ 1 , 2 ] ",
            '{"a": {"b": [[], {}]}}',
            "[1,\r\n\t2]",
        ),
        *(r'"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"', '["é😀\u2028\x7f"]', '{"": 0, " ": 1, "<<": 2}'),
    ],
)
def test_values(text: str) -> None:
    assert plain(tree_of(text, "a.json")) == json.loads(text)


def test_places_and_styles() -> None:
    text = '{"é": [1, "a\\u0062", true],\n "b": {}}'
    tree = tree_of(text, "a.json")
    assert [text[node.span.start : node.span.end] for node in nodes_of(tree)] == [
        *(text, '"é"', '[1, "a\\u0062", true]', "1", '"a\\u0062"', "true", '"b"', "{}")
    ]
    assert [scalar.style for scalar in scalars_of(tree)] == [
        Style.JSON,
        Style.PLAIN,
        Style.JSON,
        Style.PLAIN,
        Style.JSON,
    ]
    assert [scalar.value for scalar in scalars_of(tree)] == ["é", "1", "ab", "true", "b"]


def test_numbers_are_in_normal_form() -> None:
    text = "[2.0, -0, 12345678901234567890, 1.0e2]"
    assert [(value, type(value)) for value in plain(tree_of(text, "a.json"))] == [
        (2, int),
        (0, int),
        (12345678901234567168, int),
        (100, int),
    ]


@pytest.mark.parametrize("text", ["", " \r\n\t"])
def test_a_blank_file_has_no_document(text: str) -> None:
    report = Report()
    assert read_json(SourceFile("a.json", text), report) == []
    assert not report.diagnostics


def test_a_name_that_is_given_twice() -> None:
    documents, (finding,) = read('{"a": 1,\n "\\u0061": 2}', "a.json")
    assert (finding.code.name, finding.message) == ("duplicate-key", "`a` is given twice (first on line 1)")
    assert plain(documents[0]) == {"a": 1}


@pytest.mark.parametrize("text", ["1e999", "[-1e999]", '{"a": 1' + "0" * 400 + "}"])
def test_numbers_beyond_the_doubles(text: str) -> None:
    assert finding_of(text, "a.json")[0] == "number-range"
    assert read(text, "a.json")[0] == []


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" + "1," * 120_000])
def test_limits(text: str) -> None:
    assert finding_of(text, "a.json")[0] == "limit"


def test_a_tree_of_the_greatest_depth_is_read() -> None:
    assert len(list(nodes_of(tree_of("[" * 900 + "]" * 900, "a.json")))) == 900
