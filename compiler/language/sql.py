"""SQL text as far as it is looked at: its placeholders and the kind of statement, quotes and comments skipped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from compiler.diagnostics.source import Span
from compiler.records import dataclass

_SKIPPED: Final = r"""
      '(?:[^']|'')*+'? | "(?:[^"]|"")*+"? | `[^`]*+`?  # text and quoted names; an open one reaches to the end
    | --[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/)?        # comments
    | ::\w++                                           # PostgreSQL casts
"""
_TOKEN: Final = re.compile(rf"{_SKIPPED} | (?P<named>:[A-Za-z_]\w*+) | (?P<positional>\?)", re.VERBOSE)
_QUIET: Final = re.compile(_SKIPPED, re.VERBOSE)
_WORD: Final = re.compile(r"[A-Za-z]+")
_READING: Final = frozenset({"SELECT", "WITH", "VALUES", "SHOW", "EXPLAIN", "PRAGMA", "TABLE", "DESCRIBE"})
_WRITING: Final = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE(?!\s*\())\b", re.IGNORECASE)
_INSERTING: Final = re.compile(r"\b(?:INSERT|REPLACE)\s+(?:OR\s+\w+\s+)?INTO\b", re.IGNORECASE)
_REGEXP: Final = re.compile(r"(?<!\.)\b(?:REGEXP|RLIKE)\b(?!\.)", re.IGNORECASE)
NO_REGEXP: Final = "there is no REGEXP: use LIKE or GLOB, or with PostgreSQL `~`"
"""SQLite has the operator without the function that it calls; PostgreSQL has another one."""
_RETURNING: Final = re.compile(r"\bRETURNING\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Named placeholders (`:name`, with the colon) with their first place, and the places of `?`, in the statement."""

    named: dict[str, Span]
    positional: list[Span]


def find_placeholders(statement: str) -> Placeholders:
    """The placeholders of a statement, in order."""
    found = Placeholders({}, [])
    for match in _TOKEN.finditer(statement):
        if match["named"]:
            found.named.setdefault(match["named"], Span(*match.span()))
        elif match["positional"]:
            found.positional.append(Span(*match.span()))
    return found


def replace_placeholders(statement: str, render: Callable[[str], str]) -> str:
    """The statement with each placeholder (`:name` with the colon, or `?`), in order, as `render` gives it."""

    def replace(match: re.Match[str]) -> str:
        return render(match[0]) if match["named"] or match["positional"] else match[0]

    return _TOKEN.sub(replace, statement)


def has_writes(statement: str) -> bool:
    """Whether a word in it says that it changes data, also where it gives rows."""
    return _WRITING.search(_QUIET.sub(" ", statement)) is not None


def has_insert(statement: str) -> bool:
    """Whether it adds rows."""
    return _INSERTING.search(_QUIET.sub(" ", statement)) is not None


def find_regexp(statement: str) -> Span | None:
    """Where a statement uses the operator or function that no database has here."""
    found = _REGEXP.search(_QUIET.sub(lambda skipped: " " * len(skipped[0]), statement))
    return None if found is None else Span(*found.span())


def statement_kind(statement: str) -> str:
    """`query` where the statement gives rows, else `execute`."""
    bare = _QUIET.sub(" ", statement)
    first = _WORD.search(bare)
    word = "" if first is None else first[0].upper()
    if _RETURNING.search(bare):
        return "query"
    if word == "WITH" and _WRITING.search(bare):
        return "execute"
    return "query" if word in _READING else "execute"
