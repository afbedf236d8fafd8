"""Room for as many connections as the server's limits allow: each is an open file to the system."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final

SPARE: Final = 256
"""Files beside the connections: listening sockets, databases, what handshakes and last words hold."""


def make_room(connections: int) -> None:
    """Let this process open so many, as far as the system permits.

    The limit that the system sets at first is often 1024; a process may raise it up to another one. And the kernel's
    table of open files is made large at once: it doubles as it fills, and each time whoever opens a file waits for 5
    to 15 ms, and with it everybody whom the server talks to.
    """
    if sys.platform == "win32":
        return
    import fcntl
    import resource

    wanted = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < wanted:
        soft = wanted if hard == unlimited else min(wanted, hard)
        with suppress(OSError, ValueError):  # macOS has further limits
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    last = (wanted if soft == unlimited else min(wanted, soft)) - 1
    with suppress(OSError), open(os.devnull, "rb") as nothing:
        # The lowest number from `last` on that is free: nothing that is open is touched.
        os.close(fcntl.fcntl(nothing, fcntl.F_DUPFD_CLOEXEC, last))
