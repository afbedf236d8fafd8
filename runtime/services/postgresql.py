"""PostgreSQL, over asyncpg. Values travel as text, so that the database reads them as it reads what stands in SQL."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.codecs import from_json
from runtime.services.cells import iso_time
from runtime.services.driver import NO_TRANSACTIONS, Call, Outcome, TooManyRows

_KEPT: Final = 256
"""Prepared statements that one connection keeps."""
_CONNECT_SECONDS: Final = 5.0


def connect_arguments(seconds: float) -> dict[str, Any]:
    """How connections are made: the server itself ends a statement after so many seconds, and speaks UTC."""
    settings = {"statement_timeout": str(max(1, int(seconds * 1000))), "timezone": "UTC", "datestyle": "ISO"}
    return {
        "server_settings": {**settings, "application_name": "worpen"},
        "timeout": _CONNECT_SECONDS,
        "prepared_statement_cache_size": 0,  # of SQLAlchemy's layer, which nothing goes through
    }


def _encode(value: Value) -> str:
    if isinstance(value, str):
        return value
    return values.to_json(value)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "bool": lambda written: written == "t",
    **dict.fromkeys(("int2", "int4", "int8", "oid"), int),
    **dict.fromkeys(("float4", "float8"), float),
    **dict.fromkeys(
        ("text", "varchar", "bpchar", "name", "numeric", "uuid", "date", "time", "timetz", "interval"), str
    ),
    **dict.fromkeys(("timestamp", "timestamptz"), iso_time),
    **dict.fromkeys(("json", "jsonb"), from_json),
}
"""How the types that routes meet are read; asyncpg reads all others."""


async def set_up(connection: asyncpg.Connection[Any]) -> None:
    """Prepare a new connection."""
    for name, read in _READERS.items():
        await connection.set_type_codec(name, schema="pg_catalog", encoder=_encode, decoder=read, format="text")


class Postgresql:
    """Runs statements on connections of asyncpg."""

    def __init__(self) -> None:
        self._prepared: WeakKeyDictionary[Any, dict[str, PreparedStatement[Any]]] = WeakKeyDictionary()
        self._stopped: WeakSet[Any] = WeakSet()

    def placeholder(self, position: int) -> str:
        """`$1`."""
        return f"${position}"

    grace_seconds: Final = 0.05
    """The server ends a statement by itself, and says so."""

    def is_alive(self, connection: asyncpg.Connection[Any]) -> bool:
        """Whether the server has not ended it."""
        return not connection.is_closed()

    async def run(self, connection: asyncpg.Connection[Any], call: Call) -> Outcome:
        """Run a statement; once more where the tables changed under a prepared one."""
        try:
            return await self._run(connection, call)
        except asyncpg.InvalidCachedStatementError:
            self._prepared.pop(connection, None)
            return await self._run(connection, call)

    async def _run(self, connection: asyncpg.Connection[Any], call: Call) -> Outcome:
        statement = await self._statement(connection, call.text)
        given = [
            _argument(value, kind.kind) for value, kind in zip(call.values, statement.get_parameters(), strict=True)
        ]
        names = [column.name for column in statement.get_attributes()]
        if not names:
            await statement.fetch(*given)
            if connection.is_in_transaction():  # the next to use this connection would be in it
                await connection.execute("ROLLBACK")
                raise Fault(codes.SQL_ERROR, NO_TRANSACTIONS)
            return Outcome(affected=_affected(statement.get_statusmsg()))
        # Without a cursor all rows would be fetched, however many there are; and cursors need a transaction.
        async with connection.transaction():
            cursor = await statement.cursor(*given)
            rows = await cursor.fetch(call.rows + (not call.first))
            if len(rows) > call.rows:
                raise TooManyRows
        if call.reads:
            return Outcome(names, [tuple(row) for row in rows])
        return Outcome(
            affected=len(rows) if call.writes else 0, last_id=_number(rows[-1][0]) if call.inserts and rows else None
        )

    async def _statement(self, connection: asyncpg.Connection[Any], text: str) -> PreparedStatement[Any]:
        kept = self._prepared.setdefault(connection, {})
        if (known := kept.pop(text, None)) is None:
            known = await connection.prepare(text)
        elif len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        kept[text] = known  # the last one used stands last
        return known

    async def stop(self, connection: asyncpg.Connection[Any], running: Task[Any], *, hurry: bool) -> None:
        """Cancel the task, for which asyncpg asks the server to stop; where it does not answer, drop the connection."""
        if hurry:
            connection.terminate()
        elif connection not in self._stopped:
            self._stopped.add(connection)
            running.cancel()
            running.add_done_callback(lambda _: self._stopped.discard(connection))

    async def settle(self, connection: asyncpg.Connection[Any]) -> None:
        """Ask for something that has to wait for the server's answer to the cancelling."""
        await connection.execute("ROLLBACK" if connection.is_in_transaction() else "SELECT")

    def fault(self, error: BaseException) -> Fault | None:
        """What the library's errors mean."""
        if isinstance(error, Fault):
            return error
        if isinstance(error, asyncpg.QueryCanceledError):
            return Fault(codes.SQL_TIMEOUT, "the statement was stopped")
        if isinstance(error, asyncpg.PostgresError):
            lost = (error.sqlstate or "")[:2] in ("08", "28", "3D", "53", "57", "58") or error.sqlstate == "55P03"
            return Fault(codes.SQL_UNAVAILABLE if lost else codes.SQL_ERROR, str(error.args[0]) if error.args else "")
        if isinstance(error, asyncpg.DataError | asyncpg.InterfaceError):
            return Fault(codes.SQL_ERROR, str(error))
        if isinstance(error, OSError | asyncpg.InternalClientError):
            return Fault(codes.SQL_UNAVAILABLE, "the database cannot be reached")
        return None


def _argument(value: Value, kind: str) -> Any:
    """A value as asyncpg takes it: elements of an array by themselves, anything else as text."""
    return value if value is None or (kind == "array" and isinstance(value, list)) else _encode(value)


def _affected(status: str | None) -> int:
    """The number that ends `UPDATE 3` or `INSERT 0 3`."""
    last = (status or "").rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def _number(cell: Any) -> int | None:
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None
