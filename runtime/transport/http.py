"""Plain HTTP answers as bytes, and the standard refusals."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from runtime.transport.seam import HttpResponse, refusal

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def not_found() -> HttpResponse:
    """404: no route has this address."""
    return refusal(404, "Not Found")


def upgrade_required() -> HttpResponse:
    """426: a WebSocket route was asked by plain HTTP."""
    return refusal(426, "This address speaks WebSocket only.", (("Upgrade", "websocket"),))


def version_required() -> HttpResponse:
    """426: the handshake asks for a WebSocket version other than 13."""
    return refusal(
        426, "WebSocket version 13 is required.", (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))
    )


def unavailable(retry_seconds: int) -> HttpResponse:
    """503: no room now; the caller adds jitter to the delay."""
    return refusal(503, "Service Unavailable", (("Retry-After", str(retry_seconds)),))


def header_lines(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers as lines. Raises ValueError for what would break out of its line, or is no header."""
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not a header: {name!r}: {value!r}")
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def encode_response(response: HttpResponse, *, without_body: bool = False) -> bytes:
    """The whole answer; `without_body` answers HEAD. Raises ValueError for bad headers or status."""
    if not 200 <= response.status <= 599:
        raise ValueError(f"not a final HTTP status: {response.status}")
    standard = (
        ("Date", formatdate(usegmt=True)),
        ("Connection", "Upgrade, close" if response.status == 426 else "close"),
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
    )
    head = (
        f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, 'Unknown')}\r\n"
        f"{header_lines(standard + response.headers)}\r\n"
    )
    return head.encode("latin-1") + (b"" if without_body else response.body)
