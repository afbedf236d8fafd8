"""Faults: what can go wrong while a hook runs.

A `Fault` is what `Try` catches. `OutOfFuel` and `HookTimeout` are not caught by any `Try` (language
section 7), so they do not derive from Exception: a stray `except Exception` cannot swallow them. Neither is
`OutsideManifest`, which no program that the compiler made can meet: it stops one that lies (bytecode section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.records import dataclass

if TYPE_CHECKING:
    from compiler.language.values import Value


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an instruction came from: a range of the file (lines and columns from 1, end exclusive), and in
    which field of which operation (`If.condition`; "" outside of operations)."""

    line: int
    column: int
    end_line: int
    end_column: int
    field: str

    @property
    def operation(self) -> str | None:
        """The operation's name, as `error.source` shows it."""
        return self.field.partition(".")[0] or None


class Fault(Exception):
    """An error of a hook: a kind, a sentence, and the operand values it was about.

    `code` is what `error.code` shows: the kind's name, or the author's own word for a Throw. `mark` is set once,
    by the innermost code that runs, where its program has a source map.
    """

    mark: Mark | None = None
    limit: str = ""
    """The server's limit that was reached, by its name; empty where none was, or the kind says which."""

    def __init__(self, kind: Code, message: str, *operands: Value, code: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.operands = operands
        self.code = code if code is not None else kind.fault_name


class Uncatchable(BaseException):
    """Ends a hook past every `catch` and `finally`. `mark` as in a Fault."""

    kind: Code
    mark: Mark | None = None

    def __init__(self, message: str, *operands: Value) -> None:
        super().__init__(message)
        self.message = message
        self.operands = operands
        self.code = self.kind.fault_name


class OutOfFuel(Uncatchable):
    """The hook ran more rounds than it has fuel for."""

    kind = codes.OUT_OF_FUEL


class HookTimeout(Uncatchable):
    """The hook ran longer than its time limit, or slept longer than it may."""

    kind = codes.HOOK_TIMEOUT


class OutsideManifest(Uncatchable):
    """The program asked for something that its manifest does not name: it is not what it says it is."""

    kind = codes.OUTSIDE_MANIFEST
