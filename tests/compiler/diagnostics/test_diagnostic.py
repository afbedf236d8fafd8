"""Reports."""

from __future__ import annotations

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span

A, B = SourceFile("a.yaml", "text"), SourceFile("b.yaml", "text")


def test_a_finding_has_its_codes_severity_unless_told_otherwise() -> None:
    report = Report()
    report.add(codes.EMPTY_BLOCK, A, Span(0, 1), "empty")
    report.add(codes.EMPTY_BLOCK, A, Span(0, 1), "empty", severity=Severity.ERROR)
    assert [d.severity for d in report.diagnostics] == [Severity.WARNING, Severity.ERROR]
    assert (report.count(Severity.WARNING), report.count(Severity.INFO)) == (1, 0)


def test_only_errors_stop_compilation() -> None:
    report = Report()
    report.add(codes.EMPTY_BLOCK, A, Span(0, 1), "empty")
    assert not report.has_errors
    report.add(codes.LIMIT, A, Span(0, 1), "too deep")
    assert report.has_errors


def test_sorted_by_file_and_place_and_each_once() -> None:
    report = Report()
    for source, start in ((B, 0), (A, 3), (A, 1), (A, 1)):
        report.add(codes.LIMIT, source, Span(start, 4), "too deep")
    assert [(d.source.name, d.span.start) for d in report.sorted()] == [("a.yaml", 1), ("a.yaml", 3), ("b.yaml", 0)]


def test_reports_are_joined() -> None:
    one, other = Report(), Report()
    other.add(codes.LIMIT, A, Span(0, 1), "too deep")
    one.extend(other)
    assert one.diagnostics == other.diagnostics
