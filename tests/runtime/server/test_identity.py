"""Where a handshake carries its token."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.server.identity import find_token, without_token
from runtime.transport.seam import Request


def request(headers: dict[str, str] | None = None, subprotocols: tuple[str, ...] = ()) -> Request:
    return Request("GET", "/ws/a", "/ws/a", "", headers or {}, "127.0.0.1", subprotocols)


@pytest.mark.parametrize(
    ("asked", "query", "token"),
    [
        (request(), {}, ""),
        (request({"authorization": "Bearer abc"}), {}, "abc"),
        (request({"authorization": "bearer  abc "}), {}, "abc"),
        (request({"authorization": "Basic abc"}), {}, ""),
        (request({"authorization": "Bearer"}), {"token": "q"}, "q"),
        (request({"authorization": "Bearer abc"}), {"token": "q"}, "abc"),
        (request(subprotocols=("bearer", "abc")), {}, "abc"),
        (request(subprotocols=("chat", "bearer", "abc")), {"token": ""}, "abc"),
        (request(subprotocols=("bearer",)), {}, ""),
        (request(subprotocols=("abc",)), {}, ""),
    ],
)
def test_the_first_token_that_is_there(asked: Request, query: dict[str, str], token: str) -> None:
    assert find_token(asked, query) == token


def test_hooks_see_no_token() -> None:
    given: dict[str, Any] = {
        "query": {"token": "t", "room": "a"},
        "headers": {"authorization": "Bearer t", "sec_websocket_protocol": "bearer, t", "host": "h"},
        "params": {},
    }
    assert without_token(given) == {"query": {"room": "a"}, "headers": {"host": "h"}, "params": {}}
    assert given["query"]["token"] == "t"
