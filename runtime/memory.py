"""Memory that many connections took goes back to the system when most of them are gone.

What has ended leaves memory at once, but three things stay as large as the busiest time made them:

    tables          dictionaries and sets shrink only when as many entries more have come
    spare objects   Python keeps some of each kind for the next ones; a look for all garbage lets go of them
    gaps            the C library returns what lies at the end of its heap, and what lies between only when asked

To let go of all that takes milliseconds where many connections live: who calls this does it seldom.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any


def pack(table: dict[Any, Any] | set[Any]) -> None:
    """Make a table as large as what is in it. It stays the same object, its entries keep their order."""
    kept = table.copy()
    table.clear()
    table.update(kept)


def give_back() -> None:
    """Look for garbage, and have what is free given back."""
    gc.collect()
    close_gaps()


def close_gaps() -> None:
    """Have the C library give back what is free between blocks in use, where it can be asked: glibc's can."""
    if _trim is not None:
        _trim(0)


def _find_trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "malloc_trim", None)


# Found while nobody is connected: what importing takes would lie amid the memory of connections, and hold it.
_trim = _find_trim()
