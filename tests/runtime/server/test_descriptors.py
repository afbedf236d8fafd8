"""A process may open as many connections as its limits say, where the system lets it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime.server.descriptors import SPARE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux, seen in /proc")
OPENED = """
import resource, sys
from pathlib import Path
from runtime.server.descriptors import make_room

resource.setrlimit(resource.RLIMIT_NOFILE, (300, {hard}))
make_room({connections})
size = Path("/proc/self/status").read_text().partition("FDSize:")[2].split()[0]
print(*resource.getrlimit(resource.RLIMIT_NOFILE), size, len(list(Path("/proc/self/fd").iterdir())))
"""


def after(*, hard: int, connections: int) -> tuple[int, ...]:
    """The limits of a process that made room, the size of the kernel's table of its files, and how many are open."""
    code = OPENED.format(hard=hard, connections=connections)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return tuple(map(int, done.stdout.split()))


def test_the_limit_is_raised_and_the_table_is_large_before_anybody_comes() -> None:
    soft, hard, size, opened = after(hard=4_000, connections=1_000)
    assert (soft, hard) == (1_000 + SPARE, 4_000)
    assert size >= 1_000 + SPARE
    assert opened <= 4  # three of every process, and the folder that is counted


def test_not_above_what_the_system_permits() -> None:
    soft, hard, size, _ = after(hard=800, connections=1_000)
    assert (soft, hard) == (800, 800)
    assert size >= 800


def test_a_limit_that_is_high_enough_stays() -> None:
    soft, _, size, _ = after(hard=4_000, connections=10)
    assert soft == 300
    assert size >= 10 + SPARE
