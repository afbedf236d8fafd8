"""Secrets that are written in a route."""

from __future__ import annotations

import pytest

from tests.compiler.checking import HEAD, HOOK, in_hook, shown

KEY = "sk_live_" + "4f9a8b7c6d5e4f3a2b1c"
TOKEN = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N"))
READ = "\n- Log: {message: '{{ api_key }}{{ password }}{{ note }}{{ userToken }}'}"


def secrets(text: str) -> list[str]:
    return [found for found in shown(text) if found.startswith("literal-secret")]


@pytest.mark.parametrize(
    ("operation", "at"),
    [
        (f"- Log: {{message: 'use {KEY} here'}}", KEY),
        (f"- Log: {{message: \"{{{{ message == '{KEY}' }}}}\"}}", KEY),
        (f"- HttpRequest: {{url: 'https://a.b', headers: {{Authorization: 'Bearer {TOKEN}'}}}}", TOKEN),
        ("- Log: {message: \"{{ message | hmac_sha256('pepper') }}\"}", "'pepper'"),
        ("- Log: {message: \"{{ hmacSha256(message, 'pepper') }}\"}", "'pepper'"),
        (
            "- If: {condition: \"hmac_sha256(message, ('pepper')) == query.sum\", then: [{Log: {message: a}}]}",
            "'pepper'",
        ),
        ("- SetVar: {name: api_key, value: abc-123-def-456}", "abc-123-def-456"),
        ("- SetVar: {name: userToken, value: 'hunter2!hunter2'}", "'hunter2!hunter2'"),
        ("- Return: {value: {login: {password: 'correct1horse'}}}", "'correct1horse'"),
        (f"- SetVar: {{name: api_key, value: {KEY}}}", KEY),
    ],
)
def test_a_secret_is_found_once(operation: str, at: str) -> None:
    assert secrets(in_hook(operation)) == [f"literal-secret @ {at}"]


@pytest.mark.parametrize(
    "operation",
    [
        "- Log: {message: \"{{ message | hmac_sha256(query.salt ?? '') }}\"}",
        '- Log: {message: "{{ message | sha256 }}"}',
        "- SetVar: {name: api_key, value: '{{ query.key }}'}",
        "- SetVar: {name: password, value: none}",
        "- SetVar: {name: password, value: short1}",
        "- SetVar: {name: password, value: 'please type your password 2 times'}",
        "- SetVar: {name: note, value: abc-123-def-456}",
        "- SetVar: {name: tokens_left, value: abc-123-def-456}",
        "- Return: {value: {password: '{{ message }}'}}",
        "- Log: {message: 'sk_live_ is the prefix'}",
    ],
)
def test_what_is_none(operation: str) -> None:
    assert secrets(in_hook(operation)) == []


def test_keys_and_comments_of_a_route_are_looked_at() -> None:
    assert secrets(f"{HEAD}description: pay with {KEY}\n{HOOK}") == [f"literal-secret @ {KEY}"]


def test_each_route_of_a_file_has_its_own() -> None:
    second = f"{HEAD.replace('Test', 'B')}description: {KEY}\n{HOOK}"
    assert secrets(f"{HEAD}{HOOK}---\n{second}") == [f"literal-secret @ {KEY}"]
