"""One node of a cluster, as a program: `python -m tests.e2e.cluster.node BUS_URL EVENTS LEASE_SECONDS [PLANT [SIZE]]`.

Serves `ROUTE` on a free port, prints the port and its name on the bus, and writes events that matter into the file
EVENTS, one JSON object a line, at once, so that they are there when it is killed. An empty BUS_URL: the node is alone.
PLANT is a bug to be made on purpose. With SIZE the channels keep so many messages.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from compiler.bytecode.codec import encode
from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App, run, serve_until_signal
from runtime.bus import records
from runtime.bus import redis as bus
from runtime.bus.redis import RedisBus
from runtime.events import BusDown, BusGap, BusUp, Event, LogLine, to_document
from runtime.limits import WireLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings

ROUTE = b"""
name: Room
path: /ws/room/:room
route_type: WebSocket
HISTORY
ws_hooks:
  on_connect:
    - SetVar: {name: said, value: 0}
    - Log: {message: "came {{ connection_id }}"}
  on_message:
    - SetVar: {name: said, value: "{{ said + 1 }}"}
    - WsOp: {command: broadcast, message: "{{ message }}", channel: "{{ params.room }}"}
  on_disconnect:
    - Log: {message: "left {{ connection_id }} {{ said }} {{ close_reason }}"}
"""
EVERY = 40
"""A planted bug touches one message of so many."""


def plant(name: str) -> None:
    """Make a bug: `duplicate`, `reorder`, `loss` or `split`."""
    hand_out, publish, count = RedisBus._hand_out, RedisBus.publish, 0
    held: list[tuple[Any, ...]] = []

    def wrong(self: Any, *message: Any) -> None:
        nonlocal count
        count += 1
        turn = count % EVERY
        if name == "reorder" and turn == 0:
            held.append(message)
            return
        if not (name == "loss" and turn == 0):
            hand_out(self, *message)
        if name == "duplicate" and turn == 0:
            hand_out(self, *message)
        if held and turn == EVERY - 1:
            hand_out(self, *held.pop())

    def short_cut(self: Any, channel: str, frame: bytes, exclude: Any) -> int:
        self._deliver(self._hub.members(channel), frame, exclude)
        return publish(self, channel, frame, exclude)

    def but_own(self: Any, *message: Any) -> None:
        if sys._getframe(1).f_code.co_name != "_receive_own":
            hand_out(self, *message)

    if name == "split":
        RedisBus.publish, RedisBus._hand_out = short_cut, but_own  # type: ignore[method-assign, assignment]
    elif name:
        RedisBus._hand_out = wrong  # type: ignore[method-assign, assignment]


async def serve(url: str, events: str, lease_seconds: float, size: int) -> None:
    """Serve until SIGTERM."""
    records.SURE_SECONDS = lease_seconds * 2 / 3  # type: ignore[misc]
    bus.LEASE_TICKS = round(lease_seconds / bus.TICK_SECONDS)  # type: ignore[misc]
    file = os.open(events, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def note(event: Event) -> None:
        if isinstance(event, BusDown | BusUp | BusGap | LogLine):
            os.write(file, json.dumps({"time": time.time(), **to_document(event)}).encode() + b"\n")

    unlimited = WireLimits(message_rate=0, byte_rate=0)  # measurements send more than clients do
    app = App(Settings(host="127.0.0.1", port=0, bus_url=url, wire=unlimited))
    app.events.subscribe(note)
    history = b"history: {size: %d, ttl: 60}" % size if size else b""
    program = compile_source("room.yaml", ROUTE.replace(b"HISTORY", history), CompilerSettings()).program
    assert program is not None
    await app.start(entries_of(load(encode(program), app.context)))
    print(app.addresses[0][1], app._bus.node if app._bus is not None else "alone", flush=True)
    await serve_until_signal(app)


if __name__ == "__main__":
    plant(sys.argv[4] if len(sys.argv) > 4 else "")
    run(serve(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[5]) if len(sys.argv) > 5 else 0))
