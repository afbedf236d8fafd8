"""Reads texts for tests, and shows trees as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.source import SourceFile
from compiler.syntax.events import decode_source, read_documents
from compiler.syntax.tree import Mapping, Node, Scalar, Sequence, Tagged


def read(text: str, name: str = "route.yaml") -> tuple[list[Node], list[Diagnostic]]:
    """The trees of a text and what was found in it."""
    report = Report()
    return read_documents(SourceFile(name, text), report), report.sorted()


def read_bytes(raw: bytes, name: str = "route.yaml") -> tuple[list[Node], list[Diagnostic]]:
    """The same from the bytes of a file."""
    report = Report()
    source = decode_source(name, raw, report)
    return ([] if source is None else read_documents(source, report)), report.sorted()


def tree_of(text: str, name: str = "route.yaml") -> Node:
    """The one tree of a text without findings."""
    documents, findings = read(text, name)
    assert [finding.message for finding in findings] == []
    assert len(documents) == 1
    return documents[0]


def plain(node: Node) -> Any:
    """A tree as Python values; a tagged node as a pair of its tag and content."""
    match node:
        case Scalar():
            return node.resolved
        case Mapping():
            return {entry.key.value: plain(entry.value) for entry in node.entries}
        case Sequence():
            return [plain(item) for item in node.items]
        case Tagged():
            return (node.tag, plain(node.content))


def finding_of(text: str, name: str = "route.yaml") -> tuple[str, int, int, str]:
    """Name, line, column and message of the one finding in a text."""
    _, findings = read(text, name)
    assert len(findings) == 1, [finding.message for finding in findings]
    place = findings[0].source.position(findings[0].span.start)
    return findings[0].code.name, place.line, place.column, findings[0].message


def repaired(text: str, name: str = "route.yaml") -> str:
    """The text after the repair that its one finding offers."""
    _, findings = read(text, name)
    assert len(findings) == 1, [finding.message for finding in findings]
    for edit in sorted(findings[0].fixes[0].edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def nodes_of(node: Node) -> Iterator[Node]:
    """A node and everything in it, keys included."""
    yield node
    match node:
        case Scalar():
            return
        case Mapping():
            for entry in node.entries:
                yield entry.key
                yield from nodes_of(entry.value)
        case Sequence():
            for item in node.items:
                yield from nodes_of(item)
        case Tagged():
            yield from nodes_of(node.content)


def scalars_of(node: Node) -> list[Scalar]:
    """The scalars of a tree, keys included."""
    return [part for part in nodes_of(node) if isinstance(part, Scalar)]
