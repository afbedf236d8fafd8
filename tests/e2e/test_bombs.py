"""Routes that want to run for ever or to fill the memory are ended, at a place in their file."""

from __future__ import annotations

import pytest

from tests.bench.bombs import BOMBS, ended, linked


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_by_a_fault_with_a_place(name: str) -> None:
    operations, code = BOMBS[name]
    fault = ended(linked(operations))
    assert fault.code == code
    assert fault.mark is not None
    assert fault.mark.line > 5
