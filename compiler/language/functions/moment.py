"""Functions whose result depends on the moment: chance, the environment, and who is connected."""

from __future__ import annotations

import string
from typing import Final
from uuid import UUID

from compiler.language.functions.arguments import refuse, whole
from compiler.language.functions.registry import Moment, function
from compiler.language.values import Number, Value, channel_name, check_items, check_size

_ALPHABET: Final = (string.ascii_letters + string.digits).encode()
_FAIR_BYTES: Final = 256 - 256 % len(_ALPHABET)
"""Bytes from here on are dropped: the rest falls evenly on the alphabet."""
_LETTER_OF_BYTE: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_UNFAIR: Final = bytes(range(_FAIR_BYTES, 256))
_DOUBLE_BITS: Final = 53


@function("moment", examples=[("uuid() | length", 36)])
def uuid(moment: Moment) -> str:
    """A new random UUID (version 4)."""
    return str(UUID(bytes=moment.random_bytes(16), version=4))


@function("moment", examples=[("random_int(3, 3)", 3), ("random_int(1, 6) <= 6", True)])
def random_int(moment: Moment, least: Number, most: Number) -> Number:
    """A random whole number between two bounds, both of which it can be."""
    low, high = whole(least, "`random_int`'s least"), whole(most, "`random_int`'s most")
    if low > high:
        raise refuse("`random_int` takes the smaller bound first", low, high)
    return low + _below(moment, high - low + 1)


def _below(moment: Moment, bound: int) -> int:
    """A random whole number from 0 to before the bound, all equally likely: what is too large is drawn again."""
    bits = (bound - 1).bit_length()
    count = (bits + 7) // 8
    while True:
        drawn = int.from_bytes(moment.random_bytes(count), "big") >> (8 * count - bits)
        if drawn < bound:
            return drawn


@function("moment", examples=[("random_float() < 1", True)])
def random_float(moment: Moment) -> Number:
    """A random number from 0 to below 1."""
    return _below(moment, 1 << _DOUBLE_BITS) / (1 << _DOUBLE_BITS)


@function("moment", examples=[("random_string(16) | length", 16)])
def random_string(moment: Moment, length: Number) -> str:
    """So many random letters (of either case) and digits, fit for tokens."""
    count = whole(length, "`random_string`'s length", 0)
    check_size(count)
    drawn = bytearray()
    while len(drawn) < count:
        missing = count - len(drawn)
        drawn += moment.random_bytes(missing + missing // 16).translate(_LETTER_OF_BYTE, _UNFAIR)
    return drawn[:count].decode("ascii")


@function(
    "moment",
    literal={"name": "environment"},
    reaches={"name": "environment"},
    examples=[("env('WORPEN_EXAMPLE') ?? 'not set'", "not set")],
)
def env(moment: Moment, name: str) -> str | None:
    """An environment variable that the settings allow under `env.allow`; null where it is not set."""
    return moment.environment(name)


@function("moment", examples=[("connections() >= 0", True)])
def connections(moment: Moment) -> Number:
    """How many connections are open on the server."""
    return moment.connections()


@function("moment", reaches={"channel": "channels"}, examples=[("channel_size('a room where nobody is')", 0)])
def channel_size(moment: Moment, channel: str) -> Number:
    """How many connections are in a channel. A channel without a name is an error."""
    return moment.channel_size(channel_name(channel))


@function("moment", reaches={"channel": "channels"}, examples=[("members('a room where nobody is')", [])])
def members(moment: Moment, channel: str) -> list[Value]:
    """The ids of the connections in a channel. A channel without a name is an error."""
    ids = moment.members(channel_name(channel))
    check_items(len(ids))
    return list(ids)
