"""Whatever carries frames can stand where a bus is wanted."""

from __future__ import annotations

import inspect
from uuid import RFC_4122, UUID

from runtime.bus import Bus, random_id
from runtime.bus.local import LocalBus


def test_the_local_bus_is_a_bus() -> None:
    wanted, given = inspect.signature(Bus.publish), inspect.signature(LocalBus.publish)
    assert list(wanted.parameters) == list(given.parameters)


def test_ids_are_random_uuids() -> None:
    ids = [random_id() for _ in range(200)]
    assert all(str(UUID(one)) == one and UUID(one).version == 4 and UUID(one).variant == RFC_4122 for one in ids)
    assert len(set(ids)) == 200
