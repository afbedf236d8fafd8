"""The numbers of processes that share a port, so that whichever is asked tells those of all.

Each process has a place with a number, and writes what it counted into a file of one folder, under that number: every
second, and before it tells anybody. The others read that file, and ask nobody who may hang. Whoever takes the place of
a process that ended goes on from what that had counted, so that counters never fall; what it had open is gone with it.
A process that was killed takes along what it counted in its last second, of which nobody was told.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runtime.metrics import PREFIX, TOTAL, Sample

EVERY_SECONDS: Final = 1.0
STALE_SECONDS: Final = 5.0
"""Who has not written for so long does not go on."""
WORKER: Final = "worker"
"""The label that says whose number it is."""
SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class _Page:
    """What one process wrote."""

    process_id: int
    written_at: float
    """By the clock that all processes of a machine share."""
    samples: list[Sample]

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        try:
            os.kill(self.process_id, 0)
        except OSError:
            return False
        return True

    @property
    def is_up(self) -> bool:
        """Whether it is there, and goes on."""
        return time.monotonic() - self.written_at < STALE_SECONDS and self.is_alive


class Siblings:
    """This process among those that share a port. Mutable, one owner."""

    def __init__(self, folder: Path, place: str, numbers: Callable[[], Iterable[Sample]]) -> None:
        """`place`: the number of this process's place; `numbers`: what it counted itself."""
        self._folder = folder
        self._place = place
        self._numbers = numbers
        before = _read(self._file)
        self._inherited = {} if before is None else {_key(one): one for one in before.samples if _is_counter(one)}

    @property
    def _file(self) -> Path:
        return self._folder / (self._place + SUFFIX)

    def write(self) -> None:
        """Have the others know what was counted until now. Where the folder is gone, nobody does."""
        self._write(self._page())

    def samples(self) -> Iterator[Sample]:
        """The numbers of all processes, each with the label `worker`."""
        own = self._page()
        self._write(own)
        pages = {file.stem: _read(file) for file in self._folder.glob("*" + SUFFIX)}
        pages[self._place] = own
        for place in sorted(pages, key=lambda place: (len(place), place)):
            page = pages[place]
            if page is not None:
                yield from _labelled(page, (WORKER, place))

    def _page(self) -> _Page:
        return _Page(os.getpid(), time.monotonic(), list(self._own()))

    def _write(self, page: _Page) -> None:
        samples = [(one.name, one.labels, one.value) for one in page.samples]
        document = {"process": page.process_id, "time": page.written_at, "samples": samples}
        draft = self._file.with_suffix(".draft")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
            os.replace(draft, self._file)

    def _own(self) -> Iterator[Sample]:
        """What this process counted, and those before it."""
        left = dict(self._inherited)
        for one in (Sample(f"{PREFIX}worker_starts{TOTAL}", (), 1), *self._numbers()):
            before = left.pop(_key(one), None)
            yield one if before is None else Sample(one.name, one.labels, one.value + before.value)
        yield from left.values()


def _labelled(page: _Page, label: tuple[str, str]) -> Iterator[Sample]:
    yield Sample(f"{PREFIX}worker_up", (label,), int(page.is_up))
    is_alive = page.is_alive
    for one in page.samples:
        if is_alive or _is_counter(one):
            yield Sample(one.name, (label, *one.labels), one.value)


def _read(file: Path) -> _Page | None:
    """What is in a file; None where that is nothing of ours."""
    try:
        document: Any = json.loads(file.read_bytes())
        samples = [
            Sample(name, tuple((key, value) for key, value in labels), number)
            for name, labels, number in document["samples"]
        ]
        return _Page(int(document["process"]), float(document["time"]), samples)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(one: Sample) -> tuple[str, tuple[tuple[str, str], ...]]:
    return one.name, one.labels


def _is_counter(one: Sample) -> bool:
    return one.name.endswith(TOTAL)
