"""Native templates for functions of the language, as those of the opcode table: agreeing, and never raising.

What a template makes too large is made again by the function, which refuses it.
"""

from __future__ import annotations

from typing import Final

from compiler.bytecode.opcodes import KEYED, LISTED, SHORT, TEXTUAL, Guard, Native
from compiler.language.limits import LIST_ITEMS
from compiler.language.values import Kind

_NOT_EMPTY: Final = Guard(str, "{0}")

NATIVE_CALLS: Final[dict[str, tuple[Native, ...]]] = {
    "upper": (Native("{0}.upper()", (TEXTUAL,), Kind.TEXT, SHORT),),
    "lower": (Native("{0}.lower()", (TEXTUAL,), Kind.TEXT, SHORT),),
    "trim": (Native("{0}.strip()", (TEXTUAL,), Kind.TEXT, SHORT),),
    "starts_with": (Native("{0}.startswith({1})", (TEXTUAL, TEXTUAL), Kind.BOOLEAN),),
    "ends_with": (Native("{0}.endswith({1})", (TEXTUAL, TEXTUAL), Kind.BOOLEAN),),
    "contains": (Native("{1} in {0}", (TEXTUAL, TEXTUAL), Kind.BOOLEAN),),
    "split": (Native("{0}.split({1})", (TEXTUAL, _NOT_EMPTY), Kind.LIST, f"len({{0}}) <= {LIST_ITEMS}"),),
    "length": (
        Native("len({0})", (TEXTUAL,), Kind.NUMBER),
        Native("len({0})", (LISTED,), Kind.NUMBER),
        Native("len({0})", (KEYED,), Kind.NUMBER),
    ),
    "first": (Native("{0}[0] if {0} else None", (LISTED,), Kind.ANY),),
    "last": (Native("{0}[-1] if {0} else None", (LISTED,), Kind.ANY),),
}
"""By the function's name. First and last of a list that some operation made are within limits already."""

FUSED_CALLS: Final[dict[tuple[str, str], tuple[Native, ...]]] = {
    ("split", "last"): (
        Native("{0}.rpartition({1})[2]", (Guard(str, f"len({{0}}) < {LIST_ITEMS}"), _NOT_EMPTY), Kind.TEXT),
    ),
}
"""By the names of two functions, the second of which takes nothing but the first one's result; that is a text."""
