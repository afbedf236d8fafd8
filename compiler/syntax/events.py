"""Route files → positioned trees: the only importer of yaml (language sections 1 and 12).

YAML is read from the events of libyaml's parser, never loaded or composed: the tree keeps the place of
every part, scalars mean what the language says, and limits hold before anything is built. libyaml counts
its marks in code points, so they are offsets in the text. JSON files have their own reader.
"""

from __future__ import annotations

import re
from typing import Any, Final

from yaml import (
    AliasEvent,
    CBaseLoader,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.limits import TREE_DEPTH
from compiler.syntax.decoding import decode_source
from compiler.syntax.tree import Node, Style
from compiler.syntax.tree_builder import Properties, ReadingStopped, TreeBuilder

__all__ = ["decode_source", "read_documents"]

_STYLES: Final = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}
_TAG_DIRECTIVE: Final = re.compile(r"^%TAG\b", re.MULTILINE)
_TAG_DIRECTIVES: Final = 100
"""libyaml compares each `%TAG` line with all before it: many of them would take it minutes."""

_BRACKET_STEPS: Final = 100_000_000
"""libyaml looks at every open bracket again for each token: depth times length is what that may cost."""
_TOO_DEEP: Final = "exceeded maximum nesting depth"
"""What libyaml says from 0.2.6 on of more than 1 000 open brackets or indents."""
_LONG: Final = _BRACKET_STEPS // TREE_DEPTH
"""Shorter files cannot cost that much."""


def read_documents(source: SourceFile, report: Report) -> list[Node]:
    """One tree per document of a file, in order; documents without content are left out.

    A name that ends in `.json` is read as JSON, any other as YAML. Findings go to `report`; a document
    that has no meaning as a whole is left out, and after a syntax error or a limit so is the rest of the file.
    """
    if source.name.lower().endswith(".json"):
        from compiler.syntax.json_reader import read_json

        return read_json(source, report)
    return _read_yaml(source, report)


def _read_yaml(source: SourceFile, report: Report) -> list[Node]:
    directives = _TAG_DIRECTIVE.findall(source.text) if "%TAG" in source.text else []
    if len(directives) > _TAG_DIRECTIVES:
        message = f"the file has {len(directives)} `%TAG` lines, and at most {_TAG_DIRECTIVES} are read"
        report.add(codes.LIMIT, source, Span(0, 0), message)
        return []
    builder = TreeBuilder(source, report)
    documents: list[Node] = []
    text, original = _hide_foreign_breaks(source.text)
    parser = CBaseLoader(text)
    try:
        _follow(parser, builder, documents, original)
    except ReadingStopped:
        pass
    finally:
        parser.dispose()
    return documents


def _follow(parser: CBaseLoader, builder: TreeBuilder, documents: list[Node], original: dict[int, str]) -> None:
    """Tell the builder every event. This is the loop that reading a file spends its time in."""
    get_event, add_scalar, styles = parser.get_event, builder.add_scalar, _STYLES
    length = len(builder.source.text)
    start = end = complete = 0
    while True:
        try:
            event: Any = get_event()
        except MarkedYAMLError as error:
            if start == end and "<document start>" in (error.problem or ""):
                del documents[complete:]  # the text that cannot be read belongs to the document before it
            _report_mistake(error, builder, Span(start, end))
            return
        kind = event.__class__
        start, end = event.start_mark.index, event.end_mark.index
        if kind is ScalarEvent:
            value = event.value.translate(original) if original else event.value
            if event.tag is None and event.anchor is None:
                add_scalar(value, styles[event.style], start, end)
            else:
                add_scalar(value, styles[event.style], start, end, Properties(start, event.tag, event.anchor))
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            properties = None
            if event.tag is not None or event.anchor is not None:
                properties = Properties(start, event.tag, event.anchor)
            # A pair in a list, `[a: b]`, is a mapping without braces: flow style, and nothing is written for it.
            builder.open(kind is MappingStartEvent, start, event.flow_style and end > start, properties)
            if length > _LONG and event.flow_style and builder.depth * (length - start) > _BRACKET_STEPS:
                builder.stop_at_limit(Span(start, end), "brackets are nested too deep for a file of this length")
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            builder.close(end)
        elif kind is AliasEvent:
            builder.add_alias(event.anchor, start, end)
        elif kind is DocumentEndEvent:
            complete = len(documents)
            if (document := builder.end_document()) is not None:
                documents.append(document)
        elif kind is StreamEndEvent:
            return


def _report_mistake(error: MarkedYAMLError, builder: TreeBuilder, last: Span) -> None:
    """Say why the parser stopped. It counts brackets before it tells of them, so that its limit may come first."""
    length = len(builder.source.text)
    at = length if error.problem_mark is None else min(error.problem_mark.index, length)
    if error.problem == _TOO_DEEP:
        builder.stop_at_depth(Span(at, at + 1))
    _report_syntax(error, builder, at, last)


def _report_syntax(error: MarkedYAMLError, builder: TreeBuilder, at: int, last: Span) -> None:
    source = builder.source
    context = None if error.context_mark is None else error.context_mark.index
    if builder.template_line is not None and source.line_of(at) == builder.template_line:
        return  # what follows a template without quotes on its line is the same mistake
    from compiler.syntax.yaml_mistakes import Complaint, explain  # its patterns take 2 ms to compile

    complaint = Complaint(source, error.problem or "", at, context, last, builder.brackets)
    mistake = explain(complaint)
    if not any(
        found.source is source and found.span.start == mistake.span.start for found in builder.report.diagnostics[-1:]
    ):
        mistake.report_to(builder.report, source)


def _hide_foreign_breaks(text: str) -> tuple[str, dict[int, str]]:
    """The text with characters in place of NEL, LS and PS, and what they stand for.

    These three end lines for libyaml, which reads YAML 1.1, and are ordinary characters in YAML 1.2 and JSON.
    The characters in their place are private ones that the file neither holds nor writes as an escape.
    """
    foreign = sorted(set("\x85\u2028\u2029").intersection(text)) if not text.isascii() else []
    if not foreign:
        return text, {}
    taken = {ord(character) for character in set(text)}
    taken.update(int(digits, 16) for digits in re.findall(r"\\U([0-9a-fA-F]{8})", text))
    free = (place for place in range(0xF0000, 0x10FFFE) if place not in taken)
    original = dict(zip(free, foreign, strict=False))
    return text.translate({ord(character): place for place, character in original.items()}), original
