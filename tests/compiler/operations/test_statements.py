"""A statement knows where it stands."""

from __future__ import annotations

from compiler.pipeline import Settings, check_source

ROUTE = """\
name: a
path: /ws/a
route_type: WebSocket
ws_hooks:
  on_message:
    - SqlOp:
        query: "SELECT '\\u0041', :lost"
"""


def test_the_place_of_a_placeholder_in_the_file() -> None:
    (found,) = check_source("a.yaml", ROUTE.encode(), Settings()).report.sorted()
    assert found.code.name == "sql-parameter"
    text = ROUTE[found.span.start : found.span.end]
    assert text == ":lost"
