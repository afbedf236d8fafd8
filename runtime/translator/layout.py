"""Where the blocks of a chunk begin, divide and end, and what they do: found in one pass before translation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from compiler.bytecode.opcodes import BOUNDARIES, OPENERS, Opcode
from compiler.bytecode.program import Chunk

LOOPS: Final = frozenset({Opcode.LOOP, Opcode.EACH})


@dataclass(slots=True)
class Extent:
    """One block: the places of its opener, of what divides it (a LOOP by its WHILE), and of its END.

    `has_rounds`: fuel is burnt inside of it; `in_try`: a TRY stands around it.
    """

    opener: Opcode
    start: int
    parent: Extent | None
    parts: dict[Opcode, int] = field(default_factory=dict)
    has_rounds: bool = False
    in_try: bool = False

    @property
    def end(self) -> int:
        """The place of its END."""
        return self.parts[Opcode.END]


class Layout:
    """The blocks of one chunk by the places of their openers."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.extents: dict[int, Extent] = {}
        self.burners = 0
        """Places where fuel is burnt: loops and inner expressions."""
        innermost: Extent | None = None
        for pc, instruction in enumerate(chunk.code):
            opcode = instruction.opcode
            if opcode in LOOPS or opcode is Opcode.INNER:
                self.burners += 1
                for outer in _around(innermost):
                    outer.has_rounds = True
            if opcode in OPENERS:
                innermost = self.extents[pc] = Extent(opcode, pc, innermost)
                innermost.in_try = any(outer.opener is Opcode.TRY for outer in _around(innermost.parent))
            elif opcode in BOUNDARIES or opcode is Opcode.WHILE:
                assert innermost is not None
                innermost.parts[opcode] = pc
                if opcode is Opcode.END:
                    innermost = innermost.parent

    def assigned(self, start: int, end: int) -> set[str]:
        """The Python names of the variables that these instructions can set."""
        found: set[str] = set()
        for instruction in self.chunk.code[start:end]:
            opcode, operand = instruction.opcode, instruction.operand
            if opcode in (Opcode.SET_LOCAL, Opcode.CATCH):
                found.add(f"l{operand}")
            elif opcode is Opcode.SET_SLOT:
                found.add(f"s{operand}")
            elif opcode is Opcode.EACH:
                found.update(f"l{operand + offset}" for offset in range(3))
        return found

    def reads_local(self, number: int) -> bool:
        """Whether any instruction reads a local."""
        return any(i.opcode is Opcode.LOCAL and i.operand == number for i in self.chunk.code)


def _around(extent: Extent | None) -> Iterator[Extent]:
    while extent is not None:
        yield extent
        extent = extent.parent
