"""SqlOp on real databases: values, faults, limits, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.services.sql import parse_database_url, translate
from tests.canary import CANARY
from tests.postgresql import Postgresql
from tests.runtime.services.database import PATIENCE_SECONDS, again, execute, fault, opened, query

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS last FROM n"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: Postgresql = request.getfixturevalue("shared_postgresql")
    return server.url


@pytest.fixture
def table() -> str:
    """The name of a table that no other test has."""
    return f"t{uuid4().hex}"


async def test_rows_and_counts(url: str, table: str) -> None:
    async with opened(url) as sql:
        await execute(sql, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT, online BOOLEAN)")
        assert (await execute(sql, f"INSERT INTO {table} VALUES (1, 'a', true), (2, 'b', :on)", {"on": False}))[
            "rows_affected"
        ] == 2
        rows = await query(sql, f"SELECT * FROM {table} ORDER BY id")
        assert rows == [{"id": 1, "name": "a", "online": True}, {"id": 2, "name": "b", "online": False}]
        assert await sql.perform(f"SELECT name FROM {table} WHERE id = ?", [2], "query", "one") == {"name": "b"}
        assert await sql.perform(f"SELECT name FROM {table}", None, "query", "one") in ({"name": "a"}, {"name": "b"})
        assert await sql.perform(f"SELECT name FROM {table} WHERE id = 9", None, "query", "one") is None
        assert await execute(sql, f"UPDATE {table} SET online = true WHERE id > :id", {"id": "0"}) == {
            "rows_affected": 2,
            "last_insert_id": None,
        }
        assert await query(sql, f"DELETE FROM {table} WHERE id = 1 RETURNING name") == [{"name": "a"}]


async def test_the_number_that_an_insert_gave(url: str, table: str) -> None:
    async with opened(url) as sql:
        kind = "INTEGER PRIMARY KEY" if "sqlite" in url else "SERIAL PRIMARY KEY"
        returning = "" if "sqlite" in url else " RETURNING id"
        await execute(sql, f"CREATE TABLE {table} (id {kind}, name TEXT)")
        for number in (1, 2):
            done = await execute(sql, f"INSERT INTO {table} (name) VALUES (:name){returning}", {"name": "x"})
            assert done == {"rows_affected": 1, "last_insert_id": number}


async def test_values_go_in_and_come_out(url: str, table: str) -> None:
    long, text, json = ("INTEGER", "TEXT", "JSON") if "sqlite" in url else ("BIGINT", "TEXT", "JSONB")
    values: dict[str, Value] = {
        "id": 2**53, "real": 1.5, "name": "سلام '; DROP TABLE x; --", "flag": True, "tree": {"a": [1, None, "b"]},
        "gap": None,
    }  # fmt: skip
    async with opened(url) as sql:
        await execute(
            sql,
            f"CREATE TABLE {table} "
            f"(id {long}, real DOUBLE PRECISION, name {text}, flag BOOLEAN, tree {json}, gap {text})",
        )
        await execute(sql, f"INSERT INTO {table} VALUES (:id, :real, :name, :flag, :tree, :gap)", values)
        assert await query(sql, f"SELECT * FROM {table} WHERE name = :name", {"name": values["name"]}) == [values]


async def test_what_the_database_refuses(url: str, table: str) -> None:
    async with opened(url) as sql:
        await execute(sql, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
        await execute(sql, f"INSERT INTO {table} VALUES (1)")
        refused: tuple[tuple[str, Value], ...] = (
            ("SELECT * FROM nowhere_at_all", None),
            ("SELEC 1", None),
            ("BEGIN", None),
            ("SELECT 1; SELECT 2", None),
            (f"INSERT INTO {table} VALUES (1)", None),
            ("SELECT :a AS a", {"b": 1}),
            ("SELECT :a AS a", None),
            ("SELECT ? AS a, ? AS b", [1]),
            ("SELECT CAST(:a AS TEXT) AS a", {"a": "\ud800"}),
            (f"SELECT * FROM {table} WHERE id = :a", {"a": 2**70}),
        )
        for statement, params in refused:
            assert (await fault(sql, statement, params)).code == "sql_error", statement
        assert await query(sql, f"SELECT * FROM {table}") == [{"id": 1}]


async def test_a_statement_that_runs_on_is_stopped(url: str) -> None:
    async with opened(url, sql_seconds=1.0, sql_connections=1) as sql:
        await again(sql, "SELECT 1 AS one", "sql_unavailable", "sql_timeout")
        for _ in range(3):
            assert (await fault(sql, ENDLESS)).code == "sql_timeout"
            async with asyncio.timeout(PATIENCE_SECONDS):
                # The only connection is back when the statement has really ended.
                assert await again(sql, "SELECT 1 AS one", "sql_unavailable", "sql_timeout") == [{"one": 1}]


async def test_a_statement_is_stopped_with_its_hook(url: str) -> None:
    async with opened(url, sql_connections=1) as sql:
        await query(sql, "SELECT 1 AS one")
        waiting = asyncio.create_task(query(sql, ENDLESS))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await query(sql, "SELECT 1 AS one") == [{"one": 1}]


async def test_what_was_stopped_is_undone(url: str, table: str) -> None:
    async with opened(url, sql_seconds=1.0) as sql:
        await again(sql, "SELECT 1 AS one", "sql_unavailable", "sql_timeout")
        await execute(sql, f"CREATE TABLE {table} (id INTEGER)")
        endless = "SELECT i FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n) AS m"
        stopped = await fault(sql, f"INSERT INTO {table} {endless} RETURNING id")
        assert stopped.code == "sql_timeout"
    async with opened(url) as sql:
        assert await query(sql, f"SELECT * FROM {table}") == []


async def test_too_many_rows(url: str, table: str) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n"
    async with opened(url, sql_rows=50) as sql:
        assert (await fault(sql, numbers)).code == "sql_too_many_rows"
        assert len(await query(sql, f"{numbers} LIMIT 50")) == 50
        await execute(sql, f"CREATE TABLE {table} (id INTEGER)")
        assert (await fault(sql, f"INSERT INTO {table} {numbers} RETURNING id")).code == "sql_too_many_rows"
        assert await query(sql, f"SELECT * FROM {table}") == []


async def test_payloads_stay_data(url: str, table: str) -> None:
    async with opened(url) as sql:
        await execute(sql, f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, body TEXT)")
        for number, payload in enumerate(payloads(table)):
            await execute(sql, f"INSERT INTO {table} VALUES (:id, :body)", {"id": number, "body": payload})
        rows = await query(sql, f"SELECT body FROM {table} ORDER BY id")
        assert [row["body"] for row in rows] == list(payloads(table))


def payloads(table: str) -> Iterator[str]:
    """500 texts that would be SQL if they were put into a statement."""
    ends = (
        "'",
        '"',
        "')",
        "';",
        '";',
        "`",
        "$$",
        "\\'",
        "''",
        "%27",
        "’",
        "/*",
        "*/",
        "--",
        "#",
        ":body",
        "?",
        "$1",
        "%s",
        "{0}",
    )
    acts = (
        "DROP TABLE {t}", "DELETE FROM {t}", "OR 1=1", "OR '1'='1", "UNION SELECT 1, sqlite_version()",
        "UNION SELECT 1, version()", "; UPDATE {t} SET body = 'x'", "; COMMIT; DROP TABLE {t}",
        "AND 1=(SELECT count(*) FROM {t})",
        "; ATTACH 'x' AS y", "|| (SELECT body FROM {t})", "; SELECT pg_sleep(9)", "::int", "; PRAGMA writable_schema=1",
        "; COPY {t} FROM PROGRAM 'id'", "\n; DROP TABLE {t}", "\r\nDROP TABLE {t}", "\t--", "RETURNING *", "; VACUUM",
        "LIMIT 0", "HAVING 1", "; BEGIN", "; ROLLBACK", "; SET ROLE x",
    )  # fmt: skip
    for end in ends:
        for act in acts:
            yield f"{end} {act.format(t=table)} --"


async def test_many_at_once_share_the_pool(url: str) -> None:
    async with opened(url, sql_connections=3) as sql:
        answers = await asyncio.gather(*(query(sql, "SELECT :n AS n", {"n": number}) for number in range(60)))
        assert [str(rows[0]["n"]) for rows in answers] == [str(number) for number in range(60)]


async def test_a_schema_is_run_as_a_whole_or_not_at_all(url: str, table: str) -> None:
    async with opened(url) as sql:
        script = f"CREATE TABLE {table} (id INTEGER);\nINSERT INTO {table} VALUES (1), (2);"
        with pytest.raises(Fault):
            await sql.run_script(f"{script} INSERT INTO nowhere VALUES (1);")
        await sql.run_script(script)
        assert await query(sql, f"SELECT count(*) AS n FROM {table}") == [{"n": 2}]


def test_addresses() -> None:
    assert parse_database_url("sqlite:///a.db").drivername == "sqlite+aiosqlite"
    assert parse_database_url("postgres://a:b@c/d?sslmode=require").query == {"ssl": "require"}
    for wrong in (f"mysql://root:{CANARY}@x/y", CANARY, "", f"postgresql+psycopg://a:{CANARY}@x/y",
                  f"sqlite://{CANARY}", f"sqlite://{CANARY}/a.db", f"postgresql://a:{CANARY}@h:port/x"):  # fmt: skip
        with pytest.raises(ValueError, match=r"^the database's address is not") as caught:
            parse_database_url(wrong)
        assert CANARY not in str(caught.value)


def test_a_name_is_bound_once_and_every_question_mark_by_itself() -> None:
    named = translate("SELECT :a, :b, :a, ':c' -- :d", lambda position: f"${position}")
    assert named == ("SELECT $1, $2, $1, ':c' -- :d", ("a", "b"))
    counted = translate("SELECT ?, ? WHERE '?' = ?", lambda position: f"?{position}")
    assert counted == ("SELECT ?1, ?2 WHERE '?' = ?3", (0, 1, 2))
