"""Reading operations: their fields, their nesting, and what follows from what."""

from __future__ import annotations

import pytest

from compiler.language.limits import LOOP_DEPTH, OPERATION_DEPTH
from tests.compiler.checking import check, in_hook, shown

LOG = "[{Log: {message: a}}]"


@pytest.mark.parametrize(
    ("operations", "findings"),
    [
        # A misspelt key is one mistake, and the key that is missing by it is none.
        ("- WsOp: {command: send, mesage: hi}", ["unknown-key @ mesage"]),
        ("- WsOp: {command: send, mensaje: hi}", ["unknown-key @ mensaje"]),
        ("- WsOp: {command: send, text: hi}", ["unknown-key @ text"]),
        ("- WsOp: {Command: send, Message: hi}", ["unknown-key @ Command", "unknown-key @ Message"]),
        ("- SetVar: {total: 5}", ["unknown-key @ total"]),
        ("- SetVar: {nme: a, vlue: 1}", ["unknown-key @ nme", "unknown-key @ vlue"]),
        # Two mistakes are two.
        ("- WsOp: {command: send, chanel: a}", ["missing-key @ WsOp", "unknown-key @ chanel"]),
        ("- SetVar: {nme: a, value: 1, vl: 2}", ["unknown-key @ nme", "unknown-key @ vl"]),
        # Where nothing is known, one misspelt name of all is not looked for.
        ("- SetVar: {nme: a}", ["unknown-key @ nme"]),
        ("- Log: {message: 5, level: loud}", ["wrong-type @ 5", "bad-value @ loud"]),
        ("- Log: {message: '{{ x }}', levl: warn}", ["unknown-variable @ x", "unknown-key @ levl"]),
        (
            "- Log: {message: 5}\n- Lgo: {message: a}\n- Log",
            ["wrong-type @ 5", "unknown-operation @ Lgo", "not-an-operation @ Log"],
        ),
        # A variable that an unreadable part would set is not unknown.
        ("- SetVar: {name: a, vlue: 1}\n- Log: {message: '{{ a }}'}", ["unknown-key @ vlue"]),
        ("- Sql: {output_var: a}\n- Log: {message: '{{ a }}'}", ["unknown-operation @ Sql"]),
        ("- SqlOp: {query: SELECT 1, output_vr: a}\n- Log: {message: '{{ a }}'}", ["unknown-key @ output_vr"]),
        ("- total: 5\n- Log: {message: '{{ total }}'}", ["not-an-operation @ total"]),
        # Null is absent where a field may be.
        ("- If: {condition: message, then: [{Log: {message: a}}], else: null}", []),
        ("- If: {condition: message, then: null}", ["wrong-type @ null"]),
        ("- If: {condition: message, then: }", ["wrong-type @ "]),
        ("- If: {condition: null, then: [{Log: {message: a}}]}", ["wrong-type @ null"]),
        ("- Log: {message: a, levl: null}", ["unknown-key @ levl"]),
        ("- SetVar: {name: a, var: null, value: 1}", []),
        ("- SetVar: {name: a, value: null}", []),
        # Blocks.
        ("- If: {condition: message, then: {Log: {message: a}}}", ["wrong-type @ {Log: {message: a}}"]),
        ("- If: {condition: message, then: Log}", ["wrong-type @ Log"]),
        ("- If: {condition: message, then: []}", ["empty-block @ []"]),
        ("- If: {condition: message, then: [Log, {Lgo: {}}]}", ["not-an-operation @ Log", "unknown-operation @ Lgo"]),
        (
            "- If: {condition: 5, then: [{Lgo: {}}], else: [{Log: {}}]}",
            ["wrong-type @ 5", "unknown-operation @ Lgo", "missing-key @ Log"],
        ),
    ],
)
def test_findings(operations: str, findings: list[str]) -> None:
    assert shown(in_hook(operations)) == findings


def test_the_form_to_write_is_in_the_help() -> None:
    (missing,) = check(in_hook("- WsOp: {command: broadcast, channel: a}"))
    assert missing.message == "`WsOp` needs `message` with `broadcast`"
    assert missing.help == "write `- WsOp: {command: broadcast, message: …, channel: a}`"
    (mapping,) = check(in_hook("- If: {condition: message, then: {WsOp: {}}}"))
    assert mapping.help == "write each operation as a list item: `- WsOp: …`"
    (twice,) = check(in_hook("- SetVar: {name: a, var: b, value: 1}"))
    assert twice.message == "`var` and `name` are the same field of `SetVar`"


def test_what_a_misspelt_key_would_do_is_said() -> None:
    (found,) = check(in_hook("- WsOp: {command: broadcast, message: hi, chanel: a}"))
    assert "the broadcast would go to everybody" in found.message


def nested(operation: str, times: int) -> str:
    inner = LOG
    for _ in range(times):
        inner = operation.replace("…", inner)
    return f"- If: {{condition: message, then: {inner}}}"


IF = "[{If: {condition: message, then: …}}]"
LOOPS = [
    "[{Loop: {collection: [1], body: …}}]",
    "[{Try: {operations: …, catch: []}}]",
    "[{While: {condition: random_float() > 0.5, body: …}}]",
]


@pytest.mark.parametrize("extra", [0, 1, 200])
def test_operations_nest_to_the_limit(extra: int) -> None:
    found = check(in_hook(nested(IF, OPERATION_DEPTH - 2 + extra)))
    assert [finding.name for finding in found] == (["limit"] if extra else [])
    assert all(str(OPERATION_DEPTH) in finding.message for finding in found)


@pytest.mark.parametrize("operation", LOOPS)
@pytest.mark.parametrize("extra", [0, 1, 40])
def test_loops_and_tries_nest_to_their_limit(operation: str, extra: int) -> None:
    found = check(in_hook(nested(operation, LOOP_DEPTH + extra)))
    assert [finding.name for finding in found] == (["limit"] if extra else [])
    assert all(str(LOOP_DEPTH) in finding.message for finding in found)


def test_loops_and_tries_count_together() -> None:
    inner = LOG
    for place in range(LOOP_DEPTH + 1):
        inner = LOOPS[place % 3].replace("…", inner)
    assert [found.name for found in check(in_hook(f"- If: {{condition: message, then: {inner}}}"))] == ["limit"]


def test_merge_keys_are_told_once() -> None:
    assert shown(in_hook("- Log: {<<: {message: a}}")) == ["merge-key @ <<"]
