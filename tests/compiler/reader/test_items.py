"""Items of operation lists: forms that are no operation, and what to write instead."""

from __future__ import annotations

import pytest

from compiler.operations.elsewhere import EXPRESSIONS, OPERATIONS_INSTEAD
from compiler.operations.model import snake_case
from compiler.reader.items import meant_operation
from tests.compiler.checking import check, in_hook, shown

FORMS = [
    ("- Log", "not-an-operation @ Log", "- Log: {message: …}"),
    ("- Break", "not-an-operation @ Break", "- Break: {}"),
    ("- hello", "not-an-operation @ hello", "- Log: {message: …}"),
    ("- 5", "not-an-operation @ 5", "- Log: {message: …}"),
    ("- {}", "not-an-operation @ {}", "- Log: {message: …}"),
    ("- [a]", "not-an-operation @ [a]", "- Log: {message: …}"),
    ("- null", "not-an-operation @ null", "- Log: {message: …}"),
    ("- !WsOp {command: send}", "unknown-tag @ !WsOp", "- WsOp: {command: …}"),
    ("- !Frobnicate {}", "unknown-tag @ !Frobnicate", "a mapping with one key"),
    ("- total: 5", "not-an-operation @ total", "- SetVar: {name: total, value: 5}"),
    ("- date: '{{ now() }}'", "not-an-operation @ date", '- SetVar: {name: date, value: "{{ now() }}"}'),
    ("- variable: a\n  value: 1", "not-an-operation @ variable", "- SetVar: {name: a, value: 1}"),
    ("- {var: a, value: 1}", "not-an-operation @ var", "- SetVar: {name: a, value: 1}"),
    ("- if: message\n  then: []", "not-an-operation @ if", "- If: {condition: …, then: […]}"),
    ("- condition: message\n  then: []", "not-an-operation @ condition", "- If: {condition: message, then: […]}"),
    ("- {command: send, message: hi}", "not-an-operation @ command", "- WsOp: {command: send, message: hi}"),
    ("- {type: WsOp, command: send}", "not-an-operation @ type", "- WsOp: {command: send, message: …}"),
    ("- {collection: [1], do: []}", "not-an-operation @ collection", "- Loop: {collection: …, body: […]}"),
    ("- {qqq: 1, www: 2}", "not-an-operation @ qqq", "one key, its name"),
    ("- WsOpp: {}", "unknown-operation @ WsOpp", "did you mean `WsOp`?"),
    ("- Print: {message: hi}", "unknown-operation @ Print", "- Log: {message: hi}"),
    ("- wsop: {command: send, message: a}", "unknown-operation @ wsop", "- WsOp: {command: send, message: a}"),
    ("- Else: []", "unknown-operation @ Else", "a field of `If`"),
    ("- finally: []", "unknown-operation @ finally", "a field of `Try`"),
    ("- Return: hello", "wrong-type @ hello", "- Return: {value: hello}"),
    ("- Frobnicate: {}", "unknown-operation @ Frobnicate", "known: "),
    ("- Log: hello", "wrong-type @ hello", "- Log: {message: hello}"),
    ("- Sleep: 100", "wrong-type @ 100", "- Sleep: {duration_ms: 100}"),
    ("- WsOp: send", "wrong-type @ send", "- WsOp: {command: send, message: …}"),
    ("- If: [a]", "wrong-type @ [a]", "- If: {condition: …, then: […]}"),
    ("- Log: {message: a}\n  WsOp: {command: send, message: b}", "two-operations @ WsOp", "a list item of its own"),
    ("- Log: {message: a}\n  qqq: 1", "not-an-operation @ qqq", "stands under it"),
]


@pytest.mark.parametrize(("item", "finding", "help"), FORMS)
def test_a_form_that_is_none(item: str, finding: str, help: str) -> None:
    (found,) = check(in_hook(item))
    assert str(found) == finding
    assert help in f"{found.message} {found.help}"


@pytest.mark.parametrize(
    ("item", "finding", "blanks"),
    [
        ("- WsOp:\n  command: send\n  message: hi", "not-an-operation @ command", "indent them by 2 more blanks"),
        ("- Log:\n  message: hi", "not-an-operation @ message", "indent it by 2 more blanks"),
        (
            "- If:\n      condition: message\n  then:\n    - Log: {message: a}",
            "not-an-operation @ then",
            "indent it by 4 more blanks",
        ),
        (
            "- If:\n    condition: message\n    then:\n      - Log: {message: a}\n  else:\n    - Log: {message: b}",
            "not-an-operation @ else",
            "indent it by 2 more blanks",
        ),
    ],
)
def test_fields_beside_their_operation(item: str, finding: str, blanks: str) -> None:
    (found,) = check(in_hook(item))
    assert str(found) == finding
    assert found.help == blanks


@pytest.mark.parametrize("name", [*EXPRESSIONS, *OPERATIONS_INSTEAD])
def test_operations_of_the_wider_system_say_what_to_write(name: str) -> None:
    example = {**EXPRESSIONS, **OPERATIONS_INSTEAD}[name]
    for spelling in (name, snake_case(name)):
        (found,) = check(in_hook(f"- {spelling}: {{a: 1}}"))
        assert str(found) == f"unknown-operation @ {spelling}"
        assert example in found.help


@pytest.mark.parametrize("example", [*EXPRESSIONS.values()])
def test_what_they_say_is_an_expression(example: str) -> None:
    known = "".join(f"- SetVar: {{name: {name}, value: []}}\n" for name in ("items", "price", "quantity", "order"))
    codes = {found.split(" ")[0] for found in shown(in_hook(f'{known}- Return: {{value: "{example}"}}'))}
    assert not codes & {"bad-expression", "unknown-function", "unknown-variable", "argument-count"}


def test_a_repeated_key_is_told_once() -> None:
    assert shown(in_hook("- If: {condition: message, then: []}\n  If: {condition: message, then: []}")) == [
        "empty-block @ []",
        "duplicate-key @ If",
    ]
    assert shown(in_hook("- Log: {message: a}\n  qqq: 1\n  qqq: 2")) == ["duplicate-key @ qqq"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("print", "Log"),
        ("Emit", "WsOp"),
        ("set_variable", "SetVar"),
        ("IF", "If"),
        ("ForEach", "Loop"),
        ("TryCatch", "Try"),
    ],
)
def test_names_elsewhere(name: str, meant: str) -> None:
    cls = meant_operation(name)
    assert cls is not None
    assert cls.__name__ == meant


def test_a_name_like_no_other() -> None:
    assert meant_operation("Frobnicate") is None
