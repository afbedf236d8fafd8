"""The server of `services`: routes that ask a database and a Redis, with a ticker on its loop.

Its one argument is JSON: `database` and `redis` (addresses), `folder` (for its files), `sql_seconds`, `redis_seconds`.
What happens is logged as `worpen serve` logs it, into nothing. It prints its port, and then answers each line on its
standard input with what the ticker saw and which faults ended hooks since the line before.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.app import App, run
from runtime.events import Events, HookFaulted
from runtime.limits import ServerLimits
from runtime.loader import LinkedProgram, load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services import Addresses
from tests.bench.lag import Ticker, answer_lines
from tests.e2e.serving import program_bytes
from worpen_cli.journal import Journal

ROUTE = """\
name: {name}
path: /ws/{name}
route_type: WebSocket
ws_hooks:
  on_message:
    - {operation}
    - WsOp: {command: send, message: done}
"""
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
ROUTES = {
    "echo": "Comment: {text: only the answer}",
    "endless": f'SqlOp: {{query: "{NUMBERS} SELECT max(i) AS m FROM n"}}',
    "write": """SqlOp: {query: "INSERT INTO t VALUES (1, 'some text')"}""",
    "count": "RedisOp: {command: INCR, key: n}",
}


class Faults:
    """Which faults ended hooks: how many of each code, and the longest of their runs in seconds."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def hear(self, event: object) -> None:
        """An event of the server."""
        if isinstance(event, HookFaulted):
            self._seen.setdefault(event.code, []).append(event.seconds)

    def take(self) -> dict[str, tuple[int, float]]:
        """Those since the last time."""
        seen, self._seen = self._seen, {}
        return {code: (len(times), max(times)) for code, times in seen.items()}


async def serve(given: dict[str, Any]) -> None:
    """Serve until the input ends."""
    limits = ServerLimits(
        sql_seconds=given["sql_seconds"], redis_seconds=given["redis_seconds"], drain_spread_seconds=0
    )
    events, faults, journal = Events(), Faults(), Journal(write_nowhere, as_json=True)
    events.subscribe(faults.hear)
    events.subscribe(journal.hear)
    app = App(Settings(port=0, services=Addresses(given["database"], given["redis"]), limits=limits), events)
    await app.start([entry for program in programs(Path(given["folder"]), app) for entry in entries_of(program)])
    await app.services.run_script("CREATE TABLE IF NOT EXISTS t (id INTEGER, body TEXT)")
    journal.open()
    gc.freeze()
    print(app.addresses[0][1], flush=True)
    ticker = Ticker()
    await answer_lines(lambda: {**asdict(ticker.take()), "faults": faults.take()})
    await app.drain()
    journal.close()


def programs(folder: Path, app: App) -> Iterator[LinkedProgram]:
    """The routes, compiled and loaded."""
    for name, operation in ROUTES.items():
        file = folder / f"{name}.yaml"
        file.write_text(ROUTE.replace("{name}", name).replace("{operation}", operation), encoding="utf-8")
        yield load(program_bytes(file), app.context)


def write_nowhere(text: str) -> None:
    """What becomes of the log: written, and never read."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        nowhere.write(text)


if __name__ == "__main__":
    run(serve(json.loads(sys.argv[1])))
