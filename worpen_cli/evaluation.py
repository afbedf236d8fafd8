"""Evaluate one expression or template outside of any server: the engine of `worpen repl`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.language.faults import Fault, Uncatchable
from compiler.language.hooks import INPUTS
from compiler.language.values import UNSET, Unset, Value, normalised

if TYPE_CHECKING:
    from compiler.pipeline import Settings, Unit

Position = Literal["expression", "value", "text", "condition"]
"""What a text is read as: a bare expression, or a template in one of the positions of language section 6."""

HOOK: Final = "on_message"
REMEMBERED: Final = 2_048
"""So many compiled texts are kept."""
_NO_INPUTS: Final[tuple[Value, ...]] = (None,) * len(INPUTS)


class Mistake(Exception):
    """Why a text has no value: the finding or fault, and its place in the text, lines and columns from 1."""

    def __init__(self, code: Code, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
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

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._moment = Alone(settings.environment)
        self.prepare = lru_cache(maxsize=REMEMBERED)(self._prepare)

    def _prepare(self, position: Position, text: str, names: tuple[str, ...]) -> Prepared:
        """Compile a text whose variables have these names. Raises Mistake where it has errors."""
        from compiler.pipeline import compile_unit
        from runtime.loader import link
        from runtime.seam import Context

        unit = compile_unit(position, text, names, self._settings)
        if unit.program is None:
            raise _first_error(unit)
        route = link(unit.program, Context(self._moment)).routes[0]
        # An expression never waits: what it returns is a value.
        return Prepared(unit, cast(Run, route.hooks[HOOK]))

    def evaluate(self, position: Position, text: str, variables: Mapping[str, Value]) -> Value:
        """The value of a text. Raises Mistake for an error in it and for a fault while running."""
        prepared = self.prepare(position, text, tuple(variables))
        slots: list[Value | Unset] = list(variables.values()) or [UNSET]
        try:
            return normalised(prepared.run(_NO_INPUTS, slots, _no_effects))
        except (Fault, Uncatchable) as fault:
            raise _mistake(fault) from None


def _no_effects(effect: str, *_: Any) -> Any:
    raise AssertionError(f"an expression asked for the effect {effect}")


def _first_error(unit: Unit) -> Mistake:
    diagnostics = unit.report.sorted()
    error = next(diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR)
    position = error.source.position(error.span.start)
    mistake = Mistake(error.code, error.message, position.line, position.column)
    mistake.diagnostics = tuple(diagnostics)
    return mistake


def _mistake(fault: Fault | Uncatchable) -> Mistake:
    mark = fault.mark
    if mark is None:
        return Mistake(fault.kind, fault.message)
    return Mistake(fault.kind, fault.message, mark.line, mark.column)


# What people type: an expression, `name = expression`, or a text with templates.

_ASSIGNMENT: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?![=~>])\s*(?=\S)")
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One input of the prompt: what to evaluate and, for an assignment, the name that takes the value."""

    position: Position
    text: str
    name: str | None = None


def read_statement(text: str) -> Statement:
    """What an input means. A template is told by a `{{` outside of text literals."""
    if "{{" in _QUOTED.sub("''", text):
        return Statement("value", text.strip())
    if match := _ASSIGNMENT.match(text):
        return Statement("expression", text[match.end() :].strip(), match[1])
    return Statement("expression", text.strip())


def is_open(text: str) -> bool:
    """Whether an input goes on in the next line: a bracket or a quote is not closed yet."""
    rest = _QUOTED.sub("''", text)
    expected: list[str] = []
    for character in rest.replace("''", ""):
        if character in "'\"":
            return True
        if character in _BRACKETS:
            expected.append(_BRACKETS[character])
        elif expected and character == expected[-1]:
            expected.pop()
    return bool(expected)
