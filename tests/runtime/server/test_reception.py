"""Where requests lead, over real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from compiler.language.hooks import INPUT_NUMBERS
from runtime.app import App, show_address
from runtime.events import Refused
from runtime.limits import ServerLimits
from runtime.server import reception
from runtime.server.catalogue import BrokenRoute
from runtime.transport import handshake
from tests.runtime.parts import route
from tests.runtime.server.harness import UPGRADE, ask, client, over, port, started


def plain(path: str = "/ws/test", **parts: Any) -> Any:
    return route(path, on_connect=lambda *_: "welcome", **parts)


async def test_the_servers_own_addresses() -> None:
    async with started(plain()) as app:
        assert (await ask(app, "/healthz")).status == 200
        assert (await ask(app, "/readyz")).status == 200
        metrics = await ask(app, "/metrics")
        assert metrics.status == 200
        assert "worpen_handshakes_total" in metrics.body


@pytest.mark.parametrize(("seconds", "made"), [(60, 1), (0, 20)])
async def test_metrics_are_made_seldom_however_many_ask(
    seconds: float, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "METRICS_SECONDS", seconds)
    texts = iter(f"text {number}\n" for number in range(100))
    monkeypatch.setattr(App, "exposition", lambda _: next(texts))
    async with started(plain()) as app:
        bodies = [(await ask(app, "/metrics")).body for _ in range(20)]
    assert bodies[-1] == f"text {made - 1}\n"


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/test/", "/ws/tests", "/ws/off"])
async def test_unknown_and_disabled_routes(path: str) -> None:
    async with started(plain(), plain("/ws/off", options={"enabled": False})) as app:
        assert (await ask(app, path)).status == 404
        assert (await ask(app, path, headers=UPGRADE)).status == 404


async def test_plain_http_on_a_route() -> None:
    async with started(plain()) as app:
        for path in ("/ws/test", "/api/ws/test?x=1"):
            answer = await ask(app, path)
            assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("path", ["/ws/%zz", "/ws/%FF", "/ws/test?x=%FF"])
async def test_bad_encoding(path: str) -> None:
    async with started(plain("/ws/:name")) as app:
        assert (await ask(app, path, headers=UPGRADE)).status == 400


async def test_routes_that_cannot_run_say_why() -> None:
    broken = BrokenRoute("/ws/broken", "error[unknown-variable] W401: `plyer` is not set")
    async with started(plain(options={"auth": {"jwt": {"secret_env": "WORPEN_UNSET"}}}), broken) as app:
        for headers in ({}, UPGRADE):
            answer = await ask(app, "/ws/test", headers=headers)
            assert (answer.status, "WORPEN_UNSET is not set" in answer.body) == (503, True)
            answer = await ask(app, "/ws/broken", headers=headers)
            assert (answer.status, answer.body) == (503, broken.reason + "\n")


async def test_origins() -> None:
    listed = plain("/ws/listed", options={"origins": ["https://a.test"]})
    async with started(plain(), listed) as app:
        async with client(app, Origin="http://127.0.0.1:5173") as same:
            assert await same.recv() == "welcome"
        async with client(app, "/ws/listed", Origin="https://a.test") as allowed:
            assert await allowed.recv() == "welcome"
        for path, origin in (
            ("/ws/test", "null"),
            ("/ws/test", "http://evil.test"),
            ("/ws/listed", "http://127.0.0.1"),
        ):
            assert (await ask(app, path, headers={**UPGRADE, "Origin": origin})).status == 403


async def test_what_the_handshake_gives() -> None:
    seen: dict[str, Any] = {}
    look = route("/ws/:room", on_connect=lambda i, s, e: seen.update({n: i[k] for n, k in INPUT_NUMBERS.items()}))
    async with started(look) as app:
        async with client(app, "/ws/caf%C3%A9%2F1?user-id=7&a=1&a=x+y", X_My_Header="v"):
            pass
        await over(app)
    assert seen["params"] == {"room": "café/1"}
    assert seen["query"] == {"user-id": "7", "a": "x y"}
    assert seen["headers"]["x_my_header"] == "v"
    assert (seen["remote_addr"], seen["route"], seen["user"]) == ("127.0.0.1", "test", None)
    assert seen["connection_id"][14] == "4"


async def test_the_server_is_full() -> None:
    async with started(plain(), limits=ServerLimits(connections=1, retry_seconds=3)) as app:
        async with client(app) as first:
            await first.recv()
            answer = await ask(app, "/ws/test", headers=UPGRADE)
            assert (answer.status, answer.body) == (503, "the server is full\n")
            assert 1 <= int(answer.headers["retry-after"]) <= 3
        await over(app)
        async with client(app) as next_one:
            assert await next_one.recv() == "welcome"


async def test_a_network_of_ipv6_is_full_and_hooks_see_whole_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "2001:db8::2"])
    monkeypatch.setattr(handshake, "remote_address", lambda _: next(addresses))
    told = route(on_connect=lambda inputs, *_: inputs[INPUT_NUMBERS["remote_addr"]])
    async with started(told, limits=ServerLimits(connections_per_address=1)) as app:
        async with client(app) as first:
            assert await first.recv() == "2001:db8::1"
            answer = await ask(app, "/ws/test", headers=UPGRADE)
            assert (answer.status, answer.body) == (503, "too many connections from your address\n")
            async with client(app) as other:
                assert await other.recv() == "2001:db8:0:1::1"
        await over(app)
        async with client(app) as next_one:
            assert await next_one.recv() == "2001:db8::2"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_this_machine_has_no_limit_by_address(host: str) -> None:
    told = route(on_connect=lambda inputs, *_: inputs[INPUT_NUMBERS["remote_addr"]])
    async with AsyncExitStack() as clients:
        try:
            app = await clients.enter_async_context(
                started(told, host=host, limits=ServerLimits(connections_per_address=1))
            )
        except OSError:
            pytest.skip(f"this machine has no {host}")
        url = f"ws://{show_address(host, port(app))}/ws/test"
        for _ in range(3):
            assert await (await clients.enter_async_context(connect(url))).recv() == host


async def test_who_comes_too_fast_is_refused_before_the_query_is_read() -> None:
    async with started(plain(), limits=ServerLimits(connection_rate=0.001, connection_burst=1)) as app:
        assert [(await ask(app, "/ws/test?x=%ff", headers=UPGRADE)).status for _ in range(2)] == [400, 503]


async def test_a_route_is_full() -> None:
    limited = plain(options={"limits": {"max_connections": 1}})
    async with started(limited, plain("/ws/other")) as app:
        async with client(app) as first, client(app, "/ws/other"):
            await first.recv()
            assert (await ask(app, "/ws/test", headers=UPGRADE)).body == "the route is full\n"
        await over(app)
        async with client(app) as next_one:
            assert await next_one.recv() == "welcome"


async def test_a_route_may_take_less_but_not_more_than_the_server() -> None:
    def echo(*_: Any) -> str:
        return "got it"

    small = route("/ws/small", options={"limits": {"max_message_bytes": 200}}, on_message=echo)
    large = route("/ws/large", options={"limits": {"max_message_bytes": 10**9}}, on_message=echo)
    async with started(small, large) as app:
        for path, fits in (("/ws/small", 200), ("/ws/large", 64 * 1024)):
            async with client(app, path) as speaker:
                await speaker.send("x" * fits)
                assert await speaker.recv() == "got it"
                await speaker.send("x" * (fits + 1))
                await speaker.wait_closed()
                assert speaker.close_code == 1009


async def test_nobody_is_taken_while_draining() -> None:
    async with started(plain()) as app, client(app) as first:
        await first.recv()
        app._reception.is_draining = True  # type: ignore[union-attr]
        assert (await ask(app, "/ws/test", headers=UPGRADE)).status == 503
        assert (await ask(app, "/readyz")).status == 503


async def test_refusals_are_told_and_counted() -> None:
    async with started(plain()) as app:
        heard: list[Any] = []
        app.events.subscribe(heard.append)
        with pytest.raises(InvalidStatus):
            await client(app, "/ws/nowhere")
        assert heard == [Refused("/ws/nowhere", "127.0.0.1", 404, "no route has this address")]
        assert app.counters.refusals == {("404",): 1}
