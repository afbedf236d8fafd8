"""A compiled route file, as values: what the codec writes and the loader trusts only after verification.

Everything is frozen and made of plain data. Equality leaves the source maps out, so that two spellings
of one route are equal programs (language section 11).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingABC
from dataclasses import field
from enum import Enum
from typing import Final, TypeAlias

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics.codes import Code
from compiler.language.faults import Mark as Mark
from compiler.language.values import Kind, Value
from compiler.records import dataclass

FORMAT_MAJOR: Final = 1
"""Version of the program format; a file of another one is refused."""
FORMAT_MINOR: Final = 0
"""Grows when optional sections are added; files of any minor version are read."""
OPERAND_LIMIT: Final = 1 << 24
"""Operands are below this."""
CONSTANT_DEPTH: Final = 256
"""Nesting of lists and objects in a constant; deeper values are built by LIST and OBJECT."""
INNER_DEPTH: Final = 32
"""Nesting of inner expressions in inner expressions."""


class LoadError(Exception):
    """A program that is refused: one of the W7xx codes, and a sentence that says where and why."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Instruction:
    """An opcode and its operand (0 where the opcode takes none; 0 ≤ operand < 2**24)."""

    opcode: Opcode
    operand: int = 0


class ImportKind(Enum):
    """What a chunk calls: a pure function, or an effect performed by the host."""

    FUNCTION = "function"
    EFFECT = "effect"


@dataclass(frozen=True, slots=True)
class Import:
    """A function or effect with the number of arguments it is called with."""

    kind: ImportKind
    name: str
    arity: int


Runs: TypeAlias = "tuple[tuple[int, tuple[int, int, int, int, str]], ...]"
"""How many instructions in a row have a mark, and the fields of that mark."""


class SourceMap:
    """One mark per instruction; none where the program was stripped.

    A program that is loaded has them as runs, which cost a fraction of what marks cost: most are never asked for.
    """

    __slots__ = ("_marks", "_runs", "length")

    def __init__(self, marks: tuple[Mark, ...] = ()) -> None:
        self._marks: tuple[Mark, ...] | None = marks
        self._runs: Runs = ()
        self.length = len(marks)
        """How many marks there are."""

    @classmethod
    def of_runs(cls, runs: Runs, length: int) -> SourceMap:
        """The map of so many marks in runs."""
        made = cls()
        if length:
            made._marks, made._runs, made.length = None, runs, length
        return made

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks."""
        if self._marks is None:
            self._marks = tuple([mark for run, place in self._runs for mark in [Mark(*place)] * run])
            self._runs = ()
        return self._marks

    def mark(self, pc: int) -> Mark | None:
        """The mark of the instruction at `pc`, if there is a map."""
        return self.marks[pc] if pc < self.length else None

    def __eq__(self, other: object) -> bool:
        return self.marks == other.marks if isinstance(other, SourceMap) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.marks)

    def __repr__(self) -> str:
        return f"SourceMap(marks={self.marks!r})"


@dataclass(frozen=True, slots=True)
class Chunk:
    """The code of one hook, one channel template, or one inner expression.

    `inputs` are indexes into `hooks.INPUTS`; `locals` is the number of local variables;
    `stack` the greatest height of the operand stack; `cost` the most instructions one run can
    execute, or None where only fuel bounds it; `waits` whether an effect in it may wait.
    `inner` are the inner expressions of this chunk (`map('price * 2')`): they have one input, the item,
    as local 0.
    """

    code: tuple[Instruction, ...]
    locals: int
    stack: int
    cost: int | None
    waits: bool
    inner: tuple[Chunk, ...] = ()
    local_names: tuple[str, ...] = field(default=(), compare=False)
    source_map: SourceMap = field(default_factory=SourceMap, compare=False)

    def walk(self) -> Iterator[Chunk]:
        """This chunk and all inner expressions, each before its own."""
        yield self
        for chunk in self.inner:
            yield from chunk.walk()


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable of a connection: its name, and the kinds it may hold once it is set."""

    name: str
    kinds: Kind


@dataclass(frozen=True, slots=True)
class Membership:
    """Who hears a route's channels (language section 8).

    `automatic`: the `literals` are joined before `on_connect`, the `templates` (chunks that return a
    text) after it, and a broadcast joins its sender. Otherwise `literals` and `templates` are those under
    `subscribe:`, joined after `on_connect`, and operations do the rest.
    """

    automatic: bool
    literals: tuple[str, ...]
    templates: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class RouteProgram:
    """One route: its address, its options, its variables and a chunk per hook.

    `options` holds every route key that is data for the server, in its one canonical form and order
    (`codec`, `rate_limit`, `auth`, …); keys at their defaults are absent.
    """

    name: str
    path: str
    options: MappingABC[str, Value]
    membership: Membership
    slots: tuple[Slot, ...]
    hooks: MappingABC[str, Chunk]

    @property
    def chunks(self) -> Iterator[Chunk]:
        """The membership templates, then the hooks, each with its inner expressions behind it."""
        for chunk in (*self.membership.templates, *self.hooks.values()):
            yield from chunk.walk()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a program can reach: computed from the code, and again by the loader.

    `channels`, `keys` and `hosts` are patterns: `*` stands for what is computed, `\\*` and `\\\\` for the characters
    themselves. `cost` is per hook (`route/hook`), None where fuel bounds it. All in ascending order.
    """

    effects: tuple[str, ...]
    functions: tuple[str, ...]
    channels: tuple[str, ...]
    statements: tuple[str, ...]
    keys: tuple[str, ...]
    hosts: tuple[str, ...]
    environment: tuple[str, ...]
    cost: MappingABC[str, int | None]


@dataclass(frozen=True, slots=True)
class Program:
    """All routes of one file, compiled together."""

    constants: tuple[Value, ...]
    imports: tuple[Import, ...]
    routes: tuple[RouteProgram, ...]
    manifest: Manifest
    producer: str
    source_name: str = field(default="", compare=False)
    source_hash: str = field(default="", compare=False)
