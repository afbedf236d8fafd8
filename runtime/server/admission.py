"""Who may connect, and what a handshake tells a hook (language sections 4 and 9; runtime section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from socket import AF_INET6, inet_ntoa, inet_ntop, inet_pton
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from runtime.limits import ServerLimits
from runtime.transport.rates import Bucket

ANY_ORIGIN: Final = "*"
_LOOPBACK: Final = bytes(15) + b"\x01"
_MAPPED: Final = bytes(10) + b"\xff\xff"
"""What IPv6 addresses begin with that are IPv4 ones."""
_TRANSLATED: Final = b"\x00\x64\xff\x9b" + bytes(8)
"""What those begin with that a gateway made of IPv4 ones (RFC 6052 section 2.1)."""
_LINK_LOCAL: Final = b"\xfe\x80" + bytes(6)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


QUERY_KEYS: Final = 128
"""More than so many keys in a query nobody reads: with two thousand, a handshake takes milliseconds."""


class BadQuery(ValueError):
    """A query whose percent-encoding is not UTF-8, or with too many keys. Answered with 400."""


def parse_query(query: str) -> dict[str, str]:
    """The values after `?`: percent-decoded, `+` is a blank, of a repeated key the last. Raises BadQuery."""
    values: dict[str, str] = {}
    if not query:
        return values
    if query.count("&") >= QUERY_KEYS:
        raise BadQuery(f"the query has more than {QUERY_KEYS} keys")
    for pair in query.split("&"):
        if pair:
            key, _, value = pair.partition("=")
            values[_decode(key)] = _decode(value)
    return values


def _decode(text: str) -> str:
    try:
        return unquote(text.replace("+", " "), errors="strict")
    except UnicodeDecodeError:
        raise BadQuery("the query is not percent-encoded UTF-8") from None


def header_variables(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as hooks see them: `user-agent` is `user_agent`."""
    return {_variable(name): value for name, value in headers.items()}


@lru_cache(maxsize=512)
def _variable(header: str) -> str:
    # Kept: connections that send the same headers share their names.
    return header.replace("-", "_")


def is_origin_allowed(origins: Sequence[str] | None, headers: Mapping[str, str]) -> bool:
    """Whether a page from the request's `Origin` may connect.

    `origins` are the route's own; without them the origin's host must be the one that was asked for, on any port.
    A request without `Origin` comes from no browser and may.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    if origins is not None:
        return ANY_ORIGIN in origins or _normal_origin(origin) in map(_normal_origin, origins)
    asked = _host_name("//" + headers.get("host", ""))
    return asked != "" and "://" in origin and _host_name(origin) == asked


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _host_name(address: str) -> str:
    parts = _split(address)
    return (parts.hostname or "") if parts else ""


def _normal_origin(origin: str) -> str:
    """Lower case, without the port where it is the scheme's own."""
    lowered = origin.lower().rstrip("/")
    parts = _split(lowered)
    try:
        port = parts.port if parts else None
    except ValueError:
        return lowered
    if parts and port is not None and port == _DEFAULT_PORTS.get(parts.scheme):
        return lowered.removesuffix(f":{port}")
    return lowered


def counted_as(address: str) -> str:
    """Whom the limit by address counts a client as: its IPv4 address or its /64 network of IPv6; as it stands what is
    neither. Empty for this machine (loopback, a Unix socket), which has no limit."""
    if ":" in address:
        return _network_of(address)
    return "" if address.startswith("127.") else address


def _network_of(address: str) -> str:
    # The least that a provider gives to a customer: who has one has each of its 2**64 addresses.
    try:
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return address
    if packed == _LOOPBACK:
        return ""
    if packed.startswith(_MAPPED):
        return counted_as(inet_ntoa(packed[12:]))
    if packed.startswith(_TRANSLATED):
        return inet_ntoa(packed[12:])
    if packed.startswith(_LINK_LOCAL):  # one network for all who are on the cable
        return inet_ntop(AF_INET6, packed)
    return inet_ntop(AF_INET6, packed[:8] + bytes(8)) + "/64"


class Gate:
    """Counts connections against the server's limits. Mutable, one owner."""

    __slots__ = ("_bucket", "_by_address", "_by_user", "_limits", "_reached", "open")

    def __init__(self, limits: ServerLimits, now: float, reached: Callable[[str], None]) -> None:
        """`reached` counts the name of a limit that was reached."""
        self._limits = limits
        self._reached = reached
        self._bucket = Bucket(limits.connection_rate, limits.connection_burst, now)
        self._by_address: dict[str, int] = {}
        self._by_user: dict[str, int] = {}
        self.open = 0
        """Connections now."""

    def objection(self, address: str, now: float) -> str | None:
        """Why a connection from this address cannot be taken now; None where it can."""
        if (full := self.fullness(address)) is not None:
            return full
        if not self._bucket.take(now):
            return self._refusal("connection_rate", "too many connections at once")
        return None

    def fullness(self, address: str) -> str | None:
        """Which number of open connections is reached; None where there is room for one more."""
        if self.open >= self._limits.connections:
            return self._refusal("connections", "the server is full")
        if self._by_address.get(counted_as(address), 0) >= self._limits.connections_per_address:
            return self._refusal("connections_per_address", "too many connections from your address")
        return None

    def objection_to_user(self, user: str) -> str | None:
        """Why a connection of this user cannot be taken now; None where it can."""
        if user and self._by_user.get(user, 0) >= self._limits.connections_per_user:
            return self._refusal("connections_per_user", "you have too many connections")
        return None

    def _refusal(self, limit: str, reason: str) -> str:
        self._reached(limit)
        return reason

    def entered(self, address: str, user: str = "") -> None:
        """A connection is open, of this user where that is known."""
        self.open += 1
        if counted := counted_as(address):
            self._by_address[counted] = self._by_address.get(counted, 0) + 1
        if user:
            self._by_user[user] = self._by_user.get(user, 0) + 1

    def left(self, address: str, user: str = "") -> None:
        """A connection that entered is over."""
        self.open -= 1
        _count_down(self._by_address, counted_as(address))
        if user:
            _count_down(self._by_user, user)


def _count_down(numbers: dict[str, int], key: str) -> None:
    left = numbers.get(key, 0) - 1
    if left > 0:
        numbers[key] = left
    else:
        numbers.pop(key, None)
