"""What is told of hooks that do not end well, and of messages that no hook sees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from compiler.diagnostics import codes
from compiler.language.faults import Fault, HookTimeout
from runtime.events import HookCancelled, Trouble
from runtime.server.troubles import COMPLAINT_SECONDS, Complaints, result_of
from runtime.session import Cancelled, Outcome
from tests.runtime.parts import route
from tests.runtime.server.harness import client, over, started


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (None, "ok"),
        (Cancelled(), "cancelled"),
        (Fault(codes.DIVISION_BY_ZERO, "division by zero"), "division_by_zero"),
        (HookTimeout("too long"), "hook_timeout"),
        (KeyError("a bug"), "bug"),
    ],
)
def test_how_a_hook_ended(outcome: Outcome, result: str) -> None:
    assert result_of(outcome) == result


def test_of_what_comes_often_the_first_is_told_and_then_how_many_there_were() -> None:
    complaints = Complaints()
    assert complaints.said("bad", "it is bad", 5.0) == "it is bad"
    assert complaints.said("bad", "it is worse", 5.1) is None
    assert complaints.said("fast", "it is fast", 5.2) == "it is fast"
    assert complaints.said("bad", "it is bad", 5.2) is None
    assert complaints.said("bad", "at last", 5.0 + COMPLAINT_SECONDS) == "at last (and 2 more before)"
    assert complaints.said("bad", "again", 5.0 + 2 * COMPLAINT_SECONDS) == "again"


async def test_a_bug_of_ours_closes_with_an_id_that_is_told() -> None:
    def bug(*_: Any) -> Any:
        raise KeyError("secret")

    heard: list[Any] = []
    async with started(route(on_message=bug)) as app:
        app.events.subscribe(heard.append)
        async with client(app) as speaker:
            await speaker.send("x")
            with pytest.raises(ConnectionClosed) as caught:
                await speaker.recv()
        (trouble,) = [event for event in heard if isinstance(event, Trouble)]
        assert "secret" in trouble.traceback
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1011, f"error {trouble.error_id}")
        assert app.counters.troubles == 1


async def test_a_hook_whose_client_leaves_is_cancelled() -> None:
    async def slow(inputs: Any, slots: Any, emit: Any) -> Any:
        await emit("sleep", 30_000)

    heard: list[Any] = []
    async with started(route(on_message=slow, waiting=("on_message",))) as app:
        app.events.subscribe(heard.append)
        async with client(app) as speaker:
            await speaker.send("x")
            await asyncio.sleep(0.05)
        await over(app)
    assert [event.hook for event in heard if isinstance(event, HookCancelled)] == ["on_message"]
