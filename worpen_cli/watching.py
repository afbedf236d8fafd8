"""Watching route files: the one importer of watchfiles."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from worpen_cli.files import is_route_name, is_searched

WATCH_STEP_MS: Final = 25
"""Changes so close together are announced together."""

POLL_MS: Final = 200
"""Where changes must be looked for: this often."""


@contextmanager
def watched(paths: Sequence[str], announce: Callable[[], None], complain: Callable[[str], None]) -> Iterator[None]:
    """Inside, `announce` is called in another thread after changes of these files, and of route files in these
    folders, and once when watching has begun, for what was saved before; `complain` is told why that is impossible."""
    stop = threading.Event()
    for folders, recursive in watched_folders(paths):
        watch = (folders, recursive, paths, announce, stop, complain)
        threading.Thread(target=_watch, args=watch, name="watch", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def watched_folders(paths: Sequence[str]) -> list[tuple[list[str], bool]]:
    """What to watch: folders that were named with all below them, and the folders of named files by themselves."""
    folders = [path for path in paths if os.path.isdir(path)]
    parents = sorted({os.path.dirname(os.path.abspath(path)) for path in paths if not os.path.isdir(path)})
    return [(found, recursive) for found, recursive in ((folders, True), (parents, False)) if found]


def _watch(
    folders: Sequence[str],
    recursive: bool,
    paths: Sequence[str],
    announce: Callable[[], None],
    stop: threading.Event,
    complain: Callable[[str], None],
) -> None:
    """Announce changes of files that matter until `stop` is set. Runs in a thread of its own."""
    from watchfiles import watch

    named = {os.path.abspath(path) for path in paths}
    has_begun = False

    def matters(_: object, path: str) -> bool:
        return path in named if not recursive else concerns_routes(path, folders)

    # Where the system cannot tell of changes (too many watches, some network file systems), look for them.
    for polls in (None, True):
        try:
            for changes in watch(
                *folders, watch_filter=matters, recursive=recursive, step=WATCH_STEP_MS, debounce=4 * WATCH_STEP_MS,
                stop_event=stop, raise_interrupt=False, rust_timeout=500, force_polling=polls,
                poll_delay_ms=POLL_MS, yield_on_timeout=True,
            ):  # fmt: skip
                if changes or not has_begun:
                    announce()
                has_begun = True
        except Exception as error:
            complain(f"{'watching is off' if polls else 'changes are looked for instead of announced'}: {error}")
        else:
            return


def concerns_routes(path: str, folders: Sequence[str]) -> bool:
    """Whether a change of this path can change which routes there are below the folders."""
    for folder in folders:
        place = os.path.relpath(path, folder)
        *parents, name = place.split(os.sep)
        if not place.startswith(os.pardir) and all(map(is_searched, parents)):
            return is_route_name(name) or (is_searched(name) and not os.path.isfile(path))
    return False
