"""Echoes every message on any path, and sends what comes to `/broadcast` to all who are there: `echo_server.py PORT`.

With --unlimited no rate and no heartbeat applies and a message may have 16 MiB, as the conformance suite needs.
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import resource
import sys
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from runtime.limits import WireLimits
from runtime.transport.connection import WebSocketConnection
from runtime.transport.frames import encode_binary, encode_text
from runtime.transport.handshake import greeter
from runtime.transport.http import upgrade_required
from runtime.transport.outbox import Outbox
from runtime.transport.seam import Acceptance, Connection, HttpResponse, Request
from runtime.transport.wire import Wire

UNLIMITED = WireLimits(
    message_rate=0,
    byte_rate=0,
    control_rate=0,
    ping_seconds=0,
    max_message_bytes=16 << 20,
    unsent_bytes=64 << 20,
    fragments=1 << 20,
    assembly_seconds=60,
)


class Echo:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def opened(self) -> None: ...

    def received_texts(self, texts: Iterator[str]) -> None: ...

    def received(self, message: str | bytes) -> None:
        self.connection.send(encode_text(message) if isinstance(message, str) else encode_binary(message))

    def closed(self, code: int, reason: str) -> None: ...


class Broadcast:
    def __init__(self, connection: Outbox, room: dict[Outbox, None], wire: Wire) -> None:
        self.connection, self.room, self.wire = connection, room, wire

    def opened(self) -> None:
        self.room[self.connection] = None

    def received_texts(self, texts: Iterator[str]) -> None: ...

    def received(self, message: str | bytes) -> None:
        frame = encode_text(message) if isinstance(message, str) else encode_binary(message)
        self.wire.fan_out.publish(self.room, frame)

    def closed(self, code: int, reason: str) -> None:
        self.room.pop(self.connection, None)


class EchoApplication:
    def __init__(self) -> None:
        self.room: dict[Outbox, None] = {}
        self.wire: Wire

    def respond(self, request: Request) -> HttpResponse:
        return upgrade_required()

    def admit(self, request: Request, connection: Connection) -> Acceptance:
        if request.path == "/broadcast" and isinstance(connection, WebSocketConnection):
            return Acceptance(Broadcast(connection, self.room, self.wire))
        return Acceptance(Echo(connection), compression=True)


async def serve(port: int, limits: WireLimits) -> None:
    application = EchoApplication()
    application.wire = Wire(application, limits)
    server = await asyncio.get_running_loop().create_server(greeter(application.wire), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--unlimited", action="store_true")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop")
    chosen = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limits = UNLIMITED if chosen.unlimited else WireLimits()
    factory = asyncio.new_event_loop
    if chosen.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(chosen.port, limits))


if __name__ == "__main__":
    main()
