"""What a Redis says, from bytes to values: RESP3, as much of it as answers and pushes need. Pure.

Many messages come in one read; the usual one, a push of three short texts, is looked for first.
"""

from __future__ import annotations

from typing import Any, Final

_CONSTANTS: Final = {b"_": None, b"#t": True, b"#f": False}
_LISTS: Final = b"*>~"
_TEXTS: Final = b"$=!"
_VERBATIM_PREFIX: Final = 4
"""`txt:` before a text that says what it is."""
MESSAGE: Final = b">3\r\n$7\r\nmessage\r\n$"


class Refusal(Exception):
    """What the store says where it does not do as told; a value here, and never raised by this module."""


class Malformed(ValueError):
    """Bytes that are no RESP3."""


class _Incomplete(Exception):
    """More is to come."""


class Decoder:
    """Takes bytes as they come, and gives values as they are complete: bytes, numbers, None, booleans, lists, dicts and
    `Refusal`. A push is a list like any other."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Any]:
        """The values that are complete with these bytes. Raises Malformed."""
        buffer = self._rest + data if self._rest else data
        place, end = 0, len(buffer)
        found: list[Any] = []
        try:
            while place < end:
                if buffer.startswith(MESSAGE, place):
                    topic, after = _sized(buffer, place + len(MESSAGE))
                    if buffer[after : after + 1] not in (b"$", b""):
                        raise Malformed("a message is a text")
                    payload, after = _sized(buffer, after + 1)
                    found.append([b"message", topic, payload])
                    place = after
                else:
                    value, place = _value(buffer, place)
                    found.append(value)
        except _Incomplete:
            pass
        self._rest = buffer[place:]
        return found


def _line(buffer: bytes, place: int) -> tuple[bytes, int]:
    end = buffer.find(b"\r\n", place)
    if end < 0:
        raise _Incomplete
    return buffer[place:end], end + 2


def _sized(buffer: bytes, place: int) -> tuple[bytes, int]:
    """A text with its length before it, from its length on."""
    line, start = _line(buffer, place)
    end = start + _number(line)
    if end + 2 > len(buffer):
        raise _Incomplete
    return buffer[start:end], end + 2


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError:
        raise Malformed(f"no number: {line[:20]!r}") from None


def _value(buffer: bytes, place: int) -> tuple[Any, int]:
    line, after = _line(buffer, place)
    kind, rest = line[:1], line[1:]
    if kind and kind in _TEXTS:
        if rest == b"-1":
            return None, after
        text, after = _sized(buffer, place + 1)
        if kind == b"!":
            return Refusal(text.decode("utf-8", "replace")), after
        return (text[_VERBATIM_PREFIX:] if kind == b"=" else text), after
    if kind and kind in _LISTS:
        return _list(buffer, after, _number(rest))
    if kind == b"%":
        flat, after = _list(buffer, after, 2 * _number(rest))
        return dict(zip(flat[::2], flat[1::2], strict=True)), after
    return _simple(kind, rest, line), after


def _simple(kind: bytes, rest: bytes, line: bytes) -> Any:
    match kind:
        case b":" | b"(":
            return _number(rest)
        case b"+":
            return rest
        case b"-":
            return Refusal(rest.decode("utf-8", "replace"))
        case b",":
            return float(rest)
        case _ if line in _CONSTANTS:
            return _CONSTANTS[line]
        case _:
            raise Malformed(f"no RESP3: {line[:20]!r}")


def _list(buffer: bytes, place: int, count: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    for _ in range(count):
        item, place = _value(buffer, place)
        items.append(item)
    return items, place
