"""From a TCP connection to an answer: read a request's head, ask the application, upgrade or answer plainly.

The head is parsed here, strictly and within limits; `websockets` decides what is a valid upgrade and builds the 101.
Afterwards the transport belongs to a `WebSocketConnection` or to a `Linger`, and nothing of the handshake is kept.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from base64 import b64encode
from collections.abc import Awaitable
from hashlib import sha1
from http import HTTPStatus
from typing import Final, cast

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_subprotocol
from websockets.http11 import Request as UpgradeRequest
from websockets.server import ServerProtocol

from runtime.transport.compression import BadOffer, Deflate
from runtime.transport.connection import State, WebSocketConnection
from runtime.transport.head import END, BadRequest, Head, check_growing, parse_head
from runtime.transport.http import encode_response, header_lines, version_required
from runtime.transport.linger import part_with, reset
from runtime.transport.seam import Acceptance, Admission, HttpResponse, refusal
from runtime.transport.wheel import Spoke
from runtime.transport.wire import Wire

_SWITCHING: Final = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
_NOTHING: Final = bytearray()
"""The buffer of who has sent nothing: shared, never changed."""
_USUAL_CONNECTIONS: Final = ("upgrade", "keep-alive, upgrade")
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the answer to a key is made with (RFC 6455 section 4.2.2)."""
_KEY: Final = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==")
"""Base64 of 16 bytes, in its only form."""
_OURS: Final = frozenset({"date", "connection", "content-length", "content-type"})
"""Headers that `encode_response` writes itself."""


class Handshake(asyncio.Protocol):
    """A connection until its first answer."""

    __slots__ = (
        "_buffer",
        "_connection",
        "_deadline",
        "_is_read",
        "_remote_address",
        "_spoke",
        "_task",
        "_transport",
        "_wire",
    )

    _transport: asyncio.Transport
    _spoke: Spoke | None

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = _NOTHING
        self._spoke = None
        self._task: asyncio.Task[None] | None = None
        self._connection: WebSocketConnection | None = None
        self._is_read = False

    # ------------------------------------------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the handshake, or drop it when there are too many."""
        wire = self._wire
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        if wire.open_handshakes >= wire.limits.open_handshakes:
            wire.counters.reached("open_handshakes")
            wire.counters.answered("dropped")
            reset(self._transport)
            return
        self._remote_address = remote_address(transport)
        self._deadline = wire.loop.time() + wire.limits.handshake_seconds
        self._spoke = wire.wheel.add(self)
        wire.open_handshakes += 1

    def data_received(self, data: bytes) -> None:
        """Read the head, mostly all of it at once and nothing after it."""
        if self._spoke is None:
            return
        end = data.find(END)
        if end < 0 or end + len(END) != len(data) or self._buffer or self._is_read:
            self._collect(data)
        else:
            self._read(data[:end])

    def _collect(self, data: bytes) -> None:
        """Put the pieces of a head together; what follows it waits until the answer."""
        seen = len(self._buffer)
        if seen:
            self._buffer += data
        else:
            self._buffer = bytearray(data)
        if self._is_read:  # frames ahead of our answer
            self._transport.pause_reading()
            return
        end = self._buffer.find(END, max(0, seen - len(END) + 1))
        if end < 0:
            try:
                check_growing(self._buffer, self._wire.limits, seen)
            except BadRequest as refused:
                self._refuse(refused)
            return
        block = bytes(self._buffer[:end])
        del self._buffer[: end + len(END)]
        self._read(block)

    def _read(self, block: bytes) -> None:
        """The head is here, without its last empty line. An answer costs as much as many messages: one in a turn of the
        loop is given at once, others wait as they do."""
        self._is_read = True
        if self._wire.lane.claim():
            self._meet(block)
            return
        if self._buffer:  # frames ahead of our answer
            self._transport.pause_reading()
        self._wire.lane.add(lambda: self._meet(block))

    def _refuse(self, refused: BadRequest) -> None:
        if refused.limit:
            self._wire.counters.reached(refused.limit)
        self._answer(refused.response, at_fault=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side left before the answer."""
        if self._spoke is not None:
            self._wire.counters.answered("left")
        self._leave()

    def tick(self, now: float) -> None:
        """Drop a handshake whose time is over."""
        if now >= self._deadline and self._spoke is not None:
            self._wire.counters.reached("handshake_seconds")
            self._wire.counters.answered("timeout")
            self._leave()
            reset(self._transport)

    def settle(self) -> None:
        """Nothing is counted privately here."""

    # ------------------------------------------------------------------------------------------------ deciding

    def _meet(self, block: bytes) -> None:
        if self._spoke is None:  # it left, or its time was over
            return
        try:
            self._welcome(parse_head(block, self._wire.limits, self._remote_address))
        except BadRequest as refused:
            self._refuse(refused)
        except Exception as exception:
            self._break_down(exception)

    def _welcome(self, head: Head) -> None:
        if head.asks_for_websocket:
            self._consider(head)
        else:
            self._answer(self._wire.application.respond(head.request), without_body=head.request.method == "HEAD")

    def _consider(self, head: Head) -> None:
        """An upgrade is asked for: is it valid, and does the application want it?"""
        accept = _accept_value(head)
        if isinstance(accept, HttpResponse):
            self._answer(accept)
            return
        if offered := _offered(head):
            head = dataclasses.replace(head, request=dataclasses.replace(head.request, subprotocols=offered))
        self._connection = WebSocketConnection(self._wire, self._remote_address)
        admission = self._wire.application.admit(head.request, self._connection)
        if isinstance(admission, (Acceptance, HttpResponse)):
            self._conclude(head, accept, admission)
        else:
            self._task = self._wire.loop.create_task(self._await_admission(head, accept, admission))

    async def _await_admission(self, head: Head, accept: str, admission: Awaitable[Admission]) -> None:
        try:
            decided = await admission
        except Exception as exception:
            self._break_down(exception)
            return
        self._task = None
        if self._spoke is not None:
            try:
                self._conclude(head, accept, decided)
            except Exception as exception:
                self._break_down(exception)

    def _conclude(self, head: Head, accept: str, admission: Admission) -> None:
        if isinstance(admission, HttpResponse):
            self._answer(admission)
            return
        subprotocol = admission.subprotocol
        if subprotocol is None and not admission.compression and not admission.headers:
            self._open(b"%bSec-WebSocket-Accept: %b\r\n\r\n" % (_SWITCHING, accept.encode()), admission, None)
            return
        headers = [("Sec-WebSocket-Accept", accept)]
        if subprotocol is not None:
            if subprotocol not in head.request.subprotocols:
                raise ValueError(f"subprotocol {subprotocol!r} was not offered")
            headers.append(("Sec-WebSocket-Protocol", subprotocol))
        try:
            agreed = self._wire.compression.negotiate(head.fields) if admission.compression else None
        except BadOffer as bad:
            self._answer(refusal(400, str(bad)))
            return
        if agreed is not None:
            headers.append(("Sec-WebSocket-Extensions", agreed[0]))
        lines = header_lines((*headers, *admission.headers))
        self._open(_SWITCHING + lines.encode("latin-1") + b"\r\n", admission, None if agreed is None else agreed[1])

    def _open(self, answer: bytes, acceptance: Acceptance, deflate: Deflate | None) -> None:
        connection, transport, early = self._connection, self._transport, bytes(self._buffer)
        assert connection is not None
        self._leave()
        if connection.state is not State.NEW:  # closed by the application while it decided
            self._wire.counters.answered("dropped")
            reset(transport)
            return
        self._wire.counters.answered("accepted")
        transport.write(answer)
        connection.begin(transport, acceptance, deflate)
        if not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()
        if early:
            connection.data_received(early)

    # ------------------------------------------------------------------------------------------------ answering

    def _answer(self, response: HttpResponse, *, without_body: bool = False, at_fault: bool = False) -> None:
        encoded = encode_response(response, without_body=without_body)
        self._wire.counters.answered(str(response.status))
        self._leave()
        part_with(self._wire, self._transport, encoded, at_fault=at_fault)

    def _break_down(self, exception: Exception) -> None:
        """The application raised, or answered what cannot be sent: a bug of ours."""
        self._wire.loop.call_exception_handler({"message": "answering a request failed", "exception": exception})
        if self._spoke is not None:
            self._answer(refusal(500, "Internal Server Error"))

    def _leave(self) -> None:
        """The handshake is over, whatever came of it."""
        if self._spoke is not None:
            self._spoke.discard(self)
            self._spoke = None
            self._wire.open_handshakes -= 1
        if self._task is not None and self._task is not asyncio.current_task(self._wire.loop):
            self._task.cancel()
        self._task = None
        self._buffer = _NOTHING


def remote_address(transport: asyncio.BaseTransport) -> str:
    """IP address of the other side; empty where there is none. An IPv4 address mapped into IPv6 is plain IPv4."""
    name = transport.get_extra_info("peername")
    if not isinstance(name, tuple) or not name:
        return ""
    address = str(name[0])
    return address.removeprefix("::ffff:") if "." in address else address


def _accept_value(head: Head) -> str | HttpResponse:
    """`Sec-WebSocket-Accept` for an upgrade that is right; else the refusal, which is the library's."""
    headers = head.request.headers
    if headers.get("sec-websocket-version", "13") != "13":
        return version_required()
    key = headers.get("sec-websocket-key", "")
    if _is_plain_upgrade(head, key):
        return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
    asked = UpgradeRequest(head.request.target, Headers(head.fields), head.request.method, head.version)
    answer = ServerProtocol().accept(asked)
    if answer.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return answer.headers["Sec-WebSocket-Accept"]
    kept = tuple((name, value) for name, value in answer.headers.raw_items() if name.lower() not in _OURS)
    return HttpResponse(answer.status_code, bytes(answer.body or b""), headers=kept)


def _is_plain_upgrade(head: Head, key: str) -> bool:
    """Whether a request is as nearly all clients write it, so that nothing is left to be judged."""
    headers = head.request.headers
    return (
        head.version == "HTTP/1.1"
        and head.request.method == "GET"
        and headers["upgrade"].lower() == "websocket"
        and headers.get("connection", "").lower() in _USUAL_CONNECTIONS
        and "sec-websocket-version" in headers
        and "sec-websocket-protocol" not in headers
        and _KEY.fullmatch(key) is not None
    )


def _offered(head: Head) -> tuple[str, ...]:
    """Subprotocols the client offers; a header that cannot be read raises nothing and offers nothing."""
    value = head.request.headers.get("sec-websocket-protocol")
    try:
        return tuple(parse_subprotocol(value)) if value else ()
    except InvalidHeader:
        return ()
