"""Items of operation lists: which operation an item is, and what to write where it is none."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit, Fix
from compiler.diagnostics.source import SourceFile, Span
from compiler.diagnostics.suggest import certain, nearest
from compiler.operations.elsewhere import EXPRESSIONS, OPERATIONS_INSTEAD
from compiler.operations.model import OPERATIONS, SPELLINGS, Operation, snake_case
from compiler.operations.outline import outline
from compiler.operations.rows import Position
from compiler.reader.keys import LeftOutKeys
from compiler.reader.nodes import Unreadable, describe_node, is_null
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Tagged

_NAMING_KEYS: Final = frozenset({"type", "op", "operation", "action", "kind", "name"})
"""Keys under which other systems write an operation's name."""


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, str]:
    return {
        spelling: cls.__name__
        for cls in OPERATIONS.values()
        for synonym in cls.synonyms
        for spelling in (synonym, snake_case(synonym), synonym.lower())
    }


@lru_cache(maxsize=1024)
def meant_operation(name: str) -> type[Operation] | None:
    """The operation that was probably meant by a name."""
    meant = nearest(name, tuple(SPELLINGS), _synonyms())
    return None if meant is None else SPELLINGS[meant]


def sole_entry(found: Findings, item: Node, left_out: LeftOutKeys) -> Entry:
    """The one entry of an item: the operation's name and its fields. Raises Unreadable for any other form."""
    match item:
        case Mapping() if len(item.entries) == 1:
            return item.entries[0]
        case Mapping() if item.entries:
            if not left_out.within(item.span):  # one key too many, and that was reported
                _report_several(found, item)
        case Tagged():
            _report_tag(found, item)
        case _:
            _report_bare(found, item)
    raise Unreadable


def operation_class(found: Findings, entry: Entry) -> type[Operation]:
    """The operation that an entry names. Raises Unreadable where there is none of that name."""
    cls = SPELLINGS.get(entry.key.value)
    if cls is None:
        _report_unknown(found, entry)
        raise Unreadable
    return cls


def _add(found: Findings, at: Scalar, message: str, help: str) -> None:
    found.add(codes.NOT_AN_OPERATION, at.span, message, help=help)


def _report_tag(found: Findings, item: Tagged) -> None:
    meant = meant_operation(item.tag.lstrip("!"))
    example = outline(meant or OPERATIONS["WsOp"])
    help = f"an operation is a mapping with one key: `{example}`"
    found.add(codes.UNKNOWN_TAG, item.tag_span, f"the tag `{item.tag}` is not an operation", help=help)


def _report_bare(found: Findings, item: Node) -> None:
    cls = SPELLINGS.get(item.value) if isinstance(item, Scalar) else None
    message = f"an operation is a mapping with one key, its name; this is {describe_node(item)}"
    help = f"write `{outline(cls or OPERATIONS['Log'])}`"
    found.add(codes.NOT_AN_OPERATION, item.span, message, help=help)


# Items with several keys.


def _report_several(found: Findings, item: Mapping) -> None:
    first, *rest = item.entries
    named = [entry for entry in item.entries if entry.key.value in SPELLINGS]
    cls = SPELLINGS.get(first.key.value)
    if cls is not None and all(entry.key.value in cls.spellings for entry in rest):
        _report_beside(found, cls, first, rest)
    elif len(named) > 1:
        message = f"two operations stand in one list item: `- ` is missing before `{named[1].key.value}`"
        label = found.label(named[0].key.span, "the first operation")
        help = "each operation is a list item of its own"
        found.add(codes.TWO_OPERATIONS, named[1].key.span, message, labels=(label,), help=help)
    elif cls is not None:
        message = f"`{rest[0].key.value}` stands beside `{first.key.value}`, and an operation has one key, its name"
        _add(found, rest[0].key, message, f"a field of `{cls.__name__}` stands under it, another operation behind `- `")
    else:
        _report_flat(found, item)


def _report_beside(found: Findings, cls: type[Operation], first: Entry, rest: list[Entry]) -> None:
    """Fields in the column of their operation's name: too few blanks, or the flat form of another system."""
    if not is_null(first.value) and not isinstance(first.value, Mapping):
        message = f"`{first.key.value}` is written flat: the fields of `{cls.__name__}` stand under its name"
        _add(found, first.key, message, f"write `{outline(cls)}`")
        return
    keys = _listed(entry.key.value for entry in rest)
    stand = "stands" if len(rest) == 1 else "stand"
    blanks = _blanks_lacking(found, first, rest[0])
    help = f"indent {'it' if len(rest) == 1 else 'them'} by {blanks} more blanks"
    label = found.label(first.key.span, "the operation")
    message = f"{keys} {stand} beside `{first.key.value}`, not under it"
    fixes = _indentation(found.source, rest, blanks)
    found.add(codes.NOT_AN_OPERATION, rest[0].key.span, message, help=help, labels=(label,), fixes=fixes)


def _indentation(source: SourceFile, fields: list[Entry], blanks: int) -> tuple[Fix, ...]:
    """The repair that moves the lines of these fields further in; none for fields inside braces."""
    first = source.line_of(fields[0].key.span.start)
    last = source.line_of(max(fields[-1].value.span.end - 1, fields[-1].key.span.start))
    starts = [source.line_starts[source.line_of(field.key.span.start) - 1] for field in fields]
    if any(source.text[start : field.key.span.start].strip(" ") for start, field in zip(starts, fields, strict=True)):
        return ()
    lines = (number for number in range(first, last + 1) if source.line_text(number).strip())
    places = (source.line_starts[number - 1] for number in lines)
    edits = tuple(Edit(Span(place, place), " " * blanks) for place in places)
    return (Fix(f"indent by {blanks} more blanks", edits),)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _blanks_lacking(found: Findings, operation: Entry, field: Entry) -> int:
    """How much further in the fields belong: as far as those that stand there, or two columns."""
    column = found.source.position(field.key.span.start).column
    if isinstance(operation.value, Mapping) and operation.value.entries:
        given = found.source.position(operation.value.entries[0].key.span.start)
        if given.line > found.source.line_of(operation.key.span.start):
            return max(1, given.column - column)
    return 2


def _report_flat(found: Findings, item: Mapping) -> None:
    keys = _fields_of(item)
    first = item.entries[0].key
    message = f"an operation has exactly one key, its name; this has {len(keys)}"
    meant = _meant_by_name(keys) or _meant_by_fields(keys)
    if meant is not None:
        help = f"the name is the key: `{outline(meant, _given(meant, keys))}`"
    else:
        close = meant_operation(first.value)
        help = f"write `{outline(close or OPERATIONS['Log'])}`, and each operation as a list item of its own"
    _add(found, first, message, help)


def _meant_by_name(keys: dict[str, Node]) -> type[Operation] | None:
    """The operation whose name stands as a value: `type: WsOp`."""
    names = (node.value for key, node in keys.items() if key in _NAMING_KEYS and isinstance(node, Scalar))
    return next((SPELLINGS[name] for name in names if name in SPELLINGS), None)


def _meant_by_fields(keys: dict[str, Node]) -> type[Operation] | None:
    """The operation whose fields these keys are, their names in other systems included: the one that needs no more,
    and names most of them as they are."""
    fitting = [cls for cls in OPERATIONS.values() if keys.keys() <= _all_names(cls).keys()]
    scores = {cls: _score(cls, keys) for cls in fitting}
    best = max(fitting, key=lambda cls: scores[cls], default=None)
    return best if best is not None and scores[best] > (0, 0) else None


def _all_names(cls: type[Operation]) -> dict[str, str]:
    return {name: row.name for row in cls.rows.values() for name in (*row.synonyms, *row.spellings)}


def _score(cls: type[Operation], keys: dict[str, Node]) -> tuple[float, int]:
    names = _all_names(cls)
    required = {row.name for row in cls.rows.values() if row.required}
    given = {names[key] for key in keys}
    return (len(given & required) / max(1, len(required)), sum(key in cls.spellings for key in keys))


def _given(cls: type[Operation], keys: dict[str, Node]) -> dict[str, str]:
    """The scalars of a flat item by the canonical names of the fields that they are."""
    names = _all_names(cls)
    return {names[key]: node.value for key, node in keys.items() if key in names and isinstance(node, Scalar)}


# Names of no operation.


def _report_unknown(found: Findings, entry: Entry) -> None:
    name = entry.key.value
    if (example := _instead(entry)) is not None:
        message = f"`{name}` is not an operation of this language"
        found.add(codes.UNKNOWN_OPERATION, entry.key.span, message, help=example)
        return
    if (owner := _owner_of_block(name)) is not None:
        message = f"`{name}` is not an operation, but a field of `{owner.__name__}`"
        help = f"write it under `{owner.__name__}:`, in the column of its other fields"
        found.add(codes.UNKNOWN_OPERATION, entry.key.span, message, help=help)
        return
    meant = meant_operation(name)
    if meant is None and isinstance(entry.value, Scalar):
        line = outline(OPERATIONS["SetVar"], {"name": name, "value": entry.value.value})
        help = f"to set a variable, write `{line}`"
        _add(found, entry.key, f"`{name}` is not an operation", help)
        return
    label = f"did you mean `{meant.__name__}`?" if meant else ""
    given = {} if meant is None else _given(meant, _fields_of(entry.value))
    help = f"write `{outline(meant, given)}`" if meant else "known: " + ", ".join(OPERATIONS)
    is_certain = meant is not None and _is_certain(name, meant.__name__)
    fixes = (found.renaming(entry.key, meant.__name__),) if meant is not None and is_certain else ()
    message = f"unknown operation `{name}`"
    found.add(codes.UNKNOWN_OPERATION, entry.key.span, message, label=label, help=help, fixes=fixes)


@lru_cache(maxsize=1024)
def _is_certain(name: str, meant: str) -> bool:
    """Whether no other operation can have been meant; the spellings of one are not each other's rivals."""
    others = [spelling for spelling, cls in SPELLINGS.items() if cls.__name__ != meant]
    spellings = [spelling for spelling, cls in SPELLINGS.items() if cls.__name__ == meant]
    return any(certain(name, (*others, spelling), _synonyms()) == spelling for spelling in spellings)


def _fields_of(node: Node) -> dict[str, Node]:
    """The values of a mapping by their keys; nothing for any other node."""
    return {entry.key.value: entry.value for entry in node.entries} if isinstance(node, Mapping) else {}


def _owner_of_block(name: str) -> type[Operation] | None:
    """The operation that has a list of operations of this name: `Else` is a field of `If`."""
    for cls in OPERATIONS.values():
        for row in cls.rows.values():
            if row.position is Position.OPERATIONS and name.lower() in row.spellings:
                return cls
    return None


def _instead(entry: Entry) -> str | None:
    """What to write for an operation of the wider system. A scalar under such a name is an assignment, if anything."""
    for name, example in EXPRESSIONS.items():
        if _is_called(name, entry):
            return f"an expression does it better, for example `{example}`"
    for name, example in OPERATIONS_INSTEAD.items():
        if _is_called(name, entry):
            return f"write `{example}`"
    return None


def _is_called(name: str, entry: Entry) -> bool:
    is_fields = not isinstance(entry.value, Scalar) or is_null(entry.value)
    return entry.key.value == name or (entry.key.value == snake_case(name) and is_fields)
