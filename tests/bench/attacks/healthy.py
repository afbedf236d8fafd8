"""The healthy client: a plain socket and a clock, so that hardly anything of its own is in the times."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from tests.bench.soak.wire import TEXT, masked
from tests.runtime.transport.harness import upgrade_request

PAUSE_SECONDS = 0.002
"""Between its messages: half of what the default rate allows."""
TEXT_SENT = b"how are you"
PATIENCE_SECONDS = 30.0


class Healthy:
    """One connection on the echo route."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(upgrade_request("/ws/echo"))
        self._expect(b"HTTP/1.1 101 ", until=b"\r\n\r\n")

    def _expect(self, start: bytes, until: bytes) -> None:
        answer = b""
        while until not in answer:
            piece = self._socket.recv(4096)
            if not piece:
                raise RuntimeError(f"the server ended the healthy client: {answer[:60]!r}")
            answer += piece
        if not answer.startswith(start):
            raise RuntimeError(f"the healthy client got {answer[:60]!r}")

    def window(self, seconds: float) -> list[float]:
        """Times of its messages there and back, in seconds. Raises RuntimeError where one is lost or changed."""
        frame = masked(TEXT, TEXT_SENT)
        wanted = bytes((0x81, len(TEXT_SENT))) + TEXT_SENT
        times = []
        end = time.perf_counter() + seconds
        while (sent := time.perf_counter()) < end:
            self._socket.sendall(frame)
            self._expect(wanted, until=TEXT_SENT)
            times.append(time.perf_counter() - sent)
            time.sleep(PAUSE_SECONDS)
        return times

    def close(self) -> None:
        """Be gone."""
        self._socket.close()


def hurry() -> bool:
    """Have this process go before all others on its core, where that is permitted; whether it was."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return True
    return False


def p99(times: list[float]) -> float:
    """What one of a hundred exceeds, in milliseconds."""
    return sorted(times)[int(len(times) * 0.99)] * 1000
