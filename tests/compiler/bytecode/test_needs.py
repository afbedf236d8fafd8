"""What a hook needs of its message, read off its instructions."""

from __future__ import annotations

import textwrap
from itertools import product
from typing import Any

import pytest

from compiler.bytecode.needs import Need, needs_of, route_needs, spelled
from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.verifier import verify
from compiler.language.faults import Fault
from compiler.language.values import Kind, Value, kind_of
from compiler.pipeline import Settings, compile_source
from tests.assembly import program
from tests.property.engines import VALUES

HEAD = "name: A\npath: /ws/a\nroute_type: WebSocket\ncodec: json\nws_hooks:\n  on_message:\n"
NULL, BOOLEAN, NUMBER, TEXT, LIST, OBJECT = Kind.NULL, Kind.BOOLEAN, Kind.NUMBER, Kind.TEXT, Kind.LIST, Kind.OBJECT
NUMERIC = NUMBER | TEXT
SOMETHING = Kind.ANY & ~NULL


def needs(operations: str) -> dict[str, Kind]:
    """What a hook with these operations needs: kinds by the keys, joined with dots; the message is ``."""
    source = HEAD + textwrap.indent(operations, "    ")
    made = compile_source("a.yaml", source.encode(), Settings()).program
    assert made is not None
    found = needs_of(made.routes[0].hooks["on_message"], made.constants, made.imports)
    assert [need.path for need in found] == sorted((need.path for need in found), key=lambda path: (len(path), path))
    return {".".join(need.path): need.kinds for need in found}


def sending(expression: str) -> str:
    return f'- WsOp: {{command: send, message: "{{{{ {expression} }}}}"}}'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("message", {}),
        ("message | upper", {"": TEXT}),
        ("message.text", {"": OBJECT}),
        ("message.length", {"": TEXT | LIST | OBJECT}),
        ("message.0", {"": TEXT | LIST | OBJECT}),
        ("message['user-id'] | trim", {"": OBJECT, "user-id": TEXT}),
        ("message[0]", {"": TEXT | LIST | OBJECT}),
        ("message.text | upper", {"": OBJECT, "text": TEXT}),
        ("message.x + 1", {"": OBJECT, "x": NUMERIC}),
        ("message.x + 'a'", {"": OBJECT, "x": NUMERIC | BOOLEAN}),
        ("message.x + true", {"": OBJECT, "x": TEXT}),
        ("message.x + message.y", {"": OBJECT, **dict.fromkeys("xy", NUMERIC | BOOLEAN | LIST)}),
        ("-message.x * 2", {"": OBJECT, "x": NUMERIC}),
        ("10 / message.x", {"": OBJECT, "x": NUMERIC}),
        ("message.x < 'b'", {"": OBJECT, "x": TEXT}),
        ("message.x < 5", {"": OBJECT, "x": NUMERIC}),
        ("message.x == 5 || message.x != 4", {"": OBJECT}),
        ("!message.x", {"": OBJECT}),
        ("message.a.b.c | round", {"": OBJECT, "a": OBJECT, "a.b": OBJECT, "a.b.c": NUMERIC}),
        ("message.a?.b", {"": OBJECT, "a": OBJECT | NULL}),
        ("message?.a | upper", {"": OBJECT | NULL, "a": TEXT}),
        ("message.items | map('x') | sum", {"": OBJECT, "items": LIST}),
        ("[message.x | upper]", {"": OBJECT, "x": TEXT}),
        ("'{{ message.x }}'", {}),
        ("message.x | upper ?? 'a'", {"": OBJECT, "x": TEXT}),
        # What may not be asked for.
        ("message.x ?? 1", {"": OBJECT | NULL}),
        ("message.x | default('a')", {"": OBJECT | NULL}),
        ("message.x && message.y.z", {"": OBJECT}),
        ("message.x || message.y.z", {"": OBJECT}),
        ("(message.x ?? message.y) | upper", {"": OBJECT | NULL}),
        ("type(message) == 'object' ? message.x : 0", {}),
        ("true ? (message.x | upper) : 0", {}),
        # Both ways need it.
        ("message.x ? (message.y | upper) : (message.y + 1)", {"": OBJECT, "y": NUMERIC}),
    ],
)
def test_of_expressions(expression: str, expected: dict[str, Kind]) -> None:
    assert needs(sending(expression)) == expected


UPPER = "{SetVar: {name: v, value: '{{ message.x | upper }}'}}"
USE = sending("message.x | upper")


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (USE, {"": OBJECT, "x": TEXT}),
        # A variable of this run is the member that it was set to, until it is set again.
        (f"- SetVar: {{name: t, value: '{{{{ message.x }}}}'}}\n{sending('t | upper')}", {"": OBJECT, "x": TEXT}),
        ("- SetVar: {name: t, value: '{{ message.x }}'}\n- SetVar: {name: t, value: 5}\n" + sending("t + 1"),
         {"": OBJECT}),
        ("- SetVar: {name: message, value: {x: a}}\n" + USE, {}),
        # Effects and variables of the connection stay, so nothing behind them is asked for.
        ("- Log: {message: hi}\n" + USE, {}),
        ("- SetVar: {name: n, value: '{{ (n ?? 0) + 1 }}'}\n" + USE, {}),
        # Branches.
        (f"- If: {{condition: message.a, then: [{UPPER}]}}", {"": OBJECT}),
        (f"- If: {{condition: message.a, then: [{UPPER}], else: [{UPPER}]}}", {"": OBJECT, "x": TEXT}),
        ("- If: {condition: \"message == 'ping'\", then: [{Return: {value: pong}}]}\n" + USE, {}),
        ("- If: {condition: \"message.x == null\", then: [{Throw: {message: no}}]}\n" + USE, {"": OBJECT}),
        ("- If: {condition: message.a, then: [{SetVar: {name: t, value: true}}], "
         "else: [{SetVar: {name: t, value: 1}}]}\n" + sending("message.x + t"),
         {"": OBJECT, "x": NUMERIC | BOOLEAN | LIST}),
        ("- If: {condition: message.a, then: [{SetVar: {name: t, value: '{{ message.b }}'}}], "
         "else: [{SetVar: {name: t, value: '{{ message.b }}'}}]}\n" + sending("t | upper"), {"": OBJECT, "b": TEXT}),
        ("- If: {condition: message.a, then: [{SetVar: {name: t, value: 1}}]}\n" + USE, {"": OBJECT, "x": TEXT}),
        ("- If: {condition: message.a, then: [{Log: {message: a}}]}\n" + USE, {"": OBJECT}),
        ("- Switch: {value: '{{ message.t }}', cases: [{value: a, operations: [" + UPPER + "]}]}", {"": OBJECT}),
        # Loops: the collection and the first condition.
        ("- Loop: {collection: message.l, body: [" + UPPER + "]}", {"": OBJECT, "l": LIST | NULL}),
        ("- Loop: {collection: message.l, body: [{SetVar: {name: t, value: 1}}]}\n" + USE,
         {"": OBJECT, "l": LIST | NULL, "x": TEXT}),
        ("- Loop: {collection: message.l, body: [{Log: {message: hi}}]}\n" + USE, {"": OBJECT, "l": LIST | NULL}),
        ("- While: {condition: message.n < 3, body: [{Break: {}}]}\n" + USE, {"": OBJECT, "n": NUMERIC, "x": TEXT}),
        ("- While: {condition: 'true', body: [" + UPPER + ", {Break: {}}]}", {}),
        ("- Loop: {collection: '[1]', body: [{Return: {}}]}\n" + USE, {}),
        # A catch takes the fault; the code behind is reached all the same.
        ("- Try: {operations: [" + UPPER + "], catch: [{Comment: {text: a}}]}", {}),
        ("- Try: {operations: [" + UPPER + "], finally: [{Comment: {text: a}}]}", {}),
        ("- Try: {operations: [{SetVar: {name: t, value: '{{ 1 + 1 }}'}}], catch: [" + UPPER + "]}\n" + USE,
         {"": OBJECT, "x": TEXT}),
        ("- Try: {operations: [{Log: {message: a}}], catch: [{Comment: {text: a}}]}\n" + USE, {}),
    ],
)  # fmt: skip
def test_of_operations(operations: str, expected: dict[str, Kind]) -> None:
    assert needs(operations) == expected


def test_a_variable_set_in_a_loop_is_no_member() -> None:
    """In a second round it may be something else."""
    operations = (
        "- SetVar: {name: t, value: '{{ message.x }}'}\n"
        "- Loop:\n    collection: '[1, 2]'\n    body:\n      - SetVar: {name: u, value: '{{ t | upper }}'}\n"
        "      - SetVar: {name: t, value: a}\n" + sending("t | upper")
    )
    assert needs(operations) == {"": OBJECT}


def test_a_need_names_the_line_of_its_first_use() -> None:
    source = (
        HEAD + "    - Comment: {text: a}\n    - WsOp:\n        command: send\n        message: '{{ message.x + 1 }}'\n"
    )
    made = compile_source("a.yaml", source.encode(), Settings()).program
    assert made is not None
    hook = made.routes[0].hooks["on_message"]
    assert needs_of(hook, made.constants, made.imports) == (Need((), OBJECT, 10), Need(("x",), NUMERIC, 10))


def test_a_stripped_program_has_no_lines() -> None:
    made = program("INPUT message ; CALL upper/1 ; RETURN")
    assert needs_of(made.routes[0].hooks["on_message"], made.constants, made.imports) == (Need((), TEXT, 0),)


def test_what_always_faults_needs_nothing() -> None:
    """No kind would do, and the hook says why."""
    made = program("INPUT message ; CONST 'a' ; SUB ; RETURN")
    verify(made)
    assert needs_of(made.routes[0].hooks["on_message"], made.constants, made.imports) == ()


def test_members_are_spelled_as_in_expressions() -> None:
    assert spelled(()) == "message"
    assert spelled(("a", "b-c", "0")) == "message.a['b-c']['0']"


@pytest.mark.parametrize(("codec", "count"), [("json", 1), ("msgpack", 1), ("text", 0), (None, 0)])
def test_only_routes_with_a_codec_need_anything(codec: str | None, count: int) -> None:
    made = program("INPUT message ; CALL upper/1 ; RETURN", options={} if codec is None else {"codec": codec})
    assert len(route_needs(made, made.routes[0])) == count
    silent = program(on_connect="NULL ; RETURN", options={"codec": "json"})
    assert route_needs(silent, silent.routes[0]) == ()


UNARY = [
    row for row in Opcode if row.helper is not None and row.value.pops == 1 and not row.operand.value.startswith("i")
]
BINARY = [row for row in Opcode if row.helper is not None and row.value.pops == 2]


def works(opcode: Opcode, *operands: Value) -> bool:
    try:
        opcode.helper(*operands)  # type: ignore[misc]
    except Fault:
        return False
    return True


def kinds_needed(text: str, constant: Any = None) -> Kind:
    made = program(f"{text} ; RETURN", slots=["s"])
    found = needs_of(made.routes[0].hooks["on_message"], made.constants, made.imports)
    return found[0].kinds if found else Kind.ANY


@pytest.mark.parametrize("opcode", UNARY, ids=lambda row: row.name)
def test_what_a_helper_takes_is_not_refused(opcode: Opcode) -> None:
    needed = kinds_needed(f"INPUT message ; {opcode.name}")
    assert not [value for value in VALUES if works(opcode, value) and not kind_of(value) & needed]


@pytest.mark.parametrize("opcode", BINARY, ids=lambda row: row.name)
def test_what_a_helper_takes_with_some_other_operand_is_not_refused(opcode: Opcode) -> None:
    left = kinds_needed(f"INPUT message ; SLOT s ; {opcode.name}")
    right = kinds_needed(f"SLOT s ; INPUT message ; {opcode.name}")
    for value, other in product(VALUES, VALUES):
        assert not works(opcode, value, other) or kind_of(value) & left, (value, other)
        assert not works(opcode, other, value) or kind_of(value) & right, (value, other)


@pytest.mark.parametrize("opcode", BINARY, ids=lambda row: row.name)
def test_what_a_helper_takes_with_this_operand_is_not_refused(opcode: Opcode) -> None:
    for other in VALUES:
        left = kinds_needed(f"INPUT message ; CONST {other!r} ; {opcode.name}")
        right = kinds_needed(f"CONST {other!r} ; INPUT message ; {opcode.name}")
        for value in VALUES:
            assert not works(opcode, value, other) or kind_of(value) & left, (value, other)
            assert not works(opcode, other, value) or kind_of(value) & right, (value, other)
