"""Program → listing for people, and → JSON form for tools.

    ; routes/chat.yaml  /ws/chat/:room  on_message   format 1   stack 3   cost ≤ 41
    ; 12:9   If.condition  {{ message | contains('hello') }}
      0000  INPUT         0  message
      0001  CONST         1  'hello'
      0002  CALL          contains/2
      0003  IF

Columns: place, opcode (indented by its blocks), operand, meaning. Texts of the program are shown as literals
with everything that does not print escaped, so that a listing is safe for a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from compiler.bytecode.opcodes import BOUNDARIES, OPENERS, Opcode, Operand
from compiler.bytecode.program import (
    FORMAT_MAJOR,
    FORMAT_MINOR,
    Chunk,
    Import,
    Instruction,
    Mark,
    Program,
    RouteProgram,
)
from compiler.language.hooks import INPUTS
from compiler.language.sql_reach import READ, WRITE, sql_reach
from compiler.language.values import KIND_NAMES, Value
from compiler.records import dataclass

SCHEMA: Final = "worpen.program/1"
"""Of the JSON form."""

_SHOWN_CONSTANT: Final = 60
_SHOWN_SOURCE: Final = 100
_OPCODE_WIDTH: Final = max(len(opcode.name) for opcode in Opcode) + 2
_INPUT_NAMES: Final = tuple(INPUTS)
_STATEMENTS: Final = frozenset(
    {
        Opcode.SET_LOCAL, Opcode.SET_SLOT, Opcode.DROP, Opcode.RETURN, Opcode.THROW, Opcode.BREAK, Opcode.CONTINUE,
        Opcode.WHILE, Opcode.EACH, Opcode.TRY, Opcode.LOOP, Opcode.CATCH, Opcode.FINALLY,
    }
)  # fmt: skip
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


# The listing.


def disassemble(program: Program, source_text: str | None = None, hook: str | None = None) -> str:
    """The listing of a verified program, of one hook of each route where `hook` is given; each line ends with a
    line break. With the text of the route file, what each instruction came from stands above it."""
    lines = _LINE_BREAK.split(source_text) if source_text is not None else []
    listing = _Listing(program, lines)
    chunks = ["".join(f"{row}\n" for row in listing.chunk(part)) for part in _parts(program, hook)]
    return "\n".join(chunks)


@dataclass(frozen=True, slots=True)
class _Part:
    """A chunk and what it is called."""

    route: RouteProgram
    name: str
    chunk: Chunk


def _parts(program: Program, hook: str | None) -> Iterator[_Part]:
    """The chunks of a program with their names: templates, hooks, and behind each its inner expressions."""
    for route in program.routes:
        if hook is None:
            for number, template in enumerate(route.membership.templates):
                yield from _with_inner(_Part(route, f"channel template {number}", template))
        for name, chunk in route.hooks.items():
            if hook in (None, name):
                yield from _with_inner(_Part(route, name, chunk))


def _with_inner(part: _Part) -> Iterator[_Part]:
    yield part
    for number, chunk in enumerate(part.chunk.inner):
        yield from _with_inner(_Part(part.route, f"{part.name} · inner expression {number}", chunk))


@dataclass(frozen=True, slots=True)
class _Listing:
    """Makes rows; `lines` are those of the source, none where it is not known."""

    program: Program
    lines: list[str]

    def chunk(self, part: _Part) -> Iterator[str]:
        """The rows of one chunk."""
        yield self.heading(part)
        groups = _groups(part.chunk) if self.lines else {}
        depth = 0
        for pc, instruction in enumerate(part.chunk.code):
            if (mark := groups.get(pc)) is not None:
                yield self.source(mark)
            depth -= instruction.opcode in BOUNDARIES
            yield self.instruction(pc, instruction, part, depth)
            depth += instruction.opcode in OPENERS or (
                instruction.opcode in BOUNDARIES and instruction.opcode is not Opcode.END
            )

    def heading(self, part: _Part) -> str:
        chunk = part.chunk
        cost = "bounded by fuel" if chunk.cost is None else f"≤ {chunk.cost}"
        names = (self.program.source_name or part.route.name, part.route.path, part.name)
        facts = (f"format {FORMAT_MAJOR}", f"stack {chunk.stack}", f"cost {cost}", *(["waits"] * chunk.waits))
        return f"; {'  '.join(map(_printable, names))}   {'   '.join(facts)}"

    def source(self, mark: Mark) -> str:
        """Where the instructions below come from, and what stands there."""
        text = self.lines[mark.line - 1] if mark.line <= len(self.lines) else ""
        end = mark.end_column - 1 if mark.end_line == mark.line else len(text)
        shown = _shortened(_printable(text[mark.column - 1 : end].strip()), _SHOWN_SOURCE)
        more = " …" if mark.end_line > mark.line and not shown.endswith("…") else ""
        return f"; {mark.line}:{mark.column}   {_printable(mark.field)}  {shown}{more}".rstrip()

    def instruction(self, pc: int, instruction: Instruction, part: _Part, depth: int) -> str:
        opcode = instruction.opcode
        name = "  " * depth + opcode.name
        number = _shown_operand(instruction)
        meaning = _meaning(instruction, self.program, part)
        row = f"  {pc:04}  {name:<{_OPCODE_WIDTH}} {number}"
        return (f"{row}  {meaning}" if number and meaning else row + meaning).rstrip()


def _groups(chunk: Chunk) -> dict[int, Mark]:
    """For the first instruction of each field, the range that all its instructions come from.

    A field ends where the next one begins, and with the statement that it belongs to. What an operation does with
    its fields has no line of its own.
    """
    groups: dict[int, Mark] = {}
    start: int | None = None
    shown = ""
    for pc, (instruction, mark) in enumerate(zip(chunk.code, chunk.source_map.marks, strict=False)):
        if instruction.opcode in BOUNDARIES or mark.field == shown:
            start = None
        elif start is not None and groups[start].field == mark.field:
            groups[start] = _hull(groups[start], mark)
        else:
            start = pc
            groups[pc] = mark
            shown = mark.field.partition(".")[0]
        if instruction.opcode in _STATEMENTS:
            start = None
    return groups


def _hull(one: Mark, other: Mark) -> Mark:
    line, column = min((one.line, one.column), (other.line, other.column))
    end_line, end_column = max((one.end_line, one.end_column), (other.end_line, other.end_column))
    return Mark(line, column, end_line, end_column, one.field)


def _shown_operand(instruction: Instruction) -> str:
    """The number, where it says something beside its meaning."""
    kind = instruction.opcode.operand
    if kind in (Operand.NONE, Operand.IMPORT) or (kind is Operand.RESULTS and not instruction.operand):
        return ""
    return str(instruction.operand)


def _meaning(instruction: Instruction, program: Program, part: _Part) -> str:
    """What an operand stands for, in words of the route."""
    number = instruction.operand
    match instruction.opcode.operand:
        case Operand.CONSTANT:
            return _literal(program.constants[number])
        case Operand.INPUT:
            return _INPUT_NAMES[number]
        case Operand.LOCAL:
            return _printable(part.chunk.local_names[number]) if part.chunk.local_names else ""
        case Operand.SLOT:
            return _printable(part.route.slots[number].name)
        case Operand.IMPORT:
            return _call(program.imports[number])
        case Operand.INNER:
            return "inner expression"
        case Operand.RESULTS:
            return "value" if number else ""
        case Operand.ROUNDS:
            return "rounds"
        case Operand.NONE | Operand.COUNT:
            return ""


def _call(row: Import) -> str:
    return f"{_printable(row.name)}/{row.arity}"


def _literal(value: Value) -> str:
    """A constant, on one line and not too long."""
    return _shortened(repr(value), _SHOWN_CONSTANT)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _printable(text: str) -> str:
    """The text with what does not print (control characters, direction marks) as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# The JSON form.


def to_json_form(program: Program) -> dict[str, Any]:
    """The whole program as a JSON document, with the meaning of each operand."""
    return {
        "schema": SCHEMA,
        "format": {"major": FORMAT_MAJOR, "minor": FORMAT_MINOR},
        "producer": program.producer,
        "source": {"name": program.source_name, "hash": program.source_hash},
        "constants": list(program.constants),
        "imports": [{"kind": row.kind.value, "name": row.name, "arity": row.arity} for row in program.imports],
        "routes": [_route_form(program, route) for route in program.routes],
        "manifest": _manifest_form(program),
    }


def _manifest_form(program: Program) -> dict[str, Any]:
    manifest = program.manifest
    reaches = {name: list(getattr(manifest, name)) for name in manifest.__slots__ if name != "cost"}
    return {**reaches, "sql": [_sql_form(statement) for statement in manifest.statements], "cost": dict(manifest.cost)}


def _sql_form(statement: str) -> dict[str, Any]:
    """What a statement touches, which the manifest does not hold: it is read off the statement."""
    reach = sql_reach(statement)
    return {
        "statement": statement,
        "kind": reach.kind,
        READ: {"tables": list(reach.read_tables), "columns": list(reach.read_columns)},
        WRITE: {"tables": list(reach.written_tables), "columns": list(reach.written_columns)},
    }


def _route_form(program: Program, route: RouteProgram) -> dict[str, Any]:
    membership = route.membership
    return {
        "name": route.name,
        "path": route.path,
        "options": dict(route.options),
        "membership": {
            "automatic": membership.automatic,
            "literals": list(membership.literals),
            "templates": [_chunk_form(program, _Part(route, "", chunk)) for chunk in membership.templates],
        },
        "slots": [
            {"name": slot.name, "kinds": [name for kind, name in KIND_NAMES.items() if kind & slot.kinds]}
            for slot in route.slots
        ],
        "hooks": {name: _chunk_form(program, _Part(route, name, chunk)) for name, chunk in route.hooks.items()},
    }


def _chunk_form(program: Program, part: _Part) -> dict[str, Any]:
    chunk = part.chunk
    return {
        "stack": chunk.stack,
        "cost": chunk.cost,
        "waits": chunk.waits,
        "locals": list(chunk.local_names) or [""] * chunk.locals,
        "code": [_instruction_form(pc, program, part) for pc in range(len(chunk.code))],
        "inner": [_chunk_form(program, _Part(part.route, part.name, inner)) for inner in chunk.inner],
    }


def _instruction_form(pc: int, program: Program, part: _Part) -> dict[str, Any]:
    instruction = part.chunk.code[pc]
    form: dict[str, Any] = {"pc": pc, "opcode": instruction.opcode.name}
    if instruction.opcode.operand is not Operand.NONE:
        form["operand"] = instruction.operand
    if instruction.opcode.operand is Operand.CONSTANT:
        form["value"] = program.constants[instruction.operand]
    elif meaning := _meaning(instruction, program, part):
        form["meaning"] = meaning
    if (mark := part.chunk.source_map.mark(pc)) is not None:
        form["range"] = {
            "start": {"line": mark.line, "column": mark.column},
            "end": {"line": mark.end_line, "column": mark.end_column},
        }
        form["field"] = mark.field
    return form
