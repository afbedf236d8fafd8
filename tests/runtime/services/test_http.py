"""HttpRequest to real servers of this machine, by names that a resolver of the tests knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.limits import ServerLimits
from runtime.services import guard
from runtime.services.http import Http


class Web:
    """A server that answers what it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[str], bytes | None] = lambda path: reply(200, b"ok")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode("utf-8").partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                path = line.split()[1].decode()
                self.asked.append((line.split()[0].decode(), headers, body))
                answer = self.answer(path)
                if answer is None:
                    await asyncio.sleep(30)
                    return
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def reply(status: int, body: bytes, **headers: str) -> bytes:
    fields = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


@asynccontextmanager
async def web() -> AsyncIterator[Web]:
    """A running server."""
    made, tasks = Web(), set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(made.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names stand for; no other is looked up."""
    known = {"localhost": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"], "api.test": ["127.0.0.1"]}

    async def look_up(host: str, port: int) -> list[str]:
        if host not in known:
            raise OSError("unknown name")
        return known[host]

    monkeypatch.setattr(guard, "look_up", look_up)
    return known


@asynccontextmanager
async def client(*allowed: str, **limits: Any) -> AsyncIterator[Http]:
    http = Http(allowed, ServerLimits(**limits))
    try:
        yield http
    finally:
        await http.close()


async def ask(
    http: Http, url: str, method: str = "GET", headers: Value = None, body: Value = None, timeout_ms: Value = 10_000
) -> Any:
    return await http.perform(method, url, headers, body, timeout_ms)


async def fault(http: Http, url: str, **more: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        await ask(http, url, **more)
    return caught.value


async def test_an_answer() -> None:
    async with web() as server, client("localhost") as http:
        server.answer = lambda path: reply(201, b'{"a": [1, 2.0]}', content_type="application/json", x_more="y")
        answer = await ask(http, f"http://localhost:{server.port}/a?b=c", "POST", {"X-Id": 5}, {"q": "سلام"})
        assert answer["status"] == 201
        assert answer["headers"]["x-more"] == "y"
        assert answer["body"] == {"a": [1, 2]}
        ((method, headers, body),) = server.asked
        assert (method, json.loads(body)) == ("POST", {"q": "سلام"})
        assert (headers["x-id"], headers["content-type"]) == ("5", "application/json")
        assert headers["host"] == f"localhost:{server.port}"


async def test_bodies() -> None:
    async with web() as server, client("localhost") as http:
        answers = {
            "/text": reply(200, "سلام".encode(), content_type="text/plain"),
            "/bytes": reply(200, b"\xff\x00", content_type="image/png"),
            "/broken": reply(200, b"{", content_type="application/json"),
            "/empty": reply(204, b""),
        }
        server.answer = answers.get
        base = f"http://localhost:{server.port}"
        bodies = [(await ask(http, base + path))["body"] for path in answers]
        assert bodies == ["سلام", "/wA=", "{", ""]
        await ask(http, base + "/text", "PUT", None, "plain")
        assert server.asked[-1][1]["content-type"] == "text/plain; charset=utf-8"
        assert server.asked[-1][2] == b"plain"


async def test_what_is_too_much_or_too_late() -> None:
    async with web() as server, client("localhost", http_body_bytes=1000) as http:
        base = f"http://localhost:{server.port}"
        server.answer = lambda path: reply(200, b"x" * 1001)
        assert (await fault(http, base)).code == "http_error"
        server.answer = lambda path: reply(200, b"x", content_encoding="gzip")
        assert (await fault(http, base)).code == "http_error"
        server.answer = lambda path: b"no HTTP at all\r\n\r\n"
        assert (await fault(http, base)).code == "http_error"
        server.answer = lambda path: None
        assert (await fault(http, base, timeout_ms=100)).code == "http_timeout"
        server.answer = lambda path: b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\nab"
        assert (await fault(http, base, timeout_ms=100)).code == "http_timeout"
        server.answer = lambda path: reply(200, b"fine")
        assert (await ask(http, base))["body"] == "fine"
        assert (await fault(http, base, timeout_ms=0)).code == "bad_argument"
        assert (await fault(http, "http://localhost:9/")).code == "http_error"


async def test_redirects_stay_with_their_host() -> None:
    async with web() as server, web() as other, client("localhost") as http:
        base = f"http://localhost:{server.port}"
        answers = {
            "/a": reply(302, b"", location="/b"),
            "/b": reply(200, b"here"),
            "/away": reply(302, b"", location=f"http://localhost:{other.port}/"),
            "/evil": reply(302, b"", location="http://169.254.169.254/latest"),
            "/round": reply(302, b"", location="/round"),
        }
        server.answer = answers.get
        assert (await ask(http, f"{base}/a"))["body"] == "here"
        for path in ("/away", "/evil"):
            answer = await ask(http, base + path)
            assert answer["status"] == 302
        assert (await fault(http, f"{base}/round")).code == "http_error"
        assert other.asked == []


async def test_only_what_is_listed(names: dict[str, list[str]]) -> None:
    names["deep.api.test"] = ["127.0.0.1"]
    async with web() as server, client("localhost", "api.test", "*.api.test", "127.0.0.0/8") as http:
        for host in ("localhost", "LOCALHOST", "api.test", "deep.api.test", "127.0.0.1"):
            assert (await ask(http, f"http://{host}:{server.port}/"))["status"] == 200
        for url in (
            "http://other.test/", "http://api.test.evil.test/", "http://evilapi.test/", "http://10.0.0.1/", "http://[::1]/",
            "https://xn--bcher-kvaxn--bcher-kva/", "ftp://api.test/", "file:///etc/passwd", "api.test", "", "http://",
            "http://user:pass@api.test/",
            "http://api.test@evil.test/", "//api.test/", "http://2130706433/", "http://0x7f.1/", "http://\r\n/",
        ):  # fmt: skip
            assert (await fault(http, url)).code == "http_refused", url


async def test_a_name_of_a_private_address_is_refused(names: dict[str, list[str]]) -> None:
    async with web() as server, client("api.test") as http:
        for addresses in (
            ["127.0.0.1"], ["10.1.2.3"], ["93.184.216.34", "192.168.0.1"], ["169.254.169.254"], ["::1"],
            ["fe80::1%eth0"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"],
            ["0.0.0.0"], ["224.0.0.1"], ["fd00::1"],
        ):  # fmt: skip
            names["api.test"] = addresses
            refused = await fault(http, f"http://api.test:{server.port}/")
            assert refused.code == "http_refused", addresses
        assert server.asked == []


async def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that stands for another address at the second look is looked up once."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def look_up(host: str, port: int) -> list[str]:
        return next(answers)

    monkeypatch.setattr(guard, "look_up", look_up)
    async with web() as server, client("api.test", "127.0.0.1") as http:
        assert (await ask(http, f"http://api.test:{server.port}/"))["status"] == 200
        assert server.asked[0][1]["host"] == f"api.test:{server.port}"
        server.answer = lambda path: reply(200, b"", connection="close")
        await ask(http, f"http://api.test:{server.port}/")
        assert (await fault(http, f"http://api.test:{server.port}/")).code == "http_refused"


async def test_headers_cannot_break_out() -> None:
    async with web() as server, client("localhost") as http:
        base = f"http://localhost:{server.port}/"
        for headers in (
            {"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X\r\nY": "a"}, {"X Y": "a"}, {"": "a"}, {"Host": "evil"},
            {"Transfer-Encoding": "chunked"}, {"content-length": "1"},
        ):  # fmt: skip
            assert (await fault(http, base, headers=headers)).code == "http_refused", headers
        assert (await fault(http, base, headers=["X"])).code == "type_error"
        assert server.asked == []


async def test_cookies_are_not_kept() -> None:
    async with web() as server, client("localhost") as http:
        server.answer = lambda path: reply(200, b"", set_cookie="a=b; Path=/")
        for _ in range(2):
            await ask(http, f"http://localhost:{server.port}/")
        assert all("cookie" not in headers for _, headers, _ in server.asked)


async def test_a_cancelled_request_leaves_the_pool_usable() -> None:
    async with web() as server, client("localhost", http_connections=1) as http:
        server.answer = lambda path: None if path == "/hang" else reply(200, b"fine")
        waiting = asyncio.create_task(ask(http, f"http://localhost:{server.port}/hang"))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await ask(http, f"http://localhost:{server.port}/"))["body"] == "fine"
