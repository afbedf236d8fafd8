"""SQLite, over aiosqlite: each connection has a thread of its own, in which its statements run."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from asyncio import Task
from typing import Any, Final

import aiosqlite

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.sql import NO_REGEXP
from compiler.language.values import Value
from runtime.codecs import from_json
from runtime.services.driver import NO_TRANSACTIONS, Call, Outcome, TooManyRows

_LARGEST_CELL: Final = 16 * 1024 * 1024
"""Bytes of the largest text or blob that a statement can make."""
_PATIENCE: Final = 0.8
"""The part of a statement's time that it may wait for a lock, so that the lock is named before the time is up."""
_SETTINGS: Final = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON")
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip


def connect_arguments(seconds: float) -> dict[str, Any]:
    """How connections are made: every statement commits by itself, and columns declared BOOLEAN or JSON are that."""
    for declared, convert in _CONVERTERS.items():
        sqlite3.register_converter(declared, convert)
    return {"timeout": seconds * _PATIENCE, "isolation_level": None, **_KIND}


def count_connections(most: int, *, is_memory: bool) -> int:
    """How many connections to have, of at most so many. A database in memory is one of its connection's own; and
    statements on a file are computed in this process: threads beyond the cores make none faster, and each may keep the
    loop's thread from a core, or from the interpreter's lock when it was put off its core while it had that."""
    return 1 if is_memory else min(most, _cores() + 1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Connection(sqlite3.Connection):
    """A connection as routes get it; made in its own thread."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_CELL)
        for setting in _SETTINGS:
            with contextlib.suppress(sqlite3.Error):  # a file that cannot be written may still be read
                self.execute(setting).close()

    def create_function(self, *arguments: Any, **options: Any) -> None:
        """Nothing. SQLAlchemy would have functions of Python here (`regexp`, `floor`), and each row that needs one
        would stop the whole server for a moment; where SQLite has none of its own, statements that use it fault."""


def _to_boolean(cell: bytes) -> Any:
    return {b"0": False, b"1": True}.get(cell, cell.decode("utf-8", "replace"))


def _to_text(cell: bytes) -> str:
    return cell.decode("utf-8", "replace")


_CONVERTERS: Final = {
    "boolean": _to_boolean,
    "bool": _to_boolean,
    "json": lambda cell: from_json(_to_text(cell)),
    # Python's own for these read one form only, and fail on all others.
    "date": _to_text,
    "timestamp": _to_text,
}


_KIND: Final[dict[str, Any]] = {"detect_types": sqlite3.PARSE_DECLTYPES, "factory": _Connection}


class Sqlite:
    """Runs statements on connections of aiosqlite."""

    def placeholder(self, position: int) -> str:
        """`?1`."""
        return f"?{position}"

    grace_seconds: Final = 0.0
    """Statements have no time limit of SQLite's own."""

    def is_alive(self, connection: aiosqlite.Connection) -> bool:
        """A file is always there."""
        return True

    async def run(self, connection: aiosqlite.Connection, call: Call) -> Outcome:
        """Run a statement."""
        if not (call.reads and call.writes):
            outcome = await _run(connection, call)
            if connection.in_transaction:  # the next to use this connection would be in it
                await connection.rollback()
                raise Fault(codes.SQL_ERROR, NO_TRANSACTIONS)
            return outcome
        # Rows that a change gives are counted after it was made.
        await (await connection.execute("BEGIN IMMEDIATE")).close()
        try:
            outcome = await _run(connection, call)
            await (await connection.execute("COMMIT")).close()
        finally:
            if connection.in_transaction:
                await connection.rollback()
        return outcome

    async def stop(self, connection: aiosqlite.Connection, running: Task[Any], *, hurry: bool) -> None:
        """Interrupt the statement, from outside of its thread."""
        with contextlib.suppress(ValueError, sqlite3.Error):  # closed meanwhile
            await connection.interrupt()

    async def settle(self, connection: aiosqlite.Connection) -> None:
        """A statement here is interrupted, never cancelled."""

    def fault(self, error: BaseException) -> Fault | None:
        """What the library's errors mean."""
        if isinstance(error, Fault):
            return error
        if isinstance(error, sqlite3.Error):
            number = getattr(error, "sqlite_errorcode", None)
            primary = None if number is None else number & 0xFF
            if primary == sqlite3.SQLITE_INTERRUPT:
                return Fault(codes.SQL_TIMEOUT, "the statement was stopped")
            if (message := str(error)).lower() == "no such function: regexp":
                message = NO_REGEXP
            return Fault(codes.SQL_UNAVAILABLE if primary in _UNAVAILABLE else codes.SQL_ERROR, message)
        if isinstance(error, OverflowError):
            return Fault(codes.SQL_ERROR, "a whole number is too large for the database")
        return None


def _argument(value: Value) -> Any:
    """A value as the library takes it: lists and objects as JSON."""
    return values.to_json(value) if isinstance(value, list | dict) else value


async def _run(connection: aiosqlite.Connection, call: Call) -> Outcome:
    cursor = await connection.execute(call.text, [_argument(value) for value in call.values])
    try:
        if not call.reads:
            given = cursor.lastrowid if call.inserts and cursor.rowcount > 0 else None
            return Outcome(affected=max(cursor.rowcount, 0), last_id=given)
        rows = list(await cursor.fetchmany(call.rows + (not call.first)))
        names = [column[0] for column in cursor.description or ()]
    finally:
        await cursor.close()
    if len(rows) > call.rows:
        raise TooManyRows
    return Outcome(names, rows)
