"""Paths: what an address may look like, and where each mistake stands (language section 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.language.paths import PathError, PathPattern, parse_path


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/ws", ("ws",)),
        ("/ws/chat", ("ws", "chat")),
        ("/ws/:room", ("ws", ":room")),
        ("/ws/{room}", ("ws", ":room")),
        ("/:a/:b_2/:_c", (":a", ":b_2", ":_c")),
        ("/ws/Ünïcode/سلام", ("ws", "Ünïcode", "سلام")),
        ("/a.b-c~d/1", ("a.b-c~d", "1")),
        ("/healthz2", ("healthz2",)),
        ("/healthz/deep", ("healthz", "deep")),
        ("/api/healthz", ("api", "healthz")),
        ("/__worpen", ("__worpen",)),
    ],
)
def test_good_paths(path: str, segments: tuple[str, ...]) -> None:
    pattern = parse_path(path)
    assert pattern.segments == segments
    assert parse_path(str(pattern)) == pattern


@pytest.mark.parametrize(
    ("path", "at", "word"),
    [
        ("", "", "starts with"),
        ("ws/chat", "ws/chat", "starts with"),
        (":room", ":room", "starts with"),
        ("/", "/", "empty segment"),
        ("/ws/", "/", "end with"),
        ("//ws", "/", "empty segment"),
        ("/ws//chat", "/", "empty segment"),
        ("/ws chat", " ", "blank"),
        ("/ws\u00a0chat", "\u00a0", "blank"),
        ("/ws\x00", "\x00", "control"),
        ("/ws\x7f", "\x7f", "control"),
        ("/ws?a=1", "?", "query"),
        ("/ws#top", "#", "fragment"),
        ("/ws/*", "*", "not supported"),
        ("/ws/{{ room }}", "{{", "templates"),
        ("/ws/a{{b}}", "{{", "templates"),
        ("/ws/:", ":", "parameter"),
        ("/ws/:1a", ":1a", "`1a` is not a parameter's name"),
        ("/ws/:a-b", ":a-b", "`a-b` is not a parameter's name"),
        ("/ws/:سن", ":سن", "is not a parameter's name"),
        ("/ws/{a", "{a", "parameter"),
        ("/ws/room-:id", ":id", "`/:id`"),
        ("/ws/room-{id}", "{id}", "`/:id`"),
        ("/ws/a}", "}", "parameter"),
        ("/:a/:a", ":a", "twice"),
        ("/:a/x/{a}", "{a}", "twice"),
        ("/healthz", "/healthz", "server's own"),
        ("/readyz", "/readyz", "server's own"),
        ("/metrics", "/metrics", "server's own"),
        ("/__worpen__", "/__worpen__", "server's own"),
        ("/__worpen__/feed", "/__worpen__/feed", "server's own"),
    ],
)
def test_bad_paths(path: str, at: str, word: str) -> None:
    with pytest.raises(PathError) as caught:
        parse_path(path)
    error = caught.value
    assert path[error.offset : error.offset + error.length] == at
    assert word in str(error)


def test_the_second_of_two_equal_parameters_is_the_mistake() -> None:
    with pytest.raises(PathError) as caught:
        parse_path("/:a/:a")
    assert caught.value.offset == 4


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_has_a_mistake_in_it(text: str) -> None:
    for path in (text, "/" + text, "/ws/" + text):
        result = parsed(path)
        if isinstance(result, PathError):
            assert 0 <= result.offset <= len(path)
            assert result.length >= 1
        else:
            assert parse_path(str(result)) == result


def parsed(path: str) -> PathPattern | PathError:
    try:
        return parse_path(path)
    except PathError as error:
        return error


def test_parameters_and_shapes() -> None:
    pattern = parse_path("/ws/:a/x/{b}")
    assert pattern.parameters == ("a", "b")
    assert pattern.shape == ("ws", ":", "x", ":")
    assert parse_path("/ws/:other/x/:more").shape == pattern.shape
    assert str(pattern) == "/ws/:a/x/:b"


@pytest.mark.parametrize(
    ("path", "prefix", "addresses"),
    [
        ("/ws/x", "/api", ("/ws/x", "/api/ws/x")),
        ("/ws/x", "api/", ("/ws/x", "/api/ws/x")),
        ("/ws/x", "/v1/api", ("/ws/x", "/v1/api/ws/x")),
        ("/ws/x", "", ("/ws/x",)),
        ("/ws/x", "/", ("/ws/x",)),
        ("/api/x", "/api", ("/api/x",)),
        ("/api", "/api", ("/api", "/api/api")),
        ("/apis/x", "/api", ("/apis/x", "/api/apis/x")),
        ("/v1/x", "/v1/api", ("/v1/x", "/v1/api/v1/x")),
        ("/:api/x", "/api", ("/:api/x", "/api/:api/x")),
    ],
)
def test_where_a_route_is_served(path: str, prefix: str, addresses: tuple[str, ...]) -> None:
    assert tuple(map(str, parse_path(path).addresses(prefix))) == addresses


def test_prefixed() -> None:
    assert parse_path("/a").prefixed("/x/y") == PathPattern(("x", "y", "a"))
