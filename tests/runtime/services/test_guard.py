"""Which hosts may be asked; see `test_http` for requests."""

from __future__ import annotations

import httpcore
import pytest

from compiler.language.faults import Fault
from runtime.services import guard
from runtime.services.guard import Guard, GuardedNetwork


def admits(rules: Guard, host: str) -> bool:
    try:
        rules.admit(host)
    except Fault as fault:
        return fault.code != "http_refused"
    return True


def test_names_and_those_below() -> None:
    rules = Guard(["Api.Example.com.", "*.example.org", "10.0.0.0/8", "::1"])
    good = ("api.example.com", "API.EXAMPLE.COM", "api.example.com.", "a.b.example.org", "10.1.2.3", "::1", "[::1]")
    bad = ("example.com", "example.org", "xexample.org", "11.0.0.1", "::2", "api.example.com.evil.test", "")
    assert [host for host in good if not admits(rules, host)] == []
    assert [host for host in bad if admits(rules, host)] == []
    assert not admits(Guard([]), "localhost")


async def test_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["10.0.0.1", "93.184.216.34"]

    async def look_up(host: str, port: int) -> list[str]:
        return found

    monkeypatch.setattr(guard, "look_up", look_up)
    with pytest.raises(Fault, match="private network"):
        await Guard(["a.test"]).resolve("a.test", 80)
    assert await Guard(["a.test", "10.0.0.0/8"]).resolve("a.test", 80) == found


async def test_localhost_is_this_machine_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(await Guard(["localhost"]).resolve("localhost", 80)) <= {"127.0.0.1", "::1"}

    async def look_up(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    monkeypatch.setattr(guard, "look_up", look_up)
    with pytest.raises(Fault):
        await Guard(["localhost"]).resolve("localhost", 80)


async def test_no_sockets_but_those_of_hosts() -> None:
    with pytest.raises(httpcore.ConnectError):
        await GuardedNetwork(Guard([])).connect_unix_socket("/tmp/socket")
