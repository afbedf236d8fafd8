"""The keys of a route, and a route as read."""

from __future__ import annotations

import pytest

from compiler.operations.route import HTTP_KEYS, ROUTE_KEY_SYNONYMS, ROUTE_KEYS, Route
from compiler.pipeline import Settings, check_source
from tests.compiler.checking import HEAD, HOOK

REQUIRED = ("name", "path", "route_type", "ws_hooks")
DEFAULTS = {"description": "", "enabled": True, "version": "1.0.0", "codec": "text"}


def read(more: str = "") -> Route:
    (route,) = check_source("route.yaml", f"{HEAD}{more}{HOOK}".encode(), Settings()).routes
    return route


def test_the_keys_of_a_route() -> None:
    assert set(ROUTE_KEYS) == {
        *REQUIRED,
        *DEFAULTS,
        "subscribe",
        "rate_limit",
        "auth",
        "origins",
        "limits",
        "compression",
        "history",
        "on_reload",
    }
    assert tuple(name for name, row in ROUTE_KEYS.items() if row.required) == REQUIRED
    assert {name: row.default for name, row in ROUTE_KEYS.items() if row.default is not None} == DEFAULTS


@pytest.mark.parametrize("name", ROUTE_KEYS)
def test_every_key_says_what_it_is(name: str) -> None:
    assert ROUTE_KEYS[name].doc.endswith((".", ":"))
    assert ROUTE_KEYS[name].example


def test_names_elsewhere_lead_to_keys() -> None:
    assert set(ROUTE_KEY_SYNONYMS.values()) <= set(ROUTE_KEYS)
    assert not (set(ROUTE_KEY_SYNONYMS) | set(HTTP_KEYS)) & set(ROUTE_KEYS)


def test_what_a_route_knows_of_itself() -> None:
    assert (read().codec, read().enabled, read().has_auth) == ("text", True, False)
    route = read("codec: json\nenabled: false\nauth: {jwt: {secret_env: A}}\n")
    assert (route.codec, route.enabled, route.has_auth) == ("json", False, True)


def test_what_is_at_its_default_is_no_option() -> None:
    same = "description: ''\nenabled: true\nversion: 1.0.0\ncodec: text\n"
    same += "rate_limit: {messages_per_minute: 60, burst: 10}\n"
    assert read(same).options == {"rate_limit": {"messages_per_minute": 60}}
    assert read("rate_limit: 60\n").options == read(same).options
