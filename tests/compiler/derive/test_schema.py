"""The JSON Schema: it takes what is good, refuses what has the wrong shape, and points at the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compiler.derive.schema import json_schema
from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Report
from compiler.operations import OPERATIONS, SPELLINGS, Operation
from compiler.operations.route import ROUTE_KEYS
from compiler.pipeline import Settings, check_source
from compiler.syntax.events import decode_source, read_documents
from tests.compiler.syntax.plain import plain
from tests.conftest import PROJECT

ROUTES = PROJECT.parent / "shared" / "conformance" / "routes"
VALIDATOR = Draft202012Validator(json_schema())
NOT_EXPRESSED = {"o40_break_outside_loop", "o46_sql_param_missing"}
"""Broken routes whose mistake lies in how parts of them go together."""


def documents(name: str, raw: bytes) -> list[Any]:
    report = Report()
    source = decode_source(name, raw, report)
    nodes = [] if source is None else read_documents(source, report)
    return [] if report.has_errors else [plain(node) for node in nodes]


def places(document: Any) -> list[str]:
    return ["/".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(document)]


def route(*operations: Any, **more: Any) -> dict[str, Any]:
    hooks = {"on_message": list(operations)}
    return {"name": "A", "path": "/ws/a", "route_type": "WebSocket", "ws_hooks": hooks, **more}


SENDS = {"WsOp": {"command": "send", "message": "hi"}}


def rows(name: str) -> list[dict[str, Any]]:
    return json.loads((ROUTES / name).read_text(encoding="utf-8")) if ROUTES.is_dir() else []


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize("row", rows("manifest.json"), ids=lambda row: Path(row["file"]).name)
def test_good_routes_are_taken(row: dict[str, Any]) -> None:
    for document in documents(row["file"], (ROUTES / row["file"]).read_bytes()):
        assert places(document) == []


@pytest.mark.parametrize("row", rows("bad_expect.json"), ids=lambda row: Path(row["file"]).stem)
def test_it_agrees_with_the_reader_about_shapes(row: dict[str, Any]) -> None:
    raw = (ROUTES / row["file"]).read_bytes()
    report = check_source(row["file"], raw, Settings()).report
    errors = {found.code for found in report.diagnostics if found.severity is Severity.ERROR}
    if any(code.number < 200 for code in errors) or Path(row["file"]).stem in NOT_EXPRESSED:
        return
    refused = any(places(document) for document in documents(row["file"], raw))
    if any(200 <= code.number < 300 for code in errors):
        assert refused
    elif not errors:
        assert not refused


@pytest.mark.parametrize("cls", OPERATIONS.values(), ids=lambda cls: cls.__name__)
def test_examples_of_operations_are_taken(cls: type[Operation]) -> None:
    (operations,) = documents("example.yaml", cls.example.encode())
    assert places(route(*operations)) == []
    assert places(route(*operations, codec="json")) == []


@pytest.mark.parametrize("key", ROUTE_KEYS)
def test_examples_of_keys_are_taken(key: str) -> None:
    (given,) = documents("example.yaml", f"{key}: {ROUTE_KEYS[key].example}".encode())
    assert places({**route(SENDS), **given}) == []


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (route({"WsOp": {"command": "snd", "message": "hi"}}), "ws_hooks/on_message/0/WsOp/command"),
        (route({"WsOp": {"command": "send", "message": 5}}), "ws_hooks/on_message/0/WsOp/message"),
        (route({"WsOp": {"command": "send", "mesage": "hi"}}), "ws_hooks/on_message/0/WsOp"),
        (route({"WsOp": {"command": "broadcast"}}), "ws_hooks/on_message/0/WsOp"),
        (route({"WsOpp": {}}), "ws_hooks/on_message/0"),
        (route({"Log": {"message": "a"}, "Comment": {}}), "ws_hooks/on_message/0"),
        (route(SENDS, {}), "ws_hooks/on_message/1"),
        (route("Log"), "ws_hooks/on_message/0"),
        (route({"SetVar": {"name": "a", "var": "b", "value": 1}}), "ws_hooks/on_message/0/SetVar"),
        (route({"SetVar": {"name": "params", "value": 1}}), "ws_hooks/on_message/0/SetVar/name"),
        (route({"Try": {"operations": [SENDS]}}), "ws_hooks/on_message/0/Try"),
        (route({"Sleep": {"ms": "soon"}}), "ws_hooks/on_message/0/Sleep/ms"),
        (
            route({"If": {"condition": True, "then": [{"Log": {"message": "a", "level": "loud"}}]}}),
            "ws_hooks/on_message/0/If/then/0/Log/level",
        ),
        (
            route({"Switch": {"value": 1, "cases": [{"value": 1, "operations": [{"Log": 5}]}]}}),
            "ws_hooks/on_message/0/Switch/cases/0/operations/0/Log",
        ),
        (route(SENDS, path="ws/a"), "path"),
        (route(SENDS, path="/healthz"), "path"),
        (route(SENDS, route_type="http"), "route_type"),
        (route(SENDS, rate_limit=0), "rate_limit"),
        (route(SENDS, rate_limit={"messages_per_minute": 5, "burst": 0}), "rate_limit/burst"),
        (route(SENDS, auth={"jwt": {"secret": "x"}}), "auth/jwt"),
        (route(SENDS, enabled="yes"), "enabled"),
        (route(SENDS, subscribe=["news", " "]), "subscribe/1"),
        (route(SENDS, ws_hooks={"on_message": []}), "ws_hooks"),
        (route(SENDS, ws_hooks={"on_open": [SENDS]}), "ws_hooks"),
    ],
)
def test_a_mistake_is_shown_where_it_is(document: dict[str, Any], place: str) -> None:
    assert place in places(document)
    assert all(found == place or place.startswith(f"{found}/") for found in places(document))


def test_a_codec_decides_what_a_message_may_be() -> None:
    sends = {"If": {"condition": "true", "then": [{"WsOp": {"command": "send", "message": {"a": [1]}}}]}}
    assert places(route(sends, codec="json")) == []
    assert places(route(sends)) == ["ws_hooks/on_message/0/If/then/0/WsOp/message"]


def test_null_is_absent_where_a_key_is_optional() -> None:
    assert places(route({"If": {"condition": "true", "then": [SENDS], "else": None}}, codec=None, auth=None)) == []
    assert places(route({"Log": {"message": None}})) == ["ws_hooks/on_message/0/Log/message"]


def test_keys_of_the_author_are_left_alone() -> None:
    assert places(route(SENDS, **{"x-owner": {"team": 1}})) == []


def test_every_spelling_is_known() -> None:
    assert json_schema()["$defs"]["operation"]["properties"].keys() == SPELLINGS.keys()


def test_there_are_no_alternatives_that_hide_the_place_of_a_mistake() -> None:
    assert '"oneOf"' not in json.dumps(json_schema())
