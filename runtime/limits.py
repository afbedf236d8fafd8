"""THE limits of the server (runtime section 2), each declared once: default, unit, meaning, and what happens over it.

Everything else follows from the declarations: settings (`worpen_cli.limits`), the list of `--print-limits`, the page
docs/limits.md, and the label under which a limit that was reached is counted (`worpen_limits_reached_total`). The
language's own limits are in `compiler.language.limits`.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias, cast

from compiler.language.limits import FUEL, SLEEP_SECONDS

Amount: TypeAlias = int | float
"""The value of a limit, in its unit."""
KIB: Final = 1024
MIB: Final = 1024 * 1024


class Unit(Enum):
    """What a limit counts. Counts and bytes are whole numbers."""

    COUNT = "count"
    BYTES = "bytes"
    SECONDS = "seconds"
    RATE = "a second"
    BYTE_RATE = "bytes a second"

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing between two neighbouring values."""
        return self in (Unit.COUNT, Unit.BYTES)


def _limit(default: Amount, unit: Unit, meaning: str, over: str, *, zero: str = "") -> Any:
    """A limit's field. `over`: what happens over it, if anything; `zero`: what 0 means, where it may be."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "over": over, "zero": zero})


_NO_LIMIT: Final = "no limit"


@dataclass(frozen=True, slots=True)
class WireLimits:
    """What one connection may cost on the wire."""

    open_handshakes: int = _limit(512, Unit.COUNT, "handshakes under way at once", "dropped")
    handshake_seconds: float = _limit(
        5.0, Unit.SECONDS, "from the TCP connection to the answer, authentication included", "dropped"
    )
    request_line_bytes: int = _limit(8 * KIB, Unit.BYTES, "the request line, and each header line", "431")
    header_count: int = _limit(
        128, Unit.COUNT, "header lines of a request, and items of the lists in them that are read", "431"
    )
    head_bytes: int = _limit(32 * KIB, Unit.BYTES, "request line and headers together", "431")
    max_message_bytes: int = _limit(
        64 * KIB, Unit.BYTES, "one message, all its fragments together, after inflation", "close 1009"
    )
    fragments: int = _limit(256, Unit.COUNT, "frames of one message", "close 1008")
    assembly_seconds: float = _limit(
        10.0, Unit.SECONDS, "from the first to the last byte of a message, pauses of reading not counted", "close 1008"
    )
    message_rate: float = _limit(1_000.0, Unit.RATE, "messages from one connection", "close 1008", zero=_NO_LIMIT)
    message_burst: int = _limit(2_000, Unit.COUNT, "messages at once, after a quiet time", "close 1008")
    byte_rate: float = _limit(
        float(MIB), Unit.BYTE_RATE, "from one connection, frame headers included", "close 1008", zero=_NO_LIMIT
    )
    byte_burst: int = _limit(4 * MIB, Unit.BYTES, "bytes at once, after a quiet time", "close 1008")
    control_rate: float = _limit(10.0, Unit.RATE, "pings and pongs from one connection", "close 1008", zero=_NO_LIMIT)
    control_burst: int = _limit(20, Unit.COUNT, "pings and pongs at once, after a quiet time", "close 1008")
    inbox_messages: int = _limit(64, Unit.COUNT, "messages waiting for a running hook", "reading pauses")
    inbox_bytes: int = _limit(
        256 * KIB, Unit.BYTES, "size of the messages waiting for a running hook", "reading pauses"
    )
    slice_bytes: int = _limit(
        4 * KIB, Unit.BYTES, "input of one connection parsed at once; more waits, and others have their turn", ""
    )
    slices_seconds: float = _limit(
        0.0001, Unit.SECONDS, "time of one turn of the loop spent on input that waits, of all connections", ""
    )
    unsent_bytes: int = _limit(1 * MIB, Unit.BYTES, "bytes that a connection has not taken yet", "aborted")
    stall_seconds: float = _limit(
        10.0, Unit.SECONDS, "time in which a connection takes nothing of what waits for it", "aborted"
    )
    ping_seconds: float = _limit(
        20.0, Unit.SECONDS, "time without input after which a ping is sent", "ping", zero="no pings"
    )
    pong_seconds: float = _limit(10.0, Unit.SECONDS, "time after that ping in which anything must arrive", "aborted")
    close_seconds: float = _limit(
        5.0, Unit.SECONDS, "time to answer a close frame, and for the last bytes to leave", "aborted"
    )
    penalty_rate: float = _limit(
        1.0, Unit.RATE, "connections and requests told at once that they broke the protocol or a limit of the wire",
        "told after `penalty_seconds`", zero=_NO_LIMIT,
    )  # fmt: skip
    penalty_burst: int = _limit(20, Unit.COUNT, "the same at once, after a quiet time", "told after `penalty_seconds`")
    penalty_seconds: float = _limit(5.0, Unit.SECONDS, "until the others are told; nothing is read meanwhile", "")
    penalties: int = _limit(512, Unit.COUNT, "who waits for that at once; over it the oldest is told", "")
    fan_out_members: int = _limit(500, Unit.COUNT, "connections written by broadcasts in one turn of the loop", "")
    fan_out_seconds: float = _limit(0.005, Unit.SECONDS, "time of one turn of the loop spent on broadcasts", "")


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What connections and their hooks may cost the server."""

    connections: int = _limit(20_000, Unit.COUNT, "open connections of this node", "503 with Retry-After")
    connections_per_address: int = _limit(
        1_000, Unit.COUNT,
        "open connections from one IP address, of IPv6 from one /64 network; from this machine there is no limit",
        "503 with Retry-After",
    )  # fmt: skip
    connections_per_user: int = _limit(
        100, Unit.COUNT, "open connections of one user, the `sub` of a token, on this node", "503 with Retry-After"
    )
    connection_rate: float = _limit(
        500.0, Unit.RATE, "handshakes accepted; twice as many connections are taken, others wait in the kernel's queue",
        "503 with Retry-After", zero=_NO_LIMIT,
    )  # fmt: skip
    connection_burst: int = _limit(
        2_000, Unit.COUNT, "handshakes accepted at once, after a quiet time", "503 with Retry-After"
    )
    retry_seconds: float = _limit(
        10.0, Unit.SECONDS, "the longest delay that clients are told to come back after; a random one from 1 s", ""
    )
    fuel: int = _limit(
        FUEL, Unit.COUNT, "rounds of loops and inner expressions in one run of a hook", "error in the hook"
    )
    auth_seconds: float = _limit(2.0, Unit.SECONDS, "one run of `on_auth`, its Sleeps not counted", "403")
    hook_seconds: float = _limit(10.0, Unit.SECONDS, "one run of a hook, its Sleeps not counted", "error in the hook")
    sleep_seconds: float = _limit(
        float(SLEEP_SECONDS), Unit.SECONDS, "all Sleeps of one run of a hook together", "error in the hook"
    )
    outside_calls: int = _limit(
        64, Unit.COUNT, "SqlOp, RedisOp and HttpRequest in one run of a hook", "error in the hook"
    )
    sql_calls: int = _limit(16, Unit.COUNT, "SqlOp in one run of a hook", "error in the hook")
    sql_seconds: float = _limit(2.0, Unit.SECONDS, "one SQL statement, after which it is stopped", "error in the hook")
    sql_rows: int = _limit(1_000, Unit.COUNT, "rows that one statement gives", "error in the hook")
    sql_connections: int = _limit(10, Unit.COUNT, "connections of this node to its database; more statements wait", "")
    redis_seconds: float = _limit(0.5, Unit.SECONDS, "one Redis command, connecting included", "error in the hook")
    redis_connections: int = _limit(32, Unit.COUNT, "connections of RedisOp to its server; more commands wait", "")
    http_body_bytes: int = _limit(1 * MIB, Unit.BYTES, "the body of an HTTP answer", "error in the hook")
    http_connections: int = _limit(64, Unit.COUNT, "HTTP requests under way at once; more wait", "")
    channels: int = _limit(128, Unit.COUNT, "channels that one connection is in", "error in the hook")
    history_bytes: int = _limit(
        64 * MIB, Unit.BYTES, "what all channels with `history` keep together, without a bus", "the oldest is dropped"
    )
    history_channel_bytes: int = _limit(
        8 * MIB, Unit.BYTES, "what one channel with `history` keeps in the store of the bus", "the oldest is dropped"
    )
    history_reads: int = _limit(
        16, Unit.COUNT, "questions of this node to the store for what clients missed, at once; more wait", ""
    )
    drain_seconds: float = _limit(
        30.0, Unit.SECONDS, "from the signal to the end of the program, hanging hooks or not", "dropped"
    )
    hurried_drain_seconds: float = _limit(2.0, Unit.SECONDS, "the same after a second signal", "dropped")
    drain_spread_seconds: float = _limit(
        10.0, Unit.SECONDS, "time over which the close frames of a drain are spread", "", zero="all at once"
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """A declared limit."""

    name: str
    owner: type[WireLimits] | type[ServerLimits]
    default: Amount
    unit: Unit
    meaning: str
    over: str
    """What happens over it: a close code, an HTTP status, or a word; empty where nothing is refused."""
    zero: str
    """What 0 stands for; empty where the value must be greater."""

    def read(self, written: object) -> Amount:
        """A value as people write it: a number, or a text with a unit (`64KiB`, `250ms`). Raises ValueError."""
        amount = written if isinstance(written, int | float) else _amount(str(written), self.unit)
        if isinstance(amount, bool) or not math.isfinite(amount):
            raise ValueError(f"{self._wanted()}, and this is {written!r}")
        if amount < 0 or (amount == 0 and not self.zero) or (self.unit.is_whole and amount != int(amount)):
            raise ValueError(f"{self._wanted()}, and this is {written!r}")
        return int(amount) if self.unit.is_whole else float(amount)

    def show(self, amount: Amount) -> str:
        """The value for people: `64 KiB`, `10 s`, `1000/s`, `no limit`."""
        if amount == 0 and self.zero:
            return self.zero
        match self.unit:
            case Unit.COUNT:
                return str(amount)
            case Unit.BYTES:
                return _show_bytes(amount)
            case Unit.SECONDS:
                return f"{amount * 1000:g} ms" if amount < 1 else f"{amount:g} s"
            case Unit.RATE:
                return f"{amount:g}/s"
            case Unit.BYTE_RATE:
                return f"{_show_bytes(amount)}/s"

    def _wanted(self) -> str:
        kind = "a whole number" if self.unit.is_whole else "a number"
        unit = "" if self.unit is Unit.COUNT else f" ({self.unit.value})"
        return f"it is {kind}{unit}, {'0 or more' if self.zero else 'more than 0'}"


def _declared() -> Iterator[Limit]:
    for owner in (WireLimits, ServerLimits):
        for row in dataclasses.fields(owner):
            told = row.metadata
            default = cast("Amount", row.default)
            yield Limit(row.name, owner, default, told["unit"], told["meaning"], told["over"], told["zero"])


LIMITS: Final[dict[str, Limit]] = {limit.name: limit for limit in _declared()}
"""THE table: every limit by its name, in the order of declaration."""


_WRITTEN: Final = re.compile(r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)\s*([A-Za-z]*)(?:/s)?")
_SIZES: Final = {"": 1, "b": 1, "kib": KIB, "mib": MIB, "gib": KIB * MIB, "kb": 1_000, "mb": 1_000_000}
_TIMES: Final = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0}
_SUFFIXES: Final[dict[Unit, dict[str, float]]] = {
    Unit.COUNT: {"": 1},
    Unit.BYTES: dict(_SIZES),
    Unit.SECONDS: _TIMES,
    Unit.RATE: {"": 1},
    Unit.BYTE_RATE: dict(_SIZES),
}


def route_limit(options: Mapping[str, Any], key: str, server: float) -> float:
    """A limit of a route: its own, where that is narrower than the server's (0: the server has none)."""
    own = options.get("limits", {}).get(key)
    if own is None:
        return server
    return float(own) if not server else min(float(own), server)


def _amount(written: str, unit: Unit) -> float:
    """A number with an optional unit behind it; not a number where it is none."""
    match = _WRITTEN.fullmatch(written.strip())
    factor = _SUFFIXES[unit].get(match[2].lower()) if match else None
    return math.nan if match is None or factor is None else float(match[1]) * factor


def _show_bytes(amount: Amount) -> str:
    for size, name in ((MIB, "MiB"), (KIB, "KiB")):
        if amount >= size and amount % size == 0:
            return f"{amount / size:g} {name}"
    return f"{amount:g} B"
