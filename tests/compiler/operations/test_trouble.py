"""Try and Throw."""

from __future__ import annotations

import pytest

from tests.compiler.checking import in_hook, instructions, shown

LOG = "[{Log: {message: a}}]"
LOGGED = ["CONST 'info'", "CONST 'a'", "EMIT log", "DROP"]


def test_try() -> None:
    found = instructions(f"- Try: {{operations: {LOG}, catch: {LOG}, finally: {LOG}}}")
    assert found == ["TRY", *LOGGED, "CATCH", *LOGGED, "FINALLY", *LOGGED, "END"]
    assert instructions(f"- Try: {{actions: {LOG}, finally: {LOG}}}") == ["TRY", *LOGGED, "FINALLY", *LOGGED, "END"]
    assert instructions(f"- Try: {{body: {LOG}, catch: []}}") == ["TRY", *LOGGED, "CATCH", "END"]


def test_throw() -> None:
    assert instructions("- Throw: {message: no}") == ["CONST 'no'", "CONST 'thrown'", "THROW"]
    assert instructions("- Throw: {message: no, code: '{{ message }}'}")[1:] == ["INPUT", "TEXT", "THROW"]


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        (f"Try: {{operations: {LOG}}}", ["missing-key @ Try"]),
        (f"Try: {{operations: {LOG}, catch: null}}", ["missing-key @ Try"]),
        (f"Try: {{catch: {LOG}}}", ["missing-key @ Try"]),
        (f"Try: {{operations: {LOG}, cach: {LOG}}}", ["unknown-key @ cach"]),
        (f"Try: {{operations: {LOG}, except: {LOG}}}", ["unknown-key @ except"]),
        (f"Try: {{operations: {LOG}, catch: []}}", []),
        (f"Try: {{operations: [], catch: {LOG}}}", ["empty-block @ []"]),
        (f"Try: {{operations: {LOG}, catch: {{}}}}", ["wrong-type @ {}"]),
        (f"Try: {{operations: {LOG}, actions: {LOG}, catch: []}}", ["duplicate-field @ actions"]),
        ("Throw: {}", ["missing-key @ Throw"]),
        ("Throw: {message: 5}", ["wrong-type @ 5"]),
        ("Throw: {message: a, code: 5}", ["wrong-type @ 5"]),
    ],
)
def test_fields(operation: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- {operation}")) == findings
