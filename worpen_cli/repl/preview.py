"""The bottom line: the type and the value of what is being typed, while it is typed.

Only pure expressions are run, at most for `BUDGET_NS` and on a small budget of rounds; what would take longer, or
builds much, has no preview. Nothing here prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Final

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk, ImportKind, Program
from compiler.diagnostics import codes
from compiler.language.functions import FUNCTIONS
from compiler.language.values import Value
from compiler.unit import Unit
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.shown import cut, glance, short_kind, type_name
from worpen_cli.repl.statements import COMMAND_MARK, Statement, awaits_more, is_open, read_statement

BUDGET_NS: Final = 5_000_000
"""A preview is there within 5 ms, or not at all."""
LONGEST: Final = 2_000
"""A longer text has no preview."""
_FUEL: Final = 2_000
_LARGE: Final = 10_000
"""Functions are not called with more elements or characters, since one call cannot be interrupted."""
_LOOKED_AT: Final = 4
"""Operands on the stack that the next instruction can take."""
_BUILDERS: Final = frozenset({"range", "repeat"})
"""Functions whose result can be much larger than what they are given."""
_OPERATORS: Final = frozenset({Opcode.CALL, Opcode.CONCAT, Opcode.ADD, Opcode.EQ, Opcode.NE, Opcode.TEXT})


class _TooMuch(Exception):
    """The value would take too long."""


@dataclass(frozen=True, slots=True)
class Preview:
    """`kind` is `value`, `type`, `error`, `open` or `nothing`; `text` is for the bottom line, unescaped; `span` is what
    is wrong, as offsets in what was typed."""

    kind: str
    text: str = ""
    span: tuple[int, int] | None = None


NOTHING: Final = Preview("nothing")
OPEN: Final = Preview("open", "goes on in the next line")


class Previewer:
    """Looks ahead, and remembers the last look."""

    def __init__(
        self,
        evaluator: Evaluator,
        expression_of: Callable[[str], tuple[str, int] | None],
        budget_ns: int = BUDGET_NS,
    ) -> None:
        """`expression_of`: what a command's line evaluates, and where that begins in it; None for nothing."""
        self._budget_ns = budget_ns
        self._evaluator = evaluator
        self._expression_of = expression_of
        self._last: tuple[str, Mapping[str, Value], int, Preview] | None = None

    def look(self, typed: str, scope: Mapping[str, Value], width: int) -> Preview:
        """What to say about a text that is being typed."""
        last = self._last
        if last is None or (last[0], last[2]) != (typed, width) or last[1] is not scope:
            last = self._last = (typed, scope, width, self._look(typed, scope, width))
        return last[3]

    def _look(self, typed: str, scope: Mapping[str, Value], width: int) -> Preview:
        offset = 0
        text = typed
        if typed.lstrip().startswith(COMMAND_MARK):
            if (found := self._expression_of(typed)) is None:
                return NOTHING
            text, offset = found
        if not text.strip() or len(text) > LONGEST:
            return NOTHING
        if is_open(text) or awaits_more(text):
            return OPEN
        statement = read_statement(text)
        try:
            return self._shown(statement, scope, width)
        except Mistake as mistake:
            return _error(mistake, statement.offset + offset)

    def _shown(self, statement: Statement, scope: Mapping[str, Value], width: int) -> Preview:
        started = perf_counter_ns()
        unit = self._evaluator.compile(statement.position, statement.text, tuple(scope))
        assert unit.program is not None
        kinds = Preview("type", short_kind(unit.kinds))
        if not is_pure(unit.program):
            return kinds
        try:
            value = self._run(unit, scope, started + self._budget_ns)
        except _TooMuch:
            return kinds
        name = type_name(value)
        return Preview("value", cut(f"{name}  {glance(value, width)}", width))

    def _run(self, unit: Unit, scope: Mapping[str, Value], deadline: int) -> Value:
        assert unit.program is not None
        try:
            value = self._evaluator.observe(unit, scope, _Watch(unit.program, deadline).observe, _FUEL)
        except Mistake as mistake:
            if mistake.code is codes.OUT_OF_FUEL:  # our own small budget, not the language's
                raise _TooMuch from None
            raise
        if perf_counter_ns() > deadline:
            raise _TooMuch
        return value

    def value(self, text: str, scope: Mapping[str, Value]) -> tuple[Value] | None:
        """The value of a part of what is typed, in a tuple; None where it has none, or not at once."""
        try:
            unit = self._evaluator.compile("expression", text, tuple(scope))
            assert unit.program is not None
            if len(text) > LONGEST or not is_pure(unit.program):
                return None
            return (self._run(unit, scope, perf_counter_ns() + self._budget_ns),)
        except (Mistake, _TooMuch):
            return None


class _Watch:
    """Stops a run that takes too long."""

    def __init__(self, program: Program, deadline: int) -> None:
        self._program = program
        self._deadline = deadline

    def observe(self, chunk: Chunk, pc: int, stack: Sequence[Any]) -> None:
        """Before each instruction. Raises _TooMuch."""
        instruction = chunk.code[pc]
        if perf_counter_ns() > self._deadline:
            raise _TooMuch
        if instruction.opcode not in _OPERATORS:
            return
        builds = instruction.opcode is Opcode.CALL and self._program.imports[instruction.operand].name in _BUILDERS
        if any(_size(value, builds) > _LARGE for value in stack[-_LOOKED_AT:]):
            raise _TooMuch


def _size(value: Any, builds: bool) -> float:
    """How much work an operand makes; `builds`: a number counts as what is built from it."""
    if isinstance(value, str | list | dict):
        return len(value)
    return abs(value) if builds and isinstance(value, int | float) else 0


def is_pure(program: Program) -> bool:
    """Whether nothing in a program depends on the moment."""
    return all(row.kind is ImportKind.FUNCTION and FUNCTIONS[row.name].constant for row in program.imports)


def _error(mistake: Mistake, offset: int) -> Preview:
    span = None
    if mistake.span is not None:
        start, end = mistake.span
        span = (start + offset, max(end, start + 1) + offset)
    return Preview("error", f"{mistake.code.name}: {mistake.message}", span)
