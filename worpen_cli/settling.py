"""When files that change are taken as they are: not while they are being written, and not half written.

Editors write in many ways: a new file renamed into place, the old one emptied and written again, in one piece or in
several with pauses. So there must be no change for a while; nobody may have a changed file open for writing, where the
system can tell; and what is the beginning of the text that is served, and would compile, may have been cut off: it is
taken only when it stays so.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from worpen_cli.files import InputFile

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SETTLE_SECONDS: Final = 0.15
"""After this long without a change the files are taken as they are."""
WRITING_SECONDS: Final = 10.0
"""A file that somebody keeps open for writing is waited for no longer than this."""
CUT_SECONDS: Final = 2.0
"""So long a text that looks cut off must stay as it is."""
POLL_SECONDS: Final = 0.05

Read = Callable[[], list[InputFile]]
Doubt = Callable[[Sequence[InputFile]], Sequence[str]]


async def settled(changed: asyncio.Event, seconds: float) -> None:
    """Return when nothing was announced for so long; the event is clear then."""
    while await _announced(changed, seconds):
        pass


async def _announced(changed: asyncio.Event, seconds: float) -> bool:
    """Whether something was announced within so long, counted from now."""
    changed.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(changed.wait(), seconds)
    return changed.is_set()


async def settled_files(changed: asyncio.Event, read: Read, fresh: Doubt, cut_off: Doubt) -> list[InputFile]:
    """The files, when they can be taken as they are.

    `read` reads all of them; `fresh` names those that are not as they were, `cut_off` those that look so. The three are
    called in another thread. Raises what `read` raises.
    """
    while True:
        await settled(changed, SETTLE_SECONDS)
        inputs = await asyncio.to_thread(read)
        new, cut = await asyncio.to_thread(lambda: (fresh(inputs), cut_off(inputs)))  # noqa: B023
        if await _is_finished(changed, new, cut):
            return inputs


async def _is_finished(changed: asyncio.Event, fresh: Sequence[str], cut_off: Sequence[str]) -> bool:
    """Whether what was read can be taken, perhaps after a while; False as soon as there is a change."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not changed.is_set():
        waited = loop.time() - began
        is_written = waited < WRITING_SECONDS and any(map(is_being_written, fresh))
        if not is_written and (not cut_off or waited >= CUT_SECONDS):
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), POLL_SECONDS)
        if is_written and not any(map(is_being_written, fresh)):
            return False  # read again what the writer left
    return False


def ignore_leases() -> None:
    """Ignore the signal that tells of a lease that somebody waits for. Only the main thread may call this."""
    if hasattr(signal, "SIGIO"):
        signal.signal(signal.SIGIO, signal.SIG_IGN)


def is_being_written(path: str) -> bool:
    """Whether somebody has a file open for writing. False where the system does not tell.

    Linux gives a read lease on a file only while nobody has it open for writing. The lease is given back at once; who
    opens the file meanwhile waits that long, and SIGIO tells us of it, see `ignore_leases`.
    """
    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, lease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, lease, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
