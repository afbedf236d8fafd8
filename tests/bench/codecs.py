"""What a codec costs: server CPU for an echo with and without JSON: `python -m tests.bench.codecs`.

So many clients send the same object, each one message at a time, to the plain echo and to the JSON echo in turns; the
server's own CPU time is taken from /proc, so what the load generator needs does not count.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
from pathlib import Path

from tests.bench.serving import server

MESSAGE = b'{"user":"alice","text":"hello there","n":5}'
MASKED = bytes([0x81, 0x80 | len(MESSAGE), 0, 0, 0, 0]) + MESSAGE
ANSWER = 2 + len(MESSAGE)
CLIENTS = 32
TURNS = 1_000
ROUNDS = 5


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connected(port: int, path: str) -> socket.socket:
    """A raw WebSocket client, its handshake done."""
    end = socket.create_connection(("127.0.0.1", port))
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += end.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return end


def microseconds(pid: int, clients: list[socket.socket]) -> float:
    """Server CPU for one message, in µs."""
    before = cpu_seconds(pid)
    for _ in range(TURNS):
        for client in clients:
            client.sendall(MASKED)
        for client in clients:
            received = client.recv(ANSWER, socket.MSG_WAITALL)
            assert received[2:] == MESSAGE
    return (cpu_seconds(pid) - before) / (TURNS * len(clients)) * 1e6


def main() -> int:
    """Measure and print; fails over 1.6 times the plain echo."""
    with server() as (port, pid):
        kinds = {name: [connected(port, path) for _ in range(CLIENTS)] for name, path in PATHS.items()}
        found: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(ROUNDS + 1):
            for name, clients in kinds.items():
                found[name].append(microseconds(pid, clients))
    medians = {name: statistics.median(each[1:]) for name, each in found.items()}
    for name, median in medians.items():
        print(f"{name:<6} {median:6.2f} µs of server CPU a message")
    ratio = medians["json"] / medians["plain"]
    print(f"JSON echo / plain echo: {ratio:.2f}")
    return 0 if ratio <= 1.6 else 1


PATHS = {"plain": "/ws/echo", "json": "/ws/json"}

if __name__ == "__main__":
    sys.exit(main())
