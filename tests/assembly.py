"""A text assembler for tests: programs by hand, valid or not.

    program("INPUT message ; CONST '!' ; ADD ; RETURN")

Instructions stand one behind the other, with `;` or line breaks between them. Operands are written as what
they mean: constants as Python literals, inputs and slots by name, `CALL upper/1`, `EMIT send`, numbers for the rest,
inner expressions in braces: `INNER {LOCAL 0 ; CONST 2 ; MUL ; RETURN}`. `#3` is the bare number 3 for any operand.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.opcodes import Opcode, Operand
from compiler.bytecode.program import (
    Chunk,
    Import,
    ImportKind,
    Instruction,
    LoadError,
    Manifest,
    Mark,
    Membership,
    Program,
    RouteProgram,
    Slot,
    SourceMap,
)
from compiler.bytecode.verifier import measure
from compiler.language.effects import EFFECTS
from compiler.language.hooks import INPUT_NUMBERS, INPUTS
from compiler.language.values import UNSET, Kind, Unset, Value
from runtime.loader import link
from runtime.seam import Context

NO_MANIFEST = Manifest((), (), (), (), (), (), (), {})


@dataclass(slots=True)
class Assembly:
    """The pools that all chunks of a program share."""

    slots: tuple[str, ...] = ()
    constants: list[Value] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)

    def chunk(self, text: str, *, marked: bool = False, locals_: int | None = None) -> Chunk:
        """Assemble one chunk. Where it is not valid, its measures are zero."""
        inner: list[Chunk] = []
        code = tuple(self._instruction(row, inner) for row in split(text))
        count = _locals(code) if locals_ is None else locals_
        try:
            found = measure(code, tuple(self.imports), tuple(inner))
            stack, cost, waits = found.stack, found.cost, found.waits
        except LoadError:
            stack, cost, waits = 0, 0, False
        marks = tuple(Mark(1 + pc // 2, 1 + pc, 1 + pc // 2, 4 + pc, f"Op.f{pc // 3}") for pc in range(len(code)))
        names = tuple(f"local_{number}" for number in range(count))
        if marked:
            return Chunk(code, count, stack, cost, waits, tuple(inner), names, SourceMap(marks))
        return Chunk(code, count, stack, cost, waits, tuple(inner))

    def _instruction(self, text: str, inner: list[Chunk]) -> Instruction:
        name, _, rest = text.partition(" ")
        opcode = Opcode[name]
        rest = rest.strip()
        if rest.startswith("#"):
            return Instruction(opcode, int(rest[1:]))
        if opcode is Opcode.INNER:
            inner.append(self.chunk(rest[1:-1], locals_=1))
            return Instruction(opcode, len(inner) - 1)
        return Instruction(opcode, self._operand(opcode, rest))

    def _operand(self, opcode: Opcode, text: str) -> int:
        match opcode.operand:
            case Operand.CONSTANT:
                return self._pooled(self.constants, ast.literal_eval(text))
            case Operand.INPUT:
                return INPUT_NUMBERS[text]
            case Operand.SLOT:
                return self.slots.index(text)
            case Operand.IMPORT:
                return self._pooled(self.imports, self._import(opcode, text))
            case _:
                return int(text or 0)

    def _import(self, opcode: Opcode, text: str) -> Import:
        name, _, arity = text.partition("/")
        if opcode is Opcode.CALL:
            return Import(ImportKind.FUNCTION, name, int(arity))
        return Import(ImportKind.EFFECT, name, int(arity) if arity else EFFECTS[name].arity)

    @staticmethod
    def _pooled(pool: list[Any], item: Any) -> int:
        for number, other in enumerate(pool):
            if repr(other) == repr(item):
                return number
        pool.append(item)
        return len(pool) - 1


def split(text: str) -> list[str]:
    """The instructions of a text: separators inside of quotes and braces do not count."""
    rows = [""]
    quote, braces = "", 0
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            braces += {"{": 1, "}": -1}.get(character, 0)
        if character in ";\n" and not quote and not braces:
            rows.append("")
        else:
            rows[-1] += character
    return [row.strip() for row in rows if row.strip()]


def _locals(code: tuple[Instruction, ...]) -> int:
    width = {Opcode.EACH: 3}
    used = [i.operand + width.get(i.opcode, 1) for i in code if i.opcode.operand is Operand.LOCAL]
    return max(used, default=0)


def program(
    on_message: str = "",
    *,
    slots: Sequence[str] = (),
    templates: Sequence[str] = (),
    literals: Sequence[str] = (),
    options: Mapping[str, Value] | None = None,
    marked: bool = False,
    **hooks: str,
) -> Program:
    """A program of one route, with a true manifest where it is valid."""
    assembly = Assembly(tuple(slots))
    texts = {"on_message": on_message, **hooks} if on_message else hooks
    route = RouteProgram(
        name="Test",
        path="/ws/test/:room",
        options=options or {},
        membership=Membership(
            not templates and not literals,
            tuple(literals),
            tuple(assembly.chunk(text, marked=marked) for text in templates),
        ),
        slots=tuple(Slot(name, Kind.ANY) for name in slots),
        hooks={name: assembly.chunk(text, marked=marked) for name, text in sorted(texts.items())},
    )
    made = Program(tuple(assembly.constants), tuple(assembly.imports), (route,), NO_MANIFEST, "worpen test")
    if marked:
        made = replace(made, source_name="routes/test.yaml", source_hash="ab" * 32)
    return truthful(made)


def truthful(made: Program) -> Program:
    """The program with the manifest that belongs to it; as it is where none can be computed."""
    try:
        return replace(made, manifest=compute_manifest(made.constants, made.imports, made.routes))
    except (IndexError, KeyError, ValueError):
        return made


@dataclass(slots=True)
class Quiet:
    """A moment in which nothing happens."""

    def now(self) -> float:
        return 1_700_000_000.0

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)

    def environment(self, name: str) -> str | None:
        return f"value of {name}"

    def connections(self) -> int:
        return 2

    def members(self, channel: str) -> Sequence[str]:
        return ("a", "b")

    def channel_size(self, channel: str) -> int:
        return 2


@dataclass(slots=True)
class Performed:
    """A host that writes down what it is asked for. `replies` are given by effect; an exception is raised."""

    replies: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def emit(self, effect: str, *arguments: Value) -> Any:
        self.asked.append((effect, *arguments))
        reply = self.replies.get(effect, 1)
        if isinstance(reply, BaseException):
            raise reply
        return reply


def inputs(**given: Value) -> list[Value]:
    """Inputs of a hook: those given, None for the others."""
    return [given.get(name) for name in INPUTS]


def run(
    made: Program,
    host: Performed | None = None,
    *,
    fuel: int = 1000,
    slots: list[Value | Unset] | None = None,
    hook: str = "on_message",
    **given: Value,
) -> Any:
    """Link a program and run one hook of its first route."""
    route = link(made, Context(Quiet(), fuel)).routes[0]
    variables: list[Value | Unset] = list([UNSET] * len(route.program.slots)) if slots is None else slots
    return route.hooks[hook](inputs(**given), variables, (host or Performed()).emit)
