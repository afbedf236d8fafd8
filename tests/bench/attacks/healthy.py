"""The healthy client: a plain socket and the kernel's clock, so that hardly anything of its own is in the times.

It shares a core with the attackers. When an answer is at its socket, the client may have to wait for that core, because
the kernel is busy there with what attackers send; that is not the server's doing. So what counts is the time at which
the kernel says the answer arrived (SO_TIMESTAMPNS), not the time at which the client has read it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.soak.wire import TEXT, masked
from tests.runtime.transport.harness import upgrade_request

PAUSE_SECONDS = 0.002
"""Between its messages: half of what the default rate allows."""
TEXT_SENT = b"how are you"
PATIENCE_SECONDS = 30.0
SO_TIMESTAMPNS: Final = 35
"""Linux: have the kernel note when bytes arrived, in nanoseconds since 1970; Python does not name it."""
_TIME: Final = struct.Struct("@ll")


class Healthy:
    """One connection on the echo route."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.sendall(upgrade_request("/ws/echo"))
        self._expect(b"HTTP/1.1 101 ", until=b"\r\n\r\n")

    def _expect(self, start: bytes, until: bytes) -> int:
        """Read an answer; when its last byte arrived, in nanoseconds since 1970."""
        answer, arrived = b"", 0
        while until not in answer:
            piece, notes, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_TIME.size))
            if not piece:
                raise RuntimeError(f"the server ended the healthy client: {answer[:60]!r}")
            answer += piece
            if notes:
                seconds, nanoseconds = _TIME.unpack(notes[0][2])
                arrived = seconds * 10**9 + nanoseconds
        if not answer.startswith(start):
            raise RuntimeError(f"the healthy client got {answer[:60]!r}")
        return arrived

    def window(self, seconds: float) -> list[float]:
        """Times of its messages there and back, in seconds. Raises RuntimeError where one is lost or changed."""
        frame = masked(TEXT, TEXT_SENT)
        wanted = bytes((0x81, len(TEXT_SENT))) + TEXT_SENT
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent = time.time_ns()
            self._socket.sendall(frame)
            times.append((self._expect(wanted, until=TEXT_SENT) - sent) / 10**9)
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


@contextlib.contextmanager
def prompt_network(core: int) -> Iterator[None]:
    """Have the kernel's thread for network packets on a core go before all programs there, where that is permitted.

    What the healthy client sends and gets passes through it, and would wait behind the attackers' programs.
    """
    found = next((int(each.parent.name) for each in Path("/proc").glob("[0-9]*/comm")
                  if each.read_text().strip() == f"ksoftirqd/{core}"), None)  # fmt: skip
    if found is None:
        yield
        return
    with contextlib.suppress(OSError):
        os.sched_setscheduler(found, os.SCHED_RR, os.sched_param(2))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(found, os.SCHED_OTHER, os.sched_param(0))


def p99(times: list[float]) -> float:
    """What one of a hundred exceeds, in milliseconds."""
    return sorted(times)[int(len(times) * 0.99)] * 1000
