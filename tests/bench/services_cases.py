"""The troubles of `services`: how each comes and goes, and which route asks for what is in trouble."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.postgresql import Postgresql
from tests.runtime.bus.valkey import Valkey


@dataclass(frozen=True)
class Case:
    """What is asked while all is well, and in trouble."""

    name: str
    well: str
    trouble: str
    begin: Callable[[], object] = lambda: None
    end: Callable[[], object] = lambda: None


def cases_on_sqlite(file: Path, redis: Valkey) -> list[Case]:
    """With a file as the database, and with Redis."""
    other = sqlite3.connect(file, isolation_level=None)
    return [
        Case("SQLite, endless query", "write", "endless"),
        Case(
            "SQLite, locked",
            "write",
            "write",
            lambda: other.execute("BEGIN EXCLUSIVE"),
            lambda: other.execute("ROLLBACK"),
        ),
        Case("Redis, hung", "count", "count", redis.hang, redis.wake),
        Case("Redis, down", "count", "count", redis.kill, redis.start),
    ]


def cases_on_small_disk(folder: Path) -> list[Case]:
    """With a file on a disk that has no room."""
    hog = folder / "hog"
    return [Case("SQLite, disk full", "write", "write", lambda: fill(hog), hog.unlink)]


def cases_on_postgresql(server: Postgresql) -> list[Case]:
    """With PostgreSQL."""
    return [
        Case("PostgreSQL, endless query", "write", "endless"),
        Case("PostgreSQL, down", "write", "write", server.stop, server.start),
    ]


def fill(file: Path) -> None:
    """Write until there is no room."""
    with suppress(OSError), file.open("wb", buffering=0) as hog:
        while True:
            hog.write(b"x" * 512)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of a few megabytes; None where that is not allowed."""
    place = folder / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
