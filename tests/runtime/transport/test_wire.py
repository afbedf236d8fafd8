from __future__ import annotations

from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import Recorder, masked, serving, upgraded


def test_counters_are_right_when_they_are_settled(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder()) as (wire, port), upgraded(port) as client:
            client.send(masked(1, b"x") * 3 + masked(9))
            for _ in range(4):
                await client.frame()
            counters = wire.counters
            assert (counters.connections, counters.pings_in) == (1, 1)
            for _ in range(2):  # settling twice counts nothing twice
                wire.settle()
                assert (counters.messages_in, counters.messages_out) == (3, 3)
                assert (counters.bytes_in, counters.bytes_out) == (3 * 7 + 6, 3 * 3 + 2)

    run(scenario())
