"""Route keys that are data: their plain values, and what is wrong with them."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from compiler.pipeline import Settings, check_source
from tests.compiler.checking import HEAD, HOOK, shown

GOOD: list[tuple[str, dict[str, Value]]] = [
    ("description: a {{ b }}", {"description": "a {{ b }}"}),
    ("enabled: false", {"enabled": False}),
    ("version: 2", {"version": "2"}),
    ("version: 1.50", {"version": "1.50"}),
    ("version: ''", {"version": ""}),
    ("codec: msgpack", {"codec": "msgpack"}),
    ("rate_limit: 1", {"rate_limit": {"messages_per_minute": 1}}),
    ("rate_limit: 0.5e1", {"rate_limit": {"messages_per_minute": 5}}),
    ("rate_limit: {burst: 3, messages_per_minute: 60}", {"rate_limit": {"messages_per_minute": 60, "burst": 3}}),
    ("rate_limit: {messages_per_minute: 60, burst: null}", {"rate_limit": {"messages_per_minute": 60}}),
    ("origins: []", {"origins": []}),
    (
        "origins: ['*', 'https://a.b:8080', 'http://localhost']",
        {"origins": ["*", "https://a.b:8080", "http://localhost"]},
    ),
    ("auth: {jwt: {secret_env: A_1}}", {"auth": {"jwt": {"secret_env": "A_1"}}}),
    (
        "auth: {jwt: {public_key_file: a/b.pem, algorithms: [RS256, EdDSA], audience: a, issuer: b}}",
        {
            "auth": {
                "jwt": {"public_key_file": "a/b.pem", "algorithms": ["RS256", "EdDSA"], "audience": "a", "issuer": "b"}
            }
        },
    ),
    ("limits: {}", {"limits": {}}),
    ("limits: {max_message_bytes: 1, hook_timeout: 0.5}", {"limits": {"max_message_bytes": 1, "hook_timeout": 0.5}}),
    ("compression: false", {"compression": False}),
    ("history: {size: 5, ttl: 1.5}", {"history": {"size": 5, "ttl": 1.5}}),
    ("on_reload: {a: b}", {"on_reload": {"a": "b"}}),
    ("description: null\ncodec: null\nrate_limit: ~\nauth:\nversion: null", {}),
]


@pytest.mark.parametrize(("more", "options"), GOOD)
def test_plain_values(more: str, options: dict[str, Value]) -> None:
    compilation = check_source("route.yaml", f"{HEAD}{more}\n{HOOK}".encode(), Settings())
    assert not compilation.report.has_errors
    assert dict(compilation.routes[0].options) == options


BAD = [
    ("description: 5", ["wrong-type @ 5"]),
    ("enabled: 'true'", ["wrong-type @ 'true'"]),
    ("version: true", ["wrong-type @ true"]),
    ("version: [1]", ["wrong-type @ [1]"]),
    ("codec: xml", ["bad-value @ xml"]),
    ("rate_limit: 0", ["bad-value @ 0"]),
    ("rate_limit: fast", ["wrong-type @ fast"]),
    ("rate_limit: true", ["wrong-type @ true"]),
    ("rate_limit: {}", ["missing-key @ {}"]),
    ("rate_limit: {burst: 1}", ["missing-key @ burst"]),
    ("rate_limit: {messages_per_minute: 0, burst: 0}", ["bad-value @ 0", "bad-value @ 0"]),
    ("rate_limit: {message_per_minute: 1}", ["unknown-key @ message_per_minute"]),
    ("rate_limit: {messages_per_minute: null}", ["wrong-type @ null"]),
    ("origins: '*'", ["wrong-type @ '*'"]),
    (
        "origins: [a.b, 'https://a/', 'https://a b', null]",
        ["bad-value @ a.b", "bad-value @ 'https://a/'", "bad-value @ 'https://a b'", "wrong-type @ null"],
    ),
    ("auth: {}", ["missing-key @ {}"]),
    ("auth: {jwt: {}}", ["missing-key @ {}"]),
    ("auth: {jwt: {issuer: a}}", ["missing-key @ issuer"]),
    ("auth: {jwt: {secret: a}}", ["unknown-key @ secret"]),
    ("auth: {jwt: {secret_env: 'a b'}}", ["bad-value @ 'a b'"]),
    ("auth: {jwt: {secret_env: A, public_key_file: b}}", ["bad-value @ public_key_file"]),
    ("auth: {jwt: {secret_env: A, algorithms: []}}", ["bad-value @ []"]),
    ("auth: {jwt: {secret_env: A, algorithms: HS256}}", ["wrong-type @ HS256"]),
    ("auth: {jwt: {secret_env: A, algorithms: [none, HS255]}}", ["bad-value @ none", "bad-value @ HS255"]),
    ("limits: {max_message_bytes: 0}", ["bad-value @ 0"]),
    ("limits: {max_message_bytes: 1.5, idle: 1}", ["wrong-type @ 1.5", "unknown-key @ idle"]),
    ("history: {size: 5}", ["missing-key @ size"]),
    ("on_reload: {a: params, 'b c': d}", ["reserved-name @ params", "bad-value @ 'b c'"]),
    ("on_reload: [a]", ["wrong-type @ [a]"]),
    ("compression: !x true", ["unknown-tag @ !x"]),
]


@pytest.mark.parametrize(("more", "findings"), BAD)
def test_findings(more: str, findings: list[str]) -> None:
    assert shown(f"{HEAD}{more}\n{HOOK}") == findings
