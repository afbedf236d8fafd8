"""Whether a statement is one that SQLite or PostgreSQL can read. The parser is imported only where a route has SQL."""

from __future__ import annotations

from typing import Any, Final

from compiler.diagnostics.source import Span
from compiler.language.sql import NO_REGEXP, find_regexp
from compiler.language.sql_reach import DIALECTS, parse_statements
from compiler.records import dataclass

_TRANSACTIONS: Final = frozenset({"Transaction", "Commit", "Rollback"})


@dataclass(frozen=True, slots=True)
class SqlMistake:
    """What is wrong, and where in the statement."""

    message: str
    place: Span


def find_mistake(statement: str) -> SqlMistake | None:
    """What neither dialect accepts; None where one of them accepts it, or leaves it to the database."""
    from sqlglot.errors import SqlglotError

    mistakes = []
    for dialect in DIALECTS:
        try:
            found = parse_statements(statement, dialect)
        except SqlglotError as error:
            mistakes.append(_mistake(statement, error))
        except RecursionError:
            return None
        else:
            return _shape(statement, [type(tree).__name__ for tree in found])
    return max(mistakes, key=lambda mistake: mistake.place.start)


def _shape(statement: str, kinds: list[str]) -> SqlMistake | None:
    """A statement that can be read must be one, no part of a transaction, and without REGEXP."""
    whole = Span(0, len(statement))
    if len(kinds) != 1:
        count = "none" if not kinds else str(len(kinds))
        return SqlMistake(f"one SqlOp runs one statement, and here is {count}", whole)
    if kinds[0] in _TRANSACTIONS:
        return SqlMistake("every statement commits by itself, so that there are no transactions", whole)
    if (place := find_regexp(statement)) is not None:
        return SqlMistake(NO_REGEXP, place)
    return None


def _mistake(statement: str, error: Any) -> SqlMistake:
    told = getattr(error, "errors", None)
    if not told:
        open_end = ": a text or a quoted name is never closed" if type(error).__name__ == "TokenError" else ""
        return SqlMistake(f"this is no SQL{open_end}", Span(0, len(statement)))
    first = told[0]
    lines = statement.split("\n")
    row = min(max(int(first["line"] or 1), 1), len(lines)) - 1
    end = min(sum(len(line) + 1 for line in lines[:row]) + int(first["col"] or 0), len(statement))
    token = str(first["highlight"] or "")
    start = max(end - len(token), 0)
    return SqlMistake(
        f"neither SQLite nor PostgreSQL reads this: {_said(str(first['description']), token)}", Span(start, end)
    )


def _said(description: str, token: str) -> str:
    """The parser's words, for people."""
    if description.startswith("Expecting ") and len(description) < 20:
        return f"`{description.removeprefix('Expecting ')}` is missing behind `{token}`"
    if description.startswith("Required keyword"):
        return f"something is missing behind `{token}`"
    return f"`{token}` is not expected here"
