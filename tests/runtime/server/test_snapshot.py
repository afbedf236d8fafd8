"""A server as JSON objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import Settings, compile_source
from runtime.channels import Hub
from runtime.server.catalogue import BrokenRoute, Catalogue, RouteEntry
from runtime.server.link import Link
from runtime.server.snapshot import MOST_CHANNELS, MOST_MEMBERS, channels_document, query_keys, route_document
from tests.runtime.parts import entry, route

ROUTE = """\
name: Keys
description: Asks for much
path: /ws/keys/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - If:
        condition: "{{ query.first == 'a' }}"
        then:
          - SetVar: {name: b, value: "{{ query['second'] }}"}
    - SetVar: {name: c, value: "{{ query?.third ?? query.first }}"}
    - SetVar: {name: d, value: "{{ query[c] ?? params.room }}"}
  on_message:
    - WsOp: {command: send, message: "{{ query.fourth }}"}
"""


def test_the_query_keys_that_a_route_asks_for() -> None:
    program = compile_source("keys.yaml", ROUTE.encode(), Settings()).program
    assert program is not None
    assert query_keys(program, program.routes[0]) == ("first", "second", "third", "fourth")


def test_the_examples_ask_for(project: Path) -> None:
    raw = (project / "examples" / "notifications.yaml").read_bytes()
    program = compile_source("notifications.yaml", raw, Settings()).program
    assert program is not None
    assert query_keys(program, program.routes[0]) == ("user_id",)


def test_routes_in_every_condition() -> None:
    catalogue: Catalogue[Link] = Catalogue()
    fine = entry(route("/ws/:room", name="fine", options={"description": "d"}, on_message=lambda *_: None))
    stale = entry(route("/api/ws/stale", name="stale"))
    off = entry(route("/ws/off", name="off", options={"enabled": False}))
    stale = RouteEntry(stale.owner, stale.route, stale=True)
    catalogue.swap([fine, stale, BrokenRoute("/ws/broken", "error: " + "x" * 100_000), off])
    shown = [route_document(served, "/api") for served in catalogue]
    assert [document["condition"] for document in shown] == ["ok", "stale", "broken", "disabled"]
    assert shown[0]["params"] == ["room"]
    assert (shown[0]["description"], shown[0]["hooks"], shown[0]["generation"]) == ("d", ["on_message"], 1)
    assert shown[1]["addresses"] == ["/api/ws/stale"]
    assert shown[2]["reason"].startswith("error: x")
    assert len(shown[2]["reason"]) < 10_000
    assert shown[3]["file"] == ""


@pytest.mark.parametrize(("channels", "members"), [(0, 0), (1, 3), (MOST_CHANNELS + 5, 1), (3, MOST_MEMBERS)])
def test_many_channels_with_many_members(channels: int, members: int) -> None:
    hub: Hub[object] = Hub(MOST_CHANNELS * 2)
    people = [object() for _ in range(members)]
    for number in range(channels):
        for place, one in enumerate(people):
            hub.join(f"id{place}", one, f"channel {number}")
    document = channels_document(hub)  # type: ignore[arg-type]
    assert document["total"] == channels
    assert len(document["list"]) == min(channels, MOST_CHANNELS)
    assert all(row["size"] == members for row in document["list"])
    assert sum(len(row["members"]) for row in document["list"]) == min(len(document["list"]) * members, MOST_MEMBERS)
