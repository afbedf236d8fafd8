"""One door for each thing outside: databases, Redis, HTTP.

`Services` is what a server holds. Nothing is imported before a program asks for it, nothing opened before a hook does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from runtime.limits import ServerLimits

if TYPE_CHECKING:
    from runtime.services.http import Http
    from runtime.services.redis import Redis
    from runtime.services.sql import Sql

DEFAULT_DATABASE: Final = "sqlite:///worpen.db"
"""A file in the working folder."""
OUTSIDE: Final = frozenset({"sql", "redis", "http"})
"""The effects that are performed here."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the things outside are. Both addresses may hold a password, so they are never shown."""

    database_url: str = field(default=DEFAULT_DATABASE, repr=False)
    """`sqlite:///file` or `postgresql://user:password@host/name`."""
    redis_url: str = field(default="", repr=False)
    """`redis://host:port/db`; empty: there is none, and RedisOp faults."""
    http_hosts: tuple[str, ...] = ()
    """Hosts that HttpRequest may ask: names, `*.name` for those below one, addresses, networks (`10.0.0.0/8`)."""


class Services:
    """The doors of one server. Belongs to one running loop."""

    def __init__(self, addresses: Addresses, limits: ServerLimits) -> None:
        self.addresses = addresses
        self._limits = limits

    @cached_property
    def _sql(self) -> Sql:
        from runtime.services.sql import Sql

        return Sql(self.addresses.database_url, self._limits)

    @cached_property
    def _redis(self) -> Redis:
        from runtime.services.redis import Redis

        return Redis(self.addresses.redis_url, self._limits)

    @cached_property
    def _http(self) -> Http:
        from runtime.services.http import Http

        return Http(self.addresses.http_hosts, self._limits)

    def use_redis(self, url: str) -> None:
        """Ask this Redis from now on. Raises ValueError where the address is none."""
        self.addresses = replace(self.addresses, redis_url=url)
        self.__dict__.pop("_redis", None)

    async def run_script(self, script: str) -> None:
        """Run the statements of a schema file on the database, all of them or none. Raises Fault, ValueError."""
        await self._sql.run_script(script)

    def prepare(self, effects: Iterable[str]) -> None:
        """Import what these effects need, now and not when the first hook waits for it.

        Raises ValueError where an address is none.
        """
        for effect in OUTSIDE.intersection(effects):
            getattr(self, f"_{effect}")

    def perform(self, effect: str, *arguments: Any) -> Awaitable[Any]:
        """Perform one effect of `OUTSIDE`. Cancel what is awaited to stop it; it is undone where that is possible.

        Raises Fault when it is awaited.
        """
        door: Sql | Redis | Http = getattr(self, f"_{effect}")
        return door.perform(*arguments)

    def host_of(self, url: str) -> str:
        """The host that a request to this address would go to, in ASCII and lower case. Raises Fault http-refused."""
        return self._http.host_of(url)

    async def close(self) -> None:
        """Close everything that was opened."""
        for effect in OUTSIDE:
            if (door := self.__dict__.pop(f"_{effect}", None)) is not None:
                await door.close()
