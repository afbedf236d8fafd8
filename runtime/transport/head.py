"""The head of an HTTP/1 request: strict, because whatever stands in front of us may read it otherwise.

    request line  = METHOD SP target SP HTTP/1.x CRLF
    header        = token ":" OWS value OWS CRLF       no folding, no blank before the colon, no bare CR, LF or NUL
    head          = request line *header CRLF

A request has no body here. What is wrong raises `BadRequest` with the answer. Paths are the router's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from runtime.limits import WireLimits
from runtime.transport.seam import HttpResponse, Request, refusal

END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9])\.([0-9])")
_HEADER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_USUAL: Final = re.compile(rb"GET /[!\"$-~]* HTTP/1\.1(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*")
"""A whole head as nearly all clients write it: what it matches passes every check of form here."""
_ABSOLUTE: Final = re.compile(r"(?:https?|wss?)://([^/?#]+)", re.IGNORECASE)
_HOST: Final = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
METHODS: Final = ("GET", "HEAD")
_LISTS: Final = ("connection", "upgrade", "sec-websocket-protocol", "sec-websocket-extensions")
"""Headers whose items are read one by one, which takes a thousand times as long as to read the line."""


class BadRequest(Exception):
    """A request that is refused before anybody looks at its meaning."""

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = (), *, limit: str = "") -> None:
        """`limit`: the name of the one that was broken."""
        super().__init__(text)
        self.limit = limit
        self.response: HttpResponse = refusal(status, text, headers)


@dataclass(slots=True)  # not frozen: made for each handshake
class Head:
    """A request, and what the handshake needs beside it."""

    request: Request
    fields: tuple[tuple[str, str], ...]
    """Headers as sent, in order."""
    version: str
    """`HTTP/1.1` or `HTTP/1.0`."""

    @property
    def asks_for_websocket(self) -> bool:
        """Whether the request wants to leave HTTP for WebSocket."""
        asked = self.request.headers.get("upgrade", "")
        return asked == "websocket" or "websocket" in _tokens(asked)


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]


def check_growing(buffer: bytes | bytearray, limits: WireLimits, seen: int) -> None:
    """Refuse early what is not yet whole. The first `seen` bytes were checked before."""
    if buffer.count(b"\n", seen) != buffer.count(b"\r\n", max(0, seen - 1)):
        raise BadRequest(400, "line feed without carriage return")
    if buffer.find(b"\r\n", 0, limits.request_line_bytes + 2) < 0 and len(buffer) > limits.request_line_bytes:
        raise BadRequest(431, "request line is too long", limit="request_line_bytes")
    if len(buffer) > limits.head_bytes:
        raise BadRequest(431, "request headers are too long", limit="head_bytes")


def parse_head(block: bytes, limits: WireLimits, remote_address: str) -> Head:
    """Parse a head, given without its last empty line."""
    if len(block) > limits.head_bytes:
        raise BadRequest(431, "request headers are too long", limit="head_bytes")
    if len(block) <= limits.request_line_bytes and _USUAL.fullmatch(block):
        return _parse_usual(block, limits, remote_address)
    lines = block.split(b"\r\n")
    if len(lines[0]) > limits.request_line_bytes:
        raise BadRequest(431, "request line is too long", limit="request_line_bytes")
    method, target, version = _parse_request_line(lines[0])
    if len(lines) - 1 > limits.header_count:
        raise BadRequest(431, "too many request headers", limit="header_count")
    fields = tuple(_parse_header(line, limits) for line in lines[1:])
    headers = _joined(fields)
    if method not in METHODS:
        raise BadRequest(405, "only GET and HEAD are answered", (("Allow", ", ".join(METHODS)),))
    _check_host(fields, version)
    _check_no_body(headers)
    _check_items(block, headers, limits)
    target = _origin_form(target)
    path, _, query = target.partition("?")
    return Head(Request(method, target, path, query, headers, remote_address), fields, version)


def _parse_usual(block: bytes, limits: WireLimits, remote_address: str) -> Head:
    """Parse a head that `_USUAL` matches: the same as the long way, without a look at each line's form."""
    line, *lines = block.decode("latin-1").split("\r\n")
    if len(lines) > limits.header_count:
        raise BadRequest(431, "too many request headers", limit="header_count")
    fields: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for one in lines:
        key, field = (_known_field if len(one) <= _KNOWN_CHARACTERS else _field)(one)
        fields.append(field)
        value = field[1]
        if key not in headers:
            headers[key] = value
        elif key == "host":
            raise BadRequest(400, "more than one Host header")
        else:
            headers[key] = f"{headers[key]}, {value}"
    _check_one_host(headers.get("host"))
    _check_no_body(headers)
    _check_items(block, headers, limits)
    target = line[4:-9]
    path, _, query = target.partition("?")
    return Head(Request("GET", target, path, query, headers, remote_address), tuple(fields), "HTTP/1.1")


def _field(line: str) -> tuple[str, tuple[str, str]]:
    """A header's name in lower case, and the header as sent."""
    name, _, value = line.partition(":")
    return name.lower(), (name, value.strip(" \t"))


# Connections that send the same lines share the texts: less to do, and less memory for each.
_known_field = lru_cache(maxsize=512)(_field)
_KNOWN_CHARACTERS: Final = 128


def _parse_request_line(line: bytes) -> tuple[str, str, str]:
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise BadRequest(400, "malformed request line")
    method, target, major, minor = (part.decode("ascii") for part in match.groups())
    if major != "1" or minor not in "01":
        raise BadRequest(505, "only HTTP/1.1 and HTTP/1.0 are spoken")
    return method, target, f"HTTP/1.{minor}"


def _parse_header(line: bytes, limits: WireLimits) -> tuple[str, str]:
    if len(line) > limits.request_line_bytes:
        raise BadRequest(431, "request header is too long", limit="request_line_bytes")
    match = _HEADER.fullmatch(line)
    if not match:
        raise BadRequest(400, "malformed request header")
    return match[1].decode("ascii"), match[2].rstrip(b" \t").decode("latin-1")


def _joined(fields: tuple[tuple[str, str], ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _check_host(fields: tuple[tuple[str, str], ...], version: str) -> None:
    hosts = [value for name, value in fields if name.lower() == "host"]
    if len(hosts) > 1:
        raise BadRequest(400, "more than one Host header")
    if hosts or version == "HTTP/1.1":
        _check_one_host(hosts[0] if hosts else None)


def _check_one_host(host: str | None) -> None:
    if host is None:
        raise BadRequest(400, "no Host header")
    if not _HOST.fullmatch(host):
        raise BadRequest(400, "malformed Host header")


def _check_no_body(headers: dict[str, str]) -> None:
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise BadRequest(400, "a request has no body here")


def _check_items(block: bytes, headers: dict[str, str], limits: WireLimits) -> None:
    """Items of a list are header lines put into one (RFC 9110 section 5.3), and are as many at most."""
    if block.count(b",") + block.count(b";") <= limits.header_count:
        return
    lists = [headers[name] for name in _LISTS if name in headers]
    if sum(value.count(",") + value.count(";") for value in lists) > limits.header_count:
        raise BadRequest(431, "too many items in a request header", limit="header_count")


def _origin_form(target: str) -> str:
    """Path and query of the target (RFC 9112 section 3.2)."""
    absolute = _ABSOLUTE.match(target)
    if absolute:
        target = target[absolute.end() :]
        if not target.startswith("/"):
            target = f"/{target}"
    if not target.startswith("/") or "#" in target:
        raise BadRequest(400, "malformed request target")
    return target
