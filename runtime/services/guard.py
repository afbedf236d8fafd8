"""Which hosts HttpRequest may ask, and which addresses it may connect to.

A name is checked against the list of the settings. Then every address that it stands for is checked, and the
connection goes to one of the checked ones: a name that stands for another address a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import httpcore

from compiler.diagnostics import codes
from compiler.language.faults import Fault

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that a gateway makes IPv4 ones of (NAT64)."""
_LOCALHOST: Final = "localhost"


class Guard:
    """The hosts that may be asked."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """`allowed`: names, `*.name` for those below one, addresses, and networks, which allow private addresses to
        the names that stand for them."""
        self._names: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[Network] = []
        for entry in allowed:
            written = entry.strip().lower().rstrip(".")
            try:
                self._networks.append(ipaddress.ip_network(written.strip("[]"), strict=False))
            except ValueError:
                if written.startswith("*."):
                    self._suffixes.append(written[1:])
                else:
                    self._names.add(written)

    def admit(self, host: str) -> None:
        """Look at the host of an address. Raises Fault http-refused where it may not be asked."""
        name = host.lower().rstrip(".")
        literal = _literal(name)
        if literal is not None:
            allowed = self._lists(literal)
        else:
            allowed = name in self._names or name.endswith(tuple(self._suffixes))
        if not allowed:
            raise Fault(codes.HTTP_REFUSED, f"the settings do not allow requests to `{host}`; see `[http] allow`", host)

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of an admitted host, all of them checked. Raises Fault, and OSError where there are none."""
        found = await look_up(host, port)
        for written in found:
            address = _literal(written.partition("%")[0])
            if address is None or not self._may_reach(host, address):
                raise Fault(
                    codes.HTTP_REFUSED,
                    f"`{host}` stands for an address of a private network, which the settings do not name",
                    host,
                )
        return found

    def _may_reach(self, host: str, address: Address) -> bool:
        inner = _inner(address)
        if all(one.is_global and not one.is_multicast for one in inner):
            return True
        is_own = host.lower().rstrip(".") == _LOCALHOST and all(one.is_loopback for one in inner)
        return is_own or all(self._lists(one) for one in inner)

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError where there are none."""
    rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _inner(address: Address) -> list[Address]:
    """The address, or the IPv4 address that it is another way to write, or to get to."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if (mapped := address.ipv4_mapped) is not None:
        return [mapped]
    if address in _TRANSLATED:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if (wrapped := address.sixtofour) is not None:
        return [address, wrapped]
    if (tunnel := address.teredo) is not None:
        return [address, tunnel[1]]
    return [address]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that answers."""
        try:
            addresses = await self._guard.resolve(host, port)
        except OSError:
            raise httpcore.ConnectError("the name is not known") from None
        problem: Exception = httpcore.ConnectError("the name stands for no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                problem = error
        raise problem

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise httpcore.ConnectError("only hosts can be asked")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await asyncio.sleep(seconds)
