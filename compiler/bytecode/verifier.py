"""Proves that a program is safe to run: the only way from bytes to a hook leads through here.

Nothing is trusted (bytecode section 4). `flow` follows the instructions of each chunk; this module says what
each chunk may see, and checks everything around the chunks. What passes raises nothing but faults when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from compiler.bytecode.flow import FlowError, Measure, Scope, follow, measure
from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.opcodes import Operand
from compiler.bytecode.program import (
    CONSTANT_DEPTH,
    INNER_DEPTH,
    OPERAND_LIMIT,
    Chunk,
    Import,
    ImportKind,
    LoadError,
    Program,
    RouteProgram,
)
from compiler.diagnostics import codes
from compiler.language.effects import EFFECTS
from compiler.language.functions import FUNCTIONS
from compiler.language.hooks import HOOKS, INPUTS, RESERVED_NAMES
from compiler.language.limits import LIST_ITEMS, SAFE_INTEGER, TEXT_BYTES
from compiler.language.paths import PathError, parse_path
from compiler.language.values import Kind, Value

__all__ = ["Measure", "measure", "verify", "verify_hook"]

LOCALS_LIMIT: Final = 1 << 16
"""Local variables of a chunk."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VISIBLE: Final = {
    hook: frozenset(number for number, row in enumerate(INPUTS.values()) if hook in row.hooks) for hook in HOOKS
}
_ALWAYS_VISIBLE: Final = _VISIBLE["on_connect"] & _VISIBLE["on_disconnect"]


def verify(program: Program) -> None:
    """Raises LoadError (invalid-program, false-manifest) at the first thing that is not as it must be."""
    for number, constant in enumerate(program.constants):
        _check_value(constant, f"constant {number}")
    for row in program.imports:
        _check_import(row)
    for route in program.routes:
        _check_route(route, program)
    _check_manifest(program)


def verify_hook(hook: str, route: RouteProgram, program: Program) -> None:
    """Of `verify`, what one hook's safety rests on, for a program that is neither kept nor served.

    Raises LoadError invalid-program.
    """
    for number, constant in enumerate(program.constants):
        _check_value(constant, f"constant {number}")
    for row in program.imports:
        _check_import(row)
    _check_hook(route.hooks[hook], hook, route, program, hook)


def _refuse(place: str, reason: str) -> LoadError:
    return LoadError(codes.INVALID_PROGRAM, f"{place}: {reason}")


# Values.


def _check_value(value: Value, place: str, depth: int = 0) -> None:
    match value:
        case None | bool():
            return
        case int() | float():
            _check_number(value, place)
        case str():
            _check_text(value, place)
        case list() | dict():
            _check_items(value, place, depth)
        case _:
            raise _refuse(place, f"a {type(value).__name__} is no value of the language")


def _check_number(number: int | float, place: str) -> None:
    if isinstance(number, float):
        # Infinity and NaN are no whole numbers to Python.
        if number.is_integer() or number - number != 0:
            raise _refuse(place, "the number is not in normal form")
    elif abs(number) > SAFE_INTEGER and not _is_double(number):
        raise _refuse(place, "the number is not in normal form")


def _is_double(number: int) -> bool:
    try:
        return int(float(number)) == number
    except OverflowError:
        return False


def _check_text(text: str, place: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _refuse(place, "the text holds a lone surrogate") from None
    if size > TEXT_BYTES:
        raise _refuse(place, "the text is larger than 1 MiB")


def _check_items(value: list[Value] | dict[str, Value], place: str, depth: int) -> None:
    if depth >= CONSTANT_DEPTH:
        raise _refuse(place, f"it is nested more than {CONSTANT_DEPTH} deep")
    if len(value) > LIST_ITEMS:
        raise _refuse(place, f"it has more than {LIST_ITEMS} items")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise _refuse(place, "the key of an object is a text")
            _check_text(key, place)
    for item in value.values() if isinstance(value, dict) else value:
        _check_value(item, place, depth + 1)


# Around the chunks.


def _check_import(row: Import) -> None:
    place = f"import {row.name}/{row.arity}"
    if row.kind is ImportKind.EFFECT:
        effect = EFFECTS.get(row.name)
        if effect is None or row.arity != effect.arity:
            raise _refuse(place, "there is no such effect")
        return
    function = FUNCTIONS.get(row.name)
    if function is None:
        raise _refuse(place, "there is no such function")
    if row.arity < function.minimum or (function.maximum is not None and row.arity > function.maximum):
        raise _refuse(place, f"`{function.signature}` does not take {row.arity} arguments")


def _check_route(route: RouteProgram, program: Program) -> None:
    place = f"route {route.name!r}"
    _check_text(route.name, place)
    if not route.name.strip():
        raise _refuse(place, "the name is blank")
    _check_path(route.path, place)
    _check_value(dict(route.options), f"{place}, options")
    _check_slots(route, place)
    _check_channels(route.membership.literals, place)
    for number, template in enumerate(route.membership.templates):
        _check_template(template, route, program, f"{place}, channel template {number}")
    for hook, chunk in route.hooks.items():
        if hook not in HOOKS:
            raise _refuse(place, f"there is no hook {hook!r}")
        _check_hook(chunk, hook, route, program, f"{place}, {hook}")


def _check_path(path: str, place: str) -> None:
    _check_text(path, place)
    try:
        parse_path(path)
    except PathError as error:
        raise _refuse(place, f"path: {error}") from None


def _check_slots(route: RouteProgram, place: str) -> None:
    names = [slot.name for slot in route.slots]
    if len(set(names)) != len(names):
        raise _refuse(place, "a variable is there twice")
    for slot in route.slots:
        if not _NAME.fullmatch(slot.name) or slot.name in RESERVED_NAMES:
            raise _refuse(place, f"{slot.name!r} cannot be a variable")
        if not 0 < slot.kinds <= Kind.ANY:
            raise _refuse(place, f"the variable {slot.name} has no kind")


def _check_channels(names: tuple[str, ...], place: str) -> None:
    if len(set(names)) != len(names):
        raise _refuse(place, "a channel is there twice")
    for name in names:
        _check_text(name, place)
        if not name.strip():
            raise _refuse(place, "a channel has a blank name")


def _check_manifest(program: Program) -> None:
    computed = compute_manifest(program.constants, program.imports, program.routes)
    if computed == program.manifest:
        return
    wrong = [name for name in computed.__slots__ if getattr(computed, name) != getattr(program.manifest, name)]
    raise LoadError(codes.FALSE_MANIFEST, f"the manifest is not true: {', '.join(wrong)}")


# Chunks.


def _check_hook(chunk: Chunk, hook: str, route: RouteProgram, program: Program, place: str) -> None:
    scope = Scope(
        program.imports, chunk.inner, program.constants, _VISIBLE[hook], len(route.slots), chunk.locals, hook=hook
    )
    _check_chunk(chunk, scope, place, 0)


def _check_template(chunk: Chunk, route: RouteProgram, program: Program, place: str) -> None:
    """It runs after on_connect, and reads only what on_disconnect could read (language section 8, M2)."""
    if chunk.locals:
        raise _refuse(place, "it has no locals")
    scope = Scope(program.imports, chunk.inner, program.constants, _ALWAYS_VISIBLE, len(route.slots), 0, hook="")
    _check_chunk(chunk, scope, place, 0)


def _check_inner(chunk: Chunk, outer: Scope, place: str, depth: int) -> None:
    if depth > INNER_DEPTH:
        raise _refuse(place, f"inner expressions are nested more than {INNER_DEPTH} deep")
    if chunk.locals != 1:
        raise _refuse(place, "its item is its one local")
    scope = Scope(outer.imports, chunk.inner, outer.constants, frozenset(), 0, 1, assigned=1, hook="")
    _check_chunk(chunk, scope, place, depth)


def _check_chunk(chunk: Chunk, scope: Scope, place: str, depth: int) -> None:
    if chunk.locals > min(3 * len(chunk.code) + 1, LOCALS_LIMIT):
        raise _refuse(place, f"{chunk.locals} locals are more than it can use")
    _check_operands(chunk, place)
    try:
        found = follow(chunk.code, scope)
    except FlowError as error:
        instruction = f"{place}, instruction {error.pc}"
        if error.pc < len(chunk.code):
            instruction += f" ({chunk.code[error.pc].opcode.name})"
        raise _refuse(instruction, error.reason) from None
    _check_measure(chunk, found, place)
    _check_debug(chunk, place)
    for number, inner in enumerate(chunk.inner):
        _check_inner(inner, scope, f"{place}, inner expression {number}", depth + 1)


def _check_operands(chunk: Chunk, place: str) -> None:
    for pc, instruction in enumerate(chunk.code):
        operand = instruction.operand
        if operand and (instruction.opcode.operand is Operand.NONE or not 0 <= operand < OPERAND_LIMIT):
            raise _refuse(f"{place}, instruction {pc} ({instruction.opcode.name})", f"operand {operand} cannot be")


def _check_measure(chunk: Chunk, found: Measure, place: str) -> None:
    for name in found.__slots__:
        stated, actual = getattr(chunk, name), getattr(found, name)
        if stated != actual:
            raise _refuse(place, f"its {name} is {_shown(actual)}, not {_shown(stated)}")


def _shown(measured: object) -> object:
    return "bounded by fuel" if measured is None else measured


def _check_debug(chunk: Chunk, place: str) -> None:
    rows: Iterable[tuple[str, int, int]] = (
        ("marks", chunk.source_map.length, len(chunk.code)),
        ("names of locals", len(chunk.local_names), chunk.locals),
    )
    for things, count, wanted in rows:
        if count not in (0, wanted):
            raise _refuse(place, f"{count} {things} where {wanted} belong")
