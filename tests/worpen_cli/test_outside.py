"""Where things outside are: environment, project file, default."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.pipeline import Settings, compile_source
from runtime.app import App
from runtime.loader import link
from runtime.server.catalogue import BrokenRoute, RouteEntry, entries_of
from runtime.services import Addresses
from tests.canary import CANARY
from worpen_cli.console import Stop
from worpen_cli.outside import asks_for, check_addresses, choose_addresses, read_addresses
from worpen_cli.project import Project

HEAD = "name: a\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - "


def project(**table: Any) -> Project:
    return Project("/srv/app", "/srv/app/worpen.toml", table)


def entries(operation: str) -> list[RouteEntry]:
    program = compile_source("a.yaml", (HEAD + operation).encode(), Settings()).program
    assert program is not None
    return entries_of(link(program, App().context))


def test_defaults() -> None:
    assert choose_addresses(project(), {}) == Addresses("sqlite:////srv/app/worpen.db", "", ())


def test_the_environment_before_the_file() -> None:
    written = project(sql={"url": "postgresql://a@b/c"}, redis={"url": "redis://d"}, http={"allow": ["e.test"]})
    assert choose_addresses(written, {}) == Addresses("postgresql://a@b/c", "redis://d", ("e.test",))
    environment = {"WORPEN_DATABASE_URL": "sqlite:///x.db", "WORPEN_REDIS_URL": "unix:///y"}
    assert choose_addresses(written, environment) == Addresses("sqlite:///x.db", "unix:///y", ("e.test",))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///data/a.db", "sqlite:////srv/app/data/a.db"),
        ("sqlite:////data/a.db", "sqlite:////data/a.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
    ],
)
def test_a_file_of_the_project_file_is_below_the_project(written: str, meant: str) -> None:
    assert choose_addresses(project(sql={"url": written}), {}).database_url == meant


def test_what_is_no_address_is_not_shown() -> None:
    tables: tuple[dict[str, Any], ...] = (
        {"sql": {"url": CANARY}},
        {"redis": {"url": 7}},
        {"sql": []},
    )
    for table in tables:
        with pytest.raises(Stop) as stopped:
            choose_addresses(project(**table), {})
        assert CANARY not in str(stopped.value)
    for name in ("WORPEN_DATABASE_URL", "WORPEN_REDIS_URL"):
        with pytest.raises(Stop, match=name) as stopped:
            choose_addresses(project(), {name: f"mysql://{CANARY}"})
        assert CANARY not in str(stopped.value)


def test_a_server_must_be_told_which_redis() -> None:
    counting = entries("RedisOp: {command: INCR, key: n}")
    assert asks_for(counting, "redis") == "a.yaml"
    assert asks_for([BrokenRoute("/ws/b", "no"), *counting], "sql") == ""
    with pytest.raises(Stop, match="uses RedisOp"):
        check_addresses(counting, Addresses())
    check_addresses(counting, Addresses(redis_url="redis://a"))
    check_addresses(entries("Log: {message: hi}"), Addresses())


@pytest.mark.parametrize(
    ("operation", "addresses"),
    [
        ('SqlOp: {query: "SELECT 1 AS one"}', Addresses(f"postgresql://a:{CANARY}@h:port/x")),
        ('SqlOp: {query: "SELECT 1 AS one"}', Addresses(f"sqlite://{CANARY}")),
        ("RedisOp: {command: INCR, key: n}", Addresses(redis_url=f"redis://:{CANARY}@h:port")),
    ],
)
def test_an_address_that_is_none_is_told_before_anything_starts(operation: str, addresses: Addresses) -> None:
    for check in (read_addresses, check_addresses):
        with pytest.raises(Stop, match=r"address of|'s address") as stopped:
            check(entries(operation), addresses)
        assert CANARY not in str(stopped.value)
    read_addresses(entries("Log: {message: hi}"), addresses)
