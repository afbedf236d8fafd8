"""Reading routes: the keys of a document, its path and its hooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import SourceFile, Span
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.hooks import HOOK_SYNONYMS, HOOKS
from compiler.language.paths import PathError, PathPattern, parse_path
from compiler.language.values import Value
from compiler.operations.model import Block
from compiler.operations.route import HTTP_KEYS, ROUTE_KEY_SYNONYMS, ROUTE_KEYS, Route
from compiler.reader.operations import OperationReader, names_in
from compiler.reader.shapes import (
    Unreadable,
    describe_node,
    is_null,
    read_shape,
    report_unknown_key,
    require_list,
    require_mapping,
    require_text,
)
from compiler.reader.values import FieldReader
from compiler.syntax.fields import TextField, Written
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

_ROUTE_TYPES: Final = ("websocket", "ws")


def read_routes(source: SourceFile, documents: list[Node], found: Findings) -> list[Route]:
    """The routes of a file's documents; one that is not even a mapping with a name and a path is left out."""
    routes = (_RouteReader(source, number, found).read(node) for number, node in enumerate(documents, 1))
    return [route for route in routes if route is not None]


class _RouteReader:
    """Reads one document."""

    def __init__(self, source: SourceFile, document: int, found: Findings) -> None:
        self.source = source
        self.document = document
        self.found = found
        self.broken = False
        self.possibly_set: set[str] = set()

    def read(self, node: Node) -> Route | None:
        if not isinstance(node, Mapping):
            self.found.add(
                codes.WRONG_TYPE,
                node.span,
                f"a route must be a mapping (`name`, `path`, `route_type`, `ws_hooks`), this is {describe_node(node)}",
            )
            return None
        entries = self._entries(node)
        options = dict(self._options(entries))
        name = self._text(entries, "name")
        path, pattern = self._path(entries)
        self._route_type(entries)
        codec = str(options.get("codec", "text"))
        subscribe = self._subscribe(entries, codec)
        hooks = self._hooks(entries, codec)
        return Route(
            self.source, node.span, self.document,
            name or Written("", node.span), path or Written("", node.span), pattern, hooks, subscribe,
            options, self.broken, frozenset(self.possibly_set),
        )  # fmt: skip

    # -- keys ---------------------------------------------------------------------------------------

    def _entries(self, node: Mapping) -> dict[str, Entry]:
        """The known keys that are there and not null; the required ones that are missing are reported."""
        entries: dict[str, Entry] = {}
        for entry in node.entries:
            key = entry.key.value
            if key.startswith("x-"):
                continue
            if key not in ROUTE_KEYS:
                self._report_unknown(entry.key)
            elif not is_null(entry.value) or ROUTE_KEYS[key].required:
                entries[key] = entry
        place = node.entries[0].key.span if node.entries else node.span
        for key, row in ROUTE_KEYS.items():
            if row.required and key not in entries:
                self._report_missing(key, row.doc, place, node)
        return entries

    def _report_missing(self, key: str, doc: str, place: Span, node: Mapping) -> None:
        self.broken = True
        if any(
            did_you_mean(e.key.value, (key,), ROUTE_KEY_SYNONYMS).startswith("did")
            for e in node.entries
            if e.key.value not in ROUTE_KEYS
        ):
            return  # the misspelt key was reported; that this one is missing is its consequence
        self.found.add(codes.MISSING_KEY, place, f"the route has no `{key}`", help=doc)

    def _report_unknown(self, key: Scalar) -> None:
        self.broken = True
        if key.value in HTTP_KEYS:
            message = f"`{key.value}` belongs to HTTP routes, and only WebSocket routes are served"
            self.found.add(codes.UNKNOWN_KEY, key.span, message)
            return
        if key.value in HOOKS or key.value in HOOK_SYNONYMS:
            message = f"`{key.value}` stands beside `ws_hooks`, not under it"
            self.found.add(codes.UNKNOWN_KEY, key.span, message, help="indent the hook under `ws_hooks:`")
            return
        report_unknown_key(self.found, key, " in a route", tuple(ROUTE_KEYS), ROUTE_KEY_SYNONYMS)

    def _options(self, entries: dict[str, Entry]) -> Iterator[tuple[str, Value]]:
        for key, row in ROUTE_KEYS.items():
            if row.shape is None or key == "name" or key not in entries:
                continue
            try:
                value = read_shape(self.found, entries[key].value, row.shape, key)
            except Unreadable:
                self.broken = True
                continue
            if value != row.default:
                yield key, value
        if (version := entries.get("version")) is not None:
            yield from self._version(version.value)

    def _version(self, node: Node) -> Iterator[tuple[str, Value]]:
        if (
            isinstance(node, Scalar)
            and isinstance(node.resolved, (str, int, float))
            and not isinstance(node.resolved, bool)
        ):
            if node.value != ROUTE_KEYS["version"].default:
                yield "version", node.value
            return
        self.broken = True
        self.found.add(
            codes.WRONG_TYPE, node.span, f"`version` must be text or a number, this is {describe_node(node)}"
        )

    def _text(self, entries: dict[str, Entry], key: str) -> Written[str] | None:
        if key not in entries:
            return None
        shape = ROUTE_KEYS[key].shape
        node = entries[key].value
        try:
            value = (
                read_shape(self.found, node, shape, key) if shape is not None else require_text(self.found, node, key)
            )
        except Unreadable:
            self.broken = True
            return None
        return Written(str(value), node.span)

    def _path(self, entries: dict[str, Entry]) -> tuple[Written[str] | None, PathPattern | None]:
        written = self._text(entries, "path")
        if written is None:
            return None, None
        try:
            return written, parse_path(written.value)
        except PathError as error:
            self.broken = True
            node = entries["path"].value
            assert isinstance(node, Scalar)
            whole = error.offset == 0 and error.length >= len(written.value)
            inside = Span(error.offset, error.offset + error.length)
            place = node.span if whole else self.found.locator(node)(inside)
            self.found.add(codes.BAD_PATH, place, str(error))
            return written, None

    def _route_type(self, entries: dict[str, Entry]) -> None:
        written = self._text(entries, "route_type")
        if written is None or written.value.lower().replace("_", "").replace("-", "") in _ROUTE_TYPES:
            return
        self.broken = True
        label = did_you_mean(written.value, ("WebSocket",))
        note = "only WebSocket routes are served" if "did you mean" not in label else ""
        message = f"unknown route_type `{written.value}`" + (f": {note}" if note else "")
        self.found.add(
            codes.BAD_VALUE,
            written.span,
            message,
            label=label if not note else "",
            help="write `route_type: WebSocket`",
        )

    def _subscribe(self, entries: dict[str, Entry], codec: str) -> tuple[TextField, ...] | None:
        if "subscribe" not in entries:
            return None
        reader = FieldReader(self.found, codec)
        channels: list[TextField] = []
        try:
            items = require_list(self.found, entries["subscribe"].value, "subscribe").items
        except Unreadable:
            self.broken = True
            return ()
        for item in items:
            try:
                channels.append(reader.channel(item, "channel", "subscribe"))
            except Unreadable:
                self.broken = True
        return tuple(channels)

    # -- hooks --------------------------------------------------------------------------------------

    def _hooks(self, entries: dict[str, Entry], codec: str) -> dict[str, Block]:
        if "ws_hooks" not in entries:
            return {}
        entry = entries["ws_hooks"]
        try:
            mapping = require_mapping(self.found, entry.value, "ws_hooks")
        except Unreadable:
            self.broken = True
            self.possibly_set |= names_in(entry.value)
            return {}
        given = {item.key.value: item for item in mapping.entries}
        unknown = [item.key for item in mapping.entries if item.key.value not in HOOKS]
        for key in unknown:
            self._report_unknown_hook(key, given[key.value].value)
        hooks = {
            name: block
            for name in HOOKS
            if name in given and (block := self._hook(name, given[name], codec)) is not None
        }
        if not unknown and not any(isinstance(item.value, Sequence) and item.value.items for item in mapping.entries):
            self._report_no_hook(entry, mapping)
        return hooks

    def _report_no_hook(self, entry: Entry, mapping: Mapping) -> None:
        self.broken = True
        place = mapping.span if not mapping.entries else entry.key.span
        known = ", ".join(f"`{name}`" for name in HOOKS if name != "on_auth")
        self.found.add(
            codes.BAD_VALUE,
            place,
            "`ws_hooks` has no hook with operations",
            help=f"the hooks are {known}, and `on_auth`",
        )

    def _report_unknown_hook(self, key: Scalar, value: Node) -> None:
        self.broken = True
        self.possibly_set |= names_in(value)
        label = did_you_mean(key.value, tuple(HOOKS), HOOK_SYNONYMS)
        self.found.add(codes.UNKNOWN_KEY, key.span, f"unknown hook `{key.value}`", label=label)

    def _hook(self, name: str, entry: Entry, codec: str) -> Block | None:
        if is_null(entry.value):
            self.found.add(
                codes.NULL_HOOK,
                entry.key.span,
                f"`{name}` has no operations",
                help="leave the key out, or indent the list under it",
            )
            return Block((), entry.value.span, name)
        reader = OperationReader(self.found, name, codec)
        errors = self._error_count()
        try:
            return reader.block(entry.value, name, name)
        except Unreadable:
            return None
        finally:
            self.possibly_set |= reader.possibly_set
            self.broken = self.broken or self._error_count() > errors

    def _error_count(self) -> int:
        return len([d for d in self.found.report.diagnostics if d.severity is codes.Severity.ERROR])
