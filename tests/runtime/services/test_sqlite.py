"""What is SQLite's own: a file that is locked, full, or none."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

from runtime.services.sqlite import count_connections
from tests.runtime.services.database import execute, fault, opened, query
from tests.runtime.services.test_sql import ENDLESS


async def test_a_locked_file(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    async with opened(f"sqlite:///{path}", sql_seconds=1.0) as sql:
        await execute(sql, "CREATE TABLE t (id INTEGER)")
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked = await fault(sql, "INSERT INTO t VALUES (1)", operation="execute")
            assert (locked.code, locked.message) == ("sql_unavailable", "database is locked")
            other.execute("ROLLBACK")
        other.close()
        assert (await execute(sql, "INSERT INTO t VALUES (1)"))["rows_affected"] == 1


async def test_readers_go_on_while_writers_wait_for_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    async with opened(f"sqlite:///{path}", sql_seconds=3.0) as sql:
        await execute(sql, "CREATE TABLE t (id INTEGER)")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writing = [asyncio.create_task(execute(sql, "INSERT INTO t VALUES (1)")) for _ in range(50)]
        await asyncio.sleep(0.2)
        assert (
            await asyncio.gather(*(query(sql, "SELECT count(*) AS n FROM t") for _ in range(50))) == [[{"n": 0}]] * 50
        )
        assert not any(task.done() for task in writing)
        other.execute("ROLLBACK")
        other.close()
        assert [done["rows_affected"] for done in await asyncio.gather(*writing)] == [1] * 50


async def test_writers_that_wait_too_long(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    async with opened(f"sqlite:///{path}", sql_seconds=1.0) as sql:
        await execute(sql, "CREATE TABLE t (id INTEGER)")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writing = (fault(sql, "INSERT INTO t VALUES (1)", operation="execute") for _ in range(5))
        _, _, *waited = await asyncio.gather(*writing)
        assert {(one.code, one.message) for one in waited} == {
            ("sql_unavailable", "other statements kept the database busy for 1 s")
        }
        other.close()


async def test_a_full_disk(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'test.db'}", sql_connections=1) as sql:
        await execute(sql, "CREATE TABLE t (body TEXT)")
        await query(sql, "PRAGMA max_page_count = 4")
        full = await fault(sql, "INSERT INTO t VALUES (:body)", {"body": "x" * 100_000}, "execute")
        assert (full.code, full.message) == ("sql_unavailable", "database or disk is full")
        assert await query(sql, "SELECT count(*) AS n FROM t") == [{"n": 0}]


async def test_a_file_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_bytes(b"this is no database, but long enough to look at" * 50)
    for path in (tmp_path / "nowhere" / "test.db", tmp_path, tmp_path / "odd.db"):
        async with opened(f"sqlite:///{path}") as sql:
            assert (await fault(sql, "SELECT * FROM t")).code == "sql_unavailable"


async def test_no_function_is_one_of_python(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'test.db'}") as sql:
        for statement in ("SELECT 'a' REGEXP 'b' AS x", "SELECT regexp('a', 'b') AS x"):
            none = await fault(sql, statement)
            assert (none.code, none.message) == (
                "sql_error", "there is no REGEXP: use LIKE or GLOB, or with PostgreSQL `~`"
            )  # fmt: skip
        functions = await query(sql, "SELECT name FROM pragma_function_list WHERE NOT builtin")
        assert {"floor", "regexp"}.isdisjoint(row["name"] for row in functions)


async def test_statements_take_no_more_threads_than_the_cores_and_one(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    before = set(threading.enumerate())
    async with opened(f"sqlite:///{tmp_path / 'test.db'}", sql_seconds=0.5) as sql:
        running = [asyncio.create_task(fault(sql, ENDLESS)) for _ in range(cores + 5)]
        await asyncio.sleep(0.3)
        assert len(set(threading.enumerate()) - before) == cores + 1
        assert {(await task).code for task in running} <= {"sql_timeout", "sql_unavailable"}


def test_how_many_connections() -> None:
    cores = len(os.sched_getaffinity(0))
    assert count_connections(1000, is_memory=False) == cores + 1
    assert count_connections(1, is_memory=False) == 1
    assert count_connections(1000, is_memory=True) == 1
