"""What an SQL statement touches: whether it reads or writes, and which tables and columns.

It is read off the statement's text, which programs carry and their manifests seal, wherever it is shown or compared;
no program carries it by itself. The parser (sqlglot) is imported only then, so that serving a program needs none.

Without the database's schema some things stay open. A column without its table's name counts for each table of the
query that it stands in, not for those of a query around it. A view is a table. What a function or trigger of the
database does is not seen. A statement that the parser cannot read (`PRAGMA`, `CALL`) counts for everything.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from compiler.records import dataclass

if TYPE_CHECKING:
    from sqlglot.expressions import Expression

DIALECTS: Final = ("sqlite", "postgres")
READ, WRITE, UNKNOWN = "read", "write", "unknown"
EVERYTHING: Final = "*"
"""As a table: any; as a column: all of the table."""
_KEPT: Final = 1024
_CHANGES: Final = frozenset({"Insert", "Update", "Delete", "Merge"})
_SCOPES: Final = _CHANGES | {"Select"}
_SCHEMAS: Final = frozenset({"Create", "Drop", "Alter", "TruncateTable"})
_READABLE: Final = _SCOPES | _SCHEMAS | {"Union", "Intersect", "Except", "Subquery", "Values"}
"""Statements whose reach can be read; all others count for everything."""

_REPLACE: Final = re.compile(r"^\s*REPLACE\b(?=\s+INTO\b)", re.IGNORECASE)
"""SQLite's short form, which the parser does not know."""


@dataclass(frozen=True, slots=True)
class SqlReach:
    """What a statement touches: tables it reads and writes, and of those the columns (`users.id`, `users.*`), in order.

    `kind` is `write` where it writes anything, `unknown` where that cannot be told: it counts for everything then.
    """

    kind: str
    read_tables: tuple[str, ...]
    written_tables: tuple[str, ...]
    read_columns: tuple[str, ...]
    written_columns: tuple[str, ...]


_ALL: Final = SqlReach(UNKNOWN, (EVERYTHING,), (EVERYTHING,), ("*.*",), ("*.*",))


def parse_statements(text: str, dialect: str) -> list[Any]:
    """The trees of the statements in a text. Raises SqlglotError, RecursionError."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it tells what it does not know
    try:
        return [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        raise
    except Exception as bug:  # of the parser, with texts that are none
        raise SqlglotError(str(bug)) from bug


@lru_cache(_KEPT)
def sql_reach(statement: str) -> SqlReach:
    """What a statement touches."""
    tree = _tree(statement)
    if tree is None or type(tree).__name__ not in _READABLE:
        return _ALL
    return _Reading(tree).reach()


def _tree(statement: str) -> Any:
    from sqlglot.errors import SqlglotError

    for dialect in DIALECTS:
        try:
            trees = parse_statements(_REPLACE.sub("INSERT OR REPLACE", statement), dialect)
        except SqlglotError:
            continue
        except RecursionError:
            return None
        return trees[0] if len(trees) == 1 else None
    return None


class _Reading:
    """One pass over a statement's tree."""

    def __init__(self, tree: Expression) -> None:
        from sqlglot import expressions as exp

        self._exp = exp
        self._tree = tree
        self._read: set[str] = set()
        self._written: set[str] = set()
        self._reads: set[str] = set()
        self._writes: set[str] = set()
        self._assigned: set[int] = set()
        """Columns that are set, not read."""
        self._known: dict[int, dict[str, str]] = {}
        """The sources of queries, by id."""

    def reach(self) -> SqlReach:
        targets = self._targets()
        tables = [table for table in self._tree.find_all(self._exp.Table) if self._is_real(table)]
        self._read |= {_name_of(table) for table in tables if id(table) not in targets}
        for star in self._tree.find_all(self._exp.Star):
            self._read_star(star)
        for column in self._tree.find_all(self._exp.Column):
            if id(column) not in self._assigned:
                self._reads |= set(self._columns(column))
        for join in self._tree.find_all(self._exp.Join):
            self._read_join(join)
        self._read |= {column.rpartition(".")[0] for column in self._reads}
        kind = WRITE if self._written else READ
        read, written = tuple(sorted(self._read)), tuple(sorted(self._written))
        return SqlReach(kind, read, written, _least(self._reads), _least(self._writes))

    # What is written.

    def _targets(self) -> set[int]:
        """The tables that are written, each where it stands; takes down what is written in them."""
        found: set[int] = set()
        for node in self._tree.walk():
            name = type(node).__name__
            if name in _SCHEMAS:
                for table in _own_tables(node, self._exp):
                    found.add(self._write(table, [EVERYTHING]))
            elif name in _CHANGES and (table := _target(node, self._exp)) is not None:
                found.add(self._write(table, self._changed(node, name)))
            elif name == "Into" and isinstance(node.this, self._exp.Table):
                found.add(self._write(node.this, [EVERYTHING]))
        return found

    def _write(self, table: Any, columns: list[str]) -> int:
        name = _name_of(table)
        self._written.add(name)
        self._writes |= {f"{name}.{column}" for column in columns}
        return id(table)

    def _changed(self, node: Any, name: str) -> list[str]:
        """The columns that a statement sets; all where it does not say which, or makes or ends whole rows."""
        exp = self._exp
        if name == "Update":
            return self._set_in(node.expressions)
        if name == "Insert" and isinstance(node.this, exp.Schema):
            conflict = node.args.get("conflict")
            again = self._set_in(conflict.expressions) if conflict is not None else []
            return [_identifier(column) for column in node.this.expressions] + again
        return [EVERYTHING]

    def _set_in(self, assignments: list[Any]) -> list[str]:
        """The columns on the left of `a = 1, (b, c) = (…)`."""
        found = []
        for assignment in assignments:
            left = assignment.this if isinstance(assignment, self._exp.EQ) else None
            if left is None:
                return [EVERYTHING]
            for column in left.find_all(self._exp.Column):
                self._assigned.add(id(column))
                found.append(_identifier(column.this))
        return found

    # What is read.

    def _is_real(self, table: Any) -> bool:
        """Whether it is a table of the database, and no query of the statement, function or row set."""
        if not isinstance(table.this, self._exp.Identifier):
            return False
        return bool(table.args.get("db")) or not _is_defined(table)

    def _sources(self, scope: Any) -> dict[str, str]:
        """The tables of one query, without those inside it, by the names that its columns may have before them."""
        if scope is None:
            return {}
        if (known := self._known.get(id(scope))) is None:
            known = self._known[id(scope)] = {
                table.alias_or_name.lower(): _name_of(table)
                for table in scope.find_all(self._exp.Table)
                if _scope(table) is scope and self._is_real(table) and not isinstance(table.parent, self._exp.Into)
            }
        return known

    def _columns(self, column: Any) -> list[str]:
        """The columns that one may be, `table.column`."""
        name = EVERYTHING if isinstance(column.this, self._exp.Star) else _identifier(column.this)
        scope, qualifier = _scope(column), column.table.lower()
        while scope is not None:
            sources = self._sources(scope)
            if not qualifier:
                if name.lower() in sources:  # a whole row as a value
                    return [f"{sources[name.lower()]}.{EVERYTHING}"]
                return [f"{table}.{name}" for table in sources.values()]
            if qualifier in sources:
                return [f"{sources[qualifier]}.{name}"]
            scope = _scope(scope)
        return []

    def _read_star(self, star: Any) -> None:
        """`SELECT *` and `RETURNING *`, not `count(*)`."""
        parent = star.parent
        if isinstance(parent, self._exp.Select | self._exp.Returning) and (scope := _scope(star)) is not None:
            self._reads |= {f"{table}.{EVERYTHING}" for table in self._sources(scope).values()}

    def _read_join(self, join: Any) -> None:
        """`JOIN … USING (id)` reads the column of both sides, `NATURAL JOIN` any."""
        names = [_identifier(column) for column in join.args.get("using") or ()]
        if str(join.args.get("method") or "").upper() == "NATURAL":
            names.append(EVERYTHING)
        for table in self._sources(_scope(join)).values():
            self._reads |= {f"{table}.{name}" for name in names}


def _least(columns: set[str]) -> tuple[str, ...]:
    """Columns in order, without those of tables of which all are among them."""
    whole = {column.rpartition(".")[0] for column in columns if column.endswith(f".{EVERYTHING}")}
    return tuple(
        sorted(
            column for column in columns if column.endswith(f".{EVERYTHING}") or column.rpartition(".")[0] not in whole
        )
    )


def covers_column(wide: str, narrow: str) -> bool:
    """Whether a column, or all of a table (`users.*`), or all of all (`*.*`), is or holds another."""
    table, _, column = wide.rpartition(".")
    return wide == narrow or (column == EVERYTHING and table in (EVERYTHING, narrow.rpartition(".")[0]))


def covers_table(wide: str, narrow: str) -> bool:
    """Whether a table, or any (`*`), is or holds another."""
    return wide in (EVERYTHING, narrow)


def _is_defined(table: Any) -> bool:
    """Whether a WITH around it gives its name to a query: before it, or anywhere with RECURSIVE."""
    name, inner, node = table.name.lower(), table, table.parent
    while node is not None:
        if (block := node.args.get("with_")) is not None:
            queries = list(block.expressions)
            if inner is block and not block.args.get("recursive"):
                queries = queries[: next(n for n, query in enumerate(queries) if _is_inside(table, query))]
            if any(query.alias_or_name.lower() == name for query in queries):
                return True
        inner, node = node, node.parent
    return False


def _is_inside(node: Any, other: Any) -> bool:
    while node is not None and node is not other:
        node = node.parent
    return node is not None


def _scope(node: Any) -> Any:
    """The query that something stands in; None at the top, and in the order of joined results."""
    node = node.parent
    while node is not None and type(node).__name__ not in _SCOPES:
        node = node.parent
    return node


def _own_tables(node: Any, exp: Any) -> list[Any]:
    """The tables that a change of the schema is about, not those of queries in it."""
    return [table for table in node.find_all(exp.Table) if _scope(table) is None]


def _target(node: Any, exp: Any) -> Any:
    """The table that rows of are changed; None for a part of a MERGE."""
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    return target if isinstance(target, exp.Table) else None


def _name_of(table: Any) -> str:
    parts = [_identifier(part) for part in (table.args.get("db"), table.this) if part]
    return ".".join(parts)


def _identifier(node: Any) -> str:
    """A name as databases compare it, in lower case unless it stands in quotes; `*` where there is none."""
    from sqlglot.expressions import Identifier

    name = node if isinstance(node, Identifier) else node.find(Identifier)
    if name is None or not isinstance(name.this, str):
        return EVERYTHING
    return name.this if name.args.get("quoted") else name.this.lower()
