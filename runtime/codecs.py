"""What a route's `codec` does with messages: payload → value on the way in, value → payload on the way out.

The one door to `msgspec`. Both codecs take no more than the language has values for (language sections 7 and 10):

- whole numbers beyond 2**53 become the nearest double, `1.0` is `1`, `-0` is `0`;
- refused are: what is not complete or goes on after its value, NaN and infinities, halves of surrogate pairs, a key
  that comes twice in an object, over `JSON_DEPTH` levels of lists and objects;
- msgpack's `bin` becomes base64 text, always; its `ext` (timestamps too) and keys that are no text are refused.

What goes out is bounded like any text that an operation makes. Numbers are written as JavaScript writes them; in
msgpack a whole number beyond 2**53 is a double.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Protocol, cast

import msgspec

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.limits import JSON_DEPTH, SAFE_INTEGER, TEXT_BYTES
from compiler.language.values import Value


class BadPayload(ValueError):
    """A message that the route's codec cannot read; the text says why, without the payload."""

    what: ClassVar[str] = "a message cannot be decoded"


class Codec(Protocol):
    """Decodes and encodes the messages of a route."""

    @property
    def is_text(self) -> bool:
        """Whether what it encodes goes out in text frames; else in binary ones."""

    def decode(self, message: str | bytes) -> Value:
        """The value of a message's payload, in normal form. Raises BadPayload."""

    def encode(self, value: Value) -> bytes:
        """A value as a payload. Raises Fault too-large, and send-refused for half of a surrogate pair."""

    def show(self, message: str | bytes) -> str | bytes:
        """A message as people read it: as JSON text, or as it is where it cannot be decoded."""


class _Json:
    """JSON: reads text and binary frames, writes text."""

    is_text: Final = True

    def decode(self, message: str | bytes) -> Value:
        """See `Codec`."""
        text = message if isinstance(message, str) else _utf8(message)
        try:
            value = _READ_JSON(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise _refusal(error) from None
        kind = value.__class__
        if kind is dict or kind is list:
            keys = _settle(value, 1)
            if keys and text.count(":") != keys and _TEXT.sub("", text).count(":") != keys:
                raise BadPayload("a key comes twice in an object")
        elif kind is not str:
            return _scalar(value)
        return cast(Value, value)

    def encode(self, value: Value) -> bytes:
        """See `Codec`."""
        try:
            if value.__class__ is not str:
                _measure(value, 0, TEXT_BYTES)
            return _WRITE_JSON(value)
        except _OddNumber:
            return _encoded_slowly(value)
        except UnicodeEncodeError:
            raise half_a_pair(value) from None

    def show(self, message: str | bytes) -> str | bytes:
        """See `Codec`."""
        try:
            return message if isinstance(message, str) else message.decode()
        except UnicodeDecodeError:
            return message


class _Msgpack:
    """msgpack: binary both ways. A text frame is no msgpack."""

    is_text: Final = False

    def decode(self, message: str | bytes) -> Value:
        """See `Codec`."""
        if isinstance(message, str):
            raise BadPayload("msgpack comes in binary frames, and this is a text frame")
        try:
            value = _READ_MSGPACK(message)
        except (ValueError, TypeError, RecursionError) as error:
            raise _refusal(error) from None
        kind = value.__class__
        if kind is dict or kind is list:
            keys = _settle(value, 1)
            if keys and not _is_shortest(value, message) and _count_keys(message) != keys:
                raise BadPayload("a key comes twice in a map")
        elif kind is not str:
            return _scalar(value)
        return cast(Value, value)

    def encode(self, value: Value) -> bytes:
        """See `Codec`."""
        try:
            if value.__class__ is not str:
                _measure(value, 0, TEXT_BYTES)
            return _WRITE_MSGPACK(value)
        except _OddNumber:
            return self._encode_doubles(value)
        except UnicodeEncodeError:
            raise half_a_pair(value) from None

    @staticmethod
    def _encode_doubles(value: Value) -> bytes:
        values.to_json(value)  # bounds what comes now; it is rare
        try:
            return _WRITE_MSGPACK(_with_doubles(value))
        except UnicodeEncodeError:
            raise half_a_pair(value) from None

    def show(self, message: str | bytes) -> str | bytes:
        """See `Codec`."""
        try:
            return values.to_json(self.decode(message))
        except (BadPayload, Fault):
            return message


_READ_JSON: Final = msgspec.json.Decoder().decode
_WRITE_JSON: Final = msgspec.json.Encoder().encode
_READ_MSGPACK: Final = msgspec.msgpack.Decoder().decode
_WRITE_MSGPACK: Final = msgspec.msgpack.Encoder().encode

CODECS: Final[Mapping[str, Codec]] = {"json": _Json(), "msgpack": _Msgpack()}
"""Every codec by its name in a route; `text` is none."""


def write_json(value: Value) -> bytes:
    """The JSON of something of ours, which is known to be of moderate size and depth. Halves of pairs are escaped."""
    try:
        return _WRITE_JSON(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def from_json(written: str) -> Value:
    """What JSON that somebody else wrote stands for; the text itself where it is none, or is nested too deep."""
    try:
        return CODECS["json"].decode(written)
    except BadPayload:
        return written


def text_of_bytes(payload: bytes) -> str:
    """What bytes are where the language has text only: their text where they are UTF-8, else base64 (section 10)."""
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode("ascii")


def codec_of(options: Mapping[str, Value]) -> Codec | None:
    """What decodes the messages of a route with these options; None where they are text."""
    return CODECS.get(str(options.get("codec", "text")))


# In.

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*+"')
"""A text in JSON that is known to be well-formed."""
_TOO_DEEP: Final = f"lists and objects are nested more than {JSON_DEPTH} deep"


def _utf8(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise BadPayload("it is not UTF-8") from None


def _refusal(error: Exception) -> BadPayload:
    if isinstance(error, RecursionError):
        return BadPayload(_TOO_DEEP)
    if isinstance(error, UnicodeError):
        return BadPayload("a text in it is not UTF-8")
    return BadPayload(str(error)[:200])


def _settle(owner: Any, depth: int) -> int:
    """Bring a decoded list or object into normal form, in place; how many keys are in it. Raises BadPayload."""
    if depth > JSON_DEPTH:
        raise BadPayload(_TOO_DEEP)
    keys = 0
    if owner.__class__ is dict:
        keys = len(owner)
        # JSON has no other keys, msgpack has.
        for key in owner:
            if key.__class__ is not str:
                raise BadPayload("a key is no text")
    for place, item in owner.items() if owner.__class__ is dict else enumerate(owner):
        kind = item.__class__
        if kind is str:
            continue
        if kind is dict or kind is list:
            keys += _settle(item, depth + 1)
        elif kind is not int or not -SAFE_INTEGER <= item <= SAFE_INTEGER:
            owner[place] = _scalar(item)
    return keys


def _scalar(item: Any) -> Value:
    """What is neither text nor list nor object, in normal form. Raises BadPayload."""
    if item is None or item is True or item is False:
        return cast(Value, item)
    if isinstance(item, (int, float)):
        try:
            return values.normalise(item)
        except Fault as fault:
            raise BadPayload(fault.message) from None
    if isinstance(item, bytes):
        return base64.b64encode(item).decode("ascii")
    raise BadPayload("an extension type has no value here")


def _is_shortest(value: Value, payload: bytes) -> bool:
    """Whether a payload is exactly what its value is written as; mostly it is, and then no key came twice."""
    try:
        return _WRITE_MSGPACK(value) == payload
    except (OverflowError, RecursionError):
        return False


_FIXED: Final[Mapping[int, int]] = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
}  # fmt: skip
"""Bytes after a first byte that says how many follow: floats and whole numbers."""
_COUNTED: Final[Mapping[int, int]] = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length after the first byte: of binaries and texts."""


def _count_keys(payload: bytes) -> int:
    """How many keys msgpack's maps have, repeated ones counted again.

    `payload` was read already: it is well-formed, and has no extensions.
    """
    keys = place = 0
    end = len(payload)
    while place < end:
        first = payload[place]
        place += 1
        if 0x80 <= first <= 0x8F:
            keys += first & 0x0F
        elif 0xA0 <= first <= 0xBF:
            place += first & 0x1F
        elif first in _COUNTED:
            width = _COUNTED[first]
            place += width + int.from_bytes(payload[place : place + width], "big")
        elif first in (0xDC, 0xDD, 0xDE, 0xDF):
            width = 4 if first & 1 else 2
            keys += int.from_bytes(payload[place : place + width], "big") if first >= 0xDE else 0
            place += width
        else:
            place += _FIXED.get(first, 0)
    return keys


# Out.


class _OddNumber(Exception):
    """A number that msgspec may write differently than the language does: tiny, or whole and beyond 2**53."""


_ORDINARY: Final = 1e-4
"""Fractions at least as large are written alike by everybody."""


def _measure(value: Value, depth: int, room: int) -> int:
    """What is left of so many bytes when a value is written as JSON, or a little more.

    A list that holds one list twice, which holds one list twice, and so on, is small; what is written of it is not.
    Raises Fault too-large where there is no room, or over `JSON_DEPTH` levels; _OddNumber where there may be one.
    """
    kind = value.__class__
    if kind is str:
        return room - len(cast(str, value)) - 2
    if isinstance(value, dict):
        room -= 1 + 4 * len(value)
        for key in value:
            room -= len(key)
        items: Iterable[Value] = value.values()
    elif isinstance(value, list):
        room -= 1 + len(value)
        items = value
    else:
        if (kind is int and not -SAFE_INTEGER <= cast(int, value) <= SAFE_INTEGER) or (
            kind is float and abs(cast(float, value)) < _ORDINARY
        ):
            raise _OddNumber
        return room
    if room < 0:
        values.check_size(TEXT_BYTES + 1)
    if depth >= JSON_DEPTH:
        raise Fault(codes.TOO_LARGE, "the value is nested too deep to be written")
    for item in items:
        kind = item.__class__
        if kind is str:
            room -= len(cast(str, item)) + 2
        elif kind is not int or not -SAFE_INTEGER <= cast(int, item) <= SAFE_INTEGER:
            room = _measure(item, depth + 1, room)
    if room < 0:
        values.check_size(TEXT_BYTES + 1)
    return room


def _encoded_slowly(value: Value) -> bytes:
    """JSON with numbers as the language writes them. Raises Fault."""
    try:
        return values.to_json(value).encode()
    except UnicodeEncodeError:
        raise half_a_pair(value) from None


def half_a_pair(value: Value) -> Fault:
    """The fault of a message that is no text of Unicode."""
    return Fault(codes.SEND_REFUSED, "the message has half a surrogate pair in it", value)


def _with_doubles(value: Value) -> Value:
    """The value with whole numbers beyond 2**53 as doubles. At most `JSON_DEPTH` deep."""
    if isinstance(value, dict):
        return {key: _with_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_doubles(item) for item in value]
    if type(value) is int and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return float(value)
    return value
