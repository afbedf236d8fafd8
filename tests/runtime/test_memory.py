"""What goes back to the system, and when."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from pathlib import Path

import pytest

from runtime import memory
from runtime.memory import give_back, pack


@pytest.mark.parametrize("table", [dict.fromkeys(range(10_000)), set(range(10_000))], ids=["dict", "set"])
def test_a_table_that_was_full_is_as_large_as_what_is_left(table: dict[int, None] | set[int]) -> None:
    full = sys.getsizeof(table)
    for number in range(9_990):
        if isinstance(table, dict):
            del table[number]
        else:
            table.remove(number)
    assert sys.getsizeof(table) == full, "it shrinks by itself now: `pack` is not needed any more"
    pack(table)
    assert list(table) == list(range(9_990, 10_000))
    assert sys.getsizeof(table) < full / 100


def test_garbage_goes() -> None:
    class Cycle:
        pass

    gc.disable()
    try:
        cycle: object = Cycle()
        cycle.__dict__["itself"] = cycle
        known = weakref.ref(cycle)
        del cycle
        assert known() is not None
        give_back()
        assert known() is None
    finally:
        gc.enable()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(memory._trim is None, reason="the C library cannot be asked")
def test_gaps_between_what_lives_go_back_to_the_system() -> None:
    blocks = [bytes(2_000) for _ in range(20_000)]
    kept = blocks[::200]
    del blocks
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > 20_000_000
    assert len(kept) == 100
