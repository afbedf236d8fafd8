"""Telling whoever started a server that it is ready: the datagrams of systemd's sd_notify(3), `READY=1` and others.

The supervisor of workers listens to its workers in the same way as systemd listens to it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"
READY: Final = "READY=1"
RELOADING: Final = "RELOADING=1"
STOPPING: Final = "STOPPING=1"


def tell(state: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Say it to the socket that the environment names, if it names one. Nobody there to hear it is no trouble."""
    address = environment.get(VARIABLE, "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):  # the abstract name space of Linux
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        telling.sendto(state.encode(), address)
