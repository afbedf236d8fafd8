"""The frame codec of a WebSocket server (RFC 6455): bytes in, messages out, and frames as bytes. No I/O, no clock.

A frame on the wire:

    FIN RSV1-3 opcode | MASK length | extended length | masking key | payload
    1   3      4 bits | 1    7 bits | 0, 2 or 8 bytes | 4 bytes     | length bytes

`FrameReader.feed` takes the stream in pieces cut anywhere. What it finds it gives to its `deliver` (whole messages) and
its `Listener` (everything else). Three states, told apart by two fields:

    between frames           remaining == 0
    inside a data frame      remaining > 0: that much payload is still to come, checked and collected as it arrives
    inside a message         opcode != 0: a fragment came, its last one not yet; control frames may stand between

Frame headers and control frames that are cut in two wait in `tail`, so it never holds more than 130 bytes, except while
halted. The usual case, one whole short text frame, is looked for first; several in one piece are parsed first and then
offered as one iterator, so that who takes them need not begin anew for each.
"""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Callable, Iterator
from operator import length_hint
from typing import Final, Protocol, TypeAlias

from runtime.transport.masking import apply_mask

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

FINAL: Final = 0x80
COMPRESSED: Final = 0x40
"""RSV1 on a message's first frame, where permessage-deflate was agreed on."""
_DATA_OPCODES: Final = (CONTINUATION, TEXT, BINARY)
_OPENING_OPCODES: Final = (TEXT, BINARY)
_CONTROL_OPCODES: Final = (CLOSE, PING, PONG)
_WHOLE_TEXT: Final = FINAL | TEXT
_KEY: Final = slice(2, 6)
_PAYLOAD: Final = slice(6, None)
"""Of a short frame. Written as `[2:6]`, a slice is made anew each time."""
_TOGETHER: Final = 4
"""To offer texts together costs more than is won where they are fewer."""
_AT_ONCE: Final = 64
"""So many texts are parsed before they are offered. Who halts amid them has the rest parsed again."""
_NO_FRAME: Final = -1
"""First byte that no frame has: in `usual`, it turns the short cut off."""

NORMAL: Final = 1000
PROTOCOL_ERROR: Final = 1002
NO_CODE: Final = 1005
"""Never sent: a close frame without a code."""
ABNORMAL: Final = 1006
"""Never sent: an end without a close frame."""
BAD_TEXT: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011

REASON_BYTES: Final = 123
"""Room for the reason in a close frame."""
_SHORT_BYTES: Final = 125
"""The longest payload whose length stands in the second byte: all that a control frame may have."""


def is_sendable(code: int) -> bool:
    """Whether a close frame may carry `code` (RFC 6455 section 7.4 and the registry)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


# ------------------------------------------------------------------------------------------------ frames as bytes

_SHORT_TEXT_HEADS: Final = tuple(bytes((_WHOLE_TEXT, size)) for size in range(126))


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """One unmasked, unfragmented frame."""
    size = len(payload)
    first = FINAL | opcode
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def encode_text(text: str) -> bytes:
    """A text frame. Raises UnicodeEncodeError for a lone surrogate, which no text frame can carry."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return _SHORT_TEXT_HEADS[size] + payload
    return encode_frame(TEXT, payload)


def encode_utf8(payload: bytes) -> bytes:
    """A text frame whose text is UTF-8 already."""
    size = len(payload)
    return _SHORT_TEXT_HEADS[size] + payload if size < 126 else encode_frame(TEXT, payload)


def encode_binary(payload: bytes) -> bytes:
    """A binary frame."""
    return encode_frame(BINARY, payload)


def encode_compressed(frame: bytes, payload: bytes) -> bytes:
    """The frame with this compressed payload instead of its own."""
    return encode_frame(frame[0] | COMPRESSED, payload)


def is_control(frame: bytes) -> bool:
    """Whether an encoded frame is a ping, a pong or a close frame."""
    return frame[0] & 0x08 != 0


def payload_of(frame: bytes) -> bytes:
    """The payload of an encoded frame of ours, which has no mask."""
    coded = frame[1]
    return frame[2 if coded < 126 else 4 if coded == 126 else 10 :]


def content_of(frame: bytes) -> str | bytes:
    """What an encoded data frame of ours carries: text or bytes."""
    payload = payload_of(frame)
    return payload.decode() if frame[0] == _WHOLE_TEXT else payload


def encode_close(code: int, reason: str = "") -> bytes:
    """A close frame; NO_CODE gives an empty one. The reason is cut to 123 bytes, between characters.

    Raises ValueError for a code that no close frame may carry.
    """
    if code == NO_CODE:
        return encode_frame(CLOSE, b"")
    if not is_sendable(code):
        raise ValueError(f"no close frame may carry code {code}")
    text = reason.encode("utf-8", "replace")
    if len(text) > REASON_BYTES:
        text = text[:REASON_BYTES].decode("utf-8", "ignore").encode()
    return encode_frame(CLOSE, code.to_bytes(2, "big") + text)


# ------------------------------------------------------------------------------------------------ bytes to messages


class Listener(Protocol):
    """Who hears what is not a message. Each method may call `FrameReader.halt` or `stop`."""

    def texts_received(self, texts: Iterator[str]) -> None:
        """Whole text messages one behind the other. What is not taken from `texts` comes by `deliver`; after `halt` or
        `stop` take none."""

    def ping_received(self, payload: bytes) -> None:
        """A ping that wants its payload back in a pong."""

    def pong_received(self, payload: bytes) -> None:
        """A pong."""

    def close_received(self, code: int, reason: str) -> None:
        """A valid close frame; `code` is NO_CODE for an empty one. The reader has stopped."""

    def stream_failed(self, code: int, reason: str, limit: str) -> None:
        """The client broke the protocol, or the limit of this name. `code` says how; the reader has stopped."""

    def allowance_spent(self) -> bool:
        """`FrameReader.allowance` is used up: refill it and return True, or return False to fail with POLICY."""


class TooLong(Exception):
    """A message is longer than it may be, once inflated."""


class NotDeflated(Exception):
    """A compressed message cannot be inflated."""


Inflate: TypeAlias = Callable[[bytes, int], bytes]
"""`inflate(payload, most)`: a compressed message's payload. Raises TooLong over `most` bytes, and NotDeflated."""


class ProtocolViolation(Exception):
    """The stream broke a rule: what to close with. Stays inside this module."""

    def __init__(self, code: int, reason: str, limit: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.limit = limit


class FrameReader:
    """Reads one client's frames. You must set `deliver` and may replace it at any time, also from inside it."""

    __slots__ = (
        "_body",
        "_cut_character",
        "_final",
        "_fragments",
        "_inflate",
        "_is_compressed",
        "_key",
        "_listener",
        "_max_fragments",
        "_max_message",
        "_opcode",
        "_remaining",
        "_reserved",
        "_running",
        "_usual",
        "allowance",
        "deliver",
        "tail",
    )

    deliver: Callable[[str | bytes], None]
    """Takes each whole message: str for text, bytes for binary."""
    allowance: int
    """Messages that may still come before `Listener.allowance_spent` is asked."""
    tail: bytes
    """Input not yet parsed."""
    _opcode: int
    _fragments: int
    _remaining: int
    _final: bool
    _key: bytes
    _cut_character: bytes
    _is_compressed: bool
    _body: bytearray
    _usual: int

    def __init__(
        self,
        listener: Listener,
        deliver: Callable[[str | bytes], None],
        *,
        max_message: int,
        max_fragments: int,
        allowance: int,
        inflate: Inflate | None = None,
    ) -> None:
        """`inflate`: where compression was agreed on."""
        self.deliver = deliver
        self.allowance = allowance
        self.tail = b""
        self._listener = listener
        self._max_message = max_message
        self._max_fragments = max_fragments
        self._running = True
        self._inflate = inflate
        self._reserved = 0x70 if inflate is None else 0x30
        self._forget_message()

    @property
    def inside_message(self) -> bool:
        """Whether the beginning of a message came and its end did not."""
        return self._opcode != 0 or bool(self.tail)

    def halt(self) -> None:
        """Parse nothing more until the next `feed`; what came stays in `tail`."""
        self._running = False

    def stop(self) -> None:
        """Deliver nothing more, ever, and forget what came."""
        self._running = False
        self._max_message = -1
        self.tail = b""
        self._forget_message()

    def limit(self, max_message: int) -> None:
        """Take messages of so many bytes from now on, also the rest of one whose beginning came."""
        if self._max_message >= 0:
            self._max_message = max_message
            if not self._opcode:
                self._seek_usual()

    @property
    def is_running(self) -> bool:
        """Whether it goes on with what came: it was neither halted nor stopped."""
        return self._running

    @property
    def is_stopped(self) -> bool:
        """Whether the stream has ended: a close frame, a failure, or `stop`."""
        return self._max_message < 0

    # The one long loop: its speed is the server's (runtime section 3).
    @property
    def missing(self) -> int:
        """Bytes of a frame's payload that has begun, still to come; 0 where none has."""
        return self._remaining

    def feed(self, piece: bytes) -> None:
        """Parse the next piece of the stream; an empty one continues after `halt`.

        Whatever `deliver` raises passes through, with the reader in an undefined state: call `stop`.
        """
        size = len(piece)
        try:
            # Most pieces are one short text frame and nothing else: the same as in the loop, without it. Inside a
            # message and after the end no frame is usual.
            if 6 <= size < 132 and piece[0] == self._usual and piece[1] == size + 122 and not self.tail:
                try:
                    text = apply_mask(piece[_PAYLOAD], piece[_KEY]).decode()
                except UnicodeDecodeError:
                    raise ProtocolViolation(BAD_TEXT, "text is not UTF-8") from None
                self.allowance = allowance = self.allowance - 1
                if allowance < 0:
                    self._spend()
                deliver = self.deliver
                deliver(text)
                return
            if self._max_message < 0:
                return
            if self.tail:
                piece = self.tail + piece
                self.tail = b""
                size = len(piece)
            self._running = True
            position = self._continue_payload(piece, 0, size) if self._remaining else 0
            while self._running and size - position >= 2:
                if piece[position] == self._usual and 128 <= (coded := piece[position + 1]) < 254:
                    start = position + 6
                    end = position + coded - 122
                    if position + _TOGETHER * (end - position) <= size:
                        used = self._offer(piece, position, size)
                        if used > position:
                            position = used
                            continue
                    if end <= size:
                        try:
                            text = apply_mask(piece[start:end], piece[position + 2 : start]).decode()
                        except UnicodeDecodeError:
                            raise ProtocolViolation(BAD_TEXT, "text is not UTF-8") from None
                        position = end
                        self.allowance = allowance = self.allowance - 1
                        if allowance < 0:
                            self._spend()
                        # What a slot holds is called in two steps all over the hot paths: to Python it is no method,
                        # and looking one up that is none takes longer.
                        deliver = self.deliver
                        deliver(text)
                        continue
                used = self._parse_frame(piece, position, size)
                if used == position:
                    break
                position = used
        except ProtocolViolation as violation:
            self.stop()
            self._listener.stream_failed(violation.code, violation.reason, violation.limit)
            return
        if position < size and self._max_message >= 0:
            self.tail = piece[position:]

    def _offer(self, piece: bytes, position: int, size: int) -> int:
        """Offer the texts of the usual frames from `position` on; return up to where they were taken."""
        texts, end = self._texts(piece, position, size)
        if not texts:
            return position
        offered = iter(texts)
        try:
            self._listener.texts_received(offered)
        finally:
            taken = len(texts) - length_hint(offered)
            self.allowance -= taken
        if taken == len(texts):
            return end
        for _ in range(taken):
            position += piece[position + 1] - 122
        return position

    def _texts(self, piece: bytes, position: int, size: int) -> tuple[list[str], int]:
        """The texts of the usual frames from `position` on, as many as there is allowance for and are parsed at
        once, and where those frames end; what is wrong with the next one, `feed` finds."""
        texts: list[str] = []
        usual = self._usual
        for _ in range(min(self.allowance, _AT_ONCE)):
            if size - position < 2 or piece[position] != usual or not 128 <= (coded := piece[position + 1]) < 254:
                break
            start = position + 6
            end = position + coded - 122
            if end > size:
                break
            try:
                text = apply_mask(piece[start:end], piece[position + 2 : start]).decode()
            except UnicodeDecodeError:
                break
            texts.append(text)
            position = end
        return texts, position

    def _parse_frame(self, piece: bytes, position: int, size: int) -> int:
        """Parse any one frame, or its beginning; return the new position, the same one when the header is cut."""
        first = piece[position]
        opcode = first & 0x0F
        coded = piece[position + 1] - 128
        self._check_head(first, opcode, coded)
        if coded < 126:
            start, length = position + 6, coded
        else:
            width = 2 if coded == 126 else 8
            start = position + 6 + width
            if size < start - 4:
                return position
            length = int.from_bytes(piece[position + 2 : start - 4], "big")
            _check_length(length, width)
        if opcode & 0x8:
            return self._parse_control(piece, position, start, start + length, opcode)
        self._check_room(length, is_compressed=self._is_compressed or first & COMPRESSED != 0)
        if size < start:
            return position
        if first & FINAL and not self._opcode and start + length <= size:
            payload = apply_mask(piece[start : start + length], piece[start - 4 : start])
            self._deliver_whole(opcode, self._inflated(payload) if first & COMPRESSED else payload)
            return start + length
        if opcode:
            self._open_message(opcode, first & COMPRESSED != 0)
        self._open_frame(first & FINAL != 0, length, piece[start - 4 : start])
        if length == 0:
            self._append(b"")
            return start
        return self._continue_payload(piece, start, size)

    def _check_head(self, first: int, opcode: int, coded: int) -> None:
        """What the first two bytes tell. `coded` is the 7-bit length, negative without a mask."""
        if first & self._reserved or (first & COMPRESSED and opcode not in _OPENING_OPCODES):
            raise ProtocolViolation(PROTOCOL_ERROR, "reserved bit set")
        if coded < 0:
            raise ProtocolViolation(PROTOCOL_ERROR, "frame is not masked")
        if opcode in _CONTROL_OPCODES:
            if not first & FINAL:
                raise ProtocolViolation(PROTOCOL_ERROR, "fragmented control frame")
            if coded > _SHORT_BYTES:
                raise ProtocolViolation(PROTOCOL_ERROR, "control frame is too long")
        elif opcode not in _DATA_OPCODES:
            raise ProtocolViolation(PROTOCOL_ERROR, "reserved opcode")
        elif opcode == CONTINUATION:
            if not self._opcode:
                raise ProtocolViolation(PROTOCOL_ERROR, "continuation of nothing")
        elif self._opcode:
            raise ProtocolViolation(PROTOCOL_ERROR, "new message inside a message")

    def _check_room(self, length: int, *, is_compressed: bool) -> None:
        # What does not shrink grows a little; how long it really is, inflating tells.
        growth = (self._max_message >> 4) + 64 if is_compressed else 0
        if len(self._body) + length > self._max_message + growth:
            raise self._too_big()
        if self._fragments >= self._max_fragments:
            raise ProtocolViolation(POLICY, f"message has more than {self._max_fragments} fragments", "fragments")

    def _too_big(self) -> ProtocolViolation:
        return ProtocolViolation(TOO_BIG, f"message is longer than {self._max_message} bytes", "max_message_bytes")

    def _deliver_whole(self, opcode: int, payload: bytes) -> None:
        """Deliver a message, all of it here."""
        message: str | bytes = payload
        if opcode == TEXT:
            try:
                message = payload.decode()
            except UnicodeDecodeError:
                raise ProtocolViolation(BAD_TEXT, "text is not UTF-8") from None
        self._deliver(message)

    def _deliver(self, message: str | bytes) -> None:
        self.allowance -= 1
        if self.allowance < 0:
            self._spend()
        self.deliver(message)

    def _spend(self) -> None:
        """Ask for more allowance, or fail."""
        if not self._listener.allowance_spent():
            raise ProtocolViolation(POLICY, "too many messages", "message_rate")

    # -------------------------------------------------------------------------------- data frames, piece by piece

    def _open_message(self, opcode: int, is_compressed: bool) -> None:
        self._opcode = opcode
        self._is_compressed = is_compressed
        self._body = bytearray()
        self._usual = _NO_FRAME

    def _open_frame(self, final: bool, length: int, key: bytes) -> None:
        self._fragments += 1
        self._final = final
        self._remaining = length
        self._key = key

    def _continue_payload(self, piece: bytes, start: int, size: int) -> int:
        """Take what is there of the open frame's payload; return the position after it."""
        end = min(size, start + self._remaining)
        payload = apply_mask(piece[start:end], self._key)
        turn = (end - start) & 3
        self._key = self._key[turn:] + self._key[:turn]
        self._remaining -= end - start
        self._append(payload)
        return end

    def _append(self, payload: bytes) -> None:
        """Collect payload; at the end of the message's last frame, deliver it."""
        if self._opcode == TEXT and not self._is_compressed:
            self._check_text(payload)
        self._body += payload
        if self._remaining == 0 and self._final:
            self._finish_message()

    def _check_text(self, payload: bytes) -> None:
        """Fail as soon as a byte cannot be UTF-8, without waiting for the end of frame or message."""
        try:
            unchecked = self._cut_character + payload
            _, used = utf_8_decode(unchecked, "strict", False)
        except UnicodeDecodeError:
            raise ProtocolViolation(BAD_TEXT, "text is not UTF-8") from None
        self._cut_character = unchecked[used:]

    def _finish_message(self) -> None:
        if self._cut_character:
            raise ProtocolViolation(BAD_TEXT, "text ends inside a character")
        opcode, payload = self._opcode, bytes(self._body)
        if self._is_compressed:
            payload = self._inflated(payload)
        self._forget_message()
        self._deliver_whole(opcode, payload)

    def _inflated(self, payload: bytes) -> bytes:
        """A compressed message's payload, within the limit."""
        assert self._inflate is not None
        try:
            return self._inflate(payload, self._max_message)
        except TooLong:
            raise self._too_big() from None
        except NotDeflated:
            raise ProtocolViolation(BAD_TEXT, "message cannot be inflated") from None

    def _forget_message(self) -> None:
        self._opcode = 0
        self._fragments = 0
        self._remaining = 0
        self._final = True
        self._key = b""
        self._cut_character = b""
        self._is_compressed = False
        self._body = _NO_BODY
        self._seek_usual()

    def _seek_usual(self) -> None:
        # The short cut looks at no limit: it is only for readers whose limit no short frame exceeds.
        self._usual = _WHOLE_TEXT if self._max_message >= _SHORT_BYTES else _NO_FRAME

    # -------------------------------------------------------------------------------- control frames

    def _parse_control(self, piece: bytes, position: int, start: int, end: int, opcode: int) -> int:
        """Parse a control frame, which is never taken in parts."""
        if end > len(piece):
            return position
        payload = apply_mask(piece[start:end], piece[start - 4 : start])
        if opcode == PING:
            self._listener.ping_received(payload)
        elif opcode == PONG:
            self._listener.pong_received(payload)
        else:
            code, reason = decode_close(payload)
            self.stop()
            self._listener.close_received(code, reason)
        return end


_NO_BODY: Final = bytearray()
"""The body of no message: shared, never changed."""


def _check_length(length: int, width: int) -> None:
    """An extended length must need its `width` (RFC 6455 section 5.2) and leave the highest of 64 bits free."""
    if length < (126 if width == 2 else 1 << 16):
        raise ProtocolViolation(PROTOCOL_ERROR, "length is not in its shortest form")
    if length >> 63:
        raise ProtocolViolation(PROTOCOL_ERROR, "length has its highest bit set")


def decode_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame's payload; raises ProtocolViolation."""
    if not payload:
        return NO_CODE, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not is_sendable(code):
        raise ProtocolViolation(PROTOCOL_ERROR, "invalid close code")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        raise ProtocolViolation(BAD_TEXT, "close reason is not UTF-8") from None
