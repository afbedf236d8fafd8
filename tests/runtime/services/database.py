"""A database of a test, and how to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.limits import ServerLimits
from runtime.services.sql import Sql

PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def opened(url: str, **limits: Any) -> AsyncIterator[Sql]:
    """A database, closed behind the test."""
    sql = Sql(url, ServerLimits(**{"sql_seconds": 10.0, **limits}))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield sql
    finally:
        await sql.close()


async def query(sql: Sql, statement: str, params: Value = None) -> Any:
    return await sql.perform(statement, params, "query", "all")


async def execute(sql: Sql, statement: str, params: Value = None) -> Any:
    return await sql.perform(statement, params, "execute", "all")


async def fault(sql: Sql, statement: str, params: Value = None, operation: str = "query") -> Fault:
    with pytest.raises(Fault) as caught:
        await sql.perform(statement, params, operation, "all")
    return caught.value


async def again(sql: Sql, statement: str, *passing: str) -> Any:
    """Ask until no passing fault is the answer."""
    while True:
        try:
            return await query(sql, statement)
        except Fault as busy:
            if busy.code not in passing:
                raise
