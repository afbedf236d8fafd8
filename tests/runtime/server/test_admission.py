"""What a handshake tells, and who may connect."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import cast
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runtime.limits import ServerLimits
from runtime.server.admission import (
    QUERY_KEYS,
    BadQuery,
    Gate,
    counted_as,
    header_variables,
    is_origin_allowed,
    parse_query,
)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("&&a=1&", {"a": "1"}),
        ("user-id=7", {"user-id": "7"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1+2%2B3", {"a": "1 2+3"}),
        ("%D8%B3=%E2%9C%93", {"س": "✓"}),
        ("a=%2526", {"a": "%26"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=100%", {"a": "100%"}),
    ],
)
def test_query(query: str, values: dict[str, str]) -> None:
    assert parse_query(query) == values


def test_a_query_has_so_many_keys_and_no_more() -> None:
    keys = [f"k{number}" for number in range(QUERY_KEYS + 1)]
    assert list(parse_query("&".join(keys[:-1]))) == keys[:-1]
    with pytest.raises(BadQuery, match="more than 128 keys"):
        parse_query("&".join(keys))


@pytest.mark.parametrize("query", ["a=%FF", "%C3=1", "a=%ED%A0%80"])
def test_a_query_that_is_no_text(query: str) -> None:
    with pytest.raises(BadQuery):
        parse_query(query)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_any_query_survives_encoding(values: dict[str, str]) -> None:
    assert parse_query(urlencode(values)) == values


def test_headers() -> None:
    assert header_variables({"user-agent": "x", "host": "y"}) == {"user_agent": "x", "host": "y"}


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "example.com", True),
        ("http://example.com", "example.com", True),
        ("https://EXAMPLE.com:8443", "example.com:3000", True),
        ("http://[::1]:8080", "[::1]:3000", True),
        ("http://example.com.evil.test", "example.com", False),
        ("http://evil.test", "example.com", False),
        ("http://127.0.0.1", "localhost", False),
        ("null", "null", False),
        ("null", "example.com", False),
        ("", "", False),
        ("example.com", "example.com", False),
        ("http://[", "[", False),
        ("http://example.com", "", False),
    ],
)
def test_origins_by_default(origin: str | None, host: str, allowed: bool) -> None:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    assert is_origin_allowed(None, headers) is allowed


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (["https://a.test"], "https://a.test", True),
        (["https://a.test"], "https://A.test:443", True),
        (["https://a.test"], "http://a.test", False),
        (["https://a.test"], "https://a.test:444", False),
        (["https://a.test"], "https://here.test", False),
        (["https://a.test"], "null", False),
        (["*"], "null", True),
        ([], "https://here.test", False),
        (["https://a.test"], "https://a.test:x", False),
    ],
)
def test_origins_of_a_route(origins: list[str], origin: str, allowed: bool) -> None:
    assert is_origin_allowed(origins, {"host": "here.test", "origin": origin}) is allowed


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::1%lo", ""),
        ("0:0:0:0:0:0:0:1", ""),
        ("::ffff:127.9.9.9", ""),
        ("::ffff:7f00:1", ""),
        ("", ""),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("64:ff9b::c000:201", "192.0.2.1"),
        ("64:ff9b::7f00:1", "127.0.0.1"),
        ("64:ff9b:1::c000:201", "64:ff9b:1::/64"),
        ("fe80::1", "fe80::1"),
        ("FE80:0::1%eth0", "fe80::1"),
        ("fe80:0:0:1::1", "fe80:0:0:1::/64"),
        ("::2", "::/64"),
        ("x", "x"),
        ("x:y", "x:y"),
        ("::g", "::g"),
        ("::1\0", "::1\0"),
        ("::\ud800", "::\ud800"),
        ("/run/a:b.sock", "/run/a:b.sock"),
    ],
)
def test_whom_an_address_is_counted_as(address: str, counted: str) -> None:
    assert counted_as(address) == counted


SINGLE = [ip_network(each) for each in ("::ffff:0:0/96", "::1/128", "64:ff9b::/96", "fe80::/64")]


def _counts_by_itself(address: IPv6Address) -> bool:
    return any(address in network for network in SINGLE)


SIXES = st.ip_addresses(v=6).filter(lambda address: not _counts_by_itself(cast("IPv6Address", address)))


@given(SIXES, st.integers(0, 127), st.sampled_from(["", "%eth0", "%7"]))
def test_ipv6_is_counted_by_its_network(address: IPv6Address, bit: int, scope: str) -> None:
    other = IPv6Address(int(address) ^ 1 << bit)
    assume(not _counts_by_itself(other))
    assert (counted_as(f"{address}{scope}") == counted_as(other.exploded)) is (bit < 64)
    assert ip_network(counted_as(str(address))) == ip_network((address, 64), strict=False)


@given(st.ip_addresses(v=4))
def test_ipv4_is_counted_by_itself_however_it_is_written(address: IPv4Address) -> None:
    mapped = IPv6Address((0xFFFF << 32) | int(address))
    counted = "" if address.is_loopback else str(address)
    assert {counted_as(each) for each in (str(address), f"::ffff:{address}", mapped.exploded)} == {counted}


def test_the_gate_counts_connections() -> None:
    reached: list[str] = []
    gate = Gate(ServerLimits(connections=2, connections_per_address=2), 0.0, reached.append)
    assert gate.objection("192.0.2.1", 0.0) is None
    gate.entered("192.0.2.1")
    gate.entered("192.0.2.2")
    assert reached == []
    assert gate.objection("192.0.2.3", 0.0) == "the server is full"
    assert reached == ["connections"]
    gate.left("192.0.2.2")
    assert gate.objection("192.0.2.3", 0.0) is None


def test_the_gate_counts_by_address_but_not_this_machine() -> None:
    reached: list[str] = []
    gate = Gate(ServerLimits(connections_per_address=1), 0.0, reached.append)
    for address in ("192.0.2.1", "127.0.0.1", "127.0.0.1"):
        gate.entered(address)
    assert gate.objection("192.0.2.1", 0.0) == "too many connections from your address"
    assert reached == ["connections_per_address"]
    assert gate.objection("192.0.2.2", 0.0) is None
    assert gate.objection("127.0.0.1", 0.0) is None
    gate.left("127.0.0.1")
    gate.left("192.0.2.1")
    assert gate.objection("192.0.2.1", 0.0) is None


def test_the_gate_counts_a_network_of_ipv6_as_one_address() -> None:
    reached: list[str] = []
    gate = Gate(ServerLimits(connections_per_address=2), 0.0, reached.append)
    gate.entered("2001:db8::1")
    gate.entered("2001:db8::2")
    assert gate.objection("2001:db8::3", 0.0) == "too many connections from your address"
    assert gate.objection("2001:db8:0:1::1", 0.0) is None
    gate.left("2001:db8::1")
    assert gate.objection("2001:db8::3", 0.0) is None


def test_the_gate_limits_the_rate() -> None:
    reached: list[str] = []
    gate = Gate(ServerLimits(connection_rate=10, connection_burst=2), 0.0, reached.append)
    objections = [gate.objection("192.0.2.1", now) is None for now in (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)]
    assert objections == [True, True, False, True, True, False]
    assert reached == ["connection_rate"] * 2


def test_a_rate_of_nothing_is_no_limit() -> None:
    reached: list[str] = []
    gate = Gate(ServerLimits(connection_rate=0, connection_burst=1), 0.0, reached.append)
    assert all(gate.objection("192.0.2.1", 0.0) is None for _ in range(1_000))
