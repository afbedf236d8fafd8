"""Every scenario runs on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from tests.runtime.transport.harness import Deliberate

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a scenario to its end; what reaches the loop's exception handler fails it."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop
    troubles: list[dict[str, Any]] = []

    async def watched(scenario: Coroutine[Any, Any, None]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        await scenario

    def run_scenario(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(watched(scenario))
        assert not [trouble for trouble in troubles if not isinstance(trouble.get("exception"), Deliberate)]

    return run_scenario
