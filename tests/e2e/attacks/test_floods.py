"""Too much of everything, from clients that do not care: they are ended, and a healthy client loses nothing."""

from __future__ import annotations

import asyncio

import pytest

from runtime.limits import ServerLimits, WireLimits
from tests.e2e.attacks.scene import PATIENCE_SECONDS, attacker, close_code, eventually, healthy, server
from tests.runtime.transport.harness import masked, upgrade_request

TEXT, BINARY, PING, PONG = 1, 2, 9, 10
ATTACKERS = 5

FLOODS = {
    "pings": (masked(PING, b"x" * 125) * 2_000, 1008, "control_rate"),
    "pongs": (masked(PONG) * 2_000, 1008, "control_rate"),
    "256 KiB of empty messages": (masked(TEXT) * (256 * 1024 // 6), 1008, "message_rate"),
    "256 KiB of empty fragments": (masked(TEXT, fin=False) + masked(0, fin=False) * 43_000, 1008, "fragments"),
    "tiny fragments": (masked(TEXT, b"x", fin=False) + masked(0, b"x", fin=False) * 1_000, 1008, "fragments"),
    "messages": (masked(TEXT, b"hello") * 5_000, 1008, "message_rate"),
    "bytes": (masked(BINARY, b"x" * 60_000) * 100, 1008, "byte_rate"),
    "a message that is too long": (masked(TEXT, b"x" * 65_537), 1009, "max_message_bytes"),
    "fragments that are too long": (masked(TEXT, b"x" * 60_000, fin=False) * 1 + masked(0, b"x" * 6_000), 1009,
                                    "max_message_bytes"),
    "a length that nobody has": (b"\x82\xff" + (1 << 62).to_bytes(8, "big") + b"mask", 1009, "max_message_bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "code", "limit"), FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("reads", [True, False], ids=["reads", "does not read"])
async def test_a_flood(sent: bytes, code: int, limit: str, reads: bool) -> None:
    async with server() as app, healthy(app) as client:
        attackers = [await attacker(app, "/ws/echo") for _ in range(ATTACKERS)]
        for one in attackers:
            if not reads:
                one.stop_reading()
            one.send(sent)
        if reads:
            assert {close_code(await one.rest()) for one in attackers} == {code}
        await eventually(lambda: app.connections == 1)
        assert app.wire_counters.limits_reached[limit] == ATTACKERS
        await client.exchanges(3)


async def test_text_that_is_none_reaches_nobody() -> None:
    surrogate = b"\xed\xa0\x80"
    async with server() as app, healthy(app):
        listener = await attacker(app, "/ws/room")
        for payload in (surrogate, b"\xff", b"ok" + surrogate):
            one = await attacker(app, "/ws/room")
            one.send(masked(TEXT, payload))
            assert close_code(await one.rest()) == 1007
        last = await attacker(app, "/ws/room")
        last.send(masked(TEXT, b"all is well"))
        assert await listener.reader.readexactly(13) == b"\x81\x0ball is well"


async def test_a_poison_text_stops_at_its_sender() -> None:
    async with server() as app, healthy(app):
        listener, sender = await attacker(app, "/ws/room"), await attacker(app, "/ws/poison")
        for _ in range(10):
            sender.send(masked(TEXT, b"go"))
        speaker = await attacker(app, "/ws/room")
        await eventually(lambda: app.counters.hook.get(("poison", "on_message", "send_refused")) is not None)
        speaker.send(masked(TEXT, b"after"))
        for client in (listener, speaker, sender):
            assert await client.reader.readexactly(7) == b"\x81\x05after"


# Handshakes.

HEADS = {
    "a long request line": (b"GET /" + b"x" * 9_000, "request_line_bytes"),
    "a long header": (upgrade_request("/ws/echo", "X: " + "x" * 9_000), "request_line_bytes"),
    "many headers": (upgrade_request("/ws/echo", *["X: y"] * 200), "header_count"),
    "many items in a header": (
        upgrade_request("/ws/echo", "Sec-WebSocket-Protocol: " + "a," * 4_000 + "a"),
        "header_count",
    ),
    "headers without end": (b"GET / HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyyyyy\r\n" * 3_000, "head_bytes"),
}


@pytest.mark.parametrize(("sent", "limit"), HEADS.values(), ids=HEADS)
async def test_huge_heads(sent: bytes, limit: str) -> None:
    async with server() as app, healthy(app):
        attackers = [await attacker(app) for _ in range(ATTACKERS)]
        for one in attackers:
            one.send(sent)
            assert (await one.rest()).startswith(b"HTTP/1.1 431 ")
        assert app.wire_counters.limits_reached == {limit: ATTACKERS}


async def test_handshakes_that_never_end() -> None:
    wire = WireLimits(handshake_seconds=0.5, open_handshakes=20)
    async with server(wire=wire) as app, healthy(app) as client:
        attackers = [await attacker(app) for _ in range(50)]
        for byte in upgrade_request("/ws/echo")[:40]:
            for one in attackers:
                one.send(bytes([byte]))
            await asyncio.sleep(0.02)
        assert {await one.rest() for one in attackers} == {b""}
        assert app.wire_counters.limits_reached == {"open_handshakes": 30, "handshake_seconds": 20}
        await attacker(app, "/ws/echo")  # there is room again
        await client.exchanges(3)


# Connections.


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (ServerLimits(connections=6, drain_seconds=3), "connections"),
        (ServerLimits(connection_rate=0.001, connection_burst=6, drain_seconds=3), "connection_rate"),
    ],
    ids=["too many", "too fast"],
)
async def test_too_many_connections(limits: ServerLimits, limit: str) -> None:
    async with server(limits=limits) as app, healthy(app):
        for _ in range(5):
            await attacker(app, "/ws/echo")
        delays = set()
        for _ in range(20):
            refused = await attacker(app)
            refused.send(upgrade_request("/ws/echo"))
            answer = await refused.rest()
            assert answer.startswith(b"HTTP/1.1 503 ")
            delays.add(int(answer.partition(b"\r\nRetry-After: ")[2].split(b"\r\n")[0]))
        assert len(delays) > 1, "they would all come back at once"
        assert delays <= set(range(1, 11))
        assert app.wire_counters.limits_reached == {limit: 20}
        assert app.connections == 6


async def test_who_was_refused_leaves_the_rate_to_others() -> None:
    limits = ServerLimits(connection_rate=20, connection_burst=2, drain_seconds=3)
    async with server(limits=limits) as app, healthy(app):

        async def status() -> bytes:
            one = await attacker(app)
            one.send(upgrade_request("/ws/echo"))
            answer = await one.reader.readuntil(b"\r\n\r\n")
            one.close()
            return answer.split()[1]

        for _ in range(1_000):
            await status()
        assert app.wire_counters.limits_reached["connection_rate"] > 20 * PATIENCE_SECONDS
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await status() != b"101":  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.1)


def test_the_floods_are_more_than_the_defaults_allow() -> None:
    wire = WireLimits()
    assert len(FLOODS["bytes"][0]) > wire.byte_burst
    assert wire.message_burst < 5_000
    assert wire.control_burst < 2_000
