"""Findings: from places in a value to places in the file."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.syntax.events import read_documents
from compiler.syntax.findings import ADVISED, Findings
from compiler.syntax.parser import parse_condition, parse_template
from compiler.syntax.tree import Mapping, Scalar, Style


def scalar_of(text: str) -> tuple[SourceFile, Scalar]:
    """A file with one key, and its value."""
    source = SourceFile("f.yaml", text)
    (document,) = read_documents(source, Report())
    assert isinstance(document, Mapping)
    value = document.entries[0].value
    assert isinstance(value, Scalar)
    return source, value


@pytest.mark.parametrize(
    ("text", "value", "part"),
    [
        ("a: one two", "two", "two"),
        ("a: 'one ''two'''", "'two'", "''two''"),
        ('a: "on\\u0065 two"', "one", "on\\u0065"),
        ('a: "سلام one"', "one", "one"),
        ("a: |\n  one\n  two", "two", "two"),
        ("a: >\n  one\n  two", "two", "two"),
        ("a: 'one\n  two'", "two", "two"),
    ],
)
def test_a_range_of_a_value_is_found_in_the_file(text: str, value: str, part: str) -> None:
    source, scalar = scalar_of(text)
    start = scalar.value.index(value)
    span = Findings(source, Report()).locator(scalar)(Span(start, start + len(value)))
    assert text[span.start : span.end] == part


def test_findings_go_to_the_report() -> None:
    source, scalar = scalar_of("a: b")
    report = Report()
    found = Findings(source, report)
    found.add(codes.BAD_VALUE, scalar.span, "no", help="yes", labels=(found.label(Span(0, 1), "here"),))
    (diagnostic,) = report.diagnostics
    assert (diagnostic.code, diagnostic.source, diagnostic.span, diagnostic.help) == (
        codes.BAD_VALUE,
        source,
        Span(3, 4),
        "yes",
    )
    assert (diagnostic.labels[0].source, diagnostic.labels[0].text) == (source, "here")


def test_problems_of_a_scalar_are_where_they_stand() -> None:
    text = "a: 'x {{ 1 + }}'"
    source, scalar = scalar_of(text)
    report = Report()
    Findings(source, report).add_scalar_problems(scalar, parse_template(scalar.value)[1])
    (diagnostic,) = report.diagnostics
    assert text[diagnostic.span.start] == "+"


def test_a_problem_of_the_whole_is_at_the_whole() -> None:
    text = "a: ''"
    source, scalar = scalar_of(text)
    problems = parse_condition(scalar.value)[1]
    report = Report()
    Findings(source, report).add_scalar_problems(scalar, problems)
    assert [text[d.span.start] for d in report.diagnostics] == ["'"]


def test_repairs_are_edits_of_the_file() -> None:
    text = 'a: "{{ b === c }}"'
    source, scalar = scalar_of(text)
    report = Report()
    Findings(source, report).add_scalar_problems(scalar, parse_template(scalar.value)[1])
    (diagnostic,) = report.diagnostics
    (fix,) = diagnostic.fixes
    assert fix.edits == (Edit(Span(text.index("==="), text.index("===") + 3), "=="),)


def test_scalars_with_equal_texts_have_their_own_maps() -> None:
    source = SourceFile("f.yaml", "a: \"x\\u0041\"\nb: 'xA'")
    (document,) = read_documents(source, Report())
    assert isinstance(document, Mapping)
    found = Findings(source, Report())
    spans = [found.locator(e.value)(Span(1, 2)) for e in document.entries if isinstance(e.value, Scalar)]
    assert [source.text[span.start : span.end] for span in spans] == ["\\u0041", "A"]


def test_maps_outlive_what_they_are_of() -> None:
    """A scalar that is made on the way never finds the map of another that is gone."""
    found = Findings(SourceFile("f.yaml", "a: 'x''y'\nb: xxxx"), Report())
    for number in range(200):
        quoted = number % 2 == 0
        scalar = (
            Scalar("x'y", "x'y", Style.SINGLE, Span(3, 9))
            if quoted
            else Scalar("xxxx", "xxxx", Style.PLAIN, Span(13, 17))
        )
        assert found.locator(scalar)(Span(1, 2)) == (Span(5, 7) if quoted else Span(14, 15))
        del scalar  # its place in memory is free, and mostly the next one's


def test_advice_ends_where_there_is_too_much_to_say() -> None:
    source, scalar = scalar_of("a: b")
    found = Findings(source, Report())
    for _ in range(ADVISED):
        assert found.wants_advice
        found.add(codes.BAD_VALUE, scalar.span, "no")
    assert not found.wants_advice
