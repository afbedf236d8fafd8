"""Reading routes: the keys of a document, its path and its hooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import SourceFile, Span
from compiler.diagnostics.suggest import certain, did_you_mean
from compiler.language.hooks import HOOK_SYNONYMS, HOOKS
from compiler.language.paths import PathError, PathPattern, parse_path
from compiler.language.values import Value
from compiler.operations.model import SPELLINGS, Block
from compiler.operations.route import (
    HTTP_KEYS,
    ROUTE_KEY_SYNONYMS,
    ROUTE_KEYS,
    Address,
    Channels,
    Hooks,
    Route,
    RouteType,
    Version,
)
from compiler.reader.keys import LeftOutKeys, report_unknown_key, unexplained
from compiler.reader.nodes import (
    Unreadable,
    describe_node,
    is_null,
    names_in,
    refuse_type,
    require_list,
    require_mapping,
    require_text,
)
from compiler.reader.operations import OperationReader
from compiler.reader.shapes import read_shape
from compiler.reader.values import FieldReader
from compiler.syntax.fields import TextField, Written
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

_READ_APART: Final = (Address, RouteType, Version, Channels, Hooks)
"""Shapes of keys that are more than plain values."""
_KEYS_ELSEWHERE: Final = {
    **ROUTE_KEY_SYNONYMS,
    **dict.fromkeys((*HTTP_KEYS, *HOOKS, *HOOK_SYNONYMS), "ws_hooks"),
}
"""What stands where `ws_hooks` should, and other names of keys."""


def read_routes(source: SourceFile, documents: list[Node], found: Findings) -> list[Route]:
    """The routes of a file's documents; one that is not even a mapping with a name and a path is left out."""
    left_out = LeftOutKeys(found.report)
    routes = (_RouteReader(source, number, found, left_out).read(node) for number, node in enumerate(documents, 1))
    return [route for route in routes if route is not None]


class _RouteReader:
    """Reads one document."""

    def __init__(self, source: SourceFile, document: int, found: Findings, left_out: LeftOutKeys) -> None:
        self.source = source
        self.document = document
        self.found = found
        self.left_out = left_out
        self.broken = False
        self.possibly_set: set[str] = set()

    def read(self, node: Node) -> Route | None:
        if not isinstance(node, Mapping):
            self._report_no_route(node)
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

    def _report_no_route(self, node: Node) -> None:
        message = f"a route must be a mapping (`name`, `path`, `route_type`, `ws_hooks`), this is {describe_node(node)}"
        several = "two routes in one file have a line `---` between them" if isinstance(node, Sequence) else ""
        self.found.add(codes.WRONG_TYPE, node.span, message, help=several)

    # -- keys ---------------------------------------------------------------------------------------

    def _entries(self, node: Mapping) -> dict[str, Entry]:
        """The known keys that are there, null ones left out where they may be; reports unknown and missing ones."""
        entries: dict[str, Entry] = {}
        unknown: list[str] = []
        for entry in node.entries:
            key = entry.key.value
            if key.startswith("x-"):
                continue
            if key not in ROUTE_KEYS:
                self._report_unknown(entry)
                unknown.append(key)
            elif not is_null(entry.value) or ROUTE_KEYS[key].required:
                entries[key] = entry
        self._report_missing(
            node, [key for key, row in ROUTE_KEYS.items() if row.required and key not in entries], unknown
        )
        self._forgive_null_hooks(entries, unknown)
        return entries

    def _report_missing(self, node: Mapping, missing: list[str], unknown: list[str]) -> None:
        if not missing:
            return
        self.broken = True
        if self.left_out.within(node.entries[0].key.span.to(node.entries[-1].key.span) if node.entries else node.span):
            return
        place = node.entries[0].key.span if node.entries else node.span
        for key in unexplained(missing, unknown, {key: key for key in ROUTE_KEYS}, _KEYS_ELSEWHERE):
            row = ROUTE_KEYS[key]
            help = f"write `{key}: {row.example}`"
            self.found.add(codes.MISSING_KEY, place, f"the route has no `{key}`", help=help)

    def _forgive_null_hooks(self, entries: dict[str, Entry], unknown: list[str]) -> None:
        """`ws_hooks:` with nothing under it, because the hooks stand beside it: that was said at the hooks."""
        beside = any(_KEYS_ELSEWHERE.get(key) == "ws_hooks" for key in unknown)
        if beside and "ws_hooks" in entries and is_null(entries["ws_hooks"].value):
            del entries["ws_hooks"]

    def _report_unknown(self, entry: Entry) -> None:
        self.broken = True
        self.possibly_set |= names_in(entry.value)
        key = entry.key
        if key.value in HTTP_KEYS:
            message = f"`{key.value}` belongs to HTTP routes, and only WebSocket routes are served"
            self.found.add(codes.UNKNOWN_KEY, key.span, message, help="what happens in a route stands under `ws_hooks`")
        elif key.value in HOOKS or key.value in HOOK_SYNONYMS:
            name = HOOK_SYNONYMS.get(key.value, key.value)
            message = f"`{key.value}` stands beside `ws_hooks`, not under it"
            help = f"indent it by 2 more blanks, under `ws_hooks:`{'' if name == key.value else f', as `{name}`'}"
            self.found.add(codes.UNKNOWN_KEY, key.span, message, help=help)
        elif key.value in SPELLINGS:
            message = f"the operation `{key.value}` stands in the route itself"
            self.found.add(
                codes.UNKNOWN_KEY, key.span, message, help="operations are list items under a hook of `ws_hooks`"
            )
        else:
            report_unknown_key(self.found, key, " in a route", tuple(ROUTE_KEYS), ROUTE_KEY_SYNONYMS)

    def _options(self, entries: dict[str, Entry]) -> Iterator[tuple[str, Value]]:
        for key, row in ROUTE_KEYS.items():
            if isinstance(row.shape, _READ_APART) or key == "name" or key not in entries:
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
        refuse_type(self.found, node, "version", "text or a number")

    def _text(self, entries: dict[str, Entry], key: str) -> Written[str] | None:
        if key not in entries:
            return None
        shape = ROUTE_KEYS[key].shape
        node = entries[key].value
        try:
            is_apart = isinstance(shape, _READ_APART)
            value = require_text(self.found, node, key) if is_apart else read_shape(self.found, node, shape, key)
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
        shape = ROUTE_KEYS["route_type"].shape
        assert isinstance(shape, RouteType)
        if written is None or written.value.lower().replace("_", "").replace("-", "") in shape.words:
            return
        self.broken = True
        label = did_you_mean(written.value, ("WebSocket",))
        near = "did you mean" in label
        message = f"unknown route_type `{written.value}`" + ("" if near else ": only WebSocket routes are served")
        help = "write `route_type: WebSocket`"
        scalar = entries["route_type"].value
        fixes = (self.found.renaming(scalar, "WebSocket"),) if near and isinstance(scalar, Scalar) else ()
        self.found.add(codes.BAD_VALUE, written.span, message, label=label if near else "", help=help, fixes=fixes)

    def _subscribe(self, entries: dict[str, Entry], codec: str) -> tuple[TextField, ...] | None:
        if "subscribe" not in entries:
            return None
        reader = FieldReader(self.found, codec)
        channels: list[TextField] = []
        try:
            items = self._channels(entries["subscribe"].value)
        except Unreadable:
            self.broken = True
            return ()
        for item in items:
            try:
                channels.append(reader.channel(item, "channel", "subscribe"))
            except Unreadable:
                self.broken = True
        return tuple(channels)

    def _channels(self, node: Node) -> list[Node]:
        name = node.value if isinstance(node, Scalar) and isinstance(node.resolved, str) else "news"
        return require_list(self.found, node, "subscribe", f"write `subscribe: [{name}]`").items

    # -- hooks --------------------------------------------------------------------------------------

    def _hooks(self, entries: dict[str, Entry], codec: str) -> dict[str, Block]:
        if "ws_hooks" not in entries:
            return {}
        entry = entries["ws_hooks"]
        try:
            mapping = require_mapping(self.found, entry.value, "ws_hooks", "write the name of a hook: `on_message:`")
        except Unreadable:
            self.broken = True
            self.possibly_set |= names_in(entry.value)
            return {}
        if not self.left_out.within(mapping.span) and all(_is_empty(hook.value) for hook in mapping.entries):
            self._report_no_hook(entry, mapping)
            return {}
        given = {hook.key.value: hook for hook in mapping.entries}
        for hook in mapping.entries:
            if hook.key.value not in HOOKS:
                self._report_unknown_hook(hook)
        blocks = {name: self._hook(name, given[name], codec) for name in HOOKS if name in given}
        return {name: block for name, block in blocks.items() if block is not None}

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

    def _report_unknown_hook(self, hook: Entry) -> None:
        self.broken = True
        self.possibly_set |= names_in(hook.value)
        if hook.key.value in ROUTE_KEYS:
            message = f"`{hook.key.value}` stands under `ws_hooks`, and belongs to the route"
            self.found.add(codes.UNKNOWN_KEY, hook.key.span, message, help="indent it as far as `ws_hooks`")
            return
        label = did_you_mean(hook.key.value, tuple(HOOKS), HOOK_SYNONYMS)
        meant = certain(hook.key.value, tuple(HOOKS), HOOK_SYNONYMS)
        fixes = (self.found.renaming(hook.key, meant),) if meant else ()
        self.found.add(codes.UNKNOWN_KEY, hook.key.span, f"unknown hook `{hook.key.value}`", label=label, fixes=fixes)

    def _hook(self, name: str, entry: Entry, codec: str) -> Block | None:
        if is_null(entry.value):
            self.found.add(
                codes.NULL_HOOK,
                entry.key.span,
                f"`{name}` has no operations",
                help="leave the key out, or indent the list under it",
            )
            return Block((), entry.value.span, name)
        reader = OperationReader(self.found, name, codec, self.left_out)
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


def _is_empty(node: Node) -> bool:
    """Whether a hook has nothing to do: null or an empty list."""
    return is_null(node) or (isinstance(node, Sequence) and not node.items)
