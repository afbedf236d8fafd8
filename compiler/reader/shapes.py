"""Reading the keys that are data: a node and its shape in, a plain value out."""

from __future__ import annotations

import math
import re
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.hooks import RESERVED_NAMES
from compiler.language.values import Value
from compiler.operations.route import Amount, Flag, Keys, ListOf, Names, Shape, Text, Word
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Entry, Mapping, Node, Scalar, Sequence, Tagged

VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unreadable(Exception):
    """A finding was made, and there is no value to go on with."""


def describe_node(node: Node) -> str:
    """What a node is, in words: `a list`, `the number 5`."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Tagged():
            return f"a node tagged {node.tag}"
        case Scalar():
            return _describe_scalar(node)


def _describe_scalar(node: Scalar) -> str:
    if node.resolved is None:
        return "null"
    if isinstance(node.resolved, bool):
        return f"the boolean {node.value}"
    if isinstance(node.resolved, (int, float)):
        return f"the number {node.value}"
    return "text"


def is_null(node: Node) -> bool:
    """Whether a node is null, which counts as absent for optional keys."""
    return isinstance(node, Scalar) and node.resolved is None


def require_text(found: Findings, node: Node, label: str) -> str:
    """The text of a scalar that must be a string. Raises Unreadable."""
    if isinstance(node, Scalar) and isinstance(node.resolved, str):
        return node.value
    if isinstance(node, Scalar) and node.resolved is not None:
        help = f'put it in quotes: "{node.value}"'
        found.add(
            codes.WRONG_TYPE, node.span, f"`{label}` must be text, this is {describe_node(node)}; quote it", help=help
        )
    else:
        found.add(codes.WRONG_TYPE, node.span, f"`{label}` must be text, this is {describe_node(node)}")
    raise Unreadable


def require_flag(found: Findings, node: Node, label: str) -> bool:
    """A boolean. Raises Unreadable."""
    if isinstance(node, Scalar) and isinstance(node.resolved, bool):
        return node.resolved
    found.add(codes.WRONG_TYPE, node.span, f"`{label}` must be true or false, this is {describe_node(node)}")
    raise Unreadable


def require_word(
    found: Findings, node: Node, label: str, words: tuple[str, ...], synonyms: dict[str, str] | None = None
) -> str:
    """One of a few words. Raises Unreadable."""
    word = require_text(found, node, label)
    if word in words:
        return word
    if "{{" in word:
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be a plain word, not a template", help=_known(words))
    else:
        message = f"unknown {label} `{word}`"
        found.add(codes.BAD_VALUE, node.span, message, label=did_you_mean(word, words, synonyms), help=_known(words))
    raise Unreadable


def _known(words: tuple[str, ...]) -> str:
    return "known: " + ", ".join(words)


def require_number(found: Findings, node: Node, label: str, shape: Amount) -> int | float:
    """A number within bounds. Raises Unreadable."""
    wanted = "a whole number" if shape.whole else "a number"
    number = node.resolved if isinstance(node, Scalar) else None
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, float))
        or (shape.whole and not isinstance(number, int))
    ):
        found.add(codes.WRONG_TYPE, node.span, f"`{label}` must be {wanted}, this is {describe_node(node)}")
        raise Unreadable
    if number < shape.minimum or not math.isfinite(number):
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be at least {shape.minimum:g}")
        raise Unreadable
    return number


def require_variable(found: Findings, node: Node, label: str) -> str:
    """The name of a variable that operations may set. Raises Unreadable."""
    name = require_text(found, node, label)
    if "{{" in name:
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be a plain name, not a template")
        raise Unreadable
    if not VARIABLE_NAME.fullmatch(name):
        found.add(
            codes.BAD_VALUE, node.span, f"`{name}` is not a variable's name",
            help="a name is a letter or `_`, then letters, digits and `_`",
        )  # fmt: skip
        raise Unreadable
    if name in RESERVED_NAMES:
        found.add(codes.RESERVED_NAME, node.span, f"`{name}` cannot be set: it belongs to the server or the language")
        raise Unreadable
    return name


def require_mapping(found: Findings, node: Node, label: str) -> Mapping:
    """A mapping. Raises Unreadable."""
    if isinstance(node, Mapping):
        return node
    found.add(codes.WRONG_TYPE, node.span, f"`{label}` must be a mapping, this is {describe_node(node)}")
    raise Unreadable


def require_list(found: Findings, node: Node, label: str) -> Sequence:
    """A list. Raises Unreadable."""
    if isinstance(node, Sequence):
        return node
    found.add(codes.WRONG_TYPE, node.span, f"`{label}` must be a list, this is {describe_node(node)}")
    raise Unreadable


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
            return require_number(found, node, label, shape)
        case ListOf():
            return _list(found, node, shape, label)
        case Names():
            return _names(found, node, label)
        case Keys():
            return _keys(found, node, shape, label)


def _text(found: Findings, node: Node, shape: Text, label: str) -> str:
    text = require_text(found, node, label)
    if shape.filled and not text.strip():
        found.add(codes.BAD_VALUE, node.span, f"`{label}` is empty")
        raise Unreadable
    return text


def _list(found: Findings, node: Node, shape: ListOf, label: str) -> list[Value]:
    sequence = require_list(found, node, label)
    if shape.filled and not sequence.items:
        found.add(codes.BAD_VALUE, node.span, f"`{label}` is an empty list")
        raise Unreadable
    return [read_shape(found, item, shape.item, label) for item in sequence.items]


def _names(found: Findings, node: Node, label: str) -> dict[str, Value]:
    mapping = require_mapping(found, node, label)
    return {
        require_variable(found, entry.key, label): require_variable(found, entry.value, f"{label}.{entry.key.value}")
        for entry in mapping.entries
    }


def _keys(found: Findings, node: Node, shape: Keys, label: str) -> dict[str, Value]:
    if shape.shorthand is not None and not isinstance(node, Mapping):
        name, amount = shape.shorthand
        return {name: require_number(found, node, label, amount)}
    mapping = require_mapping(found, node, label)
    read: dict[str, Value] = {}
    failed = False
    for entry in mapping.entries:
        try:
            value = _entry(found, entry, shape, label)
        except Unreadable:
            failed = True
            continue
        row = shape.rows[entry.key.value]
        if value is not None and value != row.default:
            read[entry.key.value] = value
    failed = _missing(found, mapping, shape, label) or failed
    if failed:
        raise Unreadable
    return {name: read[name] for name in shape.rows if name in read}


def _entry(found: Findings, entry: Entry, shape: Keys, label: str) -> Value:
    row = shape.rows.get(entry.key.value)
    if row is None:
        report_unknown_key(found, entry.key, f" in `{label}`", tuple(shape.rows), {})
        raise Unreadable
    if is_null(entry.value) and not row.required:
        return None
    assert row.shape is not None
    return read_shape(found, entry.value, row.shape, f"{label}.{entry.key.value}")


def _missing(found: Findings, mapping: Mapping, shape: Keys, label: str) -> bool:
    place = mapping.entries[0].key.span if mapping.entries else mapping.span
    given = {entry.key.value for entry in mapping.entries if not is_null(entry.value)}
    missing = [name for name, row in shape.rows.items() if row.required and name not in given]
    for name in missing:
        found.add(codes.MISSING_KEY, place, f"`{label}` needs `{name}`", help=shape.rows[name].doc)
    choices = given.intersection(shape.one_of)
    if shape.one_of and len(choices) != 1:
        words = " or ".join(f"`{name}`" for name in shape.one_of)
        found.add(codes.MISSING_KEY, place, f"`{label}` needs exactly one of {words}")
        return True
    return bool(missing)


def report_unknown_key(
    found: Findings, key: Scalar, where: str, known: tuple[str, ...], synonyms: dict[str, str], note: str = ""
) -> None:
    """A key that nobody reads, with the probable name."""
    message = f"unknown key `{key.value}`{where}" + (f": {note}" if note else "")
    found.add(codes.UNKNOWN_KEY, key.span, message, label=did_you_mean(key.value, known, synonyms))


def key_span(mapping: Mapping) -> Span:
    """The place of a mapping's first key; of an empty one, the mapping."""
    return mapping.entries[0].key.span if mapping.entries else mapping.span
