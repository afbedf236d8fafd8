"""Mistakes against YAML's syntax: recognised, placed, worded, repaired."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import SourceFile, Span
from compiler.syntax.yaml_mistakes import Complaint, explain
from tests.compiler.syntax.reading import finding_of, plain, read, repaired, tree_of

TAB = "a tab is used for indentation; YAML indents with blanks only"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        # Tabs.
        ("a:\n\tb: 1", 2, 1, TAB),
        ("a:\n  \tb: 1", 2, 3, TAB),
        ("- a\n\t- b: 1", 2, 1, TAB),
        ("a: 1\n\n\tb: 2", 3, 1, TAB),
        ("a: |\n\tx", 2, 1, TAB),
        ("a: |\n  x\n\ty", 3, 1, TAB),
        # Quotes.
        ("a: 'x\nb: 1\n", 1, 4, "the single quote opened here is never closed"),
        ('a: "x\nb: 1\n', 1, 4, "the double quote opened here is never closed"),
        ('a: "x\n---\nb: 1\n', 1, 4, "the double quote opened here is never closed"),
        ('a: "x\nb: "y"\n', 1, 4, "the quote opened here is closed only on line 2"),
        ('- a: "x\n- b:\n    c: "y"\n', 1, 6, "the quote opened here is closed only on line 3"),
        ('a: "say "hi""', 1, 10, "there is more behind the closing quote"),
        ("a: 'it's'", 1, 8, "there is more behind the closing quote"),
        ("'a'b: 1", 1, 4, "there is more behind the closing quote"),
        ('{a: "b" c}', 1, 9, "there is more behind the closing quote"),
        # Escapes.
        (r'a: "x\d"', 1, 6, r"`\d` is no escape of a double-quoted text"),
        (r'a: "x\xzz"', 1, 6, r"`\x` needs 2 hexadecimal digits of a character"),
        (r'a: "\u12"', 1, 5, r"`\u` needs 4 hexadecimal digits of a character"),
        (r'a: "\ud800"', 1, 5, r"`\u` needs 4 hexadecimal digits of a character"),
        (r'a: "\ud83d\ude00"', 1, 5, r"in YAML `😀` is not written as two `\u` escapes, which is JSON"),
        # Brackets.
        ("a: [\n  {b: c},\n", 1, 4, "the `[` opened here is never closed"),
        ("a: [1, 2\nb: 3", 1, 4, "the `[` opened here is never closed"),
        ("a: [b,\nc: d", 1, 4, "the `[` opened here is never closed"),
        ("a: {x: 1\nb: 3", 1, 4, "the `{` opened here is never closed"),
        ("a: [b, [c]", 1, 4, "the `[` opened here is never closed"),
        ("[1, 2}", 1, 6, "`}` cannot close the `[`"),
        ("{a: 1]", 1, 6, "`]` cannot close the `{`"),
        ("a: [b]]", 1, 7, "`]` closes nothing that is open"),
        ("a: }", 1, 4, "`}` closes nothing that is open"),
        ("a: b\n]", 2, 1, "`]` closes nothing that is open"),
        ("a: [b] c", 1, 8, "there is more behind the closing `]`"),
        ('["a" "b"]', 1, 6, 'a comma is missing in front of `"b"`'),
        ("[[a] [b]]", 1, 6, "a comma is missing in front of `[`"),
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a comma is missing in front of `"b"`, on the line above'),
        ("{a: 1 b: 2}", 1, 8, "`: ` inside an unquoted text; put the text in quotes, or a comma between two entries"),
        ("[a,,b]", 1, 4, "a value is missing in front of `,`"),
        ("{,}", 1, 2, "a value is missing in front of `,`"),
        ("a: {: x}", 1, 5, "a key is missing in front of `:`"),
        # Colons.
        ("a: b: c", 1, 5, "`: ` inside an unquoted text; put the text in quotes"),
        ("- a: b: c", 1, 7, "`: ` inside an unquoted text; put the text in quotes"),
        ("a: 1\n   b: 2", 2, 4, "`b` is indented deeper than the keys above it"),
        ("- a: 1\n   b: 2", 2, 4, "`b` is indented deeper than the keys above it"),
        ("name: A\npath:/ws/a\nr: x", 2, 5, "a blank is missing behind `path:`"),
        ("path:/ws/a\nname: A", 1, 5, "a blank is missing behind `path:`"),
        ("{command:send, message: hi}", 1, 9, "a blank is missing behind `command:`"),
        ("a: 1\nhello\nb: 2", 2, 1, "this line has no `: ` behind a key"),
        ("hello\nb: 2", 1, 1, "this line has no `: ` behind a key"),
        ("a: 1\nhello", 2, 1, "this line has no `: ` behind a key"),
        (": x", 1, 1, "a key is missing in front of `:`"),
        ("k" * 1100 + ": 1", 1, 1, "a key has at most 1 024 characters"),
        # Indentation.
        ("a:\n  - x: 1\n  else: 2", 3, 3, "`else` is indented as if it belonged to the list that begins on line 2"),
        ("- b\na: 1", 2, 1, "`a` is indented as if it belonged to the list that begins on line 1"),
        ("- - - a\n - b", 2, 2, "this `-` is not aligned with the list that begins on line 1"),
        ("a:\n    - b\n   - c", 3, 4, "this `-` is not aligned with the list above it"),
        ("a: 1\n- b", 2, 1, "a list item stands where a key of the mapping is expected"),
        ('a: "1"\n   b: 2', 2, 4, "`b` is not aligned with the keys above it"),
        ("x:\n    a: 1\n  b: 2", 3, 3, "`b` is not aligned with the keys above it"),
        (" a: 1\nb: 2", 2, 1, "`b` is not aligned with the keys above it"),
        ("a: - b", 1, 4, "a list begins on a new line, below its key"),
        # Texts that need quotes.
        ("a: @x", 1, 4, "an unquoted text cannot begin with `@`"),
        ("a: `x`", 1, 4, "an unquoted text cannot begin with a backtick"),
        ("a: %x", 1, 4, "an unquoted text cannot begin with `%`"),
        ("a: *b*", 1, 4, "`*` begins an alias, and this is none"),
        ("a: & b", 1, 4, "`&` begins an anchor, and this is none"),
        ("a: !x{y}", 1, 4, "`!` begins a tag, and this is none"),
        ("x: &b 1\na: *b c", 2, 4, "`*` begins an alias, and an alias stands alone"),
        ("a: !e!x y", 1, 4, "`!e!x` is a tag, and no `%TAG` line defines its beginning"),
        ("a: >>", 1, 4, "`>` begins a text on the lines below, and this stands on its own line"),
        ("a: |0\n x", 1, 5, "the indentation of a block text is a digit from 1 to 9"),
        # Templates.
        ("a: {{ x }}", 1, 4, "a text that begins with `{{` needs quotes; without them YAML reads `{` as a mapping"),
        ("a: {{ x[0] }}", 1, 4, "a text that begins with `{{` needs quotes; without them YAML reads `{` as a mapping"),
        (
            "a: {{ x }}: {{ y }}",
            1,
            4,
            "a text that begins with `{{` needs quotes; without them YAML reads `{` as a mapping",
        ),
        (
            "- {{ f(', ') }}",
            1,
            3,
            "a text that begins with `{{` needs quotes; without them YAML reads `{` as a mapping",
        ),
        ("{a: Hello {{ x }}}", 1, 5, "a text with `{{` inside braces or brackets needs quotes"),
        # Documents and directives.
        (
            "%x\n---\na: 1",
            1,
            1,
            "a line that begins with `%` is a directive to the YAML reader, and this is none it knows",
        ),
        ("%YAML 2.0\n---\na: 1", 1, 1, "`%YAML` names the version of YAML once, and it is 1.2"),
        ("a: 1\n...\nb: 2", 3, 1, "`...` ends a document; the next one begins with `---`"),
        ('{a: "b"}\n', 0, 0, ""),
    ],
)
def test_mistakes(text: str, line: int, column: int, words: str) -> None:
    if not words:
        assert read(text)[1] == []
    else:
        assert finding_of(text) == ("yaml-syntax", line, column, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b: c # d", {"a": "b: c"}),
        ("a: {{ x }} and {{ y }} # z", {"a": "{{ x }} and {{ y }}"}),
        ('a: {{ "x" }}', {"a": '{{ "x" }}'}),
        ("a: {{ f('b') + \"c\" }}", {"a": "{{ f('b') + \"c\" }}"}),
        ("{a: {{ x }}, b: 1}", {"a": "{{ x }}", "b": 1}),
        ("{a: Hi {{ x }}, b: 1}", {"a": "Hi {{ x }}", "b": 1}),
        ("{a: @x, b: 1}", {"a": "@x", "b": 1}),
        ("[*x*, b]", ["*x*", "b"]),
        (r'a: "x\d"', {"a": r"x\d"}),
        (r'a: "\ud83d\ude00"', {"a": "😀"}),
        ("path:/ws/a\nname: A", {"path": "/ws/a", "name": "A"}),
        ("{command:send}", {"command": "send"}),
        ("a: | x", {"a": "| x"}),
    ],
)
def test_repairs_make_what_was_meant(text: str, value: object) -> None:
    assert plain(tree_of(repaired(text))) == value


def test_the_opening_of_what_is_closed_wrongly_is_shown() -> None:
    (finding,) = read("[1,\n 2}")[1]
    assert [(label.span, label.text) for label in finding.labels] == [(Span(0, 1), "opened here")]


def test_an_unquoted_template_is_told_once_and_read_as_text() -> None:
    documents, findings = read("a: {{ x ? 'b' : 'c' }}\nd: 1\n---\ne: {{ {a: 1, a: 2} }} f\n---\ng: 2")
    assert [finding.source.position(finding.span.start).line for finding in findings] == [1, 4]
    assert [plain(document) for document in documents] == [{"a": "{{ x ? 'b' : 'c' }}", "d": 1}]


def test_a_template_over_several_lines_has_no_repair() -> None:
    documents, (finding,) = read("a: {{ x\n  + y }}\nb: 1")
    assert finding.fixes == ()
    assert plain(documents[0]) == {"a": "{{ x\n  + y }}", "b": 1}


def test_an_unknown_complaint_is_passed_on() -> None:
    mistake = explain(Complaint(SourceFile("a", "abc def"), "the moon is full", 4, None, Span(0, 3), ()))
    assert (mistake.span, mistake.message) == (Span(4, 7), "YAML cannot be read from here: the moon is full")


def test_a_complaint_at_the_end_of_the_file_has_a_place() -> None:
    mistake = explain(Complaint(SourceFile("a", "abc"), "did not find expected key", 3, None, Span(0, 3), ()))
    assert mistake.span == Span(3, 3)
