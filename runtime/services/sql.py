"""SqlOp: statements of routes, on a pool of connections (runtime section 5).

A statement runs in a task of its own. The hook waits for that task, for as long as a statement may take: when the time
is up, or the hook is cancelled, the hook goes on at once, and the task stays until the statement has really ended and
its connection is usable again, or is thrown away. So a pool never lends a connection that still works for somebody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.sql import has_insert, has_writes, replace_placeholders
from compiler.language.values import Value
from runtime.limits import ServerLimits
from runtime.services import postgresql, sqlite
from runtime.services.breaker import Breaker
from runtime.services.cells import to_value
from runtime.services.driver import Call, Driver, Outcome, TooManyRows

_KEPT: Final = 1024
"""Statements of which it is remembered what is known of them."""
_STOP_EVERY_SECONDS: Final = 0.005
_LEAVE_SECONDS: Final = 1.0
"""Time to end a statement that was stopped; then its connection is thrown away."""
_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_SQLITE: Final = frozenset({"sqlite", "sqlite+aiosqlite"})


def parse_database_url(written: str) -> URL:
    """The address of a database. Raises ValueError, without showing it: it may hold a password."""
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _POSTGRESQL | _SQLITE or (url.drivername in _SQLITE and url.host):
        raise ValueError("the database's address is not sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    if url.drivername in _SQLITE:
        return url.set(drivername="sqlite+aiosqlite")
    mode = url.query.get("sslmode")
    url = url.difference_update_query(["sslmode"]).set(drivername="postgresql+asyncpg")
    return url.update_query_dict({"ssl": mode}) if mode is not None else url


class Sql:
    """The database of a server. Belongs to one running loop."""

    def __init__(self, address: str, limits: ServerLimits) -> None:
        """Opens nothing yet. Raises ValueError for an address that is none."""
        self._url = parse_database_url(address)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._driver: Driver = sqlite.Sqlite() if self._is_sqlite else postgresql.Postgresql()
        self._limits = limits
        self._engine = _engine(self._url, limits)
        self._breaker = Breaker()
        # SQLite has one writer at a time. The others wait here, not each with a connection that readers lack.
        self._turn = asyncio.Lock() if self._is_sqlite else contextlib.nullcontext()
        self._jobs: set[_Job] = set()
        self._prepared = lru_cache(_KEPT)(lambda query: _prepare(query, self._driver.placeholder))

    async def perform(self, query: str, params: Value, operation: str, fetch: str) -> Value:
        """Run one statement: its rows, or what it changed. Raises Fault."""
        reads, one = operation == "query", fetch == "one"
        known = self._prepared(query)
        given = [_bound(params, key) for key in known.keys]
        rows = 1 if one else self._limits.sql_rows
        call = Call(known.text, given, reads, known.writes, known.inserts, rows, one)
        turn = self._turn if call.writes else contextlib.nullcontext()
        job = _Job(self._connect, self._driver, call, turn)
        self._jobs.add(job)
        job.task.add_done_callback(lambda _: self._jobs.discard(job))
        try:
            outcome = await job.outcome(self._limits.sql_seconds + self._driver.grace_seconds)
        except TooManyRows:
            raise Fault(
                codes.SQL_TOO_MANY_ROWS, f"the statement gives more than {self._limits.sql_rows} rows; write a LIMIT"
            ) from None
        except TimeoutError:
            raise self._too_late(job) from None
        except UnicodeEncodeError:
            raise Fault(codes.SQL_ERROR, "a parameter has half a surrogate pair in it") from None
        except Exception as error:
            fault = self._fault(error)
            if fault is None:
                raise
            if fault.kind is codes.SQL_TIMEOUT:
                fault = self._too_late(job)
            raise fault from None
        return _shown(outcome, one=one) if reads else _counted(outcome)

    def _fault(self, error: BaseException) -> Fault | None:
        if isinstance(error, DBAPIError) and error.orig is not None:
            cause = error.orig.__cause__
            return self._driver.fault(error.orig) or (None if cause is None else self._driver.fault(cause))
        if isinstance(error, PoolTimeout):
            return Fault(codes.SQL_UNAVAILABLE, "all connections to the database are in use")
        return self._driver.fault(error)

    def _too_late(self, job: _Job) -> Fault:
        seconds = self._limits.sql_seconds
        if job.connection is None and self._is_sqlite:
            return Fault(codes.SQL_UNAVAILABLE, f"other statements kept the database busy for {seconds:g} s")
        if job.connection is None:
            return Fault(codes.SQL_UNAVAILABLE, f"there was no connection to the database within {seconds:g} s")
        return Fault(codes.SQL_TIMEOUT, f"the statement took longer than {seconds:g} s and was stopped")

    async def _connect(self) -> AsyncConnection:
        """A connection from the pool, perhaps a new one."""
        return await self._breaker.through(self._engine.connect, self._refusal)

    def _refusal(self, error: BaseException) -> Fault | None:
        """Why the database is not to be reached; None where all connections are only in use."""
        fault = None if isinstance(error, PoolTimeout) else self._fault(error)
        return fault if fault is not None and fault.kind is codes.SQL_UNAVAILABLE else None

    async def run_script(self, script: str) -> None:
        """Run the statements of a schema file, one transaction. Raises Fault."""
        try:
            async with self._engine.connect() as held:
                await self._execute((await held.get_raw_connection()).driver_connection, script)
        except Exception as error:
            if (fault := self._fault(error)) is None:
                raise
            raise fault from None

    async def _execute(self, connection: Any, script: str) -> None:
        if not self._is_sqlite:
            await connection.execute(script)  # several statements are one transaction
            return
        try:
            await connection.executescript(f"BEGIN;\n{script}\n;COMMIT;")
        finally:
            if connection.in_transaction:
                await connection.rollback()

    async def close(self) -> None:
        """Stop what runs and close all connections."""
        for job in list(self._jobs):
            job.stop()
        if self._jobs:
            await asyncio.wait([job.task for job in self._jobs], timeout=_LEAVE_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._engine.dispose(), _LEAVE_SECONDS)


def _engine(url: URL, limits: ServerLimits) -> AsyncEngine:
    """The pool. It is made with the server, and opens nothing yet: what it imports would hold up the loop later."""
    is_sqlite = url.get_backend_name() == "sqlite"
    library: Any = sqlite if is_sqlite else postgresql
    most = limits.sql_connections
    engine = create_async_engine(
        url,
        connect_args=library.connect_arguments(limits.sql_seconds),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=sqlite.count_connections(most, is_memory=_is_memory(url)) if is_sqlite else most,
        max_overflow=0,
        pool_timeout=limits.sql_seconds,
        pool_reset_on_return=None,  # every statement has committed or undone itself
        pool_use_lifo=True,
        hide_parameters=True,
    )
    if not is_sqlite:
        event.listen(engine.sync_engine, "connect", lambda made, _: made.run_async(postgresql.set_up))
    return engine


class _Job:
    """One statement on its way, from the pool and back. `connection` is None while it waits for one."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[AsyncConnection]],
        driver: Driver,
        call: Call,
        turn: AbstractAsyncContextManager[None],
    ) -> None:
        self.connection: Any = None
        self._connect = connect
        self._driver = driver
        self._turn = turn
        self._stopper: asyncio.Task[None] | None = None
        self.task = asyncio.create_task(self._perform(call))

    async def outcome(self, seconds: float) -> Outcome:
        """Wait so long. Raises TimeoutError, and what the libraries raise; the statement is stopped then."""
        try:
            await asyncio.wait({self.task}, timeout=seconds)
        finally:
            if not self.task.done():
                self.stop()
        if not self.task.done() or self.task.cancelled():
            raise TimeoutError
        return self.task.result()

    def stop(self) -> None:
        """Have it end soon, whoever waits for it or not."""
        if self._stopper is None:
            self._stopper = asyncio.create_task(self._stop())
            self.task.add_done_callback(_forget)

    async def _stop(self) -> None:
        if self.connection is None:
            self.task.cancel()
            return
        patience = _LEAVE_SECONDS
        while not self.task.done():
            await self._driver.stop(self.connection, self.task, hurry=patience <= 0)
            await asyncio.wait({self.task}, timeout=_STOP_EVERY_SECONDS)
            patience -= _STOP_EVERY_SECONDS

    async def _perform(self, call: Call) -> Outcome:
        async with self._turn:
            held = await self._acquire()
            try:
                return await self._driver.run(self.connection, call)
            except asyncio.CancelledError:
                with contextlib.suppress(Exception):  # it is thrown away then, which `_stop` sees to in time
                    await self._driver.settle(self.connection)
                raise
            finally:
                await self._release(held)

    async def _acquire(self) -> AsyncConnection:
        """A connection that is alive, as far as is known."""
        while True:
            held = await self._connect()
            connection = (await held.get_raw_connection()).driver_connection
            if self._driver.is_alive(connection):
                self.connection = connection
                return held
            await held.invalidate()
            await held.close()

    async def _release(self, held: AsyncConnection) -> None:
        if not held.invalidated and not self._driver.is_alive(self.connection):
            await held.invalidate()
        await held.close()


def _forget(task: asyncio.Task[Any]) -> None:
    """Nobody asks any more how it ended."""
    if not task.cancelled():
        task.exception()


def _is_memory(url: URL) -> bool:
    """Whether each connection would have a database of its own."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


# Statements.


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is known of a statement before it runs, whatever its parameters are."""

    text: str
    keys: Sequence[str | int]
    writes: bool
    inserts: bool


def _prepare(query: str, placeholder: Callable[[int], str]) -> _Prepared:
    text, keys = translate(query, placeholder)
    return _Prepared(text, keys, has_writes(query), has_insert(query))


def translate(query: str, placeholder: Callable[[int], str]) -> tuple[str, Sequence[str | int]]:
    """The statement with the placeholders that the database knows, and for each where its value is in `params`."""
    keys: list[str | int] = []

    def render(written: str) -> str:
        key: str | int = written[1:] if written != "?" else len(keys)
        if key not in keys:
            keys.append(key)
        return placeholder(keys.index(key) + 1)

    return replace_placeholders(query, render), tuple(keys)


def _bound(params: Value, key: str | int) -> Value:
    """The value of a placeholder. Raises Fault where there is none: `params` may be computed."""
    if isinstance(key, str):
        if not isinstance(params, dict) or key not in params:
            raise Fault(codes.SQL_ERROR, f"`params` has no value for `:{key}`", params)
        return params[key]
    if not isinstance(params, list) or key >= len(params):
        raise Fault(codes.SQL_ERROR, f"`params` has no value for `?` number {key + 1}", params)
    return params[key]


# Results.


def _shown(outcome: Outcome, *, one: bool) -> Value:
    rows = outcome.rows[:1] if one else outcome.rows
    shown: list[Value] = [{name: to_value(cell) for name, cell in zip(outcome.names, row, strict=True)} for row in rows]
    if one:
        return shown[0] if shown else None
    return shown


def _counted(outcome: Outcome) -> Value:
    last = None if outcome.last_id is None else values.normalise(outcome.last_id)
    return {"rows_affected": outcome.affected, "last_insert_id": last}
