"""Reading lists of operations, driven by the operations table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import nearest
from compiler.language.limits import LOOP_DEPTH, OPERATION_DEPTH
from compiler.operations.control import Case
from compiler.operations.model import OPERATIONS, SPELLINGS, Block, FieldRow, Operation, Position, Variant, snake_case
from compiler.reader.shapes import Unreadable, describe_node, is_null, report_unknown_key
from compiler.reader.values import FieldReader
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Tagged

REPLACED: Final = {
    "MathOp": "{{ price * quantity }}", "Math": "{{ price * quantity }}",
    "StringOp": "{{ message | trim | upper }}",
    "String": "{{ message | trim | upper }}",
    "DateOp": "{{ now() | add_days(7) }}", "Date": "{{ now() | add_days(7) }}",
    "JsonOp": "{{ message | json_parse }}", "Json": "{{ message | json_parse }}",
    "Map": "{{ items | map('price * 2') }}",
    "Filter": "{{ items | filter('price > 100') }}",
    "Aggregate": "{{ items | sum('price') }}", "Get": "{{ user.name }}",
    "Reduce": "{{ items | sum('price') }}", "Sort": "{{ items | sort('price') }}",
}  # fmt: skip
"""Operations of the wider system that an expression does better."""

REPLACED_BY_OPERATION: Final = {
    "QueryDb": '- SqlOp:\n    query: "SELECT …"\n    output_var: rows',
    "Until": '- While:\n    condition: "{{ !(done) }}"\n    body: […]',
    "ForRange": '- Loop:\n    collection: "{{ range(0, 10) }}"\n    body: […]',
}
"""Operations of the wider system that another operation does."""

_SETTING_KEYS: Final = frozenset({"name", "var", "output_var", "variable", "as", "item_var", "index_var"})


class OperationReader:
    """Reads the operations of one route. `possibly_set` collects names that unreadable parts seem to set."""

    def __init__(self, found: Findings, hook: str, codec: str) -> None:
        self.found = found
        self.hook = hook
        self.fields = FieldReader(found, codec)
        self.possibly_set: set[str] = set()
        self._depth = 0
        self._loops: list[str] = []

    def block(self, node: Node, name: str, label: str, *, may_be_empty: bool = True) -> Block:
        """A list of operations. Raises Unreadable where it is no list."""
        if not isinstance(node, Sequence):
            self.possibly_set.update(names_in(node))
            help = "write each operation as a list item: `- Log: {message: …}`"
            self.found.add(
                codes.WRONG_TYPE,
                node.span,
                f"`{name}` must be a list of operations, this is {describe_node(node)}",
                help=help,
            )
            raise Unreadable
        if not node.items and not may_be_empty:
            self.found.add(codes.EMPTY_BLOCK, node.span, f"`{name}` has no operations")
        self._depth += 1
        try:
            self._check_depth(node)
            read = [self.operation(item) for item in node.items]
        finally:
            self._depth -= 1
        return Block(tuple(operation for operation in read if operation is not None), node.span, label)

    def _check_depth(self, node: Sequence) -> None:
        if self._depth > OPERATION_DEPTH:
            self.found.add(codes.LIMIT, node.span, f"operations are nested too deep; the limit is {OPERATION_DEPTH}")
            raise Unreadable

    def operation(self, item: Node) -> Operation | None:
        """One list item; None where it could not be read, and a finding says why."""
        try:
            entry = self._sole_entry(item)
            cls = self._operation_class(entry)
            return self._read(cls, entry)
        except Unreadable:
            self.possibly_set.update(names_in(item))
            return None

    # -- which operation ----------------------------------------------------------------------------

    def _sole_entry(self, item: Node) -> Entry:
        if isinstance(item, Tagged):
            name = item.tag.lstrip("!")
            meant = nearest(name, OPERATIONS, _synonyms())
            self.found.add(
                codes.UNKNOWN_TAG, item.tag_span, f"the tag `{item.tag}` is not an operation",
                help=f"an operation is a mapping with one key: `- {meant or 'WsOp'}: {{…}}`",
            )  # fmt: skip
            raise Unreadable
        if isinstance(item, Mapping) and len(item.entries) == 1:
            return item.entries[0]
        if isinstance(item, Mapping) and item.entries:
            if not self._has_duplicate_key(item):  # that one key too many was reported
                self._report_several(item)
        else:
            self._report_bare(item)
        raise Unreadable

    def _has_duplicate_key(self, item: Mapping) -> bool:
        return any(
            found.code is codes.DUPLICATE_KEY and item.span.start <= found.span.start < item.span.end
            for found in self.found.report.diagnostics
        )

    def _report_bare(self, item: Node) -> None:
        name = item.value if isinstance(item, Scalar) else ""
        shown = f"`- {_canonical(name)}: {{}}`" if name in SPELLINGS else "`- Log: {message: …}`"
        self.found.add(
            codes.NOT_AN_OPERATION, item.span, f"an operation is a mapping with one key, this is {describe_node(item)}",
            help=f"write {shown}",
        )  # fmt: skip

    def _report_several(self, item: Mapping) -> None:
        first, *rest = item.entries
        known = [entry for entry in item.entries if entry.key.value in SPELLINGS]
        cls = SPELLINGS.get(first.key.value)
        if cls is not None and all(_names_field(cls, entry.key.value) for entry in rest):
            self._report_beside(cls, first, rest)
        elif len(known) > 1:
            second = known[1].key
            message = f"two operations stand in one list item: `- ` is missing before `{second.value}`"
            label = self.found.label(known[0].key.span, "the first operation")
            self.found.add(codes.TWO_OPERATIONS, second.span, message, labels=(label,))
        elif cls is not None:
            message = f"`{rest[0].key.value}` stands beside `{first.key.value}`, which is an operation of its own"
            self.found.add(
                codes.NOT_AN_OPERATION, rest[0].key.span, message, help="one operation is one list item with one key"
            )
        else:
            self._report_flat(item)

    def _report_beside(self, cls: type[Operation], first: Entry, rest: list[Entry]) -> None:
        keys = ", ".join(f"`{entry.key.value}`" for entry in rest)
        if is_null(first.value):
            message, help = f"{keys} stand beside `{first.key.value}`, not under it", "indent them by 2 more blanks"
        else:
            message = f"`{first.key.value}` is written flat: its fields stand under its name"
            help = f"write\n{cls.example}"
        self.found.add(codes.NOT_AN_OPERATION, first.key.span, message, help=help)

    def _report_flat(self, item: Mapping) -> None:
        keys = {entry.key.value for entry in item.entries}
        first = item.entries[0].key
        if keys & {"variable", "var", "name"} and "value" in keys:
            help = "write `- SetVar: {name: …, value: …}`"
        elif keys & {"if", "condition"} and "then" in keys:
            help = f"write\n{OPERATIONS['If'].example}"
        else:
            meant = nearest(first.value, _names(), _synonyms())
            help = (
                f"did you mean `{_canonical(meant)}`?"
                if meant
                else "one operation is one list item with one key, its name"
            )
        self.found.add(
            codes.NOT_AN_OPERATION,
            first.span,
            f"an operation has exactly one key, its name; this has {len(keys)}",
            help=help,
        )

    def _operation_class(self, entry: Entry) -> type[Operation]:
        name = entry.key.value
        cls = SPELLINGS.get(name)
        if cls is None:
            self._report_unknown(name, entry)
            raise Unreadable
        if self.hook not in cls.hooks:
            self._report_hook(cls, entry.key.span)
        if cls.needs_loop and not self._in_loop:
            message = f"`{cls.__name__}` outside of a loop"
            self.found.add(
                codes.MISPLACED_OPERATION, entry.key.span, message, help="it belongs in the body of a While or Loop"
            )
        return cls

    @property
    def _in_loop(self) -> bool:
        return any(name in ("While", "Loop") for name in self._loops)

    def _report_hook(self, cls: type[Operation], span: Span) -> None:
        name = cls.__name__
        if name == "WsOp":
            message = "`WsOp` cannot stand in on_auth: the connection is not accepted yet"
        else:
            message = f"`{name}` can only stand in {', '.join(cls.hooks)}"
        self.found.add(codes.MISPLACED_OPERATION, span, message)

    def _report_unknown(self, name: str, entry: Entry) -> None:
        if name in REPLACED or name in REPLACED_BY_OPERATION:
            help = (
                f"write it as an expression, for example `{REPLACED[name]}`"
                if name in REPLACED
                else f"write\n{REPLACED_BY_OPERATION[name]}"
            )
            self.found.add(
                codes.UNKNOWN_OPERATION, entry.key.span, f"`{name}` is not an operation of this language", help=help
            )
            return
        meant = nearest(name, _names(), _synonyms())
        if meant is None and not isinstance(entry.value, (Mapping, Sequence)):
            help = f"to set a variable, write `- SetVar: {{name: {name}, value: …}}`"
            self.found.add(codes.NOT_AN_OPERATION, entry.key.span, f"`{name}` is not an operation", help=help)
            return
        label = f"did you mean `{_canonical(meant)}`?" if meant else ""
        help = "" if meant else "known: " + ", ".join(OPERATIONS)
        self.found.add(codes.UNKNOWN_OPERATION, entry.key.span, f"unknown operation `{name}`", label=label, help=help)

    # -- its fields ---------------------------------------------------------------------------------

    def _read(self, cls: type[Operation], entry: Entry) -> Operation:
        key = entry.key
        if is_null(entry.value):
            fields = Mapping([], key.span)
        elif isinstance(entry.value, Mapping):
            fields = entry.value
        else:
            self._report_shorthand(cls, entry)
            raise Unreadable
        nests = cls.__name__ in ("While", "Loop", "Try")
        if nests:
            self._loops.append(cls.__name__)
        try:
            self._check_loops(key.span)
            return self._build(cls, key.span, fields)
        finally:
            if nests:
                self._loops.pop()

    def _check_loops(self, span: Span) -> None:
        if len(self._loops) > LOOP_DEPTH:
            self.found.add(codes.LIMIT, span, f"While, Loop and Try are nested too deep; the limit is {LOOP_DEPTH}")
            raise Unreadable

    def _report_shorthand(self, cls: type[Operation], entry: Entry) -> None:
        name = cls.__name__
        message = f"the fields of `{name}` must be a mapping, this is {describe_node(entry.value)}"
        self.found.add(codes.WRONG_TYPE, entry.value.span, message, help=f"write\n{cls.example}")

    def _build(self, cls: type[Operation], place: Span, fields: Mapping) -> Operation:
        given, unknown, readable = self._given(cls, fields)
        missing = [row.name for row in cls.rows.values() if row.required and row.name not in given]
        missing += self._check_variant(cls, given)
        if not unknown:  # else what is missing is probably what is misspelt
            for name in missing:
                self.found.add(codes.MISSING_KEY, place, f"`{cls.__name__}` needs `{name}`", help=cls.rows[name].doc)
        values: dict[str, Any] = {}
        for name, entry in given.items():
            row = cls.rows[name]
            try:
                values[row.attribute] = self._field(cls, row, entry.value)
            except Unreadable:
                readable = False
        if missing or not readable:
            raise Unreadable
        operation = cls(place=place, **values)
        operation.check(self.found)
        return operation

    def _given(self, cls: type[Operation], fields: Mapping) -> tuple[dict[str, Entry], bool, bool]:
        """The fields that are there, by canonical name (null counts as absent where the field takes no null), whether
        there are unknown ones, and whether each is given once."""
        given: dict[str, Entry] = {}
        unknown, readable = False, True
        for entry in fields.entries:
            row = cls.spellings.get(entry.key.value)
            if row is None:
                self._report_unknown_field(cls, entry.key)
                unknown = True
            elif row.name in given:
                first = given[row.name].key
                message = f"`{entry.key.value}` and `{first.value}` are the same field of `{cls.__name__}`"
                self.found.add(
                    codes.DUPLICATE_FIELD,
                    entry.key.span,
                    message,
                    labels=(self.found.label(first.span, "first given here"),),
                )
                readable = False
            elif not is_null(entry.value) or _takes_null(row):
                given[row.name] = entry
        return given, unknown, readable

    def _report_unknown_field(self, cls: type[Operation], key: Scalar) -> None:
        synonyms = {other: name for row in cls.rows.values() for other, name in row.synonyms.items()}
        known = tuple(row.name for row in cls.rows.values())
        aliases = tuple(alias for row in cls.rows.values() for alias in row.aliases)
        close = nearest(key.value, (*known, *aliases), synonyms)
        note = "the broadcast would go to everybody" if cls.__name__ == "WsOp" and close == "channel" else ""
        report_unknown_key(
            self.found,
            key,
            f" in `{cls.__name__}`",
            known if close not in aliases else (*known, *aliases),
            synonyms,
            note,
        )

    def _check_variant(self, cls: type[Operation], given: dict[str, Entry]) -> list[str]:
        """What the operation's deciding word makes of the other fields: drops useless ones, names missing ones."""
        if cls.variants is None:
            return []
        decider, variants = cls.variants
        word = getattr(given[decider].value, "value", None) if decider in given else None
        variant = variants.get(word) if isinstance(word, str) else None
        if variant is None:
            return []
        for name in [name for name in given if name not in (decider, *variant.required, *variant.allowed)]:
            self._report_useless(variants, str(word), given.pop(name))
        return [name for name in variant.required if name not in given]

    def _report_useless(self, variants: Any, word: str, entry: Entry) -> None:
        users = [
            other for other, variant in variants.items() if entry.key.value in (*variant.required, *variant.allowed)
        ]
        variant: Variant = variants[word]
        help = f"did you mean `{users[0]}`? " if users else ""
        self.found.add(
            codes.USELESS_KEY, entry.key.span, f"`{entry.key.value}` has no effect with `{word}`: it goes {variant.doc}"
            if word == "send" else f"`{entry.key.value}` has no effect with `{word}`", help=help.strip(),
        )  # fmt: skip

    def _field(self, cls: type[Operation], row: FieldRow, node: Node) -> Any:
        label = f"{cls.__name__}.{row.name}"
        if row.position is Position.OPERATIONS:
            return self.block(node, row.name, label, may_be_empty=False)
        if row.position is Position.CASES:
            return tuple(self._cases(node))
        return self.fields.read(node, row, label)

    def _cases(self, node: Node) -> Iterator[Case]:
        if not isinstance(node, Sequence):
            self.possibly_set.update(names_in(node))
            self.found.add(codes.WRONG_TYPE, node.span, f"`cases` must be a list, this is {describe_node(node)}")
            raise Unreadable
        failed = False
        for item in node.items:
            try:
                yield self._case(item)
            except Unreadable:
                self.possibly_set.update(names_in(item))
                failed = True
        if failed:
            raise Unreadable

    def _case(self, node: Node) -> Case:
        if not isinstance(node, Mapping):
            self.found.add(
                codes.WRONG_TYPE,
                node.span,
                f"a case must be a mapping with `value` and `operations`, this is {describe_node(node)}",
            )
            raise Unreadable
        given: dict[str, Entry] = {}
        for entry in node.entries:
            name = {"case": "value", "actions": "operations"}.get(entry.key.value, entry.key.value)
            if name not in ("value", "operations"):
                synonyms = {"then": "operations", "do": "operations", "body": "operations", "when": "value"}
                report_unknown_key(self.found, entry.key, " in a case", ("value", "operations"), synonyms)
                raise Unreadable
            if name in given:
                self.found.add(
                    codes.DUPLICATE_FIELD, entry.key.span, f"`{entry.key.value}` is given under two of its names"
                )
                raise Unreadable
            given[name] = entry
        for name in ("value", "operations"):
            if name not in given:
                place = node.entries[0].key.span if node.entries else node.span
                self.found.add(codes.MISSING_KEY, place, f"a case needs `{name}`")
                raise Unreadable
        value = self.fields.value(given["value"].value, "Switch.case")
        return Case(value, self.block(given["operations"].value, "operations", "Switch.operations", may_be_empty=False))


def _takes_null(row: FieldRow) -> bool:
    return row.position in (Position.VALUE, Position.COLLECTION) and row.required


def _names_field(cls: type[Operation], name: str) -> bool:
    return name in cls.spellings


def _names() -> tuple[str, ...]:
    return tuple(SPELLINGS)


def _canonical(name: str | None) -> str:
    return SPELLINGS[name].__name__ if name in SPELLINGS else str(name)


def _synonyms() -> dict[str, str]:
    return {
        spelling: name
        for name, cls in OPERATIONS.items()
        for synonym in cls.synonyms
        for spelling in (synonym, snake_case(synonym), synonym.lower())
    }


def names_in(node: Node) -> set[str]:
    """Names that an unreadable part seems to set, so that reading them later is no finding of its own."""
    names: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        match part:
            case Mapping():
                for entry in part.entries:
                    if entry.key.value in _SETTING_KEYS and isinstance(entry.value, Scalar):
                        names.add(entry.value.value)
                    elif isinstance(entry.value, Scalar):
                        names.add(entry.key.value)
                    pending.append(entry.value)
            case Sequence():
                pending.extend(part.items)
            case Tagged():
                pending.append(part.content)
            case Scalar():
                pass
    return names
