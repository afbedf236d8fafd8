"""The core tags of YAML on a scalar: `!!str 5` is a text, `!!int "5"` a number (language section 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compiler.syntax.scalars import Resolved, resolve_plain

_PREFIX: Final = "tag:yaml.org,2002:"


def _is_number(value: Resolved) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FITS: Final[dict[str, Callable[[Resolved], bool]]] = {
    _PREFIX + "null": lambda value: value is None,
    _PREFIX + "bool": lambda value: isinstance(value, bool),
    _PREFIX + "int": lambda value: _is_number(value) and isinstance(value, int),
    _PREFIX + "float": _is_number,
    _PREFIX + "seq": lambda value: False,
    _PREFIX + "map": lambda value: False,
}
_TEXT: Final = ("!", _PREFIX + "str")


def is_core(tag: str) -> bool:
    """Whether a tag is one of the core schema, so that it says which of the JSON types a node has."""
    return tag in _TEXT or tag in _FITS


def resolve_tagged(value: str, tag: str) -> Resolved:
    """What a scalar with a core tag means. Raises ValueError where the text is not of that type, Fault number-range."""
    if tag in _TEXT:
        return value
    resolved = resolve_plain(value)
    if not _FITS[tag](resolved):
        raise ValueError(f"not of the type {tag}")
    return resolved
