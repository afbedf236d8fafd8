"""Values on one line, not longer than there is room."""

from __future__ import annotations

from typing import Final

from compiler.language.faults import Fault
from compiler.language.values import KIND_NAMES, Kind, Value, kind_of, to_json

SHOWN_ITEMS: Final = 40
"""A glance is at so many elements of a list or object."""
_DEPTH: Final = 6


def cut(text: str, width: int) -> str:
    """The text, its end replaced by `…` where it is longer than `width`."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def glance(value: Value, width: int) -> str:
    """A value as JSON, cut to `width`; not much more of it is written than is shown."""
    try:
        return cut(to_json(_beginning(value, width, _DEPTH)), width)
    except Fault:
        return "…"


def _beginning(value: Value, width: int, depth: int) -> Value:
    if isinstance(value, str):
        return value[: width + 1]
    if isinstance(value, list | dict) and not depth:
        return "…"
    if isinstance(value, list):
        return [_beginning(item, width, depth - 1) for item in value[: min(width, SHOWN_ITEMS)]]
    if isinstance(value, dict):
        shown = list(value)[: min(width, SHOWN_ITEMS)]
        return {key[: width + 1]: _beginning(value[key], width, depth - 1) for key in shown}
    return value


def type_name(value: Value) -> str:
    """`text of 12`, `list of 3`, `number`."""
    name = short_kind(kind_of(value))
    return f"{name} of {len(value)}" if isinstance(value, str | list | dict) else name


def short_kind(kinds: Kind) -> str:
    """A set of kinds without articles: `text or null`."""
    if kinds == Kind.ANY:
        return "any value"
    return " or ".join(name for kind, name in KIND_NAMES.items() if kind & kinds)
