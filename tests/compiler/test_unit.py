"""One expression or template by itself."""

from __future__ import annotations

import pytest

from compiler.bytecode.manifest import compute_manifest
from compiler.language.values import Kind
from compiler.unit import HOOK, compile_unit


@pytest.mark.parametrize(
    ("kind", "text", "kinds"),
    [
        ("expression", "a | upper", Kind.TEXT),
        ("expression", "a", Kind.ANY),
        ("expression", "1 + 1", Kind.NUMBER),
        ("value", "{{ [a] }}", Kind.LIST),
        ("value", "x {{ a }}", Kind.TEXT),
        ("text", "{{ 1 }}", Kind.TEXT),
        ("condition", "{{ a }} > 1", Kind.BOOLEAN),
        ("condition", "a", Kind.BOOLEAN),
    ],
)
def test_kinds_of_the_value(kind: str, text: str, kinds: Kind) -> None:
    unit = compile_unit(kind, text, ("a",))
    assert unit.program is not None
    assert unit.kinds == kinds


def test_variables_are_slots_in_their_order_whatever_their_names() -> None:
    unit = compile_unit("expression", "loop + user + error", ("user", "loop", "error", "message"))
    assert unit.program is not None
    assert [slot.name for slot in unit.program.routes[0].slots] == ["user", "loop", "error", "message"]
    assert [row.operand for row in unit.program.routes[0].hooks[HOOK].code[:2]] == [1, 0]


def test_nothing_that_a_hook_would_provide_exists() -> None:
    unit = compile_unit("expression", "message", ())
    assert unit.program is None
    assert [finding.code.name for finding in unit.report.diagnostics] == ["unknown-variable"]


@pytest.mark.parametrize(
    ("text", "help"),
    [("mesage", ""), ("upper", "is a function"), ("query.user-id", "a key with a hyphen needs brackets")],
)
def test_advice(text: str, help: str) -> None:
    report = compile_unit("expression", text, ("message", "query")).report
    assert help in report.diagnostics[0].help


def test_only_allowed_names_of_the_environment() -> None:
    assert compile_unit("expression", "env('A')", (), frozenset({"A"})).program is not None
    assert compile_unit("expression", "env('A')", ()).program is None


@pytest.mark.parametrize(
    ("kind", "text"), [("expression", "1 +"), ("text", "{{ "), ("condition", ")"), ("value", "{{ }}")]
)
def test_what_cannot_be_read(kind: str, text: str) -> None:
    unit = compile_unit(kind, text, ())
    assert unit.program is None
    assert unit.report.has_errors


def test_no_manifest_is_made() -> None:
    """It says less than it reaches: the loader would refuse it, and nobody can serve it."""
    program = compile_unit("expression", "'a' | upper", ()).program
    assert program is not None
    assert program.manifest != compute_manifest(program.constants, program.imports, program.routes)
