"""Reject."""

from __future__ import annotations

import pytest

from tests.compiler.checking import in_hook, instructions, shown


def test_it_ends_the_hook() -> None:
    assert instructions("- Reject: {}", "on_auth") == ["CONST 403", "CONST ''", "EMIT reject", "RETURN"]
    found = instructions("- Reject: {status: 401, reason: '{{ route }}'}", "on_auth")
    assert found == ["CONST 401", "INPUT", "TEXT", "EMIT reject", "RETURN"]
    assert shown(in_hook("- Reject: {}\n- Log: {message: a}", "on_auth")) == ["unreachable @ Log"]


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        ("Reject: {status: 399}", ["bad-value @ 399"]),
        ("Reject: {status: 400}", []),
        ("Reject: {status: 499}", []),
        ("Reject: {status: 500}", ["bad-value @ 500"]),
        ("Reject: {code: 401}", ["unknown-key @ code"]),
    ],
)
def test_fields(operation: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- {operation}", "on_auth")) == findings


@pytest.mark.parametrize("hook", ["on_connect", "on_message", "on_disconnect"])
def test_only_before_the_handshake(hook: str) -> None:
    assert shown(in_hook("- Reject: {}", hook)) == ["misplaced-operation @ Reject"]
