"""Diagnostics for programs: JSON, SARIF, JUnit and GitHub annotations. Lines and columns count from 1 in code points,
byte offsets from 0, ends are exclusive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape as escape_xml
from xml.sax.saxutils import quoteattr

from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix
from compiler.diagnostics.escape import escape
from compiler.diagnostics.render import place
from compiler.diagnostics.source import SourceFile, Span

Document = dict[str, Any]
"""A JSON object."""

DIAGNOSTICS_SCHEMA: Final = "worpen.diagnostics/1"
SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_SARIF_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def to_json(diagnostics: Iterable[Diagnostic], summary: Mapping[str, int], routes: Iterable[Document] = ()) -> Document:
    """The document `worpen.diagnostics/1`; `summary` counts files, routes, errors and warnings, `routes` tells what is
    known of each route."""
    shown = [diagnostic_json(diagnostic) for diagnostic in diagnostics]
    return {"schema": DIAGNOSTICS_SCHEMA, "summary": dict(summary), "routes": list(routes), "diagnostics": shown}


def diagnostic_json(diagnostic: Diagnostic) -> Document:
    """One entry of `diagnostics` in that document. The text under the carets is the first label."""
    labels = [(diagnostic.source, diagnostic.span, diagnostic.label)] if diagnostic.label else []
    labels += [(label.source, label.span, label.text) for label in diagnostic.labels]
    return {
        "code": diagnostic.code.label,
        "name": diagnostic.code.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "file": diagnostic.source.name,
        "range": _range(diagnostic.source, diagnostic.span),
        "labels": [{"file": source.name, "range": _range(source, span), "text": text} for source, span, text in labels],
        "help": diagnostic.help,
        "fixes": [
            {"title": fix.title, "safe": fix.safe, "edits": [_edit(diagnostic.source, edit) for edit in fix.edits]}
            for fix in diagnostic.fixes
        ],
    }


def _range(source: SourceFile, span: Span) -> Document:
    return {"start": _position(source, span.start), "end": _position(source, span.end)}


def _position(source: SourceFile, offset: int) -> Document:
    position = source.position(offset)
    return {"line": position.line, "column": position.column, "offset": position.offset}


def _edit(source: SourceFile, edit: Edit) -> Document:
    return {"range": _range(source, edit.span), "replacement": edit.replacement}


# GitHub workflow commands.


def to_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command a line, which GitHub shows beside the changed lines."""
    return "".join(_github(diagnostic) + "\n" for diagnostic in diagnostics)


def _github(diagnostic: Diagnostic) -> str:
    start = diagnostic.source.position(diagnostic.span.start)
    end = diagnostic.source.position(diagnostic.span.end)
    fields = {"file": diagnostic.source.name, "line": start.line, "endLine": end.line, "title": _title(diagnostic.code)}
    if start.line == end.line:  # GitHub takes columns of one-line ranges only
        fields |= {"col": start.column, "endColumn": end.column}
    shown = ",".join(f"{key}={_github_field(str(value))}" for key, value in fields.items())
    return f"::{_GITHUB_LEVELS[diagnostic.severity]} {shown}::{_github_text(_sentence(diagnostic))}"


def _title(code: Code) -> str:
    return f"{code.name} {code.label}"


def _sentence(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message}; {diagnostic.label}" if diagnostic.label else diagnostic.message


def _github_text(text: str) -> str:
    return escape(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _github_field(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")


# SARIF 2.1.0.


def to_sarif(diagnostics: Iterable[Diagnostic], version: str) -> Document:
    """A SARIF 2.1.0 log with one run; `version` is the tool's."""
    found = list(diagnostics)
    rules = list({diagnostic.code.name: diagnostic.code for diagnostic in found}.values())
    numbers = {code.name: number for number, code in enumerate(rules)}
    driver = {"name": "worpen", "version": version, "rules": [_sarif_rule(code) for code in rules]}
    results = [_sarif_result(diagnostic, numbers[diagnostic.code.name]) for diagnostic in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(code: Code) -> Document:
    return {
        "id": code.label,
        "name": code.name,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.why},
        "defaultConfiguration": {"level": _SARIF_LEVELS[code.severity]},
    }


def _sarif_result(diagnostic: Diagnostic, rule: int) -> Document:
    result: Document = {
        "ruleId": diagnostic.code.label,
        "ruleIndex": rule,
        "level": _SARIF_LEVELS[diagnostic.severity],
        "message": {"text": _sentence(diagnostic)},
        "locations": [_sarif_location(diagnostic.source, diagnostic.span)],
    }
    if diagnostic.labels:
        result["relatedLocations"] = [
            {"id": number, **_sarif_location(label.source, label.span), "message": {"text": label.text}}
            for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.fixes:
        result["fixes"] = [_sarif_fix(diagnostic.source, fix) for fix in diagnostic.fixes]
    return result


def _sarif_fix(source: SourceFile, fix: Fix) -> Document:
    replacements = [
        {"deletedRegion": _sarif_region(source, edit.span), "insertedContent": {"text": edit.replacement}}
        for edit in fix.edits
    ]
    change = {"artifactLocation": _sarif_file(source), "replacements": replacements}
    return {"description": {"text": fix.title}, "artifactChanges": [change]}


def _sarif_location(source: SourceFile, span: Span) -> Document:
    return {"physicalLocation": {"artifactLocation": _sarif_file(source), "region": _sarif_region(source, span)}}


def _sarif_file(source: SourceFile) -> Document:
    return {"uri": quote(source.name.encode("utf-8", "surrogateescape"))}


def _sarif_region(source: SourceFile, span: Span) -> Document:
    start, end = source.position(span.start), source.position(span.end)
    return {
        "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
        "byteOffset": start.offset, "byteLength": end.offset - start.offset,
    }  # fmt: skip


# JUnit.


def to_junit(diagnostics: Sequence[Diagnostic], files: Sequence[str], seconds: float) -> str:
    """A JUnit report: one test case a file; a finding of warning level or above is a failure of its file."""
    failures = {
        name: [d for d in diagnostics if d.source.name == name and d.severity is not Severity.INFO] for name in files
    }
    failed = sum(map(bool, failures.values()))
    cases = "".join(_junit_case(name, found) for name, found in failures.items())
    counts = f'tests="{len(failures)}" failures="{failed}" errors="0" time="{seconds:.3f}"'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<testsuites {counts}>\n<testsuite name="worpen validate" {counts}>\n{cases}</testsuite>\n</testsuites>\n'
    )


def _junit_case(name: str, found: Sequence[Diagnostic]) -> str:
    attributes = f'name={quoteattr(escape(name))} classname="worpen.validate"'
    if not found:
        return f"<testcase {attributes}/>\n"
    text = "\n".join(f"{place(d)}: {d.severity.value}[{d.code.name}] {escape(_sentence(d))}" for d in found)
    message = quoteattr(escape(found[0].message))
    kind = quoteattr(found[0].code.name)
    return (
        f"<testcase {attributes}>\n<failure message={message} type={kind}>{escape_xml(text)}</failure>\n</testcase>\n"
    )
