"""What is PostgreSQL's own: its types, and a server that goes, hangs, or is not there."""

from __future__ import annotations

import asyncio

from tests.canary import CANARY
from tests.postgresql import Postgresql, postgresql
from tests.runtime.services.database import PATIENCE_SECONDS, again, fault, opened, query


async def test_types_of_postgresql(shared_postgresql: Postgresql) -> None:
    async with opened(shared_postgresql.url) as sql:
        (row,) = await query(
            sql,
            "SELECT 12.50::numeric AS price, '2024-05-01'::date AS day, '12:30'::time AS hour, "
            "'2024-05-01 12:00:00.5'::timestamp AS at, '2024-05-01 12:00:00+02'::timestamptz AS here, "
            "'\\x00ff'::bytea AS raw, 9007199254740993 AS big, '{1,2}'::int[] AS list, 'NaN'::float8 AS odd, "
            "'6f3c1f0e-7c5b-4d5e-9b0a-1c2d3e4f5a6b'::uuid AS id, '{\"a\": 1}'::jsonb AS tree, "
            "interval '1 day' AS span, '10.0.0.1'::inet AS address",
        )
        assert row == {
            "price": "12.50", "day": "2024-05-01", "hour": "12:30:00", "at": "2024-05-01T12:00:00.5",
            "here": "2024-05-01T10:00:00+00:00", "raw": "AP8=", "big": 2**53, "list": [1, 2], "odd": None,
            "id": "6f3c1f0e-7c5b-4d5e-9b0a-1c2d3e4f5a6b", "tree": {"a": 1}, "span": "1 day", "address": "10.0.0.1",
        }  # fmt: skip
        found = await query(sql, "SELECT 5 = ANY(:ids::int[]) AS found", {"ids": [4, 5]})
        assert found == [{"found": True}]
        at = await query(sql, "SELECT CAST(:at AS timestamptz) AS at", {"at": "2024-05-01T12:00:00+02:00"})
        assert at == [{"at": "2024-05-01T10:00:00+00:00"}]


async def test_a_server_that_goes_and_comes_back() -> None:
    with postgresql() as server:
        async with opened(server.url, sql_seconds=10.0) as sql:
            await asyncio.gather(*(query(sql, "SELECT pg_sleep(0.05) AS x") for _ in range(5)))
            server.stop()
            for _ in range(3):
                assert (await fault(sql, "SELECT 1 AS one")).code == "sql_unavailable"
            server.start()
            answers = await asyncio.gather(*(query(sql, "SELECT 1 AS one") for _ in range(20)))
            assert answers == [[{"one": 1}]] * 20


async def test_a_server_that_hangs(shared_postgresql: Postgresql) -> None:
    async with opened(shared_postgresql.url, sql_seconds=1.0, sql_connections=1) as sql:
        passing = ("sql_unavailable", "sql_timeout")
        process = (await again(sql, "SELECT pg_backend_pid() AS id", *passing))[0]["id"]
        shared_postgresql.hang(process)
        try:
            assert (await fault(sql, "SELECT 1 AS one")).code == "sql_timeout"
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await again(sql, "SELECT pg_backend_pid() AS id", *passing)
            assert found != [{"id": process}]
        finally:
            shared_postgresql.wake(process)


async def test_nobody_there() -> None:
    async with opened(f"postgresql://worpen:{CANARY}@127.0.0.1:9/test") as sql:
        nobody = await fault(sql, "SELECT 1")
        assert nobody.code == "sql_unavailable"
        assert CANARY not in nobody.message


async def test_one_tries_for_all_while_nobody_is_there() -> None:
    attempts = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(f"postgresql://worpen@127.0.0.1:{port}/test?sslmode=disable") as sql:
        await fault(sql, "SELECT 1")
        before = attempts
        faults = await asyncio.gather(*(fault(sql, "SELECT 1") for _ in range(50)))
        assert {one.code for one in faults} == {"sql_unavailable"}
        assert attempts - before <= 2
