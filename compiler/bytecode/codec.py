"""Program ↔ bytes. The format of a `.wbc` file:

    file       = "WBC" 0x01 · major u16 · minor u16 · checksum 32 bytes · count u16 · count entries · sections
    entry      = id u16 · flags u16 · offset u32 · length u32

All fixed-size numbers are big-endian; numbers, texts and values inside of sections are those of `wire`. The
checksum is the SHA-256 of everything but itself. The sections stand in the order of the table, ids ascending,
the first right behind the table, each right behind the one before, the last up to the end of the file.
Bit 0 of the flags says that a reader must know the section; the other bits are 0. A section that this
version does not know is skipped without the bit and refused with it.

    1 constants* = count, values; none twice
    2 imports*   = count, (kind: 0 function, 1 effect; name; arity) each, none twice; 16 bytes, the beginning
                   of the SHA-256 of what the tables say about them
    3 routes*    = count, (name; path; options, a value with keys ascending at every level; membership:
                   automatic flag, literals, number of templates; number of slots; number of hooks) each
    4 slots*     = for each route: (name; kinds) for each slot
    5 hooks*     = for each route: chunk for each template; (number of the hook in order; chunk) for each hook
    6 manifest*  = effects, functions, channels, statements, keys, hosts, environment: texts each;
                   count, (hook; cost, optional), hooks ascending
    7 producer*  = text
    8 debug      = source name; source hash; number of chunks, and for each chunk, in the order of section 5 and
                   outer before inner: names of locals (all or none); marks
    chunk        = number of locals; stack; cost, optional; waits flag; count, instructions;
                   number of inner expressions, their chunks
    instruction  = opcode u8 · operand u24, 0 where the opcode takes none. One size, no prefixes: the largest
                   file that the compiler reads cannot need an operand of 2**24.
    marks        = number of runs, (length; line, the difference to the run before; column; lines to its end;
                   end column; field: number of a text of this section that was a field before, or the next
                   number and the text). The lengths add up to the chunk's instructions, or there are no runs.
    optional     = 0 for nothing, otherwise the number plus 1; sections with * have bit 0 of the flags

A program has one form: what `encode` would not write, `decode` refuses. Bytes depend on the program alone:
no time, no hash order. A stripped program has no debug section, and then nothing depends on how the source
was spelled. Objects keep the order of their members in constants, where it can be seen.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from compiler.bytecode.opcodes import BY_NUMBER, Operand
from compiler.bytecode.program import (
    FORMAT_MAJOR,
    FORMAT_MINOR,
    INNER_DEPTH,
    OPERAND_LIMIT,
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
from compiler.bytecode.wire import Reader, Writer
from compiler.diagnostics import codes
from compiler.language.effects import EFFECTS
from compiler.language.functions import FUNCTIONS
from compiler.language.hooks import HOOKS
from compiler.language.values import Kind, Value

MAGIC: Final = b"WBC\x01"
FILE_LIMIT: Final = 1 << 24
"""Larger files are refused unread, in bytes."""

_HEAD: Final = struct.Struct(">4sHH32s")
_CHECKSUM: Final = slice(8, 40)
_COUNT: Final = struct.Struct(">H")
_ENTRY: Final = struct.Struct(">HHII")
_REQUIRED: Final = 1
_SECTIONS: Final = ("constants", "imports", "routes", "slots", "hooks", "manifest", "producer", "debug")
_DEBUG: Final = "debug"
_NUMBERS: Final = {name: number for number, name in enumerate(_SECTIONS, 1)}
_IMPORT_KINDS: Final = tuple(ImportKind)
_HOOK_NAMES: Final = tuple(HOOKS)
_REACHES: Final = ("effects", "functions", "channels", "statements", "keys", "hosts", "environment")
_PLACE_LIMIT: Final = 1 << 32


# Writing.


def encode(program: Program, *, strip: bool = False) -> bytes:
    """The program as bytes; `strip` leaves out source names, source maps and names of locals.

    The program is one that `verify` accepts; for others this may raise ValueError.
    """
    sections = [(_NUMBERS[name], _REQUIRED, write(program)) for name, write in _WRITERS.items()]
    if not strip and _has_debug(program):
        sections.append((_NUMBERS[_DEBUG], 0, _write_debug(program)))
    return _seal(sections)


def _seal(sections: list[tuple[int, int, bytes]]) -> bytes:
    table = bytearray(_COUNT.pack(len(sections)))
    offset = _HEAD.size + _COUNT.size + _ENTRY.size * len(sections)
    for number, flags, content in sections:
        table += _ENTRY.pack(number, flags, offset, len(content))
        offset += len(content)
    if offset > FILE_LIMIT:
        raise ValueError("the program is larger than a program file may be")
    unsealed = _HEAD.pack(MAGIC, FORMAT_MAJOR, FORMAT_MINOR, bytes(32)) + table + b"".join(s[2] for s in sections)
    return unsealed[: _CHECKSUM.start] + _checksum(unsealed) + unsealed[_CHECKSUM.stop :]


def _checksum(raw: bytes) -> bytes:
    digest = hashlib.sha256(raw[: _CHECKSUM.start])
    digest.update(raw[_CHECKSUM.stop :])
    return digest.digest()


def _write_constants(program: Program) -> bytes:
    out = Writer()
    out.number(len(program.constants))
    for constant in program.constants:
        out.value(constant)
    return bytes(out.output)


def _write_imports(program: Program) -> bytes:
    out = Writer()
    out.number(len(program.imports))
    for row in program.imports:
        out.number(_IMPORT_KINDS.index(row.kind))
        out.text(row.name)
        out.number(row.arity)
    return bytes(out.output) + _tables_hash(program.imports)


def _tables_hash(imports: tuple[Import, ...]) -> bytes:
    """What the program was compiled against: a changed meaning of an argument must not go unnoticed."""
    rows = "\n".join(map(_table_row, imports))
    return hashlib.sha256(rows.encode("utf-8", "surrogatepass")).digest()[:16]


def _table_row(row: Import) -> str:
    if row.kind is ImportKind.FUNCTION and (function := FUNCTIONS.get(row.name)) is not None:
        literals = ",".join(parameter.literal for parameter in function.parameters)
        return f"function {row.name} {function.minimum} {function.maximum} {literals}"
    if row.kind is ImportKind.EFFECT and (effect := EFFECTS.get(row.name)) is not None:
        return f"effect {row.name} {','.join(name for name, _ in effect.arguments)}"
    return f"unknown {row.name}"


def _write_routes(program: Program) -> bytes:
    out = Writer()
    out.number(len(program.routes))
    for route in program.routes:
        out.text(route.name)
        out.text(route.path)
        out.value(_ascending(dict(route.options)))
        out.flag(route.membership.automatic)
        out.texts(route.membership.literals)
        for parts in (route.membership.templates, route.slots, route.hooks):
            out.number(len(parts))
    return bytes(out.output)


def _ascending(value: Value) -> Value:
    """The value with the keys of all objects in ascending order: the order of options means nothing."""
    if isinstance(value, dict):
        return {key: _ascending(value[key]) for key in sorted(value)}
    return [_ascending(item) for item in value] if isinstance(value, list) else value


def _write_slots(program: Program) -> bytes:
    out = Writer()
    for slot in (slot for route in program.routes for slot in route.slots):
        out.text(slot.name)
        out.number(slot.kinds)
    return bytes(out.output)


def _write_hooks(program: Program) -> bytes:
    out = Writer()
    for route in program.routes:
        for template in route.membership.templates:
            _write_chunk(out, template)
        for name in sorted(route.hooks, key=_HOOK_NAMES.index):
            out.number(_HOOK_NAMES.index(name))
            _write_chunk(out, route.hooks[name])
    return bytes(out.output)


def _write_chunk(out: Writer, chunk: Chunk) -> None:
    out.number(chunk.locals)
    out.number(chunk.stack)
    out.optional(chunk.cost)
    out.flag(chunk.waits)
    out.number(len(chunk.code))
    words = [instruction.opcode.number << 24 | instruction.operand for instruction in chunk.code]
    out.output += struct.pack(f">{len(words)}I", *words)
    out.number(len(chunk.inner))
    for inner in chunk.inner:
        _write_chunk(out, inner)


def _write_manifest(program: Program) -> bytes:
    out = Writer()
    for name in _REACHES:
        out.texts(getattr(program.manifest, name))
    out.number(len(program.manifest.cost))
    for hook in sorted(program.manifest.cost):
        out.text(hook)
        out.optional(program.manifest.cost[hook])
    return bytes(out.output)


def _write_producer(program: Program) -> bytes:
    out = Writer()
    out.text(program.producer)
    return bytes(out.output)


_WRITERS: Final[dict[str, Callable[[Program], bytes]]] = {
    "constants": _write_constants,
    "imports": _write_imports,
    "routes": _write_routes,
    "slots": _write_slots,
    "hooks": _write_hooks,
    "manifest": _write_manifest,
    "producer": _write_producer,
}


def _chunks(program: Program) -> list[Chunk]:
    """All chunks in the order of the hooks section."""
    found: list[Chunk] = []
    for route in program.routes:
        hooks = [route.hooks[name] for name in sorted(route.hooks, key=_HOOK_NAMES.index)]
        found += [part for chunk in (*route.membership.templates, *hooks) for part in chunk.walk()]
    return found


def _has_debug(program: Program) -> bool:
    chunks = _chunks(program)
    return bool(program.source_name or program.source_hash) or any(c.local_names or c.source_map.marks for c in chunks)


def _write_debug(program: Program) -> bytes:
    out = Writer()
    out.text(program.source_name)
    out.text(program.source_hash)
    chunks = _chunks(program)
    out.number(len(chunks))
    fields: dict[str, int] = {}
    for chunk in chunks:
        out.texts(chunk.local_names)
        _write_marks(out, chunk.source_map.marks, fields)
    return bytes(out.output)


def _write_marks(out: Writer, marks: tuple[Mark, ...], fields: dict[str, int]) -> None:
    runs: list[tuple[Mark, int]] = []
    for mark in marks:
        if runs and runs[-1][0] == mark:
            runs[-1] = (mark, runs[-1][1] + 1)
        else:
            runs.append((mark, 1))
    out.number(len(runs))
    line = 0
    for mark, length in runs:
        out.number(length)
        out.signed(mark.line - line)
        line = mark.line
        out.number(mark.column)
        out.number(mark.end_line - mark.line)
        out.number(mark.end_column)
        known = len(fields)
        out.number(fields.setdefault(mark.field, known))
        if len(fields) > known:
            out.text(mark.field)


# Reading.


def decode(raw: bytes) -> Program:
    """The program in a file's bytes. Raises LoadError for all that `encode` would not have written.

    The program is well formed, but not yet safe to run: that is for `verify` to say.
    """
    parts = _open(raw)
    constants = _read_constants(parts["constants"])
    imports = _read_imports(parts["imports"])
    debug = _Debug(parts.get(_DEBUG))
    routes = _read_routes(parts, debug)
    program = Program(
        constants=constants,
        imports=imports,
        routes=routes,
        manifest=_read_manifest(parts["manifest"]),
        producer=parts["producer"].text(),
        source_name=debug.source_name,
        source_hash=debug.source_hash,
    )
    if debug.part is not None and (debug.chunks or not _has_debug(program)):
        raise debug.part.refuse("it does not belong to these hooks")
    for part in parts.values():
        part.finish()
    return program


def _open(raw: bytes) -> dict[str, Reader]:
    """The sections by name, after all checks of what is around them."""
    if raw[: len(MAGIC)] != MAGIC:
        raise LoadError(codes.NOT_A_PROGRAM, "this is not a worpen program")
    if len(raw) < _HEAD.size + _COUNT.size:
        raise LoadError(codes.DAMAGED_PROGRAM, "the file ends too early")
    if len(raw) > FILE_LIMIT:
        raise LoadError(codes.DAMAGED_PROGRAM, f"the file has more than {FILE_LIMIT} bytes")
    _, major, minor, checksum = _HEAD.unpack_from(raw)
    if major != FORMAT_MAJOR:
        raise _other_version(f"the program has format {major}.{minor}")
    if checksum != _checksum(raw):
        raise LoadError(codes.DAMAGED_PROGRAM, "the checksum is wrong: the file was cut off or changed")
    return _read_table(raw)


def _other_version(finding: str) -> LoadError:
    ours = f"{FORMAT_MAJOR}.{FORMAT_MINOR}"
    return LoadError(codes.PROGRAM_VERSION, f"{finding}, this worpen reads {ours}: recompile the route")


def _read_table(raw: bytes) -> dict[str, Reader]:
    (count,) = _COUNT.unpack_from(raw, _HEAD.size)
    offset = _HEAD.size + _COUNT.size + _ENTRY.size * count
    if offset > len(raw):
        raise LoadError(codes.DAMAGED_PROGRAM, "the section table is longer than the file")
    parts: dict[str, Reader] = {}
    before = 0
    for entry in range(count):
        number, flags, start, length = _ENTRY.unpack_from(raw, _HEAD.size + _COUNT.size + _ENTRY.size * entry)
        if number <= before or start != offset or start + length > len(raw):
            raise LoadError(codes.DAMAGED_PROGRAM, f"the section table is wrong at section {number}")
        before, offset = number, start + length
        if (name := _section_name(number, flags)) is not None:
            parts[name] = Reader(raw, name, start, offset)
    if offset != len(raw):
        raise LoadError(codes.DAMAGED_PROGRAM, "there are bytes behind the last section")
    for name in _WRITERS:
        if name not in parts:
            raise LoadError(codes.DAMAGED_PROGRAM, f"the {name} section is missing")
    return parts


def _section_name(number: int, flags: int) -> str | None:
    """The section's name; None for one to be skipped."""
    if flags & ~_REQUIRED:
        raise LoadError(codes.DAMAGED_PROGRAM, f"section {number} has unknown flags")
    if number > len(_SECTIONS):
        if flags & _REQUIRED:
            raise _other_version(f"the program needs section {number}")
        return None
    name = _SECTIONS[number - 1]
    if flags != (0 if name == _DEBUG else _REQUIRED):
        raise LoadError(codes.DAMAGED_PROGRAM, f"the {name} section has wrong flags")
    return name


def _read_constants(part: Reader) -> tuple[Value, ...]:
    rows = part.many(lambda: part.span(part.value))
    if len({written for _, written in rows}) != len(rows):
        raise part.refuse("a constant is there twice")
    return tuple([constant for constant, _ in rows])


def _read_imports(part: Reader) -> tuple[Import, ...]:
    imports = part.many(
        lambda: Import(_IMPORT_KINDS[part.number(len(_IMPORT_KINDS))], part.text(), part.number(1 << 24))
    )
    if len(set(imports)) != len(imports):
        raise part.refuse("an import is there twice")
    if part.take(16) != _tables_hash(imports):
        raise _other_version(_changed_tables(imports))
    return imports


def _changed_tables(imports: tuple[Import, ...]) -> str:
    for row in imports:
        if row.name not in (FUNCTIONS if row.kind is ImportKind.FUNCTION else EFFECTS):
            return f"the program needs the {row.kind.value} `{row.name}`"
    return "the program was compiled against other functions or effects"


def _read_routes(parts: dict[str, Reader], debug: _Debug) -> tuple[RouteProgram, ...]:
    part = parts["routes"]
    return part.many(lambda: _read_route(part, parts["slots"], parts["hooks"], debug))


def _read_route(part: Reader, slots: Reader, hooks: Reader, debug: _Debug) -> RouteProgram:
    name, path = part.text(), part.text()
    options = part.value()
    if not isinstance(options, dict) or not _is_ascending(options):
        raise part.refuse("options are an object with keys in ascending order")
    automatic, literals = part.flag(), part.many(part.text)
    template_count, slot_count, hook_count = part.number(), part.number(), part.number(len(_HOOK_NAMES) + 1)
    # The counts stand in another section than what they count: each reading takes a byte, or ends in an error.
    templates = tuple([_read_chunk(hooks, debug) for _ in range(template_count)])
    return RouteProgram(
        name=name,
        path=path,
        options=options,
        membership=Membership(automatic, literals, templates),
        slots=tuple([Slot(slots.text(), Kind(slots.number(Kind.ANY + 1))) for _ in range(slot_count)]),
        hooks=_read_hooks(hooks, hook_count, debug),
    )


def _is_ascending(value: Value) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_is_ascending, value.values()))
    return not isinstance(value, list) or all(map(_is_ascending, value))


def _read_hooks(part: Reader, count: int, debug: _Debug) -> dict[str, Chunk]:
    hooks: dict[str, Chunk] = {}
    lowest = 0
    for _ in range(count):
        number = part.number(len(_HOOK_NAMES))
        if number < lowest:
            raise part.refuse("the hooks are not in order")
        lowest = number + 1
        hooks[_HOOK_NAMES[number]] = _read_chunk(part, debug)
    return hooks


def _read_chunk(part: Reader, debug: _Debug, depth: int = 0) -> Chunk:
    local_count, stack, cost, waits = part.number(OPERAND_LIMIT), part.number(), part.optional(), part.flag()
    count = part.count(smallest=4)
    words = struct.unpack(f">{count}I", part.take(4 * count))
    try:
        code = tuple(map(_instruction, words))
    except ValueError as error:
        raise part.refuse(str(error)) from None
    names, marks = debug.next_chunk(local_count, count)
    inner_count = part.count()
    if inner_count and depth >= INNER_DEPTH:
        raise part.refuse("inner expressions are nested too deep")
    inner = tuple([_read_chunk(part, debug, depth + 1) for _ in range(inner_count)])
    return Chunk(code, local_count, stack, cost, waits, inner, names, marks)


@lru_cache(maxsize=1 << 14)
def _instruction(word: int) -> Instruction:
    """The instruction in a word; programs hold the same few again and again. Raises ValueError."""
    opcode = BY_NUMBER.get(word >> 24)
    operand = word & OPERAND_LIMIT - 1
    if opcode is None:
        raise ValueError(f"there is no opcode {word >> 24:#04x}")
    if operand and opcode.operand is Operand.NONE:
        raise ValueError(f"{opcode.name} takes no operand")
    return Instruction(opcode, operand)


def _read_manifest(part: Reader) -> Manifest:
    reaches = {name: part.many(part.text) for name in _REACHES}
    rows = part.many(lambda: (part.text(), part.optional()))
    names = [name for name, _ in rows]
    if names != sorted(set(names)):
        raise part.refuse("the hooks are not in order")
    return Manifest(**reaches, cost=dict(rows))


class _Debug:
    """The debug section, read chunk by chunk along with the hooks; nothing where there is none."""

    def __init__(self, part: Reader | None) -> None:
        self.part = part
        self.source_name = part.text() if part else ""
        self.source_hash = part.text() if part else ""
        self.chunks = part.number() if part else 0
        self._fields: set[str] = set()
        self._field_list: list[str] = []

    def next_chunk(self, local_count: int, length: int) -> tuple[tuple[str, ...], SourceMap]:
        """Names of locals and marks of the chunk that is read now. Raises LoadError where they do not fit it."""
        if self.part is None:
            return (), SourceMap()
        self.chunks -= 1
        names = self.part.many(self.part.text)
        marks = self._marks(self.part, length)
        if self.chunks < 0 or len(names) not in (0, local_count) or marks.length not in (0, length):
            raise self.part.refuse("it does not belong to these hooks")
        return names, marks

    def _marks(self, part: Reader, length: int) -> SourceMap:
        """The runs, checked; marks are made of them when somebody asks."""
        rows: list[tuple[int, tuple[int, int, int, int, str]]] = []
        total = line = 0
        before = None
        fields = self._field_list
        for _ in range(part.count(smallest=6)):
            run, step, column, lines, end_column, number = part.numbers(6)
            line += ~(step >> 1) if step & 1 else step >> 1
            field = fields[number] if number < len(fields) else self._field(part, number)
            place = (line, column, line + lines, end_column, field)
            total += run
            # The limit is a power of two: or is beyond it where one of the numbers is.
            if (
                not run
                or total > length
                or not 0 < line < _PLACE_LIMIT
                or column | lines | end_column >= _PLACE_LIMIT
                or place == before
            ):
                raise part.refuse("a mark in a form that is never written")
            before = place
            rows.append((run, place))
        return SourceMap.of_runs(tuple(rows), total)

    def _field(self, part: Reader, number: int) -> str:
        """A field that was not there before."""
        if number > len(self._field_list):
            raise part.refuse(f"{number} is too large here")
        name = part.text()
        if name in self._fields:
            raise part.refuse("a field is there twice")
        self._fields.add(name)
        self._field_list.append(name)
        return name
