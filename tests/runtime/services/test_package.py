"""The doors of a server: opened late, closed together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compiler.language.effects import EFFECTS
from runtime.limits import ServerLimits
from runtime.services import OUTSIDE, Addresses, Services
from tests.canary import CANARY


def test_nothing_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, runtime.app; from runtime.services import *; from runtime.limits import ServerLimits;"
        "names = ('sqlalchemy', 'redis', 'httpx', 'aiosqlite', 'asyncpg');"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


async def test_a_door_is_made_once_and_closed(tmp_path: Path) -> None:
    services = Services(Addresses(f"sqlite:///{tmp_path / 'a.db'}"), ServerLimits())
    services.prepare(["sql", "redis", "http", "log"])
    assert not (tmp_path / "a.db").exists()
    assert await services.perform("sql", "SELECT 1 AS one", None, "query", "one") == {"one": 1}
    await services.close()
    assert await services.perform("sql", "SELECT 1 AS one", None, "query", "one") == {"one": 1}
    await services.close()


def test_a_wrong_address_is_told_before_anything_is_served() -> None:
    with pytest.raises(ValueError, match="address"):
        Services(Addresses("mysql://x"), ServerLimits()).prepare(["sql"])


def test_addresses_are_not_shown() -> None:
    assert CANARY not in repr(Addresses(f"postgresql://a:{CANARY}@b/c", f"redis://:{CANARY}@d"))


def test_the_effects_are_those_of_the_language() -> None:
    assert set(EFFECTS) >= OUTSIDE
    assert all(EFFECTS[name].waits for name in OUTSIDE)
