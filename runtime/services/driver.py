"""What the two kinds of database have in common, as `sql` sees them."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from compiler.language.faults import Fault
from compiler.language.values import Value

NO_TRANSACTIONS: Final = "every statement commits by itself, so that there are no transactions"


@dataclass(frozen=True, slots=True)
class Call:
    """One statement to run: the text as the database takes it, and the values of its placeholders in order."""

    text: str
    values: Sequence[Value]
    reads: bool
    """Whether it gives rows, not a count."""
    writes: bool
    """Whether it changes data."""
    inserts: bool
    """Whether it adds rows."""
    rows: int
    """The most rows that are fetched."""
    first: bool = False
    """Whether more rows than those are simply left, instead of being too many."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it gave: names and rows of a statement that reads, else how many rows changed and the last number given."""

    names: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    affected: int = 0
    last_id: int | None = None


class TooManyRows(Exception):
    """A statement gives more rows than may be fetched; what it did is undone."""


class Driver(Protocol):
    """One kind of database. `connection` is what its library calls one."""

    @property
    def grace_seconds(self) -> float:
        """So much later than for the database itself a statement's time is up for us: its own word is better."""

    def placeholder(self, position: int) -> str:
        """How the value at this position (from 1) is written in a statement."""

    def is_alive(self, connection: Any) -> bool:
        """Whether it can still be used, as far as is known without asking."""

    async def run(self, connection: Any, call: Call) -> Outcome:
        """Run a statement that commits by itself, or does nothing. Raises TooManyRows, and what `fault` knows."""

    async def stop(self, connection: Any, running: Task[Any], *, hurry: bool) -> None:
        """Have the statement that runs end soon. Called again and again until it has; `hurry`: at any cost."""

    async def settle(self, connection: Any) -> None:
        """Return when a connection whose statement was cancelled has done with it, and is alive or known not to be."""

    def fault(self, error: BaseException) -> Fault | None:
        """The fault that an error of the library stands for; None where it is a bug."""
