"""The seam between the wire and the server: what a transport calls, and what it offers.

The transport calls `Application.respond` for a plain HTTP request and `Application.admit` for one that asks for a
WebSocket; an `Acceptance` names the `Peer` that hears the connection's life: `opened`, then `received` for each message
in order, then `closed` once. The server acts on the wire by `Connection`, and by `FanOut.publish` for many connections.

Everything is synchronous and runs on the loop's thread; only `admit` may return an awaitable. Nothing here blocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# What each handshake makes is not frozen, though nobody changes it: frozen, it takes several times as long to make.


@dataclass(slots=True)
class Request:
    """A well-formed HTTP request before any answer; nothing in it is percent-decoded or normalised."""

    method: str
    target: str
    """The request target as sent; an absolute-form target is reduced to path and query."""
    path: str
    """What stands before the first `?`; begins with `/`."""
    query: str
    """What stands after the first `?`, or an empty text."""
    headers: Mapping[str, str]
    """Lower-case name → value; the values of a repeated header are joined with `, `."""
    remote_address: str
    """IP address of the other side, without port; empty for a Unix socket."""
    subprotocols: tuple[str, ...] = ()
    """What `Sec-WebSocket-Protocol` offers, in order; empty for plain HTTP."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A plain HTTP answer; the transport adds Content-Length, Date and `Connection: close`."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers. A name or value with a line break or other control character is refused (ValueError)."""


def refusal(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    """A refusal with one line of text."""
    return HttpResponse(status, f"{text}\n".encode("utf-8", "backslashreplace"), headers=headers)


class Peer(Protocol):
    """Who hears one connection. The transport calls; an exception from here closes the connection with 1011."""

    def opened(self) -> None:
        """The handshake's answer is written; `send` works from now on."""

    def received(self, message: str | bytes) -> None:
        """One whole message: str for text, bytes for binary. Never called after `closed`, nor while paused."""

    def received_texts(self, texts: Iterator[str]) -> None:
        """Text messages that came together: take as many as you like, none as well; the others come by `received`.

        Each counts as received when it is taken. Take none after a call of `pause`, `close` or `abort`.
        """

    def closed(self, code: int, reason: str) -> None:
        """The end, exactly once after `opened`, whatever it was.

        `code` is the close code received, else the one sent, 1005 for a close frame without one, 1006 for an end
        without a close frame. Messages that arrived before the other side's end are delivered first, also after a
        pause; what waits when the server itself ends the connection is dropped. So it may come while paused.
        """


class Connection(Protocol):
    """What the server may do with the wire. Each call returns at once; after the end each does nothing."""

    @property
    def remote_address(self) -> str:
        """IP address of the other side, without port."""

    @property
    def is_open(self) -> bool:
        """Whether what is sent now can still arrive: opened, no close frame sent or received, not lost."""

    @property
    def queued_bytes(self) -> int:
        """Bytes sent that the kernel has not taken yet."""

    @property
    def messages_in(self) -> int:
        """Messages that came."""

    @property
    def messages_out(self) -> int:
        """Messages that left, broadcasts included."""

    def send(self, frame: bytes) -> None:
        """Write an encoded frame (`frames.encode_text`, `encode_binary`) after all sent or published before it."""

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Write these frames after all sent or published before them, as few writes as possible."""

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and end in good order; a reason is cut to 123 bytes. The first call counts."""

    def abort(self) -> None:
        """Drop the connection; `closed` follows on a later turn of the loop, with 1006."""

    def limit_messages(self, most: int | None) -> None:
        """Close with 1009 over so many bytes a message from now on, or over the server's limit where that is less or
        `most` is None. Before it opened, `Acceptance.max_message_bytes` says so."""

    def pause(self) -> None:
        """Stop delivering messages. They wait in the inbox; when it is full, reading stops. Pings are answered."""

    def resume(self) -> None:
        """Deliver what waits, in order, then go on; `received` may pause again. Delivery starts before this returns."""


@dataclass(slots=True)
class Acceptance:
    """The answer that makes a request a WebSocket connection."""

    peer: Peer
    subprotocol: str | None = None
    """One of the request's subprotocols, or none."""
    max_message_bytes: int | None = None
    """Over it: close 1009. None takes `WireLimits.max_message_bytes`."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of the 101 answer."""
    compression: bool = False
    """Whether messages may be compressed, where the client offers it."""


Admission = Acceptance | HttpResponse
"""What `admit` decides: accepted, or the HTTP answer that refuses."""


class Application(Protocol):
    """Who answers requests: the server."""

    def respond(self, request: Request) -> HttpResponse:
        """Answer a GET or HEAD request that asks for no upgrade (for HEAD the body is left out by the transport)."""

    def admit(self, request: Request, connection: Connection) -> Admission | Awaitable[Admission]:
        """Accept or refuse a valid WebSocket handshake.

        An awaitable is run as a task and cancelled when the other side leaves or the handshake's time is over. When
        `connection` is refused or lost before it opened, its peer hears nothing.
        """
