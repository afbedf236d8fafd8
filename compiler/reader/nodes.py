"""What a node is, in words, and what it must be: each `require_…` gives a value, or reports and raises Unreadable."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as MappingABC
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit, Fix
from compiler.diagnostics.suggest import certain, nearest
from compiler.language.hooks import RESERVED_NAMES
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Mapping, Node, Scalar, Sequence, Tagged

VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SETTING_KEYS: Final = frozenset({"name", "var", "output_var", "variable", "as", "item_var", "index_var"})
"""Keys whose value is, or was meant as, the name of a variable."""


_BOOLEANS_ELSEWHERE: Final = {
    **dict.fromkeys(("yes", "on", "1", "true", "y"), "true"),
    **dict.fromkeys(("no", "off", "0", "false", "n"), "false"),
}


class Unreadable(Exception):
    """A finding was made, and there is no value to go on with."""


def describe_node(node: Node) -> str:
    """What a node is, in words: `a list`, `the number 5`."""
    match node:
        case Mapping():
            return "a mapping" if node.entries else "an empty mapping"
        case Sequence():
            return "a list" if node.items else "an empty list"
        case Tagged():
            return f"a node tagged {node.tag}"
        case Scalar():
            return _describe_scalar(node)


def _describe_scalar(node: Scalar) -> str:
    if node.resolved is None:
        return "null" if node.value else "empty"
    if isinstance(node.resolved, bool):
        return f"the boolean {node.value}"
    if isinstance(node.resolved, (int, float)):
        return f"the number {node.value}"
    return "text" if node.value else "an empty text"


def is_null(node: Node) -> bool:
    """Whether a node is null, which counts as absent for optional keys."""
    return isinstance(node, Scalar) and node.resolved is None


def refuse_type(found: Findings, node: Node, label: str, wanted: str, help: str = "") -> Unreadable:
    """Report a node that is not what its key takes; raise what comes back. A tag is told as a tag."""
    if isinstance(node, Tagged):
        found.add(
            codes.UNKNOWN_TAG, node.tag_span, f"the tag `{node.tag}` means nothing here", help="leave the tag out"
        )
    else:
        message = f"`{label}` must be {wanted}, this is {describe_node(node)}"
        if not help and is_null(node):
            help = f"a value must stand behind `{label.rpartition('.')[2]}:`"
        found.add(codes.WRONG_TYPE, node.span, message, help=help)
    return Unreadable()


def require_text(found: Findings, node: Node, label: str) -> str:
    """The text of a scalar that must be a string. Raises Unreadable."""
    if not isinstance(node, Scalar) or node.resolved is None:
        raise refuse_type(found, node, label, "text")
    if isinstance(node.resolved, str):
        return node.value
    quoted = f'"{node.value}"'
    message = f"`{label}` must be text, this is {describe_node(node)}; quote it"
    fix = Fix(f"put it in quotes: {quoted}", (Edit(node.span, quoted),))
    found.add(codes.WRONG_TYPE, node.span, message, help=fix.title, fixes=(fix,))
    raise Unreadable


def require_literal(found: Findings, node: Node, label: str) -> str:
    """Text without templates. Raises Unreadable."""
    text = require_text(found, node, label)
    if "{{" in text:
        message = f"`{label}` must be plain text, not a template"
        found.add(codes.BAD_VALUE, node.span, message, help="what stands here is the same in every run")
        raise Unreadable
    return text


def require_flag(found: Findings, node: Node, label: str) -> bool:
    """A boolean. Raises Unreadable."""
    if isinstance(node, Scalar) and isinstance(node.resolved, bool):
        return node.resolved
    raise refuse_type(found, node, label, "true or false", _without_quotes(node, ("true", "false")))


def _without_quotes(node: Node, words: tuple[str, ...]) -> str:
    if not isinstance(node, Scalar):
        return ""
    if node.value in words:
        return f"without quotes: {node.value}"
    meant = _BOOLEANS_ELSEWHERE.get(node.value.lower())
    return f"write `{meant}`" if meant else ""


def require_word(
    found: Findings, node: Node, label: str, words: tuple[str, ...], synonyms: MappingABC[str, str] | None = None
) -> str:
    """One of a few words. Raises Unreadable."""
    word = require_text(found, node, label)
    if word in words:
        return word
    known = "known: " + ", ".join(words)
    if "{{" in word:
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be a plain word, not a template", help=known)
    else:
        near = nearest(word, words, synonyms)
        meant = f"did you mean `{near}`?" if near is not None else ""
        sure = certain(word, words, synonyms)
        fixes = (found.renaming(node, sure),) if sure is not None and isinstance(node, Scalar) else ()
        found.add(codes.BAD_VALUE, node.span, f"unknown {label} `{word}`", label=meant, help=known, fixes=fixes)
    raise Unreadable


def require_number(
    found: Findings, node: Node, label: str, *, whole: bool, minimum: float | None = None, maximum: float | None = None
) -> int | float:
    """A number within bounds. Raises Unreadable."""
    number = node.resolved if isinstance(node, Scalar) else None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        numeric = isinstance(number, str) and number.isascii() and number.isdigit()
        help = f"without quotes: {number}" if numeric else ""
        raise refuse_type(found, node, label, "a whole number" if whole else "a number", help)
    if whole and isinstance(number, float):
        raise refuse_type(found, node, label, "a whole number")
    if not _is_within(number, minimum, maximum):
        found.add(codes.BAD_VALUE, node.span, f"`{label}` must be {_bounds(minimum, maximum)}")
        raise Unreadable
    return number


def _is_within(number: float, minimum: float | None, maximum: float | None) -> bool:
    too_small = minimum is not None and number < minimum
    too_large = maximum is not None and number > maximum
    return math.isfinite(number) and not too_small and not too_large


def _bounds(minimum: float | None, maximum: float | None) -> str:
    if minimum is None or maximum is None:
        return f"at least {minimum:g}" if minimum is not None else f"at most {maximum}"
    return f"from {minimum:g} to {maximum}"


def require_variable(found: Findings, node: Node, label: str) -> str:
    """The name of a variable that operations may set. Raises Unreadable."""
    name = require_text(found, node, label)
    if "{{" in name:
        message = f"`{label}` must be a plain name, not a template"
        found.add(codes.BAD_VALUE, node.span, message, help="write the name alone, without braces")
    elif not VARIABLE_NAME.fullmatch(name):
        help = "a name is a letter or `_`, then letters, digits and `_`"
        found.add(codes.BAD_VALUE, node.span, f"`{name}` is not a variable's name", help=help)
    elif name in RESERVED_NAMES:
        message = f"`{name}` cannot be set: it belongs to the server or the language"
        found.add(codes.RESERVED_NAME, node.span, message, help=f"choose another name, for example `my_{name}`")
    else:
        return name
    raise Unreadable


def require_mapping(found: Findings, node: Node, label: str, help: str = "") -> Mapping:
    """A mapping. Raises Unreadable."""
    if isinstance(node, Mapping):
        return node
    raise refuse_type(found, node, label, "a mapping", help)


def require_list(found: Findings, node: Node, label: str, help: str = "") -> Sequence:
    """A list. Raises Unreadable."""
    if isinstance(node, Sequence):
        return node
    raise refuse_type(found, node, label, "a list", help)


def names_in(node: Node) -> set[str]:
    """Names that an unreadable part seems to set, so that reading them later is no finding of its own."""
    names: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        match part:
            case Mapping():
                for entry in part.entries:
                    if isinstance(entry.value, Scalar):
                        names.add(entry.value.value if entry.key.value in SETTING_KEYS else entry.key.value)
                    pending.append(entry.value)
            case Sequence():
                pending.extend(part.items)
            case Tagged():
                pending.append(part.content)
            case Scalar():
                pass
    return names
