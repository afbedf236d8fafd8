"""Real databases and a real Valkey, started once for all tests of a process that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgresql import Postgresql, postgresql
from tests.runtime.bus.valkey import Valkey, valkey


@pytest.fixture(scope="session")
def shared_postgresql() -> Iterator[Postgresql]:
    """A server that tests leave as it is, each with tables of its own."""
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    """A server that tests leave running, each with keys of its own."""
    with valkey() as server:
        yield server
