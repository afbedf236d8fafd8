"""Whatever carries frames can stand where a bus is wanted."""

from __future__ import annotations

import inspect

from runtime.bus import Bus
from runtime.bus.local import LocalBus


def test_the_local_bus_is_a_bus() -> None:
    wanted, given = inspect.signature(Bus.publish), inspect.signature(LocalBus.publish)
    assert list(wanted.parameters) == list(given.parameters)
