"""What one run of a hook may cost: over each limit it ends with an error, which is counted, and its connection stays.

Real operations, compiled, against a real database, a Redis that never answers, and a web server: this one.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from runtime.app import App
from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses
from tests.e2e.serving import program_bytes

PATIENCE_SECONDS = 20.0
PORT = "8123"
"""Stands in routes for the port of this server."""
ENDLESS_SQL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS most FROM n"
ROUTE = """\
name: Costly
path: /ws/costly
route_type: WebSocket
HISTORY
ws_hooks:
  on_auth:
    AUTH
  on_message:
    - If:
        condition: "message == 'go'"
        then: [OPERATION]
    - WsOp: {command: send, message: "{{ message }}"}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An operation that is over a limit."""

    operation: str
    error: str
    limit: str
    amount: float

    @property
    def limits(self) -> ServerLimits:
        return replace(ServerLimits(drain_seconds=3), **{self.limit: self.amount})  # type: ignore[arg-type]


def many(count: int, operation: str) -> str:
    return f'{{Loop: {{collection: "{{{{ range(0, {count}) }}}}", body: [{operation}]}}}}'


ONE_SQL = '{SqlOp: {query: "SELECT 1 AS one"}}'
LONG_SQL = f'{{SqlOp: {{query: "{ENDLESS_SQL}"}}}}'
COMPUTING = (
    "{While: {condition: true, max_iterations: 100000, "
    'body: [{SetVar: {name: last, value: "{{ range(0, 50000) | sort | sum }}"}}]}}'
)
"""Has fuel for some minutes."""
ONE_HTTP = f'{{HttpRequest: {{url: "http://127.0.0.1:{PORT}/healthz"}}}}'
CASES = {
    "fuel": Case("{While: {condition: true, max_iterations: 100000, body: [{Log: {message: x, level: debug}}]}}",
                 "out_of_fuel", "fuel", 50),
    "time": Case(LONG_SQL, "hook_timeout", "hook_seconds", 0.2),
    "one long Sleep": Case('{Sleep: {ms: "{{ length(message) * 30500 }}"}}', "hook_timeout", "sleep_seconds", 60),
    "Sleeps together": Case(many(3, "{Sleep: {ms: 40}}"), "hook_timeout", "sleep_seconds", 0.1),
    "calls outside": Case(many(65, ONE_HTTP), "call_limit", "outside_calls", 64),
    "SQL statements": Case(many(17, ONE_SQL), "call_limit", "sql_calls", 16),
    "a slow statement": Case(LONG_SQL, "sql_timeout", "sql_seconds", 0.2),
    "rows": Case('{SqlOp: {query: "SELECT 1 AS n UNION SELECT 2 UNION SELECT 3"}}', "sql_too_many_rows", "sql_rows", 2),
    "a Redis that hangs": Case("{RedisOp: {command: GET, key: k}}", "redis_timeout", "redis_seconds", 0.2),
    "a long answer": Case(ONE_HTTP, "http_error", "http_body_bytes", 2),
    "channels": Case(many(129, '{WsOp: {command: subscribe, channel: "c:{{ item }}"}}'), "channel_limit", "channels",
                     128),
}  # fmt: skip


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@asynccontextmanager
async def served(
    folder: Path, limits: ServerLimits, *, operation: str = "", auth: str = "[]", history: str = ""
) -> AsyncIterator[App]:
    with silence() as redis:
        outside = Addresses("sqlite://", f"redis://127.0.0.1:{redis}/0", ("127.0.0.1",))
        app = App(Settings(port=0, limits=limits, services=outside))
        await app.start()
        file = folder / "costly.yaml"
        text = ROUTE.replace("OPERATION", operation).replace("AUTH", auth).replace("HISTORY", history)
        file.write_text(text.replace(PORT, str(app.addresses[0][1])), encoding="utf-8")
        app.swap(entries_of(load(program_bytes(file), app.context)))
        try:
            yield app
        finally:
            await app.drain()


def client(app: App) -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/costly", compression=None)


def results(app: App, hook: str = "on_message") -> dict[str, int]:
    """How runs of a hook ended, and how often."""
    return {key[2]: tally.runs for key, tally in app.counters.hook.items() if key[1] == hook}


async def ended(app: App, runs: int) -> None:
    """Return when so many hooks have ended: one that waits is counted after what it sent has left."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(results(app).values()) < runs:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_hook_over_a_limit_ends_with_an_error_and_its_connection_stays(case: Case, tmp_path: Path) -> None:
    async with served(tmp_path, case.limits, operation=case.operation) as app, client(app) as one:
        for round_number in (1, 2):
            await one.send("go")
            await one.send("still here")
            assert await asyncio.wait_for(one.recv(), PATIENCE_SECONDS) == "still here"
            await ended(app, 2 * round_number)
            assert results(app) == {case.error: round_number, "ok": round_number}
            assert app.settle().limits_reached == {case.limit: round_number}
            assert f'worpen_limits_reached_total{{limit="{case.limit}"}} {round_number}.0' in app.exposition()


@pytest.mark.parametrize(
    ("auth", "limits", "reached"),
    [
        (f"[{LONG_SQL}]", {"auth_seconds": 0.2}, {"auth_seconds": 1}),
        (f"[{LONG_SQL}]", {"hook_seconds": 0.2, "auth_seconds": 30}, {"hook_seconds": 1}),
        (f"[{many(17, ONE_SQL)}]", {}, {"sql_calls": 1}),
        (
            "[{While: {condition: true, max_iterations: 100000, body: [{Log: {message: x}}]}}]",
            {"fuel": 50},
            {"fuel": 1},
        ),
    ],
    ids=["time", "a hook's time", "SQL statements", "fuel"],
)
async def test_on_auth_over_a_limit_refuses(
    auth: str, limits: dict[str, Any], reached: dict[str, int], tmp_path: Path
) -> None:
    async with served(tmp_path, replace(ServerLimits(drain_seconds=3), **limits), auth=auth) as app:
        with pytest.raises(InvalidStatus) as refused:
            await client(app)
        assert refused.value.response.status_code == 403
        assert app.settle().limits_reached == reached
        assert app.connections == 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers of POSIX")
async def test_on_auth_that_computes_for_too_long_refuses(tmp_path: Path) -> None:
    limits = ServerLimits(auth_seconds=0.2, drain_seconds=3)
    async with served(tmp_path, limits, auth=f"[{COMPUTING}]") as app:
        gc.disable()  # others have callbacks in the collector, and what is raised into those is lost, with a warning
        try:
            with app.watching_hooks(), pytest.raises(InvalidStatus) as refused:
                await client(app)
        finally:
            gc.enable()
        assert refused.value.response.status_code == 403
        assert results(app, "on_auth") == {"hook_timeout": 1}
        assert app.settle().limits_reached == {"auth_seconds": 1}
        assert app.connections == 0


async def test_history_over_its_limit_drops_the_oldest(tmp_path: Path) -> None:
    talk = "{WsOp: {command: broadcast, channel: room, message: \"{{ 'x' | repeat(1000) }}\"}}"
    limits = ServerLimits(history_bytes=10_000, drain_seconds=3)
    async with (
        served(tmp_path, limits, operation=talk, history="history: {size: 100, ttl: 60}") as app,
        client(app) as one,
    ):
        for _ in range(30):
            await one.send("go")
            for _ in range(2):
                await asyncio.wait_for(one.recv(), PATIENCE_SECONDS)
        assert app.settle().limits_reached.keys() == {"history_bytes"}
