"""What a program can reach, read off its instructions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.program import Manifest
from tests.assembly import program

PUBLISH = "CONST 'hi' ; FALSE ; FALSE ; {} ; EMIT publish ; DROP"
GET = "CONST 'GET' ; {} ; NULL ; NULL ; CONST 5000 ; EMIT http ; DROP"
READ = "CONST 'GET' ; {} ; NULL ; NULL ; EMIT redis ; DROP"
QUERY = "{} ; NULL ; CONST 'query' ; CONST 'all' ; EMIT sql ; DROP"


def manifest(text: str) -> Manifest:
    return program(text).manifest


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("CONST 'room'", "room"),
        ("CONST 'room' ; CHANNEL", "room"),
        ("CONST 'room-' ; INPUT params ; MEMBER 'room' ; CONCAT 2 ; CHANNEL", "room-*"),
        ("CONST 'a' ; CONST 5 ; CONCAT 2", "a5"),
        ("CONST 'a*' ; INPUT message ; CONCAT 2", r"a\**"),
        ("INPUT message ; TEXT ; CHANNEL", "*"),
        ("TRUE ; IF 1 ; CONST 'a' ; ELSE ; CONST 'b' ; END", "*"),
        ("TRUE ; AND ; CONST 'a' ; END", "*"),
        ("CONST 'a' ; CONST 'b' ; ADD", "*"),
        ("CONST 'a' ; INPUT message ; CONST 1 ; CONST 2 ; LIST 2 ; CONST 'z' ; CONCAT 4", "a*z"),
    ],
)
def test_channels(text: str, channel: str) -> None:
    assert manifest(PUBLISH.format(text)).channels == (channel,)


def test_channels_of_membership_and_of_all_operations() -> None:
    made = program(
        "CONST 'in' ; EMIT subscribe ; DROP ; CONST 'out' ; EMIT unsubscribe ; DROP",
        literals=["fixed"],
        slots=["room"],
        templates=["CONST 'r/' ; SLOT room ; CONCAT 2 ; CHANNEL ; RETURN"],
    )
    assert made.manifest.channels == ("fixed", "in", "out", "r/*")
    assert made.manifest.effects == ("subscribe", "unsubscribe")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("CONST 'https://api.example.com/v1'", "api.example.com"),
        ("CONST 'https://API.example.com'", "api.example.com"),
        ("CONST 'https://user@example.com:8443/x'", "example.com"),
        ("CONST 'https://[::1]:80/x'", "::1"),
        ("CONST 'https://a.example/' ; INPUT message ; CONCAT 2", "a.example"),
        ("CONST 'https://a.example' ; INPUT message ; CONCAT 2", "*"),
        ("CONST 'https://' ; INPUT message ; CONST '/x' ; CONCAT 3", "*"),
        ("INPUT message ; CONST 'https://a.example/' ; CONCAT 2", "*"),
        ("INPUT message", "*"),
        ("CONST 'nonsense'", "*"),
        ("CONST 'https://[/x'", "*"),
        ("CONST 'https://a.example?q=' ; INPUT message ; CONCAT 2", "a.example"),
        ("CONST 'https://a.example#' ; INPUT message ; CONCAT 2", "a.example"),
        (r"CONST 'https://a.example\\' ; INPUT message ; CONCAT 2", "*"),
        ("CONST 'https://a\u3002example/'", "a.example"),
        ("CONST 'https://www.BÜCHER.example/'", "www.xn--bcher-kva.example"),
    ],
)
def test_hosts(text: str, host: str) -> None:
    assert manifest(GET.format(text)).hosts == (host,)


def test_keys_and_statements() -> None:
    found = manifest(
        READ.format("CONST 'user:' ; INPUT message ; CONCAT 2") + " ; " + QUERY.format("CONST 'SELECT * FROM t'")
    )
    assert found.keys == ("user:*",)
    assert found.statements == ("SELECT * FROM t",)
    assert found.effects == ("redis", "sql")


@pytest.mark.parametrize("function", ["members", "channel_size"])
def test_channels_that_are_only_asked_about(function: str) -> None:
    found = manifest(f"CONST 'vip-' ; INPUT message ; CONCAT 2 ; CALL {function}/1 ; RETURN")
    assert found.channels == ("vip-*",)


def test_functions_and_environment_also_of_inner_expressions() -> None:
    found = manifest(
        "CONST [1] ; INNER {CONST 'KEY' ; CALL env/1 ; RETURN} ; CALL map/2 ; DROP ; CONST 'a' ; CALL upper/1 ; RETURN"
    )
    assert found.functions == ("env", "map", "upper")
    assert found.environment == ("KEY",)


def test_what_is_imported_but_not_used_is_not_reached() -> None:
    made = program("CONST 'a' ; CALL upper/1 ; RETURN")
    other = program("NULL ; RETURN")
    assert compute_manifest(made.constants, made.imports, other.routes).functions == ()


def test_cost_by_hook() -> None:
    made = program("NULL ; RETURN", on_connect="CONST [] ; EACH 0 ; END")
    assert made.manifest.cost == {"Test/on_connect": None, "Test/on_message": 2}


def test_routes_of_one_name_share_the_greater_cost() -> None:
    small, large, endless = (
        program("NULL ; RETURN"),
        program("NULL ; DROP ; NULL ; RETURN"),
        program("LOOP 1 ; TRUE ; WHILE ; END"),
    )
    both = replace(small, routes=(*large.routes, *small.routes))
    assert compute_manifest((), (), both.routes).cost == {"Test/on_message": 4}
    assert compute_manifest((), (), (*both.routes, *endless.routes, *small.routes)).cost == {"Test/on_message": None}
