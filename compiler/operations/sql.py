"""A scanner of SQL text: placeholders and the kind of statement, quotes and comments skipped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`        # text and quoted names
    | --[^\n]* | /\*.*?\*/                             # comments
    | ::\w+                                            # PostgreSQL casts
    | (?P<named>:[A-Za-z_]\w*)
    | (?P<positional>\?)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST_WORD: Final = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_READING: Final = frozenset({"SELECT", "WITH", "VALUES", "SHOW", "EXPLAIN", "PRAGMA", "TABLE"})


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Named placeholders with the offset of their first use, and the offsets of `?`."""

    named: dict[str, int]
    positional: list[int]


def find_placeholders(statement: str) -> Placeholders:
    """The placeholders of a statement, in order."""
    found = Placeholders({}, [])
    for match in _TOKEN.finditer(statement):
        if match["named"]:
            found.named.setdefault(match["named"], match.start())
        elif match["positional"]:
            found.positional.append(match.start())
    return found


def statement_kind(statement: str) -> str:
    """`query` where the statement gives rows, else `execute`."""
    match = _FIRST_WORD.match(statement)
    word = match[1].upper() if match else ""
    returning = re.search(r"\bRETURNING\b", statement, re.IGNORECASE) is not None
    return "query" if word in _READING or returning else "execute"
