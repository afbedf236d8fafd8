"""What is SQLite's own: a file that is locked, full, or none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.runtime.services.database import execute, fault, opened, query


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
