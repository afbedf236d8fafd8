"""Numbers, texts and values as bytes: the atoms of the program format.

    number = unsigned LEB128, in as few bytes as it takes, below 2**63
    text   = number of bytes, UTF-8
    value  = 0 null · 1 false · 2 true · 3 zigzag number (a whole number within ±2**53)
           | 4 eight bytes, IEEE 754 binary64, big-endian (every other number) · 5 text
           | 6 count, values (a list) · 7 count, (text, value) pairs (an object)

Everything has one form: reading refuses a number in more bytes than it takes, a whole number as float and a
key given twice. The Reader is made for hostile bytes: it allocates nothing on the word of a count alone, and
whatever it meets, it raises LoadError and nothing else.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Final, TypeVar

from compiler.bytecode.program import CONSTANT_DEPTH, LoadError
from compiler.diagnostics import codes
from compiler.language.limits import SAFE_INTEGER
from compiler.language.values import Value, normalise

_NUMBER_BITS: Final = 63
_NULL, _FALSE, _TRUE, _WHOLE, _FLOAT, _TEXT, _LIST, _OBJECT = range(8)

Item = TypeVar("Item")


class Writer:
    """Collects bytes."""

    __slots__ = ("output",)

    def __init__(self) -> None:
        self.output = bytearray()

    def number(self, number: int) -> None:
        """A number from 0 to 2**63 - 1. Raises ValueError outside of that."""
        if not 0 <= number < 1 << _NUMBER_BITS:
            raise ValueError(f"{number} does not fit the program format")
        while number > 0x7F:
            self.output.append(number & 0x7F | 0x80)
            number >>= 7
        self.output.append(number)

    def signed(self, number: int) -> None:
        """A number that may be below 0: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
        self.number(number << 1 if number >= 0 else ~number << 1 | 1)

    def optional(self, number: int | None) -> None:
        """A number, or nothing."""
        self.number(0 if number is None else number + 1)

    def flag(self, flag: bool) -> None:
        """Yes or no."""
        self.output.append(flag)

    def text(self, text: str) -> None:
        """A text. Raises UnicodeEncodeError where it is no Unicode text (lone surrogates)."""
        encoded = text.encode()
        self.number(len(encoded))
        self.output += encoded

    def texts(self, texts: tuple[str, ...]) -> None:
        """Texts, behind their count."""
        self.number(len(texts))
        for text in texts:
            self.text(text)

    def value(self, value: Value) -> None:
        """A value; the members of objects in their order."""
        if value is None:
            self.output.append(_NULL)
        elif isinstance(value, bool):
            self.output.append(_TRUE if value else _FALSE)
        elif isinstance(value, (int, float)):
            self._numeric(value)
        elif isinstance(value, str):
            self.output.append(_TEXT)
            self.text(value)
        elif isinstance(value, list):
            self.output.append(_LIST)
            self.number(len(value))
            for item in value:
                self.value(item)
        else:
            self.output.append(_OBJECT)
            self.number(len(value))
            for key, item in value.items():
                self.text(key)
                self.value(item)

    def _numeric(self, value: int | float) -> None:
        if isinstance(value, int) and abs(value) <= SAFE_INTEGER:
            self.output.append(_WHOLE)
            self.signed(value)
        else:
            self.output.append(_FLOAT)
            self.output += struct.pack(">d", value)


class Reader:
    """Reads what a Writer wrote, from `start` up to `end`; `part` is what it is called in messages."""

    __slots__ = ("_end", "_part", "_position", "_raw")

    def __init__(self, raw: bytes, part: str, start: int = 0, end: int | None = None) -> None:
        self._raw = raw
        self._part = part
        self._position = start
        self._end = len(raw) if end is None else end

    def refuse(self, reason: str) -> LoadError:
        """The error that says what is wrong here."""
        return LoadError(codes.DAMAGED_PROGRAM, f"{self._part}, byte {self._position}: {reason}")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start, self._position = self._position, self._position + count
        if self._position > self._end:
            self._position = start
            raise self.refuse("the file ends too early")
        return self._raw[start : self._position]

    def finish(self) -> None:
        """Nothing may be left."""
        if self._position != self._end:
            raise self.refuse(f"{self._end - self._position} bytes too many")

    def number(self, limit: int = 1 << _NUMBER_BITS) -> int:
        """A number below `limit`."""
        position = self._position
        if position < self._end and (byte := self._raw[position]) < 0x80 and byte < limit:
            self._position = position + 1
            return byte
        return self._long_number(limit)

    def _long_number(self, limit: int) -> int:
        """One of several bytes, or one that is refused."""
        byte = self.take(1)[0]
        number = byte & 0x7F
        shift = 7
        while byte & 0x80:
            byte = self.take(1)[0]
            if not byte or shift >= _NUMBER_BITS:
                raise self.refuse("a number in a form that is never written")
            number |= (byte & 0x7F) << shift
            shift += 7
        if number >= limit:
            raise self.refuse(f"{number} is too large here")
        return number

    def numbers(self, count: int) -> tuple[int, ...]:
        """So many numbers; in a quarter of the time where each takes one byte, as most do."""
        start = self._position
        taken = self._raw[start : start + count]
        if len(taken) == count and start + count <= self._end and taken.isascii():
            self._position = start + count
            return tuple(taken)
        return tuple([self.number() for _ in range(count)])

    def signed(self) -> int:
        """A number that may be below 0."""
        number = self.number()
        return ~(number >> 1) if number & 1 else number >> 1

    def optional(self) -> int | None:
        """A number, or nothing."""
        number = self.number()
        return number - 1 if number else None

    def flag(self) -> bool:
        """Yes or no."""
        return self.number(2) == 1

    def count(self, smallest: int = 1) -> int:
        """How many things follow, each of at least `smallest` bytes: no more than there are bytes for."""
        count = self.number()
        if count * smallest > self._end - self._position:
            raise self.refuse(f"there is no room for {count} items")
        return count

    def many(self, read: Callable[[], Item]) -> tuple[Item, ...]:
        """A count, and so many things."""
        return tuple([read() for _ in range(self.count())])

    def span(self, read: Callable[[], Item]) -> tuple[Item, bytes]:
        """One thing, and the bytes that it was read from."""
        start = self._position
        item = read()
        return item, self._raw[start : self._position]

    def text(self) -> str:
        """A text."""
        start = self._position + 1
        if start <= self._end and (length := self._raw[start - 1]) < 0x80 and start + length <= self._end:
            # As number and take, for the short texts that most are.
            self._position = start + length
            taken = self._raw[start : start + length]
        else:
            taken = self.take(self.count())
        try:
            return taken.decode()
        except UnicodeDecodeError:
            raise self.refuse("a text is not UTF-8") from None

    def value(self, depth: int = 0) -> Value:
        """A value."""
        tag = self.number(_OBJECT + 1)
        if tag == _TEXT:
            return self.text()
        if tag == _WHOLE:
            return self._whole()
        if tag == _FLOAT:
            return self._float()
        if tag >= _LIST and depth >= CONSTANT_DEPTH:
            raise self.refuse(f"a value is nested more than {CONSTANT_DEPTH} deep")
        if tag == _LIST:
            return [self.value(depth + 1) for _ in range(self.count())]
        if tag == _OBJECT:
            return self._object(depth)
        return None if tag == _NULL else tag == _TRUE

    def _whole(self) -> int:
        number = self.signed()
        if abs(number) > SAFE_INTEGER:
            raise self.refuse("a whole number beyond 2**53")
        return number

    def _float(self) -> int | float:
        number: float = struct.unpack(">d", self.take(8))[0]
        if not math.isfinite(number) or (number.is_integer() and abs(number) <= SAFE_INTEGER):
            raise self.refuse("a number in a form that is never written")
        return normalise(number)

    def _object(self, depth: int) -> dict[str, Value]:
        members: dict[str, Value] = {}
        for _ in range(self.count(smallest=2)):
            key = self.text()
            if key in members:
                raise self.refuse("an object has a key twice")
            members[key] = self.value(depth + 1)
        return members
