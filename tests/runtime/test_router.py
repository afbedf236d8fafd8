"""Addresses lead to routes: order, parameters, encoding."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.language.paths import parse_path
from runtime.router import BadPath, Match, Router, addresses, decode_segment


def router(*paths: str, prefix: str = "/api") -> Router[str]:
    return Router(((parse_path(path), path) for path in paths), prefix)


def test_a_route_has_two_addresses() -> None:
    routes = router("/ws/chat")
    assert routes.find("/ws/chat") == routes.find("/api/ws/chat") == Match("/ws/chat", {})


def test_a_path_under_the_prefix_has_one_address() -> None:
    assert addresses(parse_path("/api/ws")) == (parse_path("/api/ws"),)
    assert router("/api/ws").find("/api/api/ws") is None


def test_no_prefix() -> None:
    assert router("/ws", prefix="").find("/api/ws") is None


WRONG = ["/ws", "/ws/chat/more", "/ws/cha", "/ws/chats", "/WS/chat", "/ws/chat/", "//ws/chat", "ws/chat", "/"]


@pytest.mark.parametrize("path", WRONG)
def test_only_the_whole_path_matches(path: str) -> None:
    assert router("/ws/chat").find(path) is None


LEADING_ELSEWHERE = [
    "/../../ws/chat",
    "/ws/../ws/chat",
    "/ws/./chat",
    "/ws/%2e%2e/ws/chat",
    "/ws%2Fchat",
    "/ws/chat%00",
]


@pytest.mark.parametrize("path", LEADING_ELSEWHERE)
def test_nothing_is_normalised(path: str) -> None:
    assert router("/ws/chat").find(path) is None


def test_literals_are_preferred_left_to_right() -> None:
    routes = router("/:a/help", "/ws/:b", "/ws/help")
    assert routes.find("/ws/help") == Match("/ws/help", {})
    assert routes.find("/ws/other") == Match("/ws/:b", {"b": "other"})
    assert routes.find("/other/help") == Match("/:a/help", {"a": "other"})


def test_a_literal_that_leads_nowhere_gives_way_to_a_parameter() -> None:
    routes = router("/ws/chat/help", "/ws/:room/talk")
    assert routes.find("/ws/chat/talk") == Match("/ws/:room/talk", {"room": "chat"})
    assert routes.find("/ws/chat/other") is None


def test_the_first_of_two_equal_shapes_wins() -> None:
    assert router("/ws/:a", "/ws/:b").find("/ws/x") == Match("/ws/:a", {"a": "x"})


def test_parameters_are_not_empty() -> None:
    assert router("/ws/:a/x").find("/ws//x") is None


def test_segments_are_decoded_once_and_not_split_again() -> None:
    assert router("/ws/:a").find("/ws/a%2Fb%2520") == Match("/ws/:a", {"a": "a/b%20"})


def test_literals_are_compared_decoded() -> None:
    assert router("/ws/چت").find("/ws/%DA%86%D8%AA") == Match("/ws/چت", {})
    assert router("/ws/chat").find("/ws/ch%61t") == Match("/ws/chat", {})


@pytest.mark.parametrize("segment", ["%", "%2", "%zz", "a%f", "%ff", "%C3", "%ED%A0%80"])
def test_bad_encoding(segment: str) -> None:
    with pytest.raises(BadPath):
        router("/ws/:a").find(f"/ws/{segment}")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_encoding(text: str) -> None:
    assert decode_segment(quote(text, safe="")) == text


def repeated(parts: list[str]) -> set[str]:
    """What stands there more than once."""
    return {part for part in parts if parts.count(part) > 1}


SEGMENTS = st.sampled_from(["a", "b", ":p", ":q"])
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=4).filter(lambda pattern: not {":p", ":q"} & repeated(pattern))


@given(st.lists(PATTERNS, max_size=8), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4))
def test_finds_what_a_search_through_all_patterns_finds(patterns: list[list[str]], path: list[str]) -> None:
    routes = Router([(parse_path("/" + "/".join(p)), number) for number, p in enumerate(patterns)], "")
    fitting = [
        ([part[0] == ":" for part in pattern], number)
        for number, pattern in enumerate(patterns)
        if len(pattern) == len(path) and all(a == b or a[0] == ":" for a, b in zip(pattern, path, strict=True))
    ]
    found = routes.find("/" + "/".join(path))
    assert (found.target if found else None) == (min(fitting)[1] if fitting else None)
