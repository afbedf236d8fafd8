"""While, Loop, Break and Continue."""

from __future__ import annotations

import pytest

from tests.compiler.checking import in_hook, instructions, shown

LOG = "[{Log: {message: a}}]"


def test_while() -> None:
    found = instructions(f"- While: {{condition: message, do: {LOG}, max_iterations: 5}}")
    assert found == ["LOOP", "INPUT", "WHILE", "CONST 'info'", "CONST 'a'", "EMIT log", "DROP", "END"]


def test_loop_over_a_list_with_its_names() -> None:
    found = instructions(
        "- Loop: {collection: [1, 2], as: n, do: [{Log: {message: '{{ n }}{{ index }}{{ loop.total }}'}}]}"
    )
    assert found[:4] == ["CONST 1", "CONST 2", "LIST", "EACH"]
    assert found[-4:] == ["CONCAT", "EMIT log", "DROP", "END"]


def test_an_index_that_the_body_sets_leaves_the_loop_right() -> None:
    body = "[{SetVar: {name: index, value: 9}}, {Log: {message: '{{ index }}{{ loop.index }}'}}]"
    found = instructions(f"- Loop: {{collection: [1], body: {body}}}")
    assert found.count("SET_LOCAL") == 2


@pytest.mark.parametrize(
    ("operations", "findings"),
    [
        (f"- While: {{condition: 'true', max_iterations: 100001, body: {LOG}}}", ["bad-value @ 100001"]),
        (f"- While: {{condition: message, max_iterations: -1, body: {LOG}}}", ["bad-value @ -1"]),
        (f"- While: {{condition: message, max_iterations: 1.5, body: {LOG}}}", ["wrong-type @ 1.5"]),
        (f"- While: {{condition: 1, body: {LOG}}}", ["wrong-type @ 1"]),
        ("- While: {condition: random_float() > 0.5, body: []}", ["empty-block @ []"]),
        (f"- Loop: {{collection: 5, body: {LOG}}}", ["wrong-type @ 5"]),
        (f"- Loop: {{collection: null, body: {LOG}}}", []),
        (f"- Loop: {{collection: '{{{{ message }}}}', body: {LOG}}}", ["wrong-kind @ '{{ message }}'"]),
        (f"- Loop: {{collection: [1], var: index, body: {LOG}}}", ["bad-value @ index"]),
        (f"- Loop: {{collection: [1], var: a, index_var: a, body: {LOG}}}", ["bad-value @ a"]),
        (f"- Loop: {{collection: [1], var: loop, body: {LOG}}}", ["reserved-name @ loop"]),
        (f"- Loop: {{collection: [1], item_var: a, as: b, body: {LOG}}}", ["duplicate-field @ as"]),
        ("- Break: {}", ["misplaced-operation @ Break"]),
        ("- Continue:", ["misplaced-operation @ Continue"]),
        ("- Try: {operations: [{Break: {}}], catch: []}", ["misplaced-operation @ Break"]),
        ("- Loop: {collection: [1], body: [{Try: {operations: [{Break: {}}], catch: []}}]}", []),
        ("- Loop: {collection: [1], body: [{Break: {x: 1}}]}", ["unknown-key @ x"]),
    ],
)
def test_findings(operations: str, findings: list[str]) -> None:
    assert shown(in_hook(operations)) == findings
