"""What is checked around the instructions, one broken rule at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import (
    CONSTANT_DEPTH,
    Chunk,
    Import,
    ImportKind,
    Instruction,
    LoadError,
    Mark,
    Program,
    Slot,
    SourceMap,
)
from compiler.bytecode.verifier import verify
from compiler.diagnostics import codes
from compiler.language.limits import TEXT_BYTES
from compiler.language.values import Kind
from tests.assembly import program, truthful

GOOD = program("CONST 'a' ; INPUT message ; ADD ; RETURN", slots=["n"], templates=["SLOT n ; CHANNEL ; RETURN"])


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def route(**changes: Any) -> Program:
    return truthful(replace(GOOD, routes=(replace(GOOD.routes[0], **changes),)))


def membership(**changes: Any) -> Program:
    return route(membership=replace(GOOD.routes[0].membership, **changes))


def hook(**changes: Any) -> Program:
    return route(hooks={"on_message": replace(GOOD.routes[0].hooks["on_message"], **changes)})


def constant(value: Any) -> Program:
    return replace(GOOD, constants=(*GOOD.constants, value))


def imported(kind: ImportKind, name: str, arity: int) -> Program:
    return replace(GOOD, imports=(Import(kind, name, arity),))


def template(text: str) -> Program:
    return program(slots=["n"], templates=[text])


FUNCTION, EFFECT = ImportKind.FUNCTION, ImportKind.EFFECT
MARK = Mark(1, 1, 1, 2, "")

BROKEN: list[tuple[str, Callable[[], Program], str]] = [
    ("a float that is whole", lambda: constant(1.0), "not in normal form"),
    ("minus zero", lambda: constant(-0.0), "not in normal form"),
    ("infinity", lambda: constant(float("inf")), "not in normal form"),
    ("no number", lambda: constant(float("nan")), "not in normal form"),
    ("between two doubles", lambda: constant(2**53 + 1), "not in normal form"),
    ("beyond the doubles", lambda: constant(10**400), "not in normal form"),
    ("inside of a list", lambda: constant([{"a": 1.0}]), "not in normal form"),
    ("a lone surrogate", lambda: constant("\ud800"), "lone surrogate"),
    ("a lone surrogate in a key", lambda: constant({"\ud800": 1}), "lone surrogate"),
    ("a large text", lambda: constant("x" * (TEXT_BYTES + 1)), "larger than 1 MiB"),
    ("a long list", lambda: constant([1] * 100_001), "more than 100000 items"),
    ("a deep list", lambda: constant(nested(CONSTANT_DEPTH + 1)), "nested more than 256 deep"),
    ("a key that is no text", lambda: constant({1: 2}), "the key of an object is a text"),
    ("a value of Python", lambda: constant((1, 2)), "a tuple is no value"),
    ("an unknown function", lambda: imported(FUNCTION, "eval", 1), "there is no such function"),
    ("an unknown effect", lambda: imported(EFFECT, "exec", 1), "there is no such effect"),
    ("too few arguments", lambda: imported(FUNCTION, "replace", 2), "does not take 2 arguments"),
    ("too many arguments", lambda: imported(FUNCTION, "upper", 2), "does not take 2 arguments"),
    ("arguments of an effect", lambda: imported(EFFECT, "send", 1), "there is no such effect"),
    ("a blank name", lambda: route(name=" "), "the name is blank"),
    ("a bad path", lambda: route(path="ws"), "path: a path starts with `/`"),
    ("bad options", lambda: route(options={"codec": 1.0}), "not in normal form"),
    ("a variable twice", lambda: route(slots=(Slot("n", Kind.ANY),) * 2), "a variable is there twice"),
    ("a variable's name", lambda: route(slots=(Slot("a b", Kind.ANY),)), "'a b' cannot be a variable"),
    ("a reserved name", lambda: route(slots=(Slot("params", Kind.ANY),)), "'params' cannot be a variable"),
    ("no kind", lambda: route(slots=(Slot("n", Kind(0)),)), "the variable n has no kind"),
    ("a channel twice", lambda: membership(literals=("a", "a")), "a channel is there twice"),
    ("a blank channel", lambda: membership(literals=(" ",)), "a channel has a blank name"),
    (
        "an unknown hook",
        lambda: route(hooks={"on_fire": GOOD.routes[0].hooks["on_message"]}),
        "there is no hook 'on_fire'",
    ),
    ("a wrong stack", lambda: hook(stack=5), "its stack is 2, not 5"),
    ("a wrong cost", lambda: hook(cost=None), "its cost is 4, not bounded by fuel"),
    ("waiting for nothing", lambda: hook(waits=True), "its waits is False, not True"),
    ("locals without end", lambda: hook(locals=14), "14 locals are more than it can use"),
    ("marks", lambda: hook(source_map=SourceMap((MARK,))), "1 marks where 4 belong"),
    ("names of locals", lambda: hook(local_names=("a",)), "1 names of locals where 0 belong"),
    ("a needless operand", lambda: hook(code=(Instruction(Opcode.NULL, 1),)), "operand 1 cannot be"),
    ("a huge operand", lambda: hook(code=(Instruction(Opcode.CONST, 1 << 24),)), "cannot be"),
    ("an operand below zero", lambda: hook(code=(Instruction(Opcode.CONST, -1),)), "operand -1 cannot be"),
    ("a template that sees messages", lambda: template("INPUT message ; RETURN"), "the hook does not see this input"),
    ("a template that does not return", lambda: template("CONST 1 ; DROP"), "a statement where only an expression"),
    (
        "a template with locals",
        lambda: membership(templates=(replace(GOOD.routes[0].membership.templates[0], locals=1),)),
        "it has no locals",
    ),
]


@pytest.mark.parametrize(("make", "reason"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_refused(make: Callable[[], Program], reason: str) -> None:
    with pytest.raises(LoadError) as caught:
        verify(make())
    assert caught.value.code is codes.INVALID_PROGRAM
    assert reason in caught.value.message


def test_hook_place_and_opcode_are_named() -> None:
    with pytest.raises(
        LoadError, match=r"route 'Test', on_message, instruction 1 \(ADD\): the stack has too few values"
    ):
        verify(program("CONST 1 ; ADD ; DROP"))


def test_waiting_must_be_said() -> None:
    made = program("CONST 5 ; EMIT sleep ; DROP")
    chunk = replace(made.routes[0].hooks["on_message"], waits=False)
    with pytest.raises(LoadError, match="its waits is True, not False"):
        verify(replace(made, routes=(replace(made.routes[0], hooks={"on_message": chunk}),)))


def test_inner_expressions_nest_only_so_deep() -> None:
    text = "LOCAL 0 ; RETURN"
    for _ in range(33):
        text = f"LOCAL 0 ; INNER {{{text}}} ; CALL map/2 ; RETURN"
    with pytest.raises(LoadError, match="inner expressions are nested more than 32 deep"):
        verify(program(text.replace("LOCAL 0", "CONST []", 1)))


@pytest.mark.parametrize("value", [1, -(2**53), 2**60, int(1e300), 0.1, "", "سن", [], {}, None, True, nested(256)])
def test_constants_of_all_kinds_are_fine(value: Any) -> None:
    verify(constant(value))


RICH = program(
    "CONST 'UPDATE t SET a = 1' ; NULL ; CONST 'execute' ; CONST 'all' ; EMIT sql ; DROP ; "
    "CONST 'T' ; CALL env/1 ; RETURN",
    literals=["chat"],
)
LIES: dict[str, Any] = {
    "effects": (), "functions": (), "channels": (), "statements": (), "environment": (),
    "keys": ("*",), "hosts": ("example.com",), "cost": {},
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_manifest(name: str) -> None:
    verify(RICH)
    with pytest.raises(LoadError) as caught:
        verify(replace(RICH, manifest=replace(RICH.manifest, **{name: LIES[name]})))
    assert caught.value.code is codes.FALSE_MANIFEST
    assert caught.value.message == f"the manifest is not true: {name}"


def test_a_chunk_without_code_is_a_hook() -> None:
    made = route(
        hooks={"on_connect": Chunk((), 0, 0, 0, False)}, membership=replace(GOOD.routes[0].membership, templates=())
    )
    verify(made)
