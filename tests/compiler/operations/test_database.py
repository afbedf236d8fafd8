"""SqlOp."""

from __future__ import annotations

import pytest

from tests.compiler.checking import check, in_hook, instructions, shown


def test_arguments() -> None:
    found = instructions("- SqlOp: {query: 'SELECT a FROM b WHERE c = :c', params: {c: '{{ message }}'}, fetch: one}")
    assert found == [
        "CONST 'SELECT a FROM b WHERE c = :c'", "CONST 'c'", "INPUT", "OBJECT", "CONST 'query'", "CONST 'one'",
        "EMIT sql", "SET_LOCAL",
    ]  # fmt: skip


def test_the_statement_tells_what_it_is_unless_it_is_said() -> None:
    assert "CONST 'execute'" in instructions("- SqlOp: {query: DELETE FROM a}")
    assert "CONST 'query'" in instructions("- SqlOp: {query: DELETE FROM a, operation: query}")


def test_the_result_has_a_name_without_being_asked() -> None:
    assert shown(in_hook("- sql: {query: SELECT 1}\n- Log: {message: '{{ sql_result }}'}")) == []


@pytest.mark.parametrize(
    ("fields", "findings"),
    [
        ("params: {a: 1}", ["missing-key @ SqlOp"]),
        ("query: ''", ["bad-value @ ''"]),
        ("query: 5", ["wrong-type @ 5"]),
        ("query: \"SELECT '{{ message }}'\"", ["sql-injection @ {{"]),
        ("query: 'SELECT :a'", ["sql-parameter @ :a"]),
        ("query: 'SELECT ?'", ["sql-parameter @ ?"]),
        ("query: 'SELECT :a', params: {b: 1}", ["sql-parameter @ :a"]),
        ("query: 'SELECT :a', params: {a: 1, b: 2}", ["sql-parameter @ b"]),
        ("query: 'SELECT :a, :b', params: {}", ["sql-parameter @ :a", "sql-parameter @ :b"]),
        (
            "query: 'SELECT :a, :b, :c', params: {a: 1, d: 2, e: 3, f: 4}",
            ["sql-parameter @ :b", "sql-parameter @ :c", "sql-parameter @ f"],
        ),
        ("query: 'SELECT :a', params: [1]", ["sql-parameter @ [1]"]),
        ("query: 'SELECT ?', params: {a: 1}", ["sql-parameter @ {a: 1}"]),
        ("query: 'SELECT ?, ?', params: [1]", ["sql-parameter @ [1]"]),
        ("query: 'SELECT ?', args: [1]", []),
        ("query: 'SELECT :a', params: '{{ query }}'", []),
        ("query: 'SELECT :a', params: 5", ["wrong-type @ 5"]),
        ("query: 'SELECT :a', parms: {a: 1}", ["unknown-key @ parms"]),
        ("query: SELECT 1, operation: select", ["bad-value @ select"]),
        ("query: SELECT 1, fetch: first", ["bad-value @ first"]),
        ("query: SELECT 1, output_var: '{{ a }}'", ["bad-value @ '{{ a }}'"]),
    ],
)
def test_fields(fields: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- SqlOp: {{{fields}}}")) == findings


@pytest.mark.parametrize("style", ["|", ">", ">-"])
def test_places_in_a_statement_of_several_lines(style: str) -> None:
    (found,) = check(in_hook(f"- SqlOp:\n    query: {style}\n      SELECT a\n      FROM b WHERE c = :c"))
    assert (found.at, found.line) == (":c", 9)
