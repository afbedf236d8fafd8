"""What statements touch: tables and columns, read and written."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys

import pytest

from compiler.bytecode.codec import encode
from compiler.language.sql_reach import SqlReach, covers_column, covers_table, sql_reach
from compiler.operations.sql_syntax import find_mistake
from compiler.pipeline import Settings, compile_source

SEEDS = (
    "SELECT u.id , r.name FROM users u JOIN rooms r USING ( id ) WHERE u.id IN ( SELECT x FROM y )",
    "WITH a AS ( SELECT x FROM b ) INSERT INTO t ( a , b ) SELECT x , 1 FROM a ON CONFLICT ( a ) DO UPDATE SET b = 2",
    "UPDATE t SET ( a , b ) = ( SELECT x , y FROM s ) WHERE t.i = 1 RETURNING *",
    "DELETE FROM t USING s WHERE s.i = t.i",
    "CREATE TABLE t ( id INTEGER PRIMARY KEY , b TEXT REFERENCES s ( id ) )",
)
EVERYTHING = SqlReach("unknown", ("*",), ("*",), ("*.*",), ("*.*",))


def words(names: tuple[str, ...]) -> str:
    return " ".join(names)


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("SELECT 1", ""),
        ("SELECT id, Name FROM Users", "users.id users.name"),
        ('SELECT "Name" FROM "Users"', "Users.Name"),
        ("SELECT * FROM users WHERE id = :id", "users.*"),
        ("SELECT u.* FROM users AS u", "users.*"),
        ("SELECT json(u) FROM users u", "users.*"),
        ("SELECT id FROM main.users", "main.users.id"),
        ("SELECT u.id, r.name FROM users u JOIN rooms r ON r.owner = u.id", "rooms.name rooms.owner users.id"),
        ("SELECT name FROM users, rooms", "rooms.name users.name"),
        ("SELECT users.name FROM users JOIN rooms USING (id)", "rooms.id users.id users.name"),
        ("SELECT users.name FROM users NATURAL JOIN rooms", "rooms.* users.*"),
        ("SELECT a FROM t UNION SELECT b FROM s ORDER BY a", "s.b t.a"),
        ("SELECT name FROM users WHERE id IN (SELECT user_id FROM members)", "members.user_id users.id users.name"),
        ("SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM m WHERE m.u = u.id)", "m.u users.id users.name"),
        ("SELECT x FROM (SELECT a AS x FROM t) AS q", "t.a"),
        ("SELECT value FROM json_each(:list)", ""),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", ""),
        ("WITH users AS (SELECT id FROM users) SELECT id FROM users", "users.id"),
        ("WITH a AS (SELECT x FROM b), b AS (SELECT 1 AS x) SELECT x FROM a", "b.x"),
        ("SELECT (WITH q AS (SELECT 1 AS z) SELECT z FROM q), z FROM q", "q.z"),
        ("SELECT id::text FROM users", "users.id"),
    ],
)
def test_what_is_read(statement: str, reads: str) -> None:
    found = sql_reach(statement)
    assert (found.kind, words(found.read_columns), found.written_tables, found.written_columns) == (
        "read", reads, (), ()
    )  # fmt: skip
    assert set(found.read_tables) == {column.rpartition(".")[0] for column in found.read_columns}


def test_rows_that_are_counted_are_read_without_a_column() -> None:
    assert sql_reach("SELECT count(*) FROM t") == SqlReach("read", ("t",), (), (), ())


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        ("INSERT INTO t (a, B) VALUES (:a, :b)", "", "t.a t.b"),
        ("INSERT INTO t VALUES (1)", "", "t.*"),
        ("INSERT OR REPLACE INTO t (a) VALUES (1)", "", "t.a"),
        ("REPLACE INTO t (a) VALUES (1)", "", "t.a"),
        ("INSERT INTO t (a) SELECT b FROM s RETURNING id", "s.b t.id", "t.a"),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.a, c = t.d",
            "t.a t.d",
            "t.a t.b t.c",
        ),
        ("UPDATE users SET online = false WHERE id = :id", "users.id", "users.online"),
        ("UPDATE users SET n = n + 1", "users.n", "users.n"),
        ("UPDATE t SET (a, b) = (SELECT x, y FROM s)", "s.x s.y", "t.a t.b"),
        ("UPDATE t SET a = s.b FROM s WHERE s.i = t.i", "s.b s.i t.i", "t.a"),
        ("DELETE FROM t WHERE id = ?", "t.id", "t.*"),
        ("WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone", "t.id", "t.*"),
        ("MERGE INTO a USING b ON a.i = b.i WHEN MATCHED THEN UPDATE SET x = b.x", "a.i b.i b.x", "a.*"),
        ("CREATE TABLE t (id INTEGER)", "", "t.*"),
        ("CREATE TABLE n AS SELECT a FROM t", "t.a", "n.*"),
        ("CREATE VIEW v AS SELECT a FROM t", "t.a", "v.*"),
        ("CREATE INDEX i ON t (a)", "", "t.*"),
        ("ALTER TABLE t ADD COLUMN c TEXT", "", "t.*"),
        ("DROP TABLE t", "", "t.*"),
        ("SELECT a INTO z FROM t", "t.a", "z.*"),
    ],
)
def test_what_is_written(statement: str, reads: str, writes: str) -> None:
    found = sql_reach(statement)
    assert (found.kind, words(found.read_columns), words(found.written_columns)) == ("write", reads, writes)
    assert set(found.written_tables) == {column.rpartition(".")[0] for column in found.written_columns}


@pytest.mark.parametrize(
    "statement", ["PRAGMA optimize", "VACUUM", "ATTACH 'x' AS y", "CALL f(1)", "this is none", "SELECT 1; SELECT 2", ""]
)
def test_what_cannot_be_read_counts_for_everything(statement: str) -> None:
    assert sql_reach(statement) == EVERYTHING


def test_any_text_has_a_reach() -> None:
    """Also one that is almost a statement, with which the parser has trouble."""
    generator = random.Random(5)
    words = [
        *["(", ")", ",", ".", "*", ";", "::", "="],
        *[
            "SELECT",
            "FROM",
            "t",
            "USING",
            "JOIN",
            "AS",
            "INTO",
            "WITH",
            "VALUES",
            "RETURNING",
            "SET",
            "ON",
            "'x'",
            "id",
        ],
    ]
    for _ in range(1500):
        parts = generator.choice(SEEDS).split(" ")
        for _ in range(generator.randint(1, 4)):
            parts.insert(generator.randrange(len(parts) + 1), generator.choice(words))
            del parts[generator.randrange(len(parts))]
        assert sql_reach(" ".join(parts)).kind in ("read", "write", "unknown")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM main . .users",
        "CREATE TABLE r.owner = u.(*)t (id id, INTEGER)",
        "SELECT users.name FROM users JOIN rooms USING list  (id)",
        "VALUES (1)SELECTid, NameFROM Users",
    ],
)
def test_what_is_hardly_sql(statement: str) -> None:
    assert sql_reach(statement).kind in ("read", "unknown")
    find_mistake(statement)


def test_sqlite_agrees_about_what_is_touched() -> None:
    """SQLite tells its authorizer of each table and column that a statement reads or writes."""
    statements = (
        "SELECT name FROM users WHERE id IN (SELECT owner FROM rooms)",
        "SELECT u.*, r.name FROM users u LEFT JOIN rooms r ON r.owner = u.id ORDER BY u.mail",
        "INSERT INTO rooms (owner, name) SELECT id, name FROM users WHERE mail IS NOT NULL RETURNING name",
        "UPDATE users SET name = (SELECT max(name) FROM rooms WHERE owner = users.id) WHERE mail = 'a'",
        "DELETE FROM rooms WHERE owner NOT IN (SELECT id FROM users)",
        "WITH some AS (SELECT owner AS id FROM rooms) SELECT mail FROM users JOIN some USING (id)",
        "INSERT INTO users VALUES (1, 'a', 'b') ON CONFLICT (id) DO UPDATE SET mail = excluded.mail",
    )
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE users (id INTEGER UNIQUE, name TEXT, mail TEXT); CREATE TABLE rooms (owner INTEGER, name TEXT);"
    )
    for statement in statements:
        asked: set[tuple[str, str]] = set()

        def note(
            action: int, table: str | None, column: str | None, *_: object, asked: set[tuple[str, str]] = asked
        ) -> int:
            if action == sqlite3.SQLITE_READ and table in ("users", "rooms") and column:
                asked.add(("read", f"{table}.{column}"))
            elif action == sqlite3.SQLITE_UPDATE:
                asked.add(("write", f"{table}.{column}"))
            elif action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE) and table in ("users", "rooms"):
                asked.add(("write", f"{table}."))
            return sqlite3.SQLITE_OK

        database.set_authorizer(note)
        database.execute(f"EXPLAIN {statement}").fetchall()
        database.set_authorizer(None)
        found = sql_reach(statement)
        assert asked
        for act, column in asked:
            known = found.read_columns if act == "read" else found.written_columns
            if column.endswith("."):
                assert any(name.startswith(column) for name in known), (statement, column)
            else:
                assert any(covers_column(name, column) for name in known), (statement, act, column)
    database.close()


def test_what_covers_what() -> None:
    assert covers_column("t.a", "t.a")
    assert covers_column("t.*", "t.a")
    assert covers_column("*.*", "s.t.a")
    assert covers_column("s.t.*", "s.t.a")
    assert not covers_column("t.a", "t.*")
    assert not covers_column("t.*", "tt.a")
    assert covers_table("*", "t")
    assert not covers_table("t", "*")


ROUTE = b"name: A\npath: /a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - SqlOp: {query: SELECT 1}\n"


def test_a_program_is_loaded_without_the_parser() -> None:
    program = compile_source("a.yaml", ROUTE, Settings()).program
    assert program is not None
    load = (
        "import sys\n"
        "from runtime.app import App\n"
        "from runtime.loader import load\n"
        "from runtime.server.catalogue import entries_of\n"
        "from runtime.server.settings import Settings\n"
        "app = App(Settings(port=0))\n"
        "entries = entries_of(load(sys.stdin.buffer.read(), app.context))\n"
        "app.services.prepare({'sql'})\n"
        "print('sqlglot' in sys.modules, len(list(entries)))\n"
    )
    done = subprocess.run([sys.executable, "-c", load], input=encode(program), capture_output=True, check=True)
    assert done.stdout == b"False 1\n"
