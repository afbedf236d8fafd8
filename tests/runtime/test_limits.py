"""The table of limits: what follows from the declarations."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from runtime.limits import LIMITS, Limit, ServerLimits, Unit, WireLimits, route_limit

RUNTIME = Path(__file__).parents[2] / "runtime"
COUNTED_UNDER_ITS_RATE = {"message_burst", "byte_burst", "control_burst", "connection_burst", "penalty_burst"}
COUNTED_BY_ANOTHER = {"hurried_drain_seconds": "drain_seconds"}


def test_every_limit_is_in_the_table_and_finite() -> None:
    declared = {row.name for owner in (WireLimits, ServerLimits) for row in dataclasses.fields(owner)}
    assert set(LIMITS) == declared
    for limit in LIMITS.values():
        assert 0 < limit.default < float("inf")
        assert limit.meaning


def test_the_defaults_of_the_paper() -> None:
    wire, server = WireLimits(), ServerLimits()
    assert (wire.open_handshakes, wire.handshake_seconds) == (512, 5)
    assert (wire.request_line_bytes, wire.header_count) == (8192, 128)
    assert (server.connections, server.connections_per_address) == (20_000, 1_000)
    assert (server.connection_rate, server.connection_burst) == (500, 2_000)
    assert (wire.max_message_bytes, wire.fragments, wire.assembly_seconds) == (65_536, 256, 10)
    assert (wire.message_rate, wire.message_burst) == (1_000, 2_000)
    assert (wire.byte_rate, wire.byte_burst) == (1 << 20, 4 << 20)
    assert (wire.control_rate, wire.control_burst) == (10, 20)
    assert (wire.inbox_messages, wire.inbox_bytes) == (64, 256 << 10)
    assert (wire.unsent_bytes, wire.stall_seconds) == (1 << 20, 10)
    assert (server.hook_seconds, server.sleep_seconds, server.fuel) == (10, 60, 100_000)
    assert (wire.ping_seconds, wire.pong_seconds) == (20, 10)
    assert (server.channels, server.drain_seconds, server.hurried_drain_seconds) == (128, 30, 2)


def test_each_limit_with_a_consequence_is_counted_somewhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in RUNTIME.rglob("*.py") if path.name != "limits.py")
    for limit in LIMITS.values():
        if limit.over and limit.name not in COUNTED_UNDER_ITS_RATE:
            assert f'"{COUNTED_BY_ANOTHER.get(limit.name, limit.name)}"' in text, limit.name


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("max_message_bytes", 10, 10),
        ("max_message_bytes", "10", 10),
        ("max_message_bytes", "64KiB", 65_536),
        ("max_message_bytes", "1.5 MiB", 1_572_864),
        ("max_message_bytes", "2kb", 2_000),
        ("byte_rate", "1MiB/s", 1_048_576.0),
        ("message_rate", 0, 0.0),
        ("message_rate", "2_000", 2_000.0),
        ("stall_seconds", "250ms", 0.25),
        ("stall_seconds", "2m", 120.0),
        ("stall_seconds", 3, 3.0),
    ],
)
def test_values_as_people_write_them(name: str, written: object, value: float) -> None:
    read = LIMITS[name].read(written)
    assert read == value
    assert isinstance(read, int) is LIMITS[name].unit.is_whole


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("max_message_bytes", 0),
        ("max_message_bytes", -1),
        ("max_message_bytes", 1.5),
        ("max_message_bytes", "1.5"),
        ("max_message_bytes", "10s"),
        ("max_message_bytes", "many"),
        ("max_message_bytes", True),
        ("max_message_bytes", [1]),
        ("stall_seconds", "10KiB"),
        ("stall_seconds", float("inf")),
        ("stall_seconds", float("nan")),
        ("stall_seconds", "inf"),
        ("message_rate", -1),
        ("fragments", ""),
    ],
)
def test_values_that_are_refused(name: str, written: object) -> None:
    with pytest.raises(ValueError, match=r"it is a (whole )?number"):
        LIMITS[name].read(written)


@pytest.mark.parametrize(
    ("name", "amount", "shown"),
    [
        ("fragments", 256, "256"),
        ("max_message_bytes", 65_536, "64 KiB"),
        ("max_message_bytes", 1_000, "1000 B"),
        ("byte_rate", 1 << 20, "1 MiB/s"),
        ("message_rate", 0, "no limit"),
        ("message_rate", 1_000.0, "1000/s"),
        ("fan_out_seconds", 0.005, "5 ms"),
        ("ping_seconds", 0, "no pings"),
        ("ping_seconds", 20.0, "20 s"),
    ],
)
def test_values_for_people(name: str, amount: float, shown: str) -> None:
    assert LIMITS[name].show(amount) == shown


def _shown_and_read(limit: Limit) -> float:
    shown = limit.show(limit.default)
    return limit.read(shown if limit.unit is Unit.BYTE_RATE else re.sub(r"/s$", "", shown))


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_what_is_shown_can_be_written(limit: Limit) -> None:
    assert _shown_and_read(limit) == limit.default


@pytest.mark.parametrize(
    ("own", "server", "limit"), [(None, 10.0, 10.0), (5, 10.0, 5.0), (50, 10.0, 10.0), (5, 0.0, 5.0), (None, 0.0, 0.0)]
)
def test_limits_of_a_route_are_narrower_only(own: float | None, server: float, limit: float) -> None:
    options = {} if own is None else {"limits": {"hook_timeout": own}}
    assert route_limit(options, "hook_timeout", server) == limit
