"""Where databases, Redis and HTTP hosts are: environment > project file > default.

    [sql]                                          # in worpen.toml
    url = "postgresql://app@db.internal/app"       # WORPEN_DATABASE_URL; default: the file worpen.db of the project
    [redis]
    url = "redis://cache.internal:6379/0"          # WORPEN_REDIS_URL; default: none, and one of its own in `dev`
    [http]
    allow = ["api.example.com", "10.0.0.0/8"]      # hosts that HttpRequest may ask; default: none

Addresses may hold passwords, so no message shows one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from runtime.limits import ServerLimits
from runtime.server.catalogue import RouteEntry
from worpen_cli.console import ExitCode, Stop
from worpen_cli.project import Project

if TYPE_CHECKING:
    from runtime.server.catalogue import BrokenRoute
    from runtime.services import Addresses

DATABASE_VARIABLE: Final = "WORPEN_DATABASE_URL"
REDIS_VARIABLE: Final = "WORPEN_REDIS_URL"
DATABASE_FILE: Final = "worpen.db"
_DATABASE: Final = re.compile(r"sqlite(?:\+aiosqlite)?://|postgres(?:ql(?:\+asyncpg)?)?://")
_REDIS: Final = re.compile(r"rediss?://|unix://")
_RELATIVE_FILE: Final = re.compile(r"(sqlite(?:\+aiosqlite)?:///)(?!/|:memory:)(?=.)")


def choose_addresses(project: Project, environment: Mapping[str, str] = os.environ) -> Addresses:
    """Where everything is. Raises Stop for what is no address."""
    from runtime.services import Addresses

    database = _address(project, "sql", environment, DATABASE_VARIABLE, _DATABASE, "sqlite:///FILE or postgresql://…")
    redis = _address(
        project, "redis", environment, REDIS_VARIABLE, _REDIS, "redis://HOST:PORT/DB, rediss:// or unix://"
    )
    allowed = project.section("http").get("allow", [])
    if not isinstance(allowed, list) or not all(isinstance(host, str) for host in allowed):
        raise project.mistake("http.allow", "is a list of hosts")
    return Addresses(database or f"sqlite:///{os.path.join(project.root, DATABASE_FILE)}", redis, tuple(allowed))


def _address(
    project: Project, table: str, environment: Mapping[str, str], variable: str, shape: re.Pattern[str], wanted: str
) -> str:
    if written := environment.get(variable, ""):
        if not shape.match(written):
            raise Stop(f"{variable} is {wanted}")
        return written
    set_there = project.section(table).get("url", "")
    if not isinstance(set_there, str) or (set_there and not shape.match(set_there)):
        raise project.mistake(f"{table}.url", f"is {wanted}")
    return _RELATIVE_FILE.sub(lambda found: f"{found[1]}{os.path.join(project.root, '')}", set_there)


def asks_for(entries: Iterable[RouteEntry | BrokenRoute], effect: str) -> str:
    """The first of these routes whose program asks for an effect; "" where none does."""
    for entry in entries:
        if isinstance(entry, RouteEntry) and effect in entry.owner.manifest.effects:
            return entry.owner.source_name or entry.route.program.path
    return ""


def read_addresses(entries: Iterable[RouteEntry | BrokenRoute], addresses: Addresses) -> None:
    """Read the addresses that these routes need, before anything is asked of them. Raises Stop for what is none."""
    from runtime.services import Services

    entries = list(entries)
    try:
        Services(addresses, ServerLimits()).prepare(effect for effect in ("sql", "redis") if asks_for(entries, effect))
    except ValueError as wrong:
        raise Stop(str(wrong)) from None


def check_addresses(entries: Iterable[RouteEntry | BrokenRoute], addresses: Addresses) -> None:
    """What `serve` must be told, because nothing can be made up for it. Raises Stop."""
    entries = list(entries)
    read_addresses(entries, addresses)
    if not addresses.redis_url and (name := asks_for(entries, "redis")):
        raise Stop(
            f"{name} uses RedisOp, and no Redis is set",
            help=f"set {REDIS_VARIABLE}=redis://HOST:PORT/DB, or `url` under [redis] in worpen.toml",
            code=ExitCode.FINDINGS,
        )
