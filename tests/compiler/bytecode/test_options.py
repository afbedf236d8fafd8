"""What lets in more, option by option."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bytecode.options import compare_options
from compiler.pipeline import Settings, compile_source
from tests.compiler.checking import HEAD, HOOK

Change = tuple[str, bool]


def options(keys: str) -> dict[str, Any]:
    compiled = compile_source("a.yaml", f"{HEAD}{keys}{HOOK}".encode(), Settings()).program
    assert compiled is not None, keys
    return dict(compiled.routes[0].options)


def jwt(more: str = "", key: str = "secret_env: KEY") -> str:
    return f"auth: {{jwt: {{{key}{more}}}}}\n"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return [(str(change), change.widens) for change in compare_options(before, after)]


FILE = "public_key_file: key.pem"


@pytest.mark.parametrize(
    ("before", "after", "there", "back"),
    [
        # Which key: another one always lets in others.
        (
            jwt(),
            jwt(key="secret_env: NEXT"),
            [("auth.jwt: secret_env KEY → secret_env NEXT", True)],
            [("auth.jwt: secret_env NEXT → secret_env KEY", True)],
        ),
        # Which algorithms: those that were not accepted.
        (jwt(), jwt(", algorithms: [HS256]"), [], []),
        (
            jwt(),
            jwt(", algorithms: [HS256, HS512]"),
            [("auth.jwt.algorithms: HS256 → HS256, HS512", True)],
            [("auth.jwt.algorithms: HS256, HS512 → HS256", False)],
        ),
        (
            jwt(key=FILE),
            jwt(", algorithms: [RS256]", FILE),
            [("auth.jwt.algorithms: what fits the key → RS256", False)],
            [("auth.jwt.algorithms: RS256 → what fits the key", False)],
        ),
        (
            jwt(key=FILE),
            jwt(", algorithms: [RS512]", FILE),
            [("auth.jwt.algorithms: what fits the key → RS512", True)],
            [("auth.jwt.algorithms: RS512 → what fits the key", True)],
        ),
        # What else tokens must be.
        (
            jwt(),
            jwt(", audience: chat"),
            [("auth.jwt.audience: any → chat", False)],
            [("auth.jwt.audience: chat → any", True)],
        ),
        (
            jwt(", issuer: me"),
            jwt(", issuer: you"),
            [("auth.jwt.issuer: me → you", True)],
            [("auth.jwt.issuer: you → me", True)],
        ),
        (jwt(), jwt(", leeway: 30"), [("auth.jwt.leeway: 0 → 30", True)], [("auth.jwt.leeway: 30 → 0", False)]),
        # Without `auth` everybody gets in, so that all of its conditions narrow.
        (
            "",
            jwt(", issuer: me, leeway: 30"),
            [
                ("auth.jwt: none → secret_env KEY", False),
                ("auth.jwt.algorithms: none → HS256", False),
                ("auth.jwt.issuer: any → me", False),
                ("auth.jwt.leeway: none → 30", False),
            ],
            [
                ("auth.jwt: secret_env KEY → none", True),
                ("auth.jwt.algorithms: HS256 → none", True),
                ("auth.jwt.issuer: me → any", True),
                ("auth.jwt.leeway: 30 → none", True),
            ],
        ),
        # Pages.
        (
            "origins: ['https://a.example']\n",
            "origins: ['https://a.example', 'https://b.example']\n",
            [("origins: https://a.example → https://a.example, https://b.example", True)],
            [("origins: https://a.example, https://b.example → https://a.example", False)],
        ),
        (
            "",
            "origins: ['*']\n",
            [("origins: pages of the server's own host → *", True)],
            [("origins: * → pages of the server's own host", False)],
        ),
        (
            "",
            "origins: ['https://a.example']\n",
            [("origins: pages of the server's own host → https://a.example", True)],
            [("origins: https://a.example → pages of the server's own host", True)],
        ),
        (
            "",
            "origins: []\n",
            [("origins: pages of the server's own host → none", False)],
            [("origins: none → pages of the server's own host", True)],
        ),
        # Bounds; one that is gone is looser than any.
        (
            "rate_limit: 60\n",
            "rate_limit: {messages_per_minute: 60, burst: 20}\n",
            [("rate_limit.burst: 10 → 20", True)],
            [("rate_limit.burst: 20 → 10", False)],
        ),
        (
            "rate_limit: 60\n",
            "",
            [
                ("rate_limit.messages_per_minute: 60 → any number", True),
                ("rate_limit.burst: 10 → any number", True),
            ],
            [
                ("rate_limit.messages_per_minute: any number → 60", False),
                ("rate_limit.burst: any number → 10", False),
            ],
        ),
        (
            "limits: {max_message_bytes: 100, hook_timeout: 2}\n",
            "limits: {max_message_bytes: 200, hook_timeout: 1.5, idle_timeout: 60}\n",
            [
                ("limits.max_message_bytes: 100 → 200", True),
                ("limits.hook_timeout: 2 → 1.5", False),
                ("limits.idle_timeout: any time → 60", False),
            ],
            [
                ("limits.max_message_bytes: 200 → 100", False),
                ("limits.hook_timeout: 1.5 → 2", True),
                ("limits.idle_timeout: 60 → any time", True),
            ],
        ),
        (
            "limits: {max_connections: 100}\n",
            "",
            [("limits.max_connections: 100 → the server's", True)],
            [("limits.max_connections: the server's → 100", False)],
        ),
        # What is kept for those that come back.
        (
            "",
            "history: {size: 50, ttl: 60}\n",
            [("history.size: none → 50", True), ("history.ttl: none → 60", True)],
            [("history.size: 50 → none", False), ("history.ttl: 60 → none", False)],
        ),
        # What decides about neither is nothing to tell.
        ("", "codec: json\nversion: '2'\ncompression: true\ndescription: d\n", [], []),
    ],
)
def test_what_lets_in_more(before: str, after: str, there: list[Change], back: list[Change]) -> None:
    old, new = options(before), options(after)
    assert changes(old, new) == there
    assert changes(new, old) == back
    assert changes(old, old) == changes(new, new) == []


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("limits", {"max_connections": "many"}),
        ("rate_limit", {"messages_per_minute": [1]}),
        ("history", {"size": {}, "ttl": 1}),
        ("auth", {"jwt": {"secret_env": "KEY", "leeway": "30"}}),
        ("auth", {"jwt": {"secret_env": "KEY", "algorithms": "none"}}),
        ("auth", {"jwt": 7}),
        ("origins", 7),
    ],
)
def test_what_no_compiler_writes_counts_as_more(key: str, odd: Any) -> None:
    usual = {
        "limits": {"max_connections": 1},
        "rate_limit": 60,
        "history": {"size": 1, "ttl": 1},
        "auth": {"jwt": {"secret_env": "KEY"}},
    }
    assert any(widens for _, widens in changes(usual, {**usual, key: odd}))
