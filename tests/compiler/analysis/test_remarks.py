"""Remarks about a route as a whole."""

from __future__ import annotations

import pytest

from tests.compiler.routes import found, route

SET = "- SetVar: {name: x, value: 1}"


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        # variables that nobody reads
        (route(SET), ["W412 x"]),
        (route(f"{SET}\n{SET}"), ["W412 x"]),
        (route(SET, on_disconnect="- Log: {message: '{{ x ?? 1 }}'}"), []),
        (route("- SqlOp: {query: SELECT 1}"), []),
        (route("- SqlOp: {query: SELECT 1, output_var: rows}"), ["W412 rows"]),
        (route("- SetVar: {name: message, value: x}"), []),
        (route("- Loop: {collection: [1], var: x, body: [{SetVar: {name: x, value: 1}}]}"), []),
        (route(f"{SET}\n- WsOp: {{command: broadcast, message: m, channel: '{{{{ x }}}}'}}"), []),
        (route(f"{SET}\n- Lop: {{}}"), ["W206 Lop"]),
        # what is sent to nobody
        (route(on_disconnect="- WsOp: {command: send, message: m}"), ["W216 WsOp"]),
        (route(on_disconnect="- If: {condition: query.a, then: [{WsOp: {command: send, message: m}}]}"), ["W216 WsOp"]),
        (route(on_disconnect="- WsOp: {command: send, message: m, to: c}"), []),
        (route(on_disconnect="- WsOp: {command: broadcast, message: m}"), []),
        (route(on_connect="- WsOp: {command: send, message: m}"), []),
        (route(on_disconnect="- Return: {value: bye}"), ["W216 Return"]),
        (route(on_disconnect="- Return: {value: null}"), []),
        (route(on_auth="- Return: {value: hi}"), ["W216 Return"]),
        (route("- Return: {value: hi}"), []),
        # claims
        (route("- WsOp: {command: send, message: You joined}"), ["W505 You joined"]),
        (route("- Return: {value: 'Subscribed to {{ message }}'}"), ["W505 'Subscribed to {{ message }}'"]),
        (route("- Log: {message: somebody joined}"), []),
        (route("- WsOp: {command: send, message: joined}\n- WsOp: {command: subscribe, channel: a}"), []),
        (route("- WsOp: {command: send, message: rejoined}"), []),
    ],
)
def test_remarks(text: str, remarks: list[str]) -> None:
    assert found(text) == remarks
