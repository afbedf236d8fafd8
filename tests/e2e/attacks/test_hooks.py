"""Hooks that fail, loop or hang, again and again: their connections stay, a healthy client loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from tests.e2e.attacks.scene import ROUTES, Attacker, attacker, eventually, healthy, server
from tests.e2e.serving import program_bytes
from tests.runtime.parts import entry
from tests.runtime.transport.harness import masked

ROUNDS = 20
HOOKS = {
    "faults": ("- Throw: {message: no}", "thrown"),
    "divides": ("- SetVar: {var: x, value: '{{ 1 / (message == \"go\" ? 1 : 0) }}'}", "division_by_zero"),
    "loops": (
        "- While: {condition: true, max_iterations: 100000, body: [{SetVar: {var: x, value: 1}}]}",
        "out_of_fuel",
    ),
    "sleeps": ("- Sleep: {duration_ms: 5000}", "hook_timeout"),
}
ROUTE = """\
name: Bad
path: /ws/bad
route_type: WebSocket
ws_hooks:
  on_message:
    - If:
        condition: "{{{{ message == 'go' }}}}"
        then: [{{WsOp: {{command: send, message: still here}}}}, {{Return: {{}}}}]
    {operation}
"""


@pytest.mark.parametrize(("operation", "result"), HOOKS.values(), ids=HOOKS)
async def test_a_hook_that_goes_wrong_again_and_again(operation: str, result: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(ROUTE.format(operation=operation), encoding="utf-8")
    limits = ServerLimits(fuel=2_000, hook_seconds=5, sleep_seconds=1, drain_seconds=3)
    async with server(limits=limits) as app, healthy(app) as client:
        app.swap([*map(entry, ROUTES), *entries_of(load(program_bytes(file), app.context))])
        attackers = [await attacker(app, "/ws/bad") for _ in range(3)]
        for one in attackers:
            one.send(masked(1, b"wrong") * ROUNDS)
        tally = app.counters.hook
        await eventually(lambda: sum(tally[key].runs for key in tally if key[2] == result) == 3 * ROUNDS)
        await client.exchanges(3)
        for one in attackers:
            await expect_still_here(one)
        assert app.connections == 4


async def expect_still_here(one: Attacker) -> None:
    one.send(masked(1, b"go"))
    assert await one.reader.readexactly(12) == b"\x81\x0astill here"
