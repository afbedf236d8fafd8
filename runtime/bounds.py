"""What one program may ask for while it runs: its manifest, ready to be asked (bytecode section 3).

The loader computed the manifest from the instructions, so names that stand there are in it. Names that are computed
when a hook runs (`room:{{ params.room }}`) are known only then: each is compared with the manifest's patterns, and the
outcome is kept, so that a name asked for again costs one look into a dictionary. What is not covered stops the hook
with `OutsideManifest`, which no `catch` takes: the program is not what it says it is, or this version reads addresses
otherwise than the manifest does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from compiler.bytecode import patterns
from compiler.bytecode.program import ImportKind, Manifest, Program
from compiler.language.faults import OutsideManifest
from compiler.language.functions import FUNCTIONS, Moment
from runtime.seam import Context

NAMES_KEPT: Final = 1024
"""Of so many computed names the outcome is kept; then all are forgotten."""
LONGEST_KEPT: Final = 256
"""Longer names, in characters, are compared each time."""


class Names(dict[str, bool]):
    """Whether each name is covered by a manifest's patterns: `names[name]`."""

    __slots__ = ("_literals", "_open")

    def __init__(self, covered: Iterable[str]) -> None:
        """`covered`: patterns."""
        self._literals: dict[str, bool] = {}
        opened: list[str] = []
        for pattern in covered:
            if (name := patterns.only_text(pattern)) is None:
                opened.append(pattern)
            else:
                self._literals[name] = True
        self._open = tuple(opened)
        super().__init__(self._literals)

    def __missing__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        found = any(patterns.matches(pattern, name) for pattern in self._open)
        if self._open and len(name) <= LONGEST_KEPT:
            if len(self) >= len(self._literals) + NAMES_KEPT:
                self.clear()
                self.update(self._literals)
            self[name] = found
        return found


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may name. None where its manifest covers every name."""

    channels: Names | None = None
    keys: Names | None = None
    hosts: Names | None = None
    statements: frozenset[str] | None = None
    """Whole statements: one that is computed is in no manifest."""
    environment: frozenset[str] | None = None


UNBOUNDED: Final = Bounds()
"""Of what is no program: whatever is asked for is covered."""


def bounds_of(manifest: Manifest) -> Bounds:
    """The bounds that a manifest sets."""
    return Bounds(
        channels=_names(manifest.channels),
        keys=_names(manifest.keys),
        hosts=_names(manifest.hosts),
        statements=frozenset(manifest.statements),
        environment=frozenset(manifest.environment),
    )


def _names(covered: tuple[str, ...]) -> Names | None:
    return None if patterns.ANY in covered else Names(covered)


def outside(kind: str, name: str) -> OutsideManifest:
    """The stop of a program that asked for this."""
    return OutsideManifest(f"the {kind} is not in the program's manifest", name)


@dataclass(frozen=True, slots=True)
class BoundMoment:
    """The world as the functions of one program see it: variables and channels of its manifest, no others."""

    moment: Moment
    bounds: Bounds

    def now(self) -> float:
        """See `Moment`."""
        return self.moment.now()

    def random_bytes(self, count: int) -> bytes:
        """See `Moment`."""
        return self.moment.random_bytes(count)

    def environment(self, name: str) -> str | None:
        """See `Moment`. Raises OutsideManifest."""
        names = self.bounds.environment
        if names is not None and name not in names:
            raise outside("variable of the environment", name)
        return self.moment.environment(name)

    def connections(self) -> int:
        """See `Moment`."""
        return self.moment.connections()

    def members(self, channel: str) -> Sequence[str]:
        """See `Moment`. Raises OutsideManifest."""
        self._admit(channel)
        return self.moment.members(channel)

    def channel_size(self, channel: str) -> int:
        """See `Moment`. Raises OutsideManifest."""
        self._admit(channel)
        return self.moment.channel_size(channel)

    def _admit(self, channel: str) -> None:
        names = self.bounds.channels
        if names is not None and not names[channel]:
            raise outside("channel", channel)


def within(program: Program, bounds: Bounds, context: Context) -> Context:
    """The surroundings in which a program runs: as they are where none of its functions names anything."""
    functions = (FUNCTIONS[row.name] for row in program.imports if row.kind is ImportKind.FUNCTION)
    if any(parameter.reaches for function in functions for parameter in function.parameters):
        return replace(context, moment=BoundMoment(context.moment, bounds))
    return context
