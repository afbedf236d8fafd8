"""From compiled Python code back to the source of a hook.

`compile` gives a code object whose lines are those of the text that the translator wrote. `relocate` writes its line
table anew, so that Python itself names the route's file and line in a traceback, and keeps which instruction each
piece of code came from, so that a fault finds its exact mark.

The table (`co_linetable`, Python 3.11 and later) is a row of entries, each for 1 to 8 code units: a byte
0x80 | kind << 3 | units - 1, then for kind 14 the line, the difference to the entry before, as a signed number, and
as unsigned numbers the lines to the end, the column plus 1 and the end column plus 1; kind 15 has no place at all.
Numbers have six bits a byte, lowest first, bit 6 set on all but the last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType, TracebackType

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk
from compiler.diagnostics import codes
from compiler.language.faults import Fault, Mark

_LONG = 14
_NOWHERE = 15
_UNITS = 8


@dataclass(frozen=True, slots=True)
class Places:
    """Where the code of one translated chunk came from: for the start of each piece of code its instruction."""

    chunk: Chunk
    starts: Sequence[int]
    pcs: Sequence[int]

    def pc(self, traceback: TracebackType | None) -> int:
        """The instruction at which an exception came up in the frame of its traceback's first entry.

        One that was raised again there has several entries of that frame; the last is where it came from.
        """
        if traceback is None:
            return 0
        frame, place = traceback.tb_frame, traceback.tb_lasti
        entry = traceback.tb_next
        while entry is not None:
            if entry.tb_frame is frame:
                place = entry.tb_lasti
            entry = entry.tb_next
        return self.pcs[bisect_right(self.starts, place) - 1]

    def mark(self, problem: BaseException) -> Mark | None:
        """Where an exception was raised; None where the program was stripped."""
        return self.chunk.source_map.mark(self.pc(problem.__traceback__))

    def fault(self, problem: Fault | RecursionError | OverflowError) -> Fault:
        """The fault that an exception is. What comes from the host or from nowhere we know is a bug, and raised."""
        if isinstance(problem, Fault):
            return problem
        opcode = self.chunk.code[self.pc(problem.__traceback__)].opcode
        if isinstance(problem, RecursionError) and opcode is not Opcode.EMIT:
            fault = Fault(codes.TOO_LARGE, "a value is nested too deep")
        elif isinstance(problem, OverflowError) and opcode.natives:
            fault = Fault(codes.NUMBER_RANGE, "the result is too large")
        else:
            raise problem
        fault.mark = self.mark(problem)
        return fault


def relocate(code: CodeType, pcs: Sequence[int], chunk: Chunk, name: str, filename: str) -> tuple[CodeType, Places]:
    """The code with the places of the chunk's source map. `pcs` has the instruction of each line, from line 2 on."""
    rows = [(start, end, _pc(line, pcs)) for start, end, line in code.co_lines()]
    places = Places(chunk, [start for start, _, _ in rows], [pc or 0 for _, _, pc in rows])
    marks = chunk.source_map.marks
    if not marks:
        return code.replace(co_filename=filename, co_name=name, co_qualname=name), places
    first = min(mark.line for mark in marks)
    return (
        code.replace(
            co_filename=filename,
            co_name=name,
            co_qualname=name,
            co_firstlineno=first,
            co_linetable=_line_table(rows, marks, first),
        ),
        places,
    )


def _pc(line: int | None, pcs: Sequence[int]) -> int | None:
    if line is None:
        return None
    return pcs[line - 2] if 0 <= line - 2 < len(pcs) else 0


def _line_table(rows: Sequence[tuple[int, int, int | None]], marks: Sequence[Mark], first: int) -> bytes:
    table = bytearray()
    line = first
    written: dict[int, bytes] = {}
    for start, end, pc in rows:
        units = (end - start) // 2
        if pc is None:
            _write_entries(table, units, _NOWHERE, b"", b"")
            continue
        mark = marks[pc]
        if pc not in written:
            written[pc] = _range(mark)
        _write_entries(table, units, _LONG, _signed(mark.line - line) + written[pc], b"\x00" + written[pc])
        line = mark.line
    return bytes(table)


def _write_entries(table: bytearray, units: int, kind: int, place: bytes, again: bytes) -> None:
    """Entries for so many code units: the first with a place, the others with the same one once more."""
    while units > 0:
        taken = min(units, _UNITS)
        table.append(0x80 | kind << 3 | taken - 1)
        table += place
        place = again
        units -= taken


def _range(mark: Mark) -> bytes:
    """Lines to the end, column and end column; Python's columns count from 0, the table's are one more."""
    return _unsigned(max(mark.end_line - mark.line, 0)) + _unsigned(mark.column) + _unsigned(mark.end_column)


def _unsigned(number: int) -> bytes:
    out = bytearray()
    while number >= 64:
        out.append(number & 63 | 64)
        number >>= 6
    out.append(number)
    return bytes(out)


def _signed(number: int) -> bytes:
    return _unsigned(-number << 1 | 1 if number < 0 else number << 1)
