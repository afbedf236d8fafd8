"""A line for each route that a reload changed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compiler.pipeline import Settings, compile_source
from runtime.channels import Hub
from runtime.events import Swapped
from runtime.host import Surroundings
from runtime.loader import link
from runtime.seam import Context
from runtime.server.catalogue import Catalogue, RouteEntry, entries_of
from worpen_cli.changes import remember, summary

ROUTE = """\
name: Chat
path: /ws/chat/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: count, value: 0}
  on_message:
    - WsOp: {command: broadcast, message: "{{ count }} {{ message }}", channel: "{{ params.room }}"}
"""


def entries(text: str, name: str = "chat.yaml") -> list[RouteEntry]:
    compilation = compile_source(name, text.encode(), Settings())
    assert compilation.program is not None
    return list(entries_of(link(compilation.program, Context(Surroundings(Hub(8))))))


def lines(old: str, new: str, *, connections: int = 0, restart: bool = False) -> list[str]:
    """What is said of a reload from one text to another; "" is no file."""
    catalogue: Catalogue[object] = Catalogue()
    catalogue.swap(entries(old) if old else [])
    for served in catalogue:
        served.links.update(object() for _ in range(connections))
    before = remember(catalogue)
    changes = catalogue.swap(entries(new) if new else [])
    paths: Mapping[str, tuple[str, ...]] = {
        "added": tuple(str(served.pattern) for served in changes.added),
        "changed": tuple(str(served.pattern) for served, _ in changes.renewed),
        "unchanged": (),
        "removed": tuple(str(served.pattern) for served in changes.ended),
        "refused": (),
    }
    return list(summary(before, Swapped(**paths), catalogue, restart=restart))


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("{{ count }} ", "{{ count }}: ", "on_message"),
        ("value: 0", "value: 10", "on_connect"),
        ("name: Chat", "name: Talk", "name"),
        ("route_type: WebSocket", "route_type: WebSocket\ndescription: new", "description"),
        ("  on_connect:", "  on_disconnect:\n    - Log: {message: bye}\n  on_connect:", "on_disconnect"),
        ('channel: "{{ params.room }}"', "channel: hall", "on_message, channels"),
        (":room", ":place", "path"),
    ],
)
def test_what_changed(old: str, new: str, parts: str) -> None:
    text = ROUTE.replace(old, new).replace("params.room", "params.place") if old == ":room" else ROUTE.replace(old, new)
    (line,) = lines(ROUTE, text, connections=12)
    named, end = line.split(" changed; ")
    assert end == "12 connections go on at generation 2"
    assert named.startswith("chat.yaml: ")
    assert set(parts.split(", ")) <= set(named.removeprefix("chat.yaml: ").split(", "))
    if parts in ("on_message", "on_connect", "name", "description"):
        assert named == f"chat.yaml: {parts}"


def test_one_and_none() -> None:
    changed = ROUTE.replace("value: 0", "value: 1")
    assert lines(ROUTE, changed, connections=1) == [
        "chat.yaml: on_connect changed; 1 connection goes on at generation 2"
    ]
    assert lines(ROUTE, changed) == ["chat.yaml: on_connect changed; 0 connections go on at generation 2"]
    assert lines(ROUTE, changed, connections=3, restart=True) == [
        "chat.yaml: on_connect changed; 3 connections closed (1012), generation 2"
    ]


def test_new_and_gone() -> None:
    assert lines("", ROUTE) == ["chat.yaml: /ws/chat/:room is served, generation 1"]
    assert lines(ROUTE, "", connections=2) == [
        "chat.yaml: /ws/chat/:room is not served any more; 2 connections closed (1001)"
    ]
    assert lines(ROUTE, "") == ["chat.yaml: /ws/chat/:room is not served any more"]
    assert lines(ROUTE, ROUTE + "# more\n") == []
