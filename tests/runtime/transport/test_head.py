"""Requests: what is read, and what is refused with which status."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.limits import WireLimits
from runtime.transport import head as module
from runtime.transport.head import BadRequest, Head, check_growing, parse_head

LIMITS = WireLimits()


def block(line: str = "GET / HTTP/1.1", *headers: str) -> bytes:
    return "\r\n".join((line, *(headers or ("Host: h",)))).encode("latin-1")


def status(request: bytes) -> int:
    with pytest.raises(BadRequest) as caught:
        parse_head(request, LIMITS, "")
    return caught.value.response.status


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b?x=1&y=2", "/a/b", "x=1&y=2"),
        ("/a?b?c", "/a", "b?c"),
        ("/%2e%2e/%2F", "/%2e%2e/%2F", ""),
        ("/../../etc", "/../../etc", ""),
        ("//double//", "//double//", ""),
        ("http://host:80/a?b", "/a", "b"),
        ("ws://host", "/", ""),
        ("wss://host?q", "/", "q"),
    ],
)
def test_targets_are_split_and_left_as_they_are(target: str, path: str, query: str) -> None:
    request = parse_head(block(f"GET {target} HTTP/1.1"), LIMITS, "192.0.2.1").request
    assert (request.path, request.query, request.remote_address) == (path, query, "192.0.2.1")


def test_headers_are_lower_case_and_joined() -> None:
    head = parse_head(block("GET / HTTP/1.1", "Host: h", "X-One:  a \t", "x-one: b", "Empty:"), LIMITS, "")
    assert head.request.headers == {"host": "h", "x-one": "a, b", "empty": ""}
    assert head.fields == (("Host", "h"), ("X-One", "a"), ("x-one", "b"), ("Empty", ""))


def test_old_http_needs_no_host() -> None:
    assert parse_head(b"GET / HTTP/1.0", LIMITS, "").version == "HTTP/1.0"


@pytest.mark.parametrize(
    "request_block",
    [
        block("GET /"),
        block("GET  / HTTP/1.1"),
        block("GET / HTTP/1.1 "),
        block(" GET / HTTP/1.1"),
        block("GET /a b HTTP/1.1"),
        block("GET /\xe4 HTTP/1.1"),
        block("G\x00T / HTTP/1.1"),
        block("GET * HTTP/1.1"),
        block("GET host:80 HTTP/1.1"),
        block("GET ftp://host/ HTTP/1.1"),
        block("GET /#part HTTP/1.1"),
        b"",
        b"\r\nGET / HTTP/1.1\r\nHost: h",
        block("GET / HTTP/1.1", "X: 1"),
        block("GET / HTTP/1.1", "Host: a", "host: a"),
        block("GET / HTTP/1.1", "Host: a/b"),
        block("GET / HTTP/1.1", "Host : h"),
        block("GET / HTTP/1.1", "Host: h", " folded"),
        block("GET / HTTP/1.1", "Host: h", "\tfolded"),
        block("GET / HTTP/1.1", "Host: h", "no colon"),
        block("GET / HTTP/1.1", "Host: h", ": no name"),
        block("GET / HTTP/1.1", "Host: h", "X: a\rb"),
        block("GET / HTTP/1.1", "Host: h", "X: a\nY: b"),
        block("GET / HTTP/1.1", "Host: h", "X: a\x00b"),
        block("GET / HTTP/1.1", "Host: h", "Content-Length: 1"),
        block("GET / HTTP/1.1", "Host: h", "Content-Length: 0", "Content-Length: 0"),
        block("GET / HTTP/1.1", "Host: h", "Content-Length: x"),
        block("GET / HTTP/1.1", "Host: h", "Transfer-Encoding: chunked"),
    ],
)
def test_malformed(request_block: bytes) -> None:
    assert status(request_block) == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "CONNECT", "get", "BREW"])
def test_other_methods(method: str) -> None:
    assert status(block(f"{method} / HTTP/1.1")) == 405


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2"])
def test_other_versions(version: str) -> None:
    assert status(block(f"GET / {version}")) == 505


def test_limits() -> None:
    path = "/" + "x" * (8 * 1024 - len("GET / HTTP/1.1"))
    assert parse_head(block(f"GET {path} HTTP/1.1"), LIMITS, "").request.path == path
    assert status(block(f"GET {path}x HTTP/1.1")) == 431
    many = ["Host: h"] + ["X: y"] * 127
    assert len(parse_head(block("GET / HTTP/1.1", *many), LIMITS, "").fields) == 128
    assert status(block("GET / HTTP/1.1", *many, "X: y")) == 431
    assert status(block("GET / HTTP/1.1", "Host: h", "X: " + "y" * 8190)) == 431
    assert status(block("GET / HTTP/1.1", "Host: h", *[f"X{n}: {'y' * 8000}" for n in range(5)])) == 431


@pytest.mark.parametrize(
    ("begun", "expected"),
    [(b"GET / HTTP/1.1\n", 400), (b"GET /" + b"x" * 8200, 431), (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 6000, 431)],
)
def test_what_is_wrong_from_the_start_is_refused_early(begun: bytes, expected: int) -> None:
    with pytest.raises(BadRequest) as caught:
        check_growing(begun, LIMITS, 0)
    assert caught.value.response.status == expected


@given(st.integers(0, 30))
def test_a_line_end_cut_in_two_is_fine(at: int) -> None:
    begun = b"GET / HTTP/1.1\r\nHost: h\r\nX: y"
    check_growing(begun[:at], LIMITS, 0)
    check_growing(begun, LIMITS, min(at, len(begun)))


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_read(request_block: bytes) -> None:
    try:
        head = parse_head(request_block, LIMITS, "")
    except BadRequest as refused:
        status = refused.response.status
    else:
        assert head.request.path.startswith("/")
        status = 400
    assert 400 <= status <= 505


_PIECES = st.sampled_from(
    [
        b"GET",
        b"/",
        b" ",
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"\r\n",
        b"\n",
        b"Host",
        b": ",
        b":",
        b"h",
        b"x, y",
        b"\t",
        b"#",
        b"\xe9",
    ]
)
_LINES = st.sampled_from(
    [
        b"Host: h",
        b"Host:h ",
        b"host: [::1]:80",
        b"Host: a b",
        b"X: \t y ",
        b"x:",
        b"Content-Length: 0",
        b"content-length: 1",
    ]
)


def read(request_block: bytes) -> Head | tuple[int, str, bytes]:
    try:
        return parse_head(request_block, LIMITS, "192.0.2.1")
    except BadRequest as refused:
        return refused.response.status, refused.limit, refused.response.body


@given(
    st.one_of(
        st.lists(_LINES, max_size=4).map(lambda lines: b"\r\n".join([b"GET /a?b HTTP/1.1", *lines])),
        st.lists(_PIECES, max_size=8).map(lambda pieces: b"GET / HTTP/1.1\r\nHost: h\r\n" + b"".join(pieces)),
        st.lists(_PIECES, max_size=12).map(b"".join),
    )
)
def test_the_short_way_reads_what_the_long_one_reads(request_block: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_USUAL", re.compile(b"(?!)"))
        expected = read(request_block)
    assert read(request_block) == expected


def test_so_many_headers_are_too_many_both_ways() -> None:
    many = [f"X{number}: y" for number in range(LIMITS.header_count)]
    assert read(block("GET / HTTP/1.1", "Host: h", *many)) == read(block("HEAD / HTTP/1.1", "Host: h", *many))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["Connection", "Upgrade", "Sec-WebSocket-Protocol", "sec-websocket-extensions"])
@pytest.mark.parametrize("mark", [",", ";"])
def test_items_of_a_list_are_as_many_as_lines_may_be(method: str, name: str, mark: str) -> None:
    most = mark.join("a" * (LIMITS.header_count + 1))
    assert parse_head(block(f"{method} / HTTP/1.1", "Host: h", f"{name}: {most}"), LIMITS, "").fields
    assert status(block(f"{method} / HTTP/1.1", "Host: h", f"{name}: {most}{mark}a")) == 431
    half = mark.join("a" * (LIMITS.header_count // 2 + 2))
    assert status(block(f"{method} / HTTP/1.1", "Host: h", f"{name}: {half}", f"{name}: {half}")) == 431
    assert parse_head(block(f"{method} / HTTP/1.1", "Host: h", f"User-Agent: {most}{mark}a"), LIMITS, "").fields
