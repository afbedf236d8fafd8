"""If and Switch."""

from __future__ import annotations

import pytest

from tests.compiler.checking import compiled, in_hook, instructions, shown

SEND = "[{WsOp: {command: send, message: hi}}]"


def cases(count: int) -> str:
    """A Switch with so many cases, each of which sends its number."""
    lines = [f"    - {{value: '{n}', operations: [{{Return: {{value: case {n}}}}}]}}" for n in range(count)]
    return "- Switch:\n    value: '{{ message }}'\n    cases:\n" + "\n".join(lines)


def test_if_without_else() -> None:
    assert instructions(f"- If: {{condition: message == 'a', then: {SEND}}}") == [
        "INPUT", "CONST 'a'", "EQ", "IF", "CONST 'hi'", "FALSE", "EMIT send", "DROP", "END",
    ]  # fmt: skip


def test_if_with_else() -> None:
    found = instructions(f"- If: {{condition: message, then: {SEND}, otherwise: [{{Log: {{message: b}}}}]}}")
    assert found[:2] == ["INPUT", "IF"]
    assert found[found.index("ELSE") :] == ["ELSE", "CONST 'info'", "CONST 'b'", "EMIT log", "DROP", "END"]


def test_an_empty_else_is_none() -> None:
    route = f"- If: {{condition: message, then: {SEND}, else: []}}"
    assert "ELSE" not in instructions(route)
    assert shown(in_hook(route)) == ["empty-block @ []"]


def test_a_short_switch_is_a_chain() -> None:
    found = instructions(cases(2))
    assert found.count("EQ") == found.count("IF") == found.count("ELSE") == found.count("END") == 2


def depth(found: list[str]) -> int:
    open_blocks = deepest = 0
    for line in found:
        open_blocks += (line in ("IF", "EACH", "LOOP", "TRY")) - (line == "END")
        deepest = max(deepest, open_blocks)
    return deepest


@pytest.mark.parametrize("count", [4, 5, 100, 3000])
def test_a_long_switch_nests_little(count: int) -> None:
    found = instructions(cases(count))
    assert depth(found) <= 2 + count.bit_length()
    assert sum(line.startswith("CONST 'case ") for line in found) == count


def test_switches_in_switches_nest_little() -> None:
    inner = "[{WsOp: {command: send, message: hi}}]"
    for _ in range(20):
        pieces = ", ".join(f"{{value: '{n}', operations: []}}" for n in range(60))
        inner = f"[{{Switch: {{value: '{{{{ message }}}}', cases: [{pieces}, {{value: x, operations: {inner}}}]}}}}]"
    assert depth(instructions(f"- If: {{condition: message, then: {inner}}}")) < 80


def test_a_variable_that_every_case_sets_is_set() -> None:
    setting = "[{SetVar: {name: kind, value: 1}}]"
    for count in (2, 8):
        pieces = ", ".join(f"{{value: '{n}', operations: {setting}}}" for n in range(count))
        switch = f"- Switch: {{value: '{{{{ message }}}}', cases: [{pieces}], default: {setting}}}\n"
        route = in_hook(switch + "- Log: {message: '{{ kind }}'}")
        assert shown(route) == []
        assert compiled(route).routes[0].slots == ()
        without = in_hook(switch.replace(f", default: {setting}", "") + "- Log: {message: '{{ kind }}'}")
        assert shown(without) == ["maybe-unset @ kind"]


@pytest.mark.parametrize(
    ("switch", "findings"),
    [
        ("{value: '{{ message }}', cases: []}", ["empty-block @ []"]),
        ("{value: '{{ message }}', cases: {a: b}}", ["wrong-type @ {a: b}"]),
        ("{value: '{{ message }}', cases: [5]}", ["wrong-type @ 5"]),
        ("{value: '{{ message }}', cases: [{}]}", ["missing-key @ {}", "missing-key @ {}"]),
        (f"{{value: '{{{{ message }}}}', cases: [{{operations: {SEND}}}]}}", ["missing-key @ operations"]),
        (f"{{value: '{{{{ message }}}}', cases: [{{vlue: 1, operations: {SEND}}}]}}", ["unknown-key @ vlue"]),
        (
            f"{{value: '{{{{ message }}}}', cases: [{{when: 1, then: {SEND}}}]}}",
            ["unknown-key @ when", "unknown-key @ then"],
        ),
        (f"{{value: 1, cases: [{{value: 1, case: 2, operations: {SEND}}}]}}", ["duplicate-field @ case"]),
        ("{value: 1, cases: [{value: 1, operations: []}]}", ["empty-block @ []"]),
        (f"{{value: 1, cases: [{{value: null, operations: {SEND}}}]}}", []),
    ],
)
def test_cases(switch: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- Switch: {switch}")) == findings


def test_several_broken_cases_are_all_found() -> None:
    broken = "[{value: 1, operations: [{Lgo: {}}]}, {value: 2, operations: [{Brek: {}}]}, {vlue: 3, operations: []}]"
    found = shown(in_hook(f"- Switch: {{value: 1, cases: {broken}}}"))
    assert found == ["unknown-operation @ Lgo", "unknown-operation @ Brek", "unknown-key @ vlue", "empty-block @ []"]
