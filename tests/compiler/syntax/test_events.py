"""YAML files → positioned trees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.diagnostics.source import Span
from compiler.syntax.tree import Mapping, Scalar, Sequence, Style, Tagged
from tests.compiler.syntax.reading import finding_of, nodes_of, plain, read, read_bytes, scalars_of, tree_of


def test_values_and_places_of_all_parts() -> None:
    text = "name: A\nhooks:\n  - {a: 'x', b: [1, true]}\n  - c:\n      d: ~\n\n\nlast: 2\n"
    tree = tree_of(text)
    assert plain(tree) == {"name": "A", "hooks": [{"a": "x", "b": [1, True]}, {"c": {"d": None}}], "last": 2}
    slices = [text[node.span.start : node.span.end] for node in nodes_of(tree)]
    assert slices == [
        text.rstrip("\n"),
        *("name", "A", "hooks"),
        "- {a: 'x', b: [1, true]}\n  - c:\n      d: ~",
        *("{a: 'x', b: [1, true]}", "a", "'x'", "b", "[1, true]", "1", "true"),
        *("c:\n      d: ~", "c", "d: ~", "d", "~", "last", "2"),
    ]


def test_places_are_code_points() -> None:
    text = "é😀: x\r\n'ü̈': \"y\"\r\n"
    assert [text[node.span.start : node.span.end] for node in scalars_of(tree_of(text))] == ["é😀", "x", "'ü̈'", '"y"']


def test_places_behind_a_byte_order_mark() -> None:
    (tree,), findings = read_bytes(b"\xef\xbb\xbfa: 1\n")
    assert not findings
    assert [node.span for node in scalars_of(tree)] == [Span(0, 1), Span(3, 4)]


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("x", Style.PLAIN),
        ("'x'", Style.SINGLE),
        ('"x"', Style.DOUBLE),
        ("|\n  x\n", Style.LITERAL),
        (">-\n  x", Style.FOLDED),
    ],
)
def test_styles(written: str, style: Style) -> None:
    (value,) = [node for node in scalars_of(tree_of("a: " + written)) if node.value != "a"]
    assert (value.style, value.resolved, value.span) == (style, value.value, Span(3, 3 + len(written)))


@pytest.mark.parametrize("written", ["'1'", '"true"', "'~'", '""', "|\n  null\n", ">-\n  0"])
def test_quoted_and_block_scalars_are_text(written: str) -> None:
    assert isinstance(plain(tree_of("a: " + written))["a"], str)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("|\n  x\n\n\n", "|\n  x\n"),
        (">-\n  x\n\n", ">-\n  x"),
        ("|+\n  x\n\n\n", "|+\n  x\n\n\n"),
        ("|\n  x\n    \n\n", "|\n  x\n    \n\n"),
        ("|\n  x", "|\n  x"),
        ("|\r\n  x\r\n\r\n", "|\r\n  x\r\n"),
        ("|\n\n", "|"),
    ],
)
def test_a_block_scalar_ends_with_its_content(written: str, kept: str) -> None:
    text = f"a: {written}# comment\nb: 1\n" if written.endswith("\n") else "a: " + written
    value = scalars_of(tree_of(text))[1]
    assert text[value.span.start : value.span.end] == kept


def test_line_separators_of_unicode_are_characters() -> None:
    text = 'a: b\u2028c\nd: "e\u2029  f\x85"\n\x85: g\n'
    assert plain(tree_of(text)) == {"a": "b\u2028c", "d": "e\u2029  f\x85", "\x85": "g"}
    assert plain(tree_of('a: "\u2028 \\U000F0000 \U000f0001 \\L"')) == {"a": "\u2028 \U000f0000 \U000f0001 \u2028"}


def test_documents() -> None:
    documents, findings = read("--- # nothing\n---\na: 1\n...\n---\n---\n- 2\n--- text\n--- ~\n")
    assert not findings
    assert [plain(document) for document in documents] == [{"a": 1}, [2], "text", None]


@pytest.mark.parametrize("text", ["", "\n\n", "# comment\n", "---\n", "---\n...\n"])
def test_a_file_without_content_has_no_documents(text: str) -> None:
    assert read(text) == ([], [])


def test_documents_before_a_mistake_are_kept() -> None:
    documents, findings = read("a: 1\n---\nb: 2\n---\nc: [\n---\nd: 4")
    assert [plain(document) for document in documents] == [{"a": 1}, {"b": 2}]
    assert len(findings) == 1


def test_a_document_that_goes_on_wrongly_is_left_out() -> None:
    documents, findings = read("a: 1\n---\n b: 2\nc: 3\n")
    assert [plain(document) for document in documents] == [{"a": 1}]
    assert len(findings) == 1


def test_a_json_file_is_read_as_json() -> None:
    assert finding_of("{a: 1}", "a.JSON")[0] == "json-syntax"
    assert plain(tree_of('{"a": 1}', "a.json")) == plain(tree_of('{"a": 1}', "a.txt")) == {"a": 1}


# Keys.


def test_a_key_that_is_given_twice() -> None:
    documents, (finding,) = read("path: 1\nb: 2\n'path': 3\n")
    assert (finding.code.name, finding.message) == ("duplicate-key", "`path` is given twice (first on line 1)")
    assert finding.span == Span(13, 19)
    assert [(label.span, label.text) for label in finding.labels] == [(Span(0, 4), "first given here")]
    assert plain(documents[0]) == {"path": 1, "b": 2}


def test_each_further_key_is_found() -> None:
    assert len(read("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")[1]) == 3


def test_keys_are_equal_by_their_text() -> None:
    assert finding_of("1: a\n'1': b\n")[0] == "duplicate-key"
    assert plain(tree_of("1: a\n1.0: b\ntrue: c\nnull: d")) == {"1": "a", "1.0": "b", "true": "c", "null": "d"}


def test_merge_keys() -> None:
    documents, findings = read("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")
    assert [(finding.code.name, finding.span) for finding in findings] == [("merge-key", Span(18, 20))]
    assert plain(documents[0]) == {"a": {"x": 1}, "b": {"y": 2}}
    assert plain(tree_of('"<<": 1')) == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("? [a]\n: b", "a key is a text, not a list"),
        ("? {a: b}\n: c", "a key is a text, not a mapping"),
        ("{[a, b]: c}", "a key is a text, not a list"),
        ("? \n: b", "a key is missing in front of `:`"),
        ("? &a\n: b", "a key is missing in front of `:`"),
    ],
)
def test_a_key_is_a_text(text: str, words: str) -> None:
    assert finding_of(text)[3] == words


def test_entries_with_refused_keys_are_left_out() -> None:
    assert plain(read("? [a]\n: b\nc: d\n!x e: f\n")[0][0]) == {"c": "d"}


def test_a_tag_on_a_key() -> None:
    assert finding_of("!x a: b") == ("unknown-tag", 1, 1, "`!x` on a key has no meaning")


# Tags.


def test_core_tags_are_respected() -> None:
    text = "a: !!str 5\nb: !!int '5'\nc: ! 5\nd: !!map {e: 1}\nf: !!seq [1]\ng: !!str\nh: ! [x]"
    assert plain(tree_of(text)) == {"a": "5", "b": 5, "c": "5", "d": {"e": 1}, "f": [1], "g": "", "h": ["x"]}


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("a: !!int x", 4, "`!!int` does not fit `x`"),
        ("a: !!bool", 4, "`!!bool` does not fit an empty value"),
        ("a: !!str [1]", 4, "`!!str` does not fit a list"),
        ("a: !!seq {b: 1}", 4, "`!!seq` does not fit a mapping"),
        ("a: &b !!map [1]", 7, "`!!map` does not fit a list"),
    ],
)
def test_core_tags_that_do_not_fit(text: str, column: int, words: str) -> None:
    assert finding_of(text) == ("wrong-type", 1, column, words)


def test_other_tags_are_kept_for_the_reader() -> None:
    text = "- !WsOp\n  a: 1\n- !x [b] \n- &n !y c\n- !z &m # why\n  - d\n- !!set {e}\n- !<tag:f,g> h\n- !w\n"
    tree = tree_of(text)
    assert isinstance(tree, Sequence)
    assert plain(tree) == [
        ("!WsOp", {"a": 1}),
        ("!x", ["b"]),
        ("!y", "c"),
        ("!z", ["d"]),
        ("!!set", {"e": None}),
        ("!<tag:f,g>", "h"),
        ("!w", None),
    ]
    for tagged in tree.items:
        assert isinstance(tagged, Tagged)
        assert text[tagged.tag_span.start : tagged.tag_span.end] == tagged.tag
        assert tagged.span.start == tagged.tag_span.start
        assert tagged.span.end == tagged.content.span.end
    assert [
        text[node.content.span.start : node.content.span.end] for node in tree.items if isinstance(node, Tagged)
    ] == [*("a: 1", "[b]", "c", "- d", "{e}", "h", "")]


def test_many_tag_directives_are_refused() -> None:
    lines = "".join(f"%TAG !{number}! x\n" for number in range(20_000))
    assert finding_of(lines + "---\na: 1")[0] == "limit"


# Anchors and aliases.


def test_an_alias_shares_the_node_of_its_anchor() -> None:
    tree = tree_of("a: &x [1, &y 2]\nb: *x\nc: *y\n*y : d")
    assert plain(tree) == {"a": [1, 2], "b": [1, 2], "c": 2, "2": "d"}
    assert isinstance(tree, Mapping)
    assert tree.get("a") is tree.get("b")


def test_the_place_of_a_node_is_without_its_anchor() -> None:
    text = "a: &x 'b'\nc: &y # why\n  - d\ne: &z\nf: &w {}"
    assert [text[node.span.start : node.span.end] for node in nodes_of(tree_of(text))][1:] == [
        *("a", "'b'", "c", "- d", "d", "e", "", "f", "{}")
    ]


def test_an_anchor_is_what_was_named_so_last() -> None:
    assert plain(tree_of("- &a 1\n- *a\n- &a [&a 2, *a]\n- *a")) == [1, 1, [2, 2], [2, 2]]


def test_an_alias_without_anchor() -> None:
    assert finding_of("a: 1\nb: *c") == ("yaml-syntax", 2, 4, "no anchor `&c` stands before this alias")


def test_anchors_end_with_their_document() -> None:
    documents, findings = read("a: &x 1\n---\nb: *x\n---\nc: 1")
    assert [plain(document) for document in documents] == [{"a": 1}, {"c": 1}]
    assert [finding.code.name for finding in findings] == ["yaml-syntax"]


def test_an_anchor_that_contains_itself() -> None:
    name, line, column, words = finding_of("a: &x\n  - b\n  - *x\n")
    assert (name, line, column) == ("recursive-alias", 3, 5)
    assert "`*x`" in words


def test_expansion_is_counted() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    assert finding_of("\n".join(lines))[:2] == ("limit", 5)


def test_depth_is_counted_through_aliases() -> None:
    deep = "[" * 600
    assert finding_of(f"a: &a {deep}{deep.replace('[', ']')}\nb: {deep}*a{deep.replace('[', ']')}")[:2] == ("limit", 2)


# Limits.


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[\n", "{ ? "])
def test_depth_is_limited(opening: str) -> None:
    name, _, _, words = finding_of(opening * 100_000)
    assert name == "limit"
    assert "nested" in words


def test_a_tree_of_the_greatest_depth_is_read() -> None:
    assert len(list(nodes_of(tree_of("[" * 900 + "]" * 900)))) == 900


@pytest.mark.parametrize(
    "text", ["- a\n" * 100_000, "[" + "a, " * 100_000 + "]", "--- a\n" * 100_001, "a: b\n" * 50_000]
)
def test_nodes_are_counted(text: str) -> None:
    assert "limit" in {finding.code.name for finding in read(text)[1]}


def test_deep_brackets_in_front_of_a_long_text_are_refused() -> None:
    assert finding_of("[" * 999 + "1," * 500_000)[0] == "limit"


@pytest.mark.parametrize("number", ["1e999", "-.inf", ".nan"])
def test_numbers_that_are_no_values(number: str) -> None:
    name, line, column, _ = finding_of(f"a: 1\nb: {number}")
    assert (name, line, column) == ("number-range", 2, 4)


def test_findings_say_what_stays_readable() -> None:
    documents, _ = read("a: 1e999\n---\nb: 1")
    assert [plain(document) for document in documents] == [{"b": 1}]
    assert isinstance(documents[0], Mapping)
    assert all(isinstance(entry.key, Scalar) for entry in documents[0].entries)


# The conformance files.


def test_the_places_of_broken_files(conformance: Path) -> None:
    rows = json.loads((conformance / "routes" / "bad_expect.json").read_text(encoding="utf-8"))
    syntax = [row for row in rows if row["code"] in ("yaml-syntax", "json-syntax", "encoding", "duplicate-key")]
    assert len(syntax) > 10
    for row in syntax:
        raw = (conformance / "routes" / row["file"]).read_bytes()
        _, findings = read_bytes(raw, row["file"])
        assert len(findings) == 1, row["file"]
        place = findings[0].source.position(findings[0].span.start)
        assert findings[0].code.name == row["code"]
        assert (place.line, place.column) == (row["line"], row["column"]), row["file"]
        words = f"{findings[0].message} {findings[0].help}"
        assert all(word in words for word in row["mention"]), row["file"]


def test_good_files_are_read_and_twins_say_the_same(conformance: Path) -> None:
    twins = [path for path in sorted((conformance / "routes").glob("*.yaml")) if path.with_suffix(".json").exists()]
    assert len(twins) > 10
    for path in twins:
        trees = []
        for file in (path, path.with_suffix(".json")):
            documents, findings = read_bytes(file.read_bytes(), file.name)
            assert not findings, file.name
            trees.append([plain(document) for document in documents])
        assert trees[0] == trees[1], path.name
