"""From TCP to the first answer, over real sockets."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from runtime.limits import WireLimits
from runtime.transport.http import unavailable, upgrade_required
from runtime.transport.seam import Acceptance, Admission, HttpResponse, Request, refusal
from tests.runtime.transport.conftest import Run
from tests.runtime.transport.harness import (
    KEY,
    Deliberate,
    Listener,
    Recorder,
    masked,
    raw,
    serving,
    until,
    upgrade_request,
    upgraded,
)

BRIEF = WireLimits(handshake_seconds=0.05, close_seconds=0.05)


async def answer_to(request: bytes, application: Recorder | None = None, limits: WireLimits | None = None) -> bytes:
    async with serving(application or Recorder(), limits) as (_, port), raw(port) as client:
        client.send(request)
        return await client.to_the_end()


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 ")
    return int(answer.split(b" ", 2)[1])


def test_a_client_of_the_library_talks(run: Run) -> None:
    async def scenario() -> None:
        application = Recorder()
        async with serving(application) as (wire, port):
            async with connect(f"ws://127.0.0.1:{port}/a/b?c=d", compression=None) as client:
                for message in ("text", "ü" * 30_000, b"\x00\xff", ""):
                    await client.send(message)
                    assert await client.recv() == message
                await (await client.ping())
            [listener] = application.listeners
            assert await listener.end() == (1000, "")
            assert (listener.request.path, listener.request.query) == ("/a/b", "c=d")
            assert listener.request.remote_address == "127.0.0.1"
            assert listener.request.headers["upgrade"] == "websocket"
            assert wire.counters.handshakes == {"accepted": 1}
            assert wire.counters.messages_in == wire.counters.messages_out == 4

    run(scenario())


def test_compression_is_not_agreed_on(run: Run) -> None:
    async def scenario() -> None:
        async with serving(Recorder()) as (_, port), connect(f"ws://127.0.0.1:{port}/") as client:
            assert client.response is not None
            assert "Sec-WebSocket-Extensions" not in client.response.headers

    run(scenario())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 1000])
def test_frames_right_behind_the_request_are_kept(run: Run, size: int) -> None:
    async def scenario() -> None:
        async with serving(Recorder()) as (_, port), raw(port) as client:
            await client.send_chopped(upgrade_request() + masked(1, b"early") + masked(8), size)
            assert (await client.to_the_end()).endswith(b"\r\n\r\n\x81\x05early\x88\x00")

    run(scenario())


def test_frames_that_come_while_the_application_decides_are_kept(run: Run) -> None:
    async def scenario() -> None:
        decision = asyncio.Event()

        async def wait(listener: Listener) -> Admission:
            await decision.wait()
            return Acceptance(listener)

        application = Recorder(decide=lambda _, listener: wait(listener))
        async with serving(application) as (_, port), raw(port) as client:
            client.send(upgrade_request())
            await until(lambda: bool(application.listeners))
            await client.send_chopped(masked(1, b"early") + masked(8), 3)
            decision.set()
            assert (await client.to_the_end()).endswith(b"\r\n\r\n\x81\x05early\x88\x00")

    run(scenario())


def replaced(old: str, new: str) -> bytes:
    request = upgrade_request().decode()
    assert old in request
    return request.replace(old, new).encode()


@pytest.mark.parametrize(
    ("request_bytes", "status", "header"),
    [
        (replaced("Version: 13", "Version: 8"), 426, b"Sec-WebSocket-Version: 13\r\n"),
        (replaced("Version: 13", "Version: x"), 426, b"Upgrade: websocket\r\n"),
        (replaced("Sec-WebSocket-Version: 13\r\n", ""), 400, b""),
        (replaced(KEY, "short"), 400, b""),
        (replaced(KEY, "!" * 24), 400, b""),
        (replaced(f"Sec-WebSocket-Key: {KEY}\r\n", ""), 400, b""),
        (replaced("Connection: Upgrade\r\n", ""), 426, b"Upgrade: websocket\r\n"),
        (replaced("HTTP/1.1", "HTTP/1.0"), 505, b""),
        (replaced("GET", "HEAD"), 405, b"Allow: GET\r\n"),
        (replaced("GET", "POST"), 405, b"Allow: GET, HEAD\r\n"),
        (upgrade_request("/", "Content-Length: 5"), 400, b""),
        (upgrade_request("/", "Host: other"), 400, b""),
        (upgrade_request("/", "Sec-WebSocket-Protocol: a b"), 400, b""),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400, b""),
        (b"GET /" + b"x" * 9000, 431, b""),
        (upgrade_request("/", *["X: y"] * 200), 431, b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n", 400, b""),
    ],
)
def test_refusals(run: Run, request_bytes: bytes, status: int, header: bytes) -> None:
    async def scenario() -> None:
        application = Recorder()
        answer = await answer_to(request_bytes, application)
        assert status_of(answer) == status
        assert header in answer
        assert b"Connection: " in answer
        assert not application.listeners

    run(scenario())


def test_plain_requests(run: Run) -> None:
    async def scenario() -> None:
        page = HttpResponse(200, b"<p>", "text/html", (("X-Frame-Options", "DENY"),))
        application = Recorder(answer=lambda request: page if request.path == "/page" else upgrade_required())
        found = await answer_to(b"GET /page?x HTTP/1.1\r\nHost: h\r\n\r\n", application)
        assert found.startswith(b"HTTP/1.1 200 OK\r\n")
        assert found.endswith(b"Content-Type: text/html\r\nContent-Length: 3\r\nX-Frame-Options: DENY\r\n\r\n<p>")
        head = await answer_to(b"HEAD /page?x HTTP/1.1\r\nHost: h\r\n\r\n", application)
        assert head == found[:-3] or head.split(b"\r\n")[2:] == found[:-3].split(b"\r\n")[2:]
        refused = await answer_to(b"GET /ws HTTP/1.0\r\n\r\n", application)
        assert status_of(refused) == 426
        assert b"\r\nUpgrade: websocket\r\n" in refused
        assert [request.query for request in application.requests] == ["x", "x", ""]

    run(scenario())


def test_another_upgrade_is_a_plain_request(run: Run) -> None:
    async def scenario() -> None:
        request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        assert status_of(await answer_to(request)) == 404

    run(scenario())


def test_the_application_refuses(run: Run) -> None:
    async def later(response: HttpResponse) -> Admission:
        await asyncio.sleep(0)
        return response

    async def scenario() -> None:
        for decide in (lambda *_: unavailable(7), lambda *_: later(unavailable(7))):
            application = Recorder(decide=decide)
            answer = await answer_to(upgrade_request(), application)
            assert status_of(answer) == 503
            assert b"Retry-After: 7\r\n" in answer
            assert application.listeners[0].events == []

    run(scenario())


def test_the_application_fails(run: Run) -> None:
    def fail(*_: object) -> Acceptance:
        raise Deliberate

    async def fail_later(*_: object) -> Admission:
        await asyncio.sleep(0)
        raise Deliberate

    async def scenario() -> None:
        for decide in (fail, fail_later):
            answer = await answer_to(upgrade_request(), Recorder(decide=decide))
            assert status_of(answer) == 500
            assert b"Deliberate" not in answer

    run(scenario())


def test_subprotocols_and_headers(run: Run) -> None:
    def decide(request: Request, listener: Listener) -> Admission:
        assert request.subprotocols == ("one", "two")
        return Acceptance(listener, subprotocol="two", headers=(("X-Node", "n1"),))

    async def scenario() -> None:
        offered = [Subprotocol("one"), Subprotocol("two")]
        async with serving(Recorder(decide=decide)) as (_, port):
            async with connect(f"ws://127.0.0.1:{port}/", subprotocols=offered) as client:
                assert client.subprotocol == "two"
                assert client.response is not None
                assert client.response.headers["X-Node"] == "n1"
            with pytest.raises(InvalidStatus) as caught:
                await connect(f"ws://127.0.0.1:{port}/nothing-offered")
            assert caught.value.response.status_code == 500

    troubles: list[object] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        await scenario()

    run(watched())
    assert len(troubles) == 1


def test_a_header_cannot_break_out_of_its_line(run: Run) -> None:
    async def scenario() -> None:
        troubles: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        bad = refusal(403, "no", (("X-Name", "a\r\nSet-Cookie: b"),))
        answer = await answer_to(upgrade_request(), Recorder(decide=lambda *_: bad))
        assert status_of(answer) == 500
        assert b"Set-Cookie" not in answer
        assert [type(trouble["exception"]) for trouble in troubles] == [ValueError]

    run(scenario())


@pytest.mark.parametrize("begun", [b"", b"GET / HT", upgrade_request()[:-2]])
def test_a_handshake_has_its_time(run: Run, begun: bytes) -> None:
    async def scenario() -> None:
        async with serving(Recorder(), BRIEF) as (wire, port), raw(port) as client:
            client.send(begun)
            assert await client.to_the_end() == b""
            assert wire.counters.handshakes == {"timeout": 1}

    run(scenario())


def test_deciding_is_within_that_time(run: Run) -> None:
    async def scenario() -> None:
        cancelled = asyncio.Event()

        async def hang() -> Admission:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        async with serving(Recorder(decide=lambda *_: hang()), BRIEF) as (_, port), raw(port) as client:
            client.send(upgrade_request())
            assert await client.to_the_end() == b""
            assert cancelled.is_set()

    run(scenario())


def test_a_client_that_leaves_ends_the_deciding(run: Run) -> None:
    async def scenario() -> None:
        cancelled = asyncio.Event()

        async def hang() -> Admission:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        application = Recorder(decide=lambda *_: hang())
        async with serving(application) as (wire, port), raw(port) as client:
            client.send(upgrade_request())
            await until(lambda: bool(application.listeners))
            await asyncio.sleep(0.01)
            client.leave()
            await until(cancelled.is_set)
            assert wire.counters.handshakes == {"left": 1}
            assert application.listeners[0].events == []

    run(scenario())


def test_too_many_handshakes_are_dropped(run: Run) -> None:
    async def scenario() -> None:
        limits = WireLimits(open_handshakes=2)
        async with serving(Recorder(), limits) as (wire, port), raw(port) as one, raw(port), raw(port) as three:
            assert await three.to_the_end() == b""
            assert wire.open_handshakes == 2
            one.leave()
            await until(lambda: wire.open_handshakes == 1)
            async with upgraded(port):
                assert wire.counters.handshakes == {"dropped": 1, "left": 1, "accepted": 1}

    run(scenario())


def test_an_application_that_closes_while_it_decides_drops_the_connection(run: Run) -> None:
    def decide(_: Request, listener: Listener) -> Admission:
        listener.connection.close(1000)
        return Acceptance(listener)

    async def scenario() -> None:
        application = Recorder(decide=decide)
        assert await answer_to(upgrade_request(), application) == b""
        assert application.listeners[0].events == []

    run(scenario())
