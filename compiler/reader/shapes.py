"""Reading the keys that are data: a node and its shape in, a plain value out."""

from __future__ import annotations

import re

from compiler.diagnostics import codes
from compiler.language.values import Value
from compiler.operations.route import Amount, Flag, Keys, ListOf, Names, Shape, Text, Word
from compiler.reader.keys import report_unknown_key, unexplained
from compiler.reader.nodes import (
    Unreadable,
    is_null,
    refuse_type,
    require_flag,
    require_list,
    require_literal,
    require_mapping,
    require_number,
    require_text,
    require_variable,
    require_word,
)
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node


def read_shape(found: Findings, node: Node, shape: Shape, label: str) -> Value:
    """The plain value of a node, checked against its shape. Raises Unreadable where a finding was made."""
    match shape:
        case Text():
            return _text(found, node, shape, label)
        case Flag():
            return require_flag(found, node, label)
        case Word():
            return require_word(found, node, label, shape.words)
        case Amount():
            return require_number(found, node, label, whole=shape.whole, minimum=shape.minimum)
        case ListOf():
            return _list(found, node, shape, label)
        case Names():
            return _names(found, node, label)
        case Keys():
            return _keys(found, node, shape, label)
        case _:
            raise AssertionError(f"{shape} is no plain value")


def _text(found: Findings, node: Node, shape: Text, label: str) -> str:
    text = require_literal(found, node, label) if shape.plain else require_text(found, node, label)
    if shape.filled and not text.strip():
        found.add(codes.BAD_VALUE, node.span, f"`{label}` is empty")
        raise Unreadable
    if shape.form is not None and not re.fullmatch(shape.form[0], text):
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be {shape.form[1]}")
        raise Unreadable
    return text


def _list(found: Findings, node: Node, shape: ListOf, label: str) -> list[Value]:
    sequence = require_list(found, node, label, help=f"write `{label.rpartition('.')[2]}: [{_shown(node)}]`")
    if shape.filled and not sequence.items:
        found.add(codes.BAD_VALUE, node.span, f"`{label}` is an empty list")
        raise Unreadable
    values: list[Value] = []
    failed = False
    for item in sequence.items:
        try:
            values.append(read_shape(found, item, shape.item, label))
        except Unreadable:
            failed = True
    if failed:
        raise Unreadable
    return values


def _shown(node: Node) -> str:
    value = getattr(node, "value", "")
    return value if isinstance(value, str) and 0 < len(value) <= 40 and "\n" not in value else "…"


def _names(found: Findings, node: Node, label: str) -> dict[str, Value]:
    mapping = require_mapping(found, node, label)
    names: dict[str, Value] = {}
    failed = False
    for entry in mapping.entries:
        try:
            old = require_variable(found, entry.key, label)
            names[old] = require_variable(found, entry.value, f"{label}.{old}")
        except Unreadable:
            failed = True
    if failed:
        raise Unreadable
    return names


def _keys(found: Findings, node: Node, shape: Keys, label: str) -> dict[str, Value]:
    if shape.shorthand is not None and not isinstance(node, Mapping):
        return _shorthand(found, node, *shape.shorthand, label)
    mapping = require_mapping(found, node, label)
    read: dict[str, Value] = {}
    failed = False
    for entry in mapping.entries:
        try:
            value = _entry(found, entry, shape, label)
        except Unreadable:
            failed = True
            continue
        if value is not None and value != shape.rows[entry.key.value].default:
            read[entry.key.value] = value
    if _report_missing(found, mapping, shape, label) or failed:
        raise Unreadable
    return {name: read[name] for name in shape.rows if name in read}


def _shorthand(found: Findings, node: Node, name: str, amount: Amount, label: str) -> dict[str, Value]:
    value = getattr(node, "resolved", None)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse_type(found, node, label, f"a number or a mapping (`{name}`, …)")
    return {name: require_number(found, node, label, whole=amount.whole, minimum=amount.minimum)}


def _entry(found: Findings, entry: Entry, shape: Keys, label: str) -> Value:
    row = shape.rows.get(entry.key.value)
    if row is None:
        report_unknown_key(found, entry.key, f" in `{label}`", tuple(shape.rows), shape.synonyms)
        raise Unreadable
    if is_null(entry.value) and not row.required:
        return None
    return read_shape(found, entry.value, row.shape, f"{label}.{entry.key.value}")


def _report_missing(found: Findings, mapping: Mapping, shape: Keys, label: str) -> bool:
    """Report keys that must be there; whether there are any."""
    place = mapping.entries[0].key.span if mapping.entries else mapping.span
    unknown = [entry.key.value for entry in mapping.entries if entry.key.value not in shape.rows]
    given = {entry.key.value for entry in mapping.entries}
    missing = [name for name, row in shape.rows.items() if row.required and name not in given]
    for name in unexplained(missing, unknown, {name: name for name in shape.rows}, shape.synonyms):
        help = f"write `{name}: {shape.rows[name].example}`"
        found.add(codes.MISSING_KEY, place, f"`{label}` needs `{name}`", help=help)
    wrong_choice = bool(shape.one_of) and _report_choice(found, mapping, shape, label, bool(unknown))
    return bool(missing) or wrong_choice


def _report_choice(found: Findings, mapping: Mapping, shape: Keys, label: str, has_unknown: bool) -> bool:
    """Report none or several of the keys of which there must be one; whether that is so."""
    chosen = [entry for entry in mapping.entries if entry.key.value in shape.one_of and not is_null(entry.value)]
    words = " or ".join(f"`{name}`" for name in shape.one_of)
    if not chosen and not has_unknown:
        place = mapping.entries[0].key.span if mapping.entries else mapping.span
        help = f"write `{shape.one_of[0]}: {shape.rows[shape.one_of[0]].example}`"
        found.add(codes.MISSING_KEY, place, f"`{label}` needs {words}", help=help)
    elif len(chosen) > 1:
        labels = (found.label(chosen[0].key.span, "the first one"),)
        found.add(codes.BAD_VALUE, chosen[1].key.span, f"`{label}` needs one of {words}, not both", labels=labels)
    return len(chosen) != 1
