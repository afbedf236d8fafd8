"""permessage-deflate (RFC 7692), negotiated and done by `websockets`, without context takeover in either direction.

So a connection keeps nothing between two messages, all connections with the same parameters share one `Deflate`, and
what is sent to many is compressed once for each set of parameters: there are at most seven.
"""

from __future__ import annotations

from typing import Final

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from runtime.transport import frames

WINDOW_BITS: Final = 12
"""Ours, and the client's where it lets us say: messages are short, and a window is memory for each run of zlib."""
LEAST_BYTES: Final = 32
"""Shorter messages hardly shrink and are sent as they are."""
_FACTORY: Final = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=WINDOW_BITS,
    client_max_window_bits=WINDOW_BITS,
    compress_settings={"memLevel": 5},
)


class BadOffer(ValueError):
    """The request's `Sec-WebSocket-Extensions` cannot be read."""


class Deflate:
    """Compression with one set of parameters, for any number of connections."""

    __slots__ = ("_compressed", "_extension", "_plain")

    def __init__(self, extension: PerMessageDeflate) -> None:
        self._extension = extension
        self._plain = b""
        self._compressed = b""

    def inflate(self, payload: bytes, most: int) -> bytes:
        """A message's payload, of at most so many bytes. Raises frames.TooLong as soon as there are more, and
        frames.NotDeflated for what no deflate makes."""
        try:
            return bytes(self._extension.decode(Frame(Opcode.BINARY, payload, rsv1=True), max_size=most).data)
        except PayloadTooBig:
            raise frames.TooLong from None
        except ProtocolError:
            raise frames.NotDeflated from None

    def compressed(self, frame: bytes) -> bytes:
        """An encoded frame, compressed where that makes it shorter. The same frame again costs nothing."""
        if frame is not self._plain:
            self._compressed = self._compress(frame)
            self._plain = frame
        return self._compressed

    def _compress(self, frame: bytes) -> bytes:
        payload = frames.payload_of(frame)
        if frames.is_control(frame) or len(payload) < LEAST_BYTES:
            return frame
        data = bytes(self._extension.encode(Frame(Opcode.BINARY, payload)).data)
        return frames.encode_compressed(frame, data) if len(data) < len(payload) else frame


class Compression:
    """Negotiates, and has one `Deflate` for each set of parameters that was agreed on."""

    __slots__ = ("_shared",)

    def __init__(self) -> None:
        self._shared: dict[int, Deflate] = {}

    def negotiate(self, fields: tuple[tuple[str, str], ...]) -> tuple[str, Deflate] | None:
        """The answer's `Sec-WebSocket-Extensions` and what does it; None where a request with these headers does not
        offer what we do. Raises BadOffer."""
        try:
            answer, extensions = ServerProtocol(extensions=[_FACTORY]).process_extensions(Headers(fields))
        except InvalidHandshake as error:
            raise BadOffer(str(error)) from None
        if answer is None:
            return None
        (extension,) = extensions
        assert isinstance(extension, PerMessageDeflate)
        # What the client's window is changes nothing for us: 15 bits inflate all.
        extension.remote_max_window_bits = 15
        return answer, self._shared.setdefault(extension.local_max_window_bits, Deflate(extension))
