"""Reading lists of operations, driven by the operations table."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final, TypeVar

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import nearest
from compiler.language.limits import LOOP_DEPTH, OPERATION_DEPTH
from compiler.operations.model import SPELLINGS, Block, Operation, Record
from compiler.operations.outline import outline, outlined_fields
from compiler.operations.rows import FieldRow, Position, Variant
from compiler.reader.items import operation_class, sole_entry
from compiler.reader.keys import LeftOutKeys, report_unknown_key, unexplained
from compiler.reader.nodes import Unreadable, is_null, names_in, refuse_type
from compiler.reader.values import FieldReader
from compiler.records import dataclass
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence

RecordT = TypeVar("RecordT", bound=Record)

_SCALARS: Final = frozenset(
    {Position.VALUE, Position.WHOLE, Position.TEXT, Position.CONDITION, Position.STATEMENT, Position.WORD}
)


@dataclass(slots=True)
class _Given:
    """The fields of a record as they are given, by canonical name; keys of no field; whether all of it is readable."""

    entries: dict[str, Entry] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    readable: bool = True


class OperationReader:
    """Reads the operations of one hook. `possibly_set` collects names that unreadable parts seem to set."""

    def __init__(self, found: Findings, hook: str, codec: str, left_out: LeftOutKeys) -> None:
        self.found = found
        self.hook = hook
        self.fields = FieldReader(found, codec)
        self.possibly_set: set[str] = set()
        self._left_out = left_out
        self._depth = 0
        self._around: list[type[Operation]] = []

    # -- lists of operations ------------------------------------------------------------------------

    def block(self, node: Node, name: str, label: str, *, may_be_empty: bool = True) -> Block:
        """A list of operations. Raises Unreadable where it is no list."""
        if not isinstance(node, Sequence):
            self.possibly_set |= names_in(node)
            raise refuse_type(self.found, node, name, "a list of operations", _as_list(node))
        if not node.items and not may_be_empty:
            help = "write what is to be done there, each operation as `- Log: {message: …}`"
            self.found.add(codes.EMPTY_BLOCK, node.span, f"`{name}` has no operations", help=help)
        self._depth += 1
        try:
            self._check_depth(node.span)
            read = [self.operation(item) for item in node.items]
        finally:
            self._depth -= 1
        return Block(tuple(operation for operation in read if operation is not None), node.span, label)

    def _check_depth(self, span: Span) -> None:
        if self._depth > OPERATION_DEPTH:
            message = f"operations are nested more than {OPERATION_DEPTH} deep"
            self.found.add(codes.LIMIT, span, message, help=f"the limit is {OPERATION_DEPTH}")
            raise Unreadable

    def operation(self, item: Node) -> Operation | None:
        """One list item; None where it could not be read, and a finding says why."""
        try:
            entry = sole_entry(self.found, item, self._left_out)
            cls = operation_class(self.found, entry)
            self._check_place(cls, entry.key.span)
            return self._operation(cls, entry)
        except Unreadable:
            self.possibly_set |= names_in(item)
            return None

    # -- one operation ------------------------------------------------------------------------------

    def _check_place(self, cls: type[Operation], span: Span) -> None:
        name = cls.__name__
        if self.hook not in cls.hooks:
            help = f"it belongs in {_either(cls.hooks)}"
            self.found.add(codes.MISPLACED_OPERATION, span, f"`{name}` cannot stand in {self.hook}", help=help)
        if cls.needs_loop and not any(around.repeats for around in self._around):
            help = "it belongs in the body of a While or Loop"
            self.found.add(codes.MISPLACED_OPERATION, span, f"`{name}` outside of a loop", help=help)

    def _operation(self, cls: type[Operation], entry: Entry) -> Operation:
        mapping = self._fields_of(cls, entry)
        self._around.append(cls)
        try:
            self._check_nesting(cls, entry.key.span)
            operation, has_unknown = self._record(cls, entry.key.span, mapping)
        finally:
            self._around.pop()
        if not has_unknown:  # else what does not fit together may be a consequence
            operation.check(self.found)
        return operation

    def _fields_of(self, cls: type[Operation], entry: Entry) -> Mapping:
        if is_null(entry.value):
            return Mapping([], entry.key.span)
        if isinstance(entry.value, Mapping):
            return entry.value
        help = f"write `{_with_fields(cls, entry.value)}`"
        raise refuse_type(self.found, entry.value, entry.key.value, "a mapping of its fields", help)

    def _check_nesting(self, cls: type[Operation], span: Span) -> None:
        if cls.nests and sum(around.nests for around in self._around) > LOOP_DEPTH:
            message = f"While, Loop and Try are nested more than {LOOP_DEPTH} deep"
            self.found.add(codes.LIMIT, span, message, help=f"the limit is {LOOP_DEPTH}")
            raise Unreadable

    # -- records: operations and parts of them ------------------------------------------------------

    def _record(self, cls: type[RecordT], place: Span, mapping: Mapping) -> tuple[RecordT, bool]:
        """The record, and whether there are keys in it that nobody knows. Raises Unreadable."""
        word = self._deciding_word(cls, mapping)
        variant = cls.variant(word)
        given = self._given(cls, mapping, variant)
        if variant != Variant():
            self._drop_useless(cls, given.entries, word)
        missing = [name for name in cls.rows if _is_needed(cls.rows[name], variant) and name not in given.entries]
        if cls.one_of and not any(name in given.entries for name in cls.one_of):
            missing += cls.one_of[:1]
        all_strange = given.unknown and not given.entries
        if not all_strange and not self._left_out.within(mapping.span):
            self._report_missing(cls, place, missing, given, word)
        values: dict[str, Any] = {}
        for name, entry in given.entries.items():
            row = cls.rows[name]
            try:
                values[row.attribute] = self._field(row, entry.value, f"{cls.label}.{name}")
            except Unreadable:
                given.readable = False
        if missing or not given.readable:
            raise Unreadable
        return cls(place=place, **values), bool(given.unknown)

    def _deciding_word(self, cls: type[Record], mapping: Mapping) -> str:
        """The word of the field that decides about the others; empty where there is none."""
        if cls.variants is None:
            return ""
        written = mapping.get(cls.variants[0])
        return written.value if isinstance(written, Scalar) else ""

    def _given(self, cls: type[Record], mapping: Mapping, variant: Variant) -> _Given:
        """The fields that are there. Null counts as absent where a field may be absent."""
        given = _Given()
        for entry in mapping.entries:
            row = cls.spellings.get(entry.key.value)
            if row is None:
                self._report_unknown(cls, entry)
                given.unknown.append(entry.key.value)
            elif is_null(entry.value) and (row.name in given.entries or not _is_needed(row, variant)):
                continue
            elif row.name in given.entries and not is_null(given.entries[row.name].value):
                self._report_twice(cls, entry.key, given.entries[row.name].key)
                given.readable = False
            else:
                given.entries[row.name] = entry
        return given

    def _report_unknown(self, cls: type[Record], entry: Entry) -> None:
        self.possibly_set |= names_in(Mapping([entry], entry.key.span))
        if isinstance(entry.value, Scalar):  # it may be a misspelt `output_var`
            self.possibly_set.add(entry.value.value)
        if not cls.rows:
            message = f"unknown key `{entry.key.value}`: `{cls.label}` takes no fields"
            self.found.add(codes.UNKNOWN_KEY, entry.key.span, message, help=f"write `- {cls.label}: {{}}`")
            return
        synonyms = _synonyms(cls)
        meant = cls.spellings.get(nearest(entry.key.value, tuple(cls.spellings), synonyms) or "")
        known = tuple(cls.rows) if meant is None or meant.name == entry.key.value else tuple(cls.spellings)
        note = meant.if_lost if meant is not None else ""
        help = "" if meant is not None else f"write `{outline(cls)}`" if issubclass(cls, Operation) else _written(cls)
        report_unknown_key(self.found, entry.key, f" in `{cls.label}`", known, synonyms, note=note, help=help)

    def _report_twice(self, cls: type[Record], key: Scalar, first: Scalar) -> None:
        message = f"`{key.value}` and `{first.value}` are the same field of `{cls.label}`"
        labels = (self.found.label(first.span, "first given here"),)
        self.found.add(codes.DUPLICATE_FIELD, key.span, message, labels=labels, help="leave one of them out")

    def _drop_useless(self, cls: type[Record], entries: dict[str, Entry], word: str) -> None:
        """Report the fields that the deciding word makes no use of, and leave them out."""
        assert cls.variants is not None
        decider, variants = cls.variants
        used = {decider, *variants[word].required, *variants[word].allowed}
        optional = {name for variant in variants.values() for name in (*variant.required, *variant.allowed)}
        for name in [name for name in entries if name in optional - used]:
            key = entries.pop(name).key
            users = [other for other, variant in variants.items() if name in (*variant.required, *variant.allowed)]
            message = f"`{key.value}` has no effect with `{word}` ({variants[word].doc})"
            help = f"did you mean `{decider}: {users[0]}`?"
            self.found.add(codes.USELESS_KEY, key.span, message, help=help)

    def _report_missing(self, cls: type[Record], place: Span, missing: list[str], given: _Given, word: str) -> None:
        spellings = {spelling: row.name for spelling, row in cls.spellings.items()}
        for name in unexplained(missing, given.unknown, spellings, _synonyms(cls)):
            wanted = f"`{name}`" if name not in cls.one_of else " or ".join(f"`{key}`" for key in cls.one_of)
            decided = f" with `{word}`" if name in cls.variant(word).required else ""
            known = {n: e.value.value for n, e in given.entries.items() if isinstance(e.value, Scalar)}
            help = _written(cls, known)
            self.found.add(codes.MISSING_KEY, place, f"`{cls.label}` needs {wanted}{decided}", help=help)

    # -- fields -------------------------------------------------------------------------------------

    def _field(self, row: FieldRow, node: Node, label: str) -> Any:
        if row.position is Position.OPERATIONS:
            return self.block(node, row.name, label, may_be_empty=row.may_be_empty)
        if row.position is Position.PARTS:
            return self._parts(row, node)
        return self.fields.read(node, row, label)

    def _parts(self, row: FieldRow, node: Node) -> tuple[Record, ...]:
        cls = row.part
        assert cls is not None
        assert issubclass(cls, Record)
        if not isinstance(node, Sequence):
            self.possibly_set |= names_in(node)
            raise refuse_type(self.found, node, row.name, "a list", _written(cls))
        if not node.items:
            self.found.add(codes.EMPTY_BLOCK, node.span, f"`{row.name}` is empty", help=_written(cls))
        parts = [self._part(cls, item) for item in node.items]
        if None in parts:
            raise Unreadable
        return tuple(part for part in parts if part is not None)

    def _part(self, cls: type[Record], node: Node) -> Record | None:
        try:
            if not isinstance(node, Mapping):
                raise refuse_type(self.found, node, cls.label, "a mapping", _written(cls))
            place = node.entries[0].key.span if node.entries else node.span
            return self._record(cls, place, node)[0]
        except Unreadable:
            self.possibly_set |= names_in(node)
            return None


def _is_needed(row: FieldRow, variant: Variant) -> bool:
    return row.required or row.name in variant.required


def _synonyms(cls: type[Record]) -> dict[str, str]:
    return {synonym: row.name for row in cls.rows.values() for synonym in row.synonyms}


def _either(names: tuple[str, ...] | list[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last


def _written(cls: type[Record], given: dict[str, str] | None = None) -> str:
    """How an operation, or each part of one, is written."""
    if issubclass(cls, Operation):
        return f"write `{outline(cls, given)}`"
    return f"write each as `- {{{outlined_fields(cls, {})}}}`"


def _as_list(node: Node) -> str:
    """What to write for something that stands where a list of operations must."""
    if isinstance(node, Mapping) and node.entries and node.entries[0].key.value in SPELLINGS:
        return f"write each operation as a list item: `- {node.entries[0].key.value}: …`"
    return "write each operation as a list item: `- Log: {message: …}`"


def _with_fields(cls: type[Operation], value: Node) -> str:
    """The outline of an operation whose one field was written in place of its fields."""
    needed = [row for row in cls.rows.values() if row.required or len(cls.rows) == 1]
    if len(needed) == 1 and needed[0].position in _SCALARS and isinstance(value, Scalar):
        return outline(cls, {needed[0].name: value.value})
    return outline(cls)
