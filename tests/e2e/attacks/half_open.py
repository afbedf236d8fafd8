"""Run by `unshare -rn`: five clients connect, the loopback interface goes down, the server must notice by itself.

Prints how many connections began, how many ended, and with which close code.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
from typing import Any

from compiler.language.hooks import INPUT_NUMBERS
from runtime.app import App
from runtime.limits import WireLimits
from runtime.server.settings import Settings
from tests.e2e.attacks.scene import attacker
from tests.runtime.parts import entry, route

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
CLIENTS = 5


def set_loopback(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP if up else 0))


async def main() -> None:
    begun: list[Any] = []
    ended: list[Any] = []
    wire = WireLimits(ping_seconds=0.3, pong_seconds=0.3)
    app = App(Settings(host="127.0.0.1", port=0, wire=wire))
    await app.start(
        [
            entry(
                route(
                    on_connect=lambda inputs, *_: begun.append(inputs[INPUT_NUMBERS["connection_id"]]),
                    on_disconnect=lambda inputs, *_: ended.append(inputs[INPUT_NUMBERS["close_code"]]),
                )
            )
        ]
    )
    clients = [await attacker(app, "/ws/test") for _ in range(CLIENTS)]
    set_loopback(False)
    async with asyncio.timeout(20):
        await app.idle()
    print(len(begun), len(ended), *set(ended))
    assert len(clients) == CLIENTS


set_loopback(True)
asyncio.run(main())
