"""Routes against each other."""

from __future__ import annotations

import pytest

from compiler.pipeline import Settings, check_source, check_together
from tests.compiler.routes import route, shown


def together(*texts: str, prefix: str = "/api") -> list[str]:
    """The findings of routes in files of their own."""
    settings = Settings(prefix)
    compilations = [check_source(f"{number}.yaml", text.encode(), settings) for number, text in enumerate(texts)]
    return [shown(diagnostic) for diagnostic in check_together(compilations, settings).sorted()]


def at(path: str, name: str = "", keys: str = "", operation: str = "Log: {message: m}") -> str:
    text = route(f"- {operation}", path=path, keys=keys)
    return text.replace("name: Test", f"name: {name or path.replace(':', '_')}")


@pytest.mark.parametrize(
    ("paths", "clashes"),
    [
        (["/ws/a", "/ws/b"], []),
        (["/ws/a", "/ws/a"], ["W501 /ws/a"]),
        (["/ws/:a", "/ws/:b"], ["W501 /ws/:b"]),
        (["/ws/:a", "/ws/{b}"], ["W501 /ws/{b}"]),
        (["/ws/:a", "/ws/b"], []),
        (["/ws/:a/x", "/ws/x/:a"], []),
        (["/ws/x", "/api/ws/x"], ["W501 /api/ws/x"]),
        (["/api/ws/x", "/ws/x"], ["W501 /ws/x"]),
        (["/api/x", "/api/api/x"], []),
        (["/ws/A", "/ws/a"], []),
        (["/ws/a", "/ws/a", "/ws/a"], ["W501 /ws/a", "W501 /ws/a"]),
    ],
)
def test_addresses(paths: list[str], clashes: list[str]) -> None:
    assert together(*(at(path, f"n{number}") for number, path in enumerate(paths))) == clashes


def test_the_prefix_is_a_setting() -> None:
    assert together(at("/ws/x"), at("/api/ws/x"), prefix="") == []
    assert together(at("/ws/x"), at("/v1/api/ws/x"), prefix="/v1/api") == ["W501 /v1/api/ws/x"]
    assert together(at("/v1/x"), at("/v1/v1/x"), prefix="/v1/api") == []


def test_a_disabled_route_takes_no_address() -> None:
    assert together(at("/a", "one", "enabled: false"), at("/a", "two")) == []


def test_who_was_first_is_shown() -> None:
    settings = Settings()
    text = at("/ws/:a", "one") + "---\n" + at("/ws/:b", "two")
    (clash,) = check_together([check_source("r.yaml", text.encode(), settings)], settings).diagnostics
    assert clash.message == "`/ws/:b` and `/ws/:a` of `one` (document 1 of this file) match the same addresses"
    assert [text[label.span.start : label.span.end] for label in clash.labels] == ["/ws/:a"]


def test_names() -> None:
    assert together(at("/a", "same"), at("/b", "same"), at("/c", "Same")) == ["W502 same"]


BROADCAST = "WsOp: {command: broadcast, message: m, channel: %s}"


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ([at("/a", keys="subscribe: []", operation=BROADCAST % "news")], ["W503 news"]),
        ([at("/a", keys="subscribe: [news]", operation=BROADCAST % "news")], []),
        ([at("/a", operation=BROADCAST % "news")], []),
        ([at("/a", keys="subscribe: []", operation=BROADCAST % "news"), at("/b", operation=BROADCAST % "news")], []),
        (
            [
                at("/a", keys="subscribe: []", operation=BROADCAST % "news"),
                at("/b", operation="WsOp: {command: subscribe, channel: news}"),
            ],
            [],
        ),
        (
            [
                at("/a", keys="subscribe: []", operation=BROADCAST % "news"),
                at("/b", operation="WsOp: {command: subscribe, channel: '{{ message }}'}"),
            ],
            [],
        ),
        (
            [
                at("/a", keys="subscribe: []", operation=BROADCAST % "news"),
                at("/b/:r", keys="subscribe: ['{{ params.r }}']"),
            ],
            [],
        ),
    ],
)
def test_channels_that_nobody_can_be_in(routes: list[str], found: list[str]) -> None:
    assert together(*routes) == found
