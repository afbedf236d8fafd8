"""Evaluate one expression or template outside of any server: the engine of `worpen repl`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import SourceFile
from compiler.language.faults import Fault, Uncatchable
from compiler.language.hooks import INPUTS
from compiler.language.limits import FUEL
from compiler.language.values import UNSET, Unset, Value, normalised
from compiler.unit import HOOK, Unit, compile_unit
from runtime.seam import Context, Observe
from runtime.single import link_hook
from worpen_cli.repl.statements import Position

REMEMBERED: Final = 2_048
"""So many compiled texts are kept."""
NO_INPUTS: Final[tuple[Value, ...]] = (None,) * len(INPUTS)


class Mistake(Exception):
    """Why a text has no value: the finding or fault, and its place in the text, lines and columns from 1."""

    def __init__(self, code: Code, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.span: tuple[int, int] | None = None
        """Its offsets in the text."""
        self.diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Alone:
    """The world as functions see it where there is no server: the `Moment` of an evaluation."""

    allowed: frozenset[str] = frozenset()

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    def random_bytes(self, count: int) -> bytes:
        """So many unpredictable bytes."""
        return os.urandom(count)

    def environment(self, name: str) -> str | None:
        """A variable that the settings allow; None where it is not allowed or not set."""
        return os.environ.get(name) if name in self.allowed else None

    def connections(self) -> int:
        """Nobody is connected."""
        return 0

    def members(self, channel: str) -> Sequence[str]:
        """Nobody is in any channel."""
        return ()

    def channel_size(self, channel: str) -> int:
        """Nobody is in any channel."""
        return 0


Run: TypeAlias = Callable[[Sequence[Value], "list[Value | Unset]", Callable[..., Any]], Value]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled text: `run` takes inputs, slots and the door to effects, and returns the value."""

    unit: Unit
    run: Run


class Evaluator:
    """Compiles texts, remembers them, and runs them. One owner, one thread."""

    def __init__(self, environment: frozenset[str] = frozenset()) -> None:
        """`environment`: the names that `env` may read."""
        self.environment = environment
        self.context = Context(Alone(environment))
        self.prepare = lru_cache(maxsize=REMEMBERED)(self._prepare)

    def compile(self, position: Position, text: str, names: tuple[str, ...]) -> Unit:
        """A text whose variables have these names, compiled. Raises Mistake where it has errors."""
        unit = compile_unit(position, text, names, self.environment)
        if unit.program is None:
            raise _first_error(unit)
        return unit

    def _prepare(self, position: Position, text: str, names: tuple[str, ...]) -> Prepared:
        """Compile a text and make it ready to run. Raises Mistake where it has errors."""
        unit = self.compile(position, text, names)
        assert unit.program is not None
        # An expression never waits: what it returns is a value.
        return Prepared(unit, cast(Run, link_hook(unit.program, HOOK, self.context)))

    def evaluate(self, position: Position, text: str, variables: Mapping[str, Value]) -> Value:
        """The value of a text. Raises Mistake for an error in it and for a fault while running."""
        return run_prepared(self.prepare(position, text, tuple(variables)), variables)

    def prepared_run(self, position: Position, text: str, variables: Mapping[str, Value]) -> Callable[[], Value]:
        """A text, ready to be evaluated again and again with these variables. Raises Mistake, now or when called."""
        prepared = self.prepare(position, text, tuple(variables))
        return lambda: run_prepared(prepared, variables)

    def observe(self, unit: Unit, variables: Mapping[str, Value], observe: Observe, fuel: int = FUEL) -> Value:
        """The value of a unit, each instruction told to `observe` before it runs. Raises Mistake."""
        assert unit.program is not None
        context = replace(self.context, observe=observe, fuel=fuel)
        return run_prepared(Prepared(unit, cast(Run, link_hook(unit.program, HOOK, context))), variables)


def run_prepared(prepared: Prepared, variables: Mapping[str, Value]) -> Value:
    """The value of a compiled text with these variables, in the order of its names. Raises Mistake for a fault."""
    slots: list[Value | Unset] = list(variables.values()) or [UNSET]
    try:
        return normalised(prepared.run(NO_INPUTS, slots, _no_effects))
    except (Fault, Uncatchable) as fault:
        raise _mistake_of(fault, prepared.unit.source) from None


def _no_effects(effect: str, *_: Any) -> Any:
    raise AssertionError(f"an expression asked for the effect {effect}")


def _first_error(unit: Unit) -> Mistake:
    diagnostics = unit.report.sorted()
    error = next(diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR)
    position = error.source.position(error.span.start)
    mistake = Mistake(error.code, error.message, position.line, position.column)
    mistake.span = (error.span.start, error.span.end)
    mistake.diagnostics = tuple(diagnostics)
    return mistake


def _mistake_of(fault: Fault | Uncatchable, source: SourceFile) -> Mistake:
    """A fault, as a mistake of the text that was run."""
    mark = fault.mark
    if mark is None:
        return Mistake(fault.kind, fault.message)
    mistake = Mistake(fault.kind, fault.message, mark.line, mark.column)
    starts = source.line_starts
    mistake.span = (starts[mark.line - 1] + mark.column - 1, starts[mark.end_line - 1] + mark.end_column - 1)
    return mistake
