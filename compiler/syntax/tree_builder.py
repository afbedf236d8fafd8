"""Builds the positioned tree from what a reader meets, and holds every limit while doing so.

The readers of YAML and JSON walk their text in a loop and tell the builder each scalar, each beginning
and each end; nothing here recurses, so no file can exhaust the stack. An alias shares the node of its
anchor, and counts as many nodes and as much depth as that node has.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Label, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.faults import Fault
from compiler.language.limits import NODES, TREE_DEPTH
from compiler.records import dataclass
from compiler.syntax.scalars import NOT_TEXT, Resolved, resolve_plain
from compiler.syntax.tags import is_core, resolve_tagged
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Style, Tagged


class ReadingStopped(Exception):
    """The rest of the file cannot be read; the report says why. Never leaves this package."""


@dataclass(slots=True)
class Properties:
    """The tag and the anchor in front of a node, as the parser gives them, and where the first of them begins."""

    start: int
    tag: str | None
    anchor: str | None


@dataclass(slots=True)
class _Collection:
    """A list or mapping whose end has not come yet. A list has items, a mapping entries and the key that waits."""

    start: int
    flow: bool
    items: list[Node] | None
    entries: list[Entry]
    findings_before: int
    key: Scalar | None = None
    tag: tuple[str, Span] | None = None
    anchor: _OpenAnchor | None = None
    braced_twice: bool = False


@dataclass(slots=True)
class _OpenAnchor:
    """An anchor on a collection that is still open: the counts to compare with when it ends."""

    name: str
    nodes_before: int
    deepest_before: int


@dataclass(slots=True)
class _Anchored:
    """What an alias stands for. A scalar has height 0, a list of scalars 1."""

    node: Node
    nodes: int
    height: int


_NO_KEY: Final = Scalar("<<", None, Style.PLAIN, Span(0, 0))
"""Stands for a key that was refused; its entry is left out."""

_PLAIN: Final = Style.PLAIN  # a member of an Enum is looked up slowly in Python 3.11
_BLOCK_STYLES: Final = (Style.LITERAL, Style.FOLDED)
_PROPERTY: Final = re.compile(r"(?:&[^\s,\[\]{}]*|(!<[^>\s]*>|![^\s,\[\]{}]*))(?:\s|(?<=\s)#[^\r\n]*)*")


class TreeBuilder:
    """Takes the parts of a file in their order and hands out one tree per document.

    Raises ReadingStopped where a limit is reached.
    """

    def __init__(self, source: SourceFile, report: Report) -> None:
        self.source = source
        self.report = report
        self.template_line: int | None = None
        """The line of the last template without quotes: what YAML says about that line follows from it."""
        self._open: list[_Collection] = []
        self._innermost: _Collection | None = None
        self._root: Node | None = None
        self._anchors: dict[str, _Anchored | None] = {}
        self._usable = True
        self._end = 0
        self._nodes = 0
        self._deepest = 0

    @property
    def brackets(self) -> tuple[int, ...]:
        """Where the brackets and braces that are still open stand, outermost first."""
        return tuple(collection.start for collection in self._open if collection.flow)

    @property
    def depth(self) -> int:
        """How many lists and mappings are open."""
        return len(self._open)

    def refuse_document(self) -> None:
        """Leave this document out: a part of it has no meaning, and more findings would only follow from that."""
        self._usable = False

    def end_document(self) -> Node | None:
        """The finished tree; None for a document that is empty or was refused."""
        root, usable = self._root, self._usable
        self._root, self._usable = None, True
        self._anchors.clear()
        return root if usable and not _is_absent(root) else None

    # Nodes.

    def add_scalar(self, value: str, style: Style, start: int, end: int, properties: Properties | None = None) -> None:
        """A scalar of YAML, from its first character (or property) to behind its last one."""
        if style in _BLOCK_STYLES:
            end = self._end_of_block(value, start, end)
        self._end = end
        if properties is not None:
            self._add_with_properties(value, style, end, properties)
            return
        is_text = style is not _PLAIN or value[:1] not in NOT_TEXT
        resolved = value if is_text else self.resolve(value, style, start, end)
        self.add(Scalar(value, resolved, style, Span(start, end)))

    def resolve(self, value: str, style: Style, start: int, end: int) -> Resolved:
        """What a scalar without a tag means; a number that is too large is a finding."""
        if style is not Style.PLAIN:
            return value
        try:
            return resolve_plain(value)
        except Fault as fault:
            self.refuse_number(fault, Span(start, end))
            return value

    def refuse_number(self, fault: Fault, place: Span) -> None:
        """Report a number that is not finite."""
        self.report.add(fault.kind, self.source, place, fault.message, help="a text needs quotes")
        self.refuse_document()

    def add(self, node: Scalar | Tagged) -> None:
        """A complete node: counts it and puts it where the file has it."""
        self._nodes += 1
        if self._nodes > NODES:
            self.stop_at_limit(node.span, f"the file has more than {NODES} nodes")
        collection = self._innermost
        if collection is None or collection.items is not None or collection.flow:
            self._place(node)
        elif collection.key is not None:
            collection.entries.append(Entry(collection.key, node))
            collection.key = None
        else:
            collection.key = self._as_key(node, collection)

    def _place(self, node: Node) -> None:
        collection = self._innermost
        if collection is None:
            self._root = node
        elif collection.items is not None:
            collection.items.append(node)
        elif collection.key is None:
            collection.key = self._as_key(node, collection)
        else:
            entry = Entry(collection.key, node)
            if collection.flow and ":" in collection.key.value and _is_absent(node):
                entry = self._split_at_colon(entry)
            collection.entries.append(entry)
            collection.key = None

    def open(self, is_mapping: bool, start: int, flow: bool, properties: Properties | None = None) -> None:
        """The beginning of a list or mapping at its bracket, or at its first item in block style."""
        self._nodes += 1
        depth = len(self._open) + 1
        if depth > TREE_DEPTH:
            self.stop_at_depth(Span(start, start + 1))
        collection = _Collection(start, flow, None if is_mapping else [], [], len(self.report.diagnostics))
        if properties is not None:
            self._open_with_properties(collection, properties, depth)
        self._open.append(collection)
        self._innermost = collection
        if depth > self._deepest:
            self._deepest = depth

    def close(self, end: int) -> None:
        """The end of the innermost list or mapping, behind its bracket; in block style it ends with its last item."""
        collection = self._open.pop()
        self._innermost = self._open[-1] if self._open else None
        if collection.flow:
            self._end = end
        span = Span(collection.start, self._end if self._end > collection.start else collection.start)
        node: Node
        if collection.items is not None:
            node = Sequence(collection.items, span)
        elif collection.braced_twice:
            node = self._without_quotes(collection, span)
        else:
            node = Mapping(self._checked(collection.entries), span)
        if collection.tag is not None:
            node = self._tagged_collection(node, *collection.tag)
        if collection.anchor is not None:
            self._close_anchor(node, collection.anchor)
        self._place(node)

    # Keys.

    def _as_key(self, node: Node, collection: _Collection) -> Scalar:
        if isinstance(node, Scalar):
            if node.value:
                return node
            return self._refuse_key(node.span, "a key is missing in front of `:`") if _is_absent(node) else node
        if isinstance(node, Tagged):
            self.report.add(codes.UNKNOWN_TAG, self.source, node.tag_span, f"`{node.tag}` on a key has no meaning")
            return _NO_KEY
        if collection.flow and isinstance(node, Mapping) and node.span.start == collection.start + 1:
            collection.braced_twice = True
            return _NO_KEY
        kind = "list" if isinstance(node, Sequence) else "mapping"
        return self._refuse_key(node.span, f"a key is a text, not a {kind}")

    def _refuse_key(self, place: Span, message: str) -> Scalar:
        self.report.add(codes.YAML_SYNTAX, self.source, place, message)
        return _NO_KEY

    def _split_at_colon(self, entry: Entry) -> Entry:
        """`{key:value}` is one long key to YAML: told once, then read as the entry it was meant as."""
        key, name, rest = entry.key, *entry.key.value.split(":", 1)
        if (
            key.style is not Style.PLAIN
            or not name
            or not rest
            or "\n" in self.source.text[key.span.start : key.span.end]
        ):
            return entry
        colon = key.span.start + len(name)
        from compiler.syntax.yaml_mistakes import missing_blank

        missing_blank(colon, name).report_to(self.report, self.source)
        value = Span(colon + 1, key.span.end)
        return Entry(
            Scalar(name, name, Style.PLAIN, Span(key.span.start, colon)),
            Scalar(rest, self.resolve(rest, Style.PLAIN, value.start, value.end), Style.PLAIN, value),
        )

    def _checked(self, entries: list[Entry]) -> list[Entry]:
        """The entries without refused keys, merge keys and repeated keys, each of which is a finding."""
        if len(entries) == 1 and entries[0].key.value != "<<":
            return entries
        names = {entry.key.value for entry in entries}
        if len(names) == len(entries) and "<<" not in names:
            return entries
        first: dict[str, Entry] = {}
        for entry in entries:
            if entry.key is _NO_KEY:
                continue
            if entry.key.value == "<<" and entry.key.style is Style.PLAIN:
                advice = "write the keys out, or use an alias for the whole value"
                self.report.add(codes.MERGE_KEY, self.source, entry.key.span, "`<<` is not supported", help=advice)
            elif first.setdefault(entry.key.value, entry) is not entry:
                self._report_duplicate(entry.key, first[entry.key.value].key)
        return list(first.values())

    def _report_duplicate(self, key: Scalar, first: Scalar) -> None:
        line = self.source.line_of(first.span.start)
        message = f"`{shortened(key.value)}` is given twice (first on line {line})"
        label = Label(self.source, first.span, "first given here")
        self.report.add(codes.DUPLICATE_KEY, self.source, key.span, message, labels=[label])

    def _without_quotes(self, collection: _Collection, span: Span) -> Node:
        """`{{ x }}` without quotes, a mapping whose key is a mapping: told once, then read as the text it means."""
        text = self.source.text[span.start : span.end]
        if not text.endswith("}}"):
            self._refuse_key(Span(span.start + 1, span.end), "a key is a text, not a mapping")
            return Mapping(self._checked(collection.entries), span)
        del self.report.diagnostics[collection.findings_before :]  # about the expression, read as a mapping
        from compiler.syntax.yaml_mistakes import unquoted_template  # its patterns take 2 ms to compile

        template = unquoted_template(self.source, span.start, inside_brackets=bool(self.brackets))
        template.report_to(self.report, self.source)
        self.template_line = self.source.line_of(span.start)
        return Scalar(text, text, Style.PLAIN, span)

    # Tags and anchors.

    def _read_properties(self, properties: Properties) -> tuple[int, tuple[str, Span] | None]:
        """Where the node behind its tag and anchor begins, and the tag as written."""
        place, tag = properties.start, None
        for _ in range((properties.tag is not None) + (properties.anchor is not None)):
            if (match := _PROPERTY.match(self.source.text, place)) is None:
                break
            if match[1]:
                tag = (match[1], Span(*match.span(1)))
            place = match.end()
        return place, tag

    def _add_with_properties(self, value: str, style: Style, end: int, properties: Properties) -> None:
        start, written = self._read_properties(properties)
        start = min(start, end)
        span = Span(start, end)
        node: Node
        if written is None or properties.tag is None:
            node = Scalar(value, self.resolve(value, style, start, end), style, span)
        elif is_core(properties.tag):
            node = self._core_scalar(Scalar(value, value, style, span), properties.tag, *written)
        else:
            plain = Scalar(value, self.resolve(value, style, start, end), style, span)
            node = Tagged(*written, plain, Span(written[1].start, end))
        if properties.anchor is not None:
            self._anchors[properties.anchor] = _Anchored(node, 1, 0)
        self.add(node)

    def _core_scalar(self, scalar: Scalar, tag: str, written: str, place: Span) -> Scalar:
        try:
            scalar.resolved = resolve_tagged(scalar.value, tag)
        except Fault as fault:
            self.refuse_number(fault, scalar.span)
        except ValueError:
            self._refuse_tag(written, place, f"`{shortened(scalar.value)}`" if scalar.value else "an empty value")
        return scalar

    def _refuse_tag(self, written: str, place: Span, content: str) -> None:
        message = f"`{written}` does not fit {content}"
        self.report.add(codes.WRONG_TYPE, self.source, place, message, help="leave the tag out")
        self.refuse_document()

    def _tagged_collection(self, node: Node, tag: str, place: Span) -> Node:
        """Core tags of collections say what is plain anyway; they arrive here only where they do not fit."""
        if tag.startswith("!!") and tag[2:] in ("str", "null", "bool", "int", "float", "seq", "map"):
            self._refuse_tag(tag, place, "a list" if isinstance(node, Sequence) else "a mapping")
            return node
        return Tagged(tag, place, node, Span(place.start, node.span.end))

    def _open_with_properties(self, collection: _Collection, properties: Properties, depth: int) -> None:
        collection.start, written = self._read_properties(properties)
        fitting = "tag:yaml.org,2002:map" if collection.items is None else "tag:yaml.org,2002:seq"
        if properties.tag not in (None, "!", fitting):
            collection.tag = written
        if properties.anchor is not None:
            self._anchors[properties.anchor] = None
            collection.anchor = _OpenAnchor(properties.anchor, self._nodes - 1, self._deepest)
            self._deepest = depth

    def _close_anchor(self, node: Node, anchor: _OpenAnchor) -> None:
        height = self._deepest - len(self._open)
        self._anchors[anchor.name] = _Anchored(node, self._nodes - anchor.nodes_before, height)
        self._deepest = max(self._deepest, anchor.deepest_before)

    def add_alias(self, name: str, start: int, end: int) -> None:
        """`*name`: shares the node of its anchor."""
        self._end = end
        place = Span(start, end)
        anchored = self._anchors.get(name)
        if anchored is None:
            self._refuse_alias(name, place)
            self.add(Scalar("", None, Style.PLAIN, place))
            return
        self._nodes += anchored.nodes
        if self._nodes > NODES:
            self.stop_at_limit(place, f"the file has more than {NODES} nodes after its aliases are expanded")
        depth = len(self._open) + anchored.height
        if depth > TREE_DEPTH:
            self.stop_at_depth(place)
        self._deepest = max(self._deepest, depth)
        self._place(anchored.node)

    def _refuse_alias(self, name: str, place: Span) -> None:
        self.refuse_document()
        if name in self._anchors:
            message = f"`*{name}` stands inside of what `&{name}` names, so it contains itself"
            self.report.add(codes.RECURSIVE_ALIAS, self.source, place, message)
        else:
            advice = f'a text that begins with `*` needs quotes: `"*{name}"`'
            message = f"no anchor `&{name}` stands before this alias"
            self.report.add(codes.YAML_SYNTAX, self.source, place, message, help=advice)

    # Limits.

    def stop_at_depth(self, place: Span) -> NoReturn:
        """Read no further: what is open here is one too many. Raises ReadingStopped."""
        self.stop_at_limit(place, f"lists and mappings are nested more than {TREE_DEPTH} deep")

    def stop_at_limit(self, place: Span, message: str) -> NoReturn:
        """Report something that is too large. Raises ReadingStopped."""
        self.report.add(codes.LIMIT, self.source, place, message)
        raise ReadingStopped

    def _end_of_block(self, value: str, start: int, end: int) -> int:
        """The end of a block scalar without the blank lines behind it that are not part of its value."""
        text = self.source.text[start:end]
        header = re.match(r"[^\s]*", text)
        if header is None or "+" in header[0] or value.rstrip("\n")[-1:].isspace():
            return min(end, len(self.source.text))
        content = text.rstrip()
        line_break = re.match(r"\r\n|\r|\n", text[len(content) :]) if value.endswith("\n") else None
        return start + len(content) + (line_break.end() if line_break else 0)


def shortened(text: str) -> str:
    """A text for a message: its first line, at most 40 characters."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 and line == text else line[:40] + "…"


def _is_absent(node: Node | None) -> bool:
    """Whether nothing at all is written where a value could stand."""
    return node is None or (
        isinstance(node, Scalar) and not node.value and node.style is Style.PLAIN and node.span.start == node.span.end
    )
