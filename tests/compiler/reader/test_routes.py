"""Reading routes: keys, path, hooks."""

from __future__ import annotations

import pytest

from compiler.pipeline import Settings, check_source
from tests.compiler.checking import HEAD, HOOK, check, shown

LIST = "    - WsOp: {command: send, message: hi}\n"
SETS_IN_NO_HOOK = """\
ws_hooks:
  on_mesage:
    - SetVar: {name: a, value: 1}
  on_message:
    - Log: {message: "{{ a }}"}
"""
BARE = "name: Test\npath: /ws/test\nroute_type: WebSocket\n"


@pytest.mark.parametrize(
    ("route", "findings"),
    [
        # What a document must be.
        ("hello\n", ["wrong-type @ hello"]),
        ("- a\n- b\n", ["wrong-type @ - a\n- b"]),
        ("{}\n", ["missing-key @ {}"] * 4),
        # Required keys.
        (f"path: /a\nroute_type: ws\n{HOOK}", ["missing-key @ path"]),
        (f"name: a\nroute_type: ws\n{HOOK}", ["missing-key @ name"]),
        (f"name: a\npath: /a\n{HOOK}", ["missing-key @ name"]),
        ("name: a\npath: /a\nroute_type: ws\n", ["missing-key @ name"]),
        (f"name: null\npath:\nroute_type: ws\n{HOOK}", ["wrong-type @ null", "wrong-type @ "]),
        (f"name: ''\npath: /a\nroute_type: ws\n{HOOK}", ["bad-value @ ''"]),
        (f"name: '{{{{ a }}}}'\npath: /a\nroute_type: ws\n{HOOK}", ["bad-value @ '{{ a }}'"]),
        # A misspelt key is one mistake.
        (
            f"nmae: a\npaht: /a\nroute-type: ws\n{HOOK}",
            ["unknown-key @ nmae", "unknown-key @ paht", "unknown-key @ route-type"],
        ),
        (BARE + HOOK.replace("ws_hooks", "ws_hook"), ["unknown-key @ ws_hook"]),
        (BARE + HOOK.replace("ws_hooks", "hooks"), ["unknown-key @ hooks"]),
        (BARE + HOOK + "X-team: a\nx-team: a\n", ["unknown-key @ X-team"]),
        (BARE + HOOK + "Log: {message: a}\n", ["unknown-key @ Log"]),
        (f"name: a\npath: /a\npath: /b\nroute_type: ws\n{HOOK}", ["duplicate-key @ path"]),
        # Routes of another kind.
        (
            "name: a\npath: /a\nroute_type: http\nmethod: GET\nlogic: []\n",
            ["bad-value @ http", "unknown-key @ method", "unknown-key @ logic"],
        ),
        (
            "name: a\npath: /a\nmethod: GET\nlogic: []\n",
            ["missing-key @ name", "unknown-key @ method", "unknown-key @ logic"],
        ),
        # Hooks.
        (BARE + "ws_hooks: {}\n", ["bad-value @ {}"]),
        (BARE + "ws_hooks:\n", ["wrong-type @ "]),
        (BARE + "ws_hooks: []\n", ["wrong-type @ []"]),
        (BARE + "ws_hooks: {on_connect: , on_message: []}\n", ["bad-value @ ws_hooks"]),
        (BARE + f"ws_hooks:\n  on_connect:\n  on_message:\n{LIST}", ["null-hook @ on_connect"]),
        (BARE + f"ws_hooks:\n  on_connect: []\n  on_message:\n{LIST}", []),
        (BARE + f"ws_hooks:\n  on_mesage:\n{LIST}", ["unknown-key @ on_mesage"]),
        (BARE + f"ws_hooks:\n  on_open:\n{LIST}", ["unknown-key @ on_open"]),
        (BARE + f"ws_hooks:\non_message:\n{LIST}", ["unknown-key @ on_message"]),
        (BARE + f"on_message:\n{LIST}", ["unknown-key @ on_message"]),
        (BARE + f"ws_hooks:\n  on_message:\n{LIST}  codec: json\n", ["unknown-key @ codec"]),
        (BARE + "ws_hooks:\n  on_message: {Log: {message: a}}\n", ["wrong-type @ {Log: {message: a}}"]),
        (BARE + "ws_hooks:\n  on_message: Log\n", ["wrong-type @ Log"]),
        (BARE + "ws_hooks:\n  on_message:\n    - Lgo: {}\n", ["unknown-operation @ Lgo"]),
        (
            BARE + SETS_IN_NO_HOOK,
            ["unknown-key @ on_mesage"],
        ),
        # Membership.
        (HEAD + "subscribe: news\n" + HOOK, ["wrong-type @ news"]),
        (
            HEAD + "subscribe: [news, '', ' ', 5, '{{ params.room }}', '{{ nobody }}']\n" + HOOK,
            ["empty-channel @ ''", "empty-channel @ ' '", "wrong-type @ 5", "unknown-variable @ nobody"],
        ),
        (HEAD + "subscribe: []\n" + HOOK, []),
        (HEAD + "subscribe:\n" + HOOK, []),
    ],
)
def test_findings(route: str, findings: list[str]) -> None:
    assert shown(route) == findings


@pytest.mark.parametrize("written", ["WebSocket", "websocket", "web_socket", "Web-Socket", "ws", "WS", "w_s"])
def test_route_types(written: str) -> None:
    assert shown(f"name: a\npath: /a\nroute_type: {written}\n{HOOK}") == []


@pytest.mark.parametrize(
    ("written", "said"), [("WebSockets", "did you mean `WebSocket`?"), ("http", "only WebSocket routes are served")]
)
def test_other_route_types(written: str, said: str) -> None:
    (found,) = check(f"name: a\npath: /a\nroute_type: {written}\n{HOOK}")
    assert found.at == written
    assert said in f"{found.message} {found.help}"


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("ws/chat", "ws/chat"),
        ("/", "/"),
        ("/ws/", "/"),
        ("/ws//a", "/"),
        ("/ws/a b", " "),
        ("/ws?a=1", "?"),
        ("/ws#a", "#"),
        ("/ws/*", "*"),
        ("/ws/:1a", ":1a"),
        ("/ws/a:b", ":b"),
        ("/ws/:a/:a", ":a"),
        ("/healthz", "/healthz"),
        ("/__worpen__/x", "/__worpen__/x"),
        ("/metrics", "/metrics"),
    ],
)
def test_paths_point_at_the_character(path: str, at: str) -> None:
    (found,) = check(f'name: a\npath: "{path}"\nroute_type: ws\n{HOOK}')
    assert found.name == "bad-path"
    assert found.at.strip('"') == at


@pytest.mark.parametrize(
    "path", ["/a", "/ws/:room/:user", "/ws/{room}", "/API/Ws", "/ws/سلام", "/healthz2", "/a/healthz"]
)
def test_good_paths(path: str) -> None:
    assert shown(f"name: a\npath: {path}\nroute_type: ws\n{HOOK}") == []


def test_a_file_may_hold_several_routes() -> None:
    compilation = check_source("a.yaml", f"{BARE}{HOOK}---\n{BARE.replace('Test', 'B')}{HOOK}".encode(), Settings())
    assert [(route.name.value, route.document) for route in compilation.routes] == [("Test", 1), ("B", 2)]


def test_a_broken_route_says_so() -> None:
    def broken(text: str) -> list[bool]:
        return [route.broken for route in check_source("a.yaml", text.encode(), Settings()).routes]

    assert broken(BARE + HOOK) == [False]
    assert broken(BARE + HOOK + "codec: xml\n") == [True]
    assert broken(BARE + HOOK.replace("send", "sned")) == [True]
    assert broken(BARE) == [True]
    assert broken("hello") == []


def test_where_hooks_belong_is_in_the_help() -> None:
    (found,) = check(f"{BARE}ws_hooks:\non_open:\n{LIST}")
    assert "under `ws_hooks:`, as `on_connect`" in found.help
