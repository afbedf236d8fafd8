"""Statements that can be read, and what is said of the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compiler.operations.sql_syntax import find_mistake

GOOD = (
    "SELECT 1",
    "SELECT * FROM t WHERE a = :a AND b = 'it''s';",
    "UPDATE users SET online = false WHERE id = :id",
    "INSERT INTO t VALUES (?, ?)",
    "INSERT OR IGNORE INTO t(a) VALUES (:a) ON CONFLICT(a) DO UPDATE SET a = excluded.a RETURNING a",
    "SELECT x::int, a->>'b' FROM t WHERE a @> :x",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n",
    "SELECT count(*) FILTER (WHERE a) OVER () FROM t",
    "PRAGMA table_info(t)",
    "SELECT 'a REGEXP b', \"regexp\", t.regexp, regexp_like(a, 'b') FROM t -- REGEXP",
    "SELECT a FROM t WHERE a ~ 'b' OR a GLOB 'b*'",
    "VACUUM",
    "EXPLAIN QUERY PLAN SELECT 1",
    "CREATE TABLE t (id SERIAL PRIMARY KEY, at TIMESTAMPTZ DEFAULT now())",
    "SELECT " + "(" * 2000 + "1" + ")" * 2000,
)
BAD = (
    ("SELECT * FORM t", "t", "`t` is not expected here"),
    ("SELECT *\nFROM t\nWHERE", "WHERE", "something is missing behind `WHERE`"),
    ("DELETE FROM t WHERE (a = 1", "1", "`)` is missing behind `1`"),
    ("SELECT 'abc", "SELECT 'abc", "never closed"),
    ("SELECT 1; SELECT 2", "SELECT 1; SELECT 2", "here is 2"),
    ("-- nothing", "-- nothing", "here is none"),
    ("BEGIN", "BEGIN", "no transactions"),
    ("COMMIT", "COMMIT", "no transactions"),
    ("SELECT 'REGEXP' FROM t WHERE a NOT regexp :b", "regexp", "there is no REGEXP: use LIKE or GLOB"),
    ("SELECT 1 FROM t WHERE a RLIKE 'b'", "RLIKE", "there is no REGEXP: use LIKE or GLOB"),
    ("SELECT regexp(a, 'b') FROM t", "regexp", "there is no REGEXP: use LIKE or GLOB"),
)


@pytest.mark.parametrize("statement", GOOD)
def test_good(statement: str) -> None:
    assert find_mistake(statement) is None


@pytest.mark.parametrize(("statement", "place", "message"), BAD)
def test_bad(statement: str, place: str, message: str) -> None:
    mistake = find_mistake(statement)
    assert mistake is not None
    assert message in mistake.message
    assert statement[mistake.place.start : mistake.place.end] == place


def test_the_parser_is_imported_for_sql_only() -> None:
    route = "name: a\npath: /ws/a\nroute_type: ws\nws_hooks: {on_message: [{Log: {message: hi}}]}"
    program = (
        "import sys; from compiler.pipeline import check_source, Settings;"
        f"check_source('a.yaml', {route.encode()!r}, Settings()); print('sqlglot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
