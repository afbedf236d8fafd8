"""What the operations of a route do, asked once: their flows, what they set, and which steps leave a loop.

The walk needs no stack of the host: a long Switch is a long chain of alternatives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from itertools import chain
from typing import Final

from compiler.analysis.state import Bits
from compiler.language.hooks import HOOKS, INPUTS, Hook
from compiler.operations.model import (
    Attempts,
    Block,
    Chooses,
    Flow,
    Leaves,
    Operation,
    Reads,
    Repeats,
    Runs,
    Sets,
    Step,
    Way,
)
from compiler.records import dataclass
from compiler.syntax.fields import Written

_NO_NAMES: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """A place where a variable is set."""

    hook: Hook
    name: Written[str]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a loop's body or a tried flow does: the variables it sets, whether it may leave the loop, and which of the
    loop's own variables it sets."""

    sets: Bits
    leaves: bool
    rebinds: frozenset[str]


@dataclass(slots=True)
class _Open:
    """A flow that is being walked. `hidden` are the names that loops around it bind, `binds` those that it binds as
    the body of a loop; `key` is its step's id."""

    steps: Iterator[Step]
    parent: _Open | None = None
    hidden: frozenset[str] = _NO_NAMES
    key: int = 0
    binds: frozenset[str] | None = None
    sets: Bits = 0
    leaves: bool = False
    breaks: bool = False
    rebinds: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Outline:
    """Of a route's hooks. `settings` are by variable in the order of the hooks; a variable's bit is its place in it.

    `operations` are all operations with their hooks, outer ones first; `assigned` are the hooks by the inputs that
    they assign. Names that a loop binds are no variables of the route inside of it.
    """

    operations: list[tuple[str, Operation]] = field(default_factory=list)
    settings: dict[str, list[Setting]] = field(default_factory=dict)
    bits: dict[str, Bits] = field(default_factory=dict)
    hook_sets: dict[str, Bits] = field(default_factory=dict)
    assigned: dict[str, set[str]] = field(default_factory=dict)
    _flows: dict[int, Flow] = field(default_factory=dict)
    _inside: dict[int, Inside] = field(default_factory=dict)

    def flow(self, operation: Operation) -> Flow:
        """What an operation does; the same steps each time."""
        return self._flows[id(operation)]

    def inside(self, step: Repeats | Attempts) -> Inside:
        """What the body of a loop, or what is tried, does."""
        return self._inside[id(step)]

    def read(self, hook: Hook, block: Block) -> None:
        """Walk one hook."""
        whole = _Open(iter((Runs(block),)))
        opened = [whole]
        while opened:
            step = next(opened[-1].steps, None)
            if step is None:
                self._close(opened.pop())
            else:
                opened += self._step(step, opened[-1], hook)
        self.hook_sets[hook.name] = whole.sets

    def _step(self, step: Step, around: _Open, hook: Hook) -> list[_Open]:
        """Note what a step does by itself; the flows in it, the last one to be walked first."""
        match step:
            case Sets():
                self._note_setting(step, around, hook)
            case Leaves():
                around.leaves |= step.way in (Way.HOOK, Way.FAULT)
                around.breaks |= step.way is Way.LOOP
            case Runs():
                return [_Open(self._steps(step.block, hook), around, around.hidden)]
            case Chooses():
                return [_Open(chain.from_iterable(step.alternatives), around, around.hidden)]
            case Repeats():
                binds = frozenset(name.value for name, _ in step.binds)
                return [_Open(iter(step.body), around, around.hidden | binds, id(step), binds)]
            case Attempts():
                rest = chain(step.recovery or (), step.cleanup)
                return [
                    _Open(rest, around, around.hidden),
                    _Open(iter(step.body), around, around.hidden, id(step)),
                ]
            case Reads():
                pass
        return []

    def _steps(self, block: Block, hook: Hook) -> Iterator[Step]:
        for operation in block.operations:
            self.operations.append((hook.name, operation))
            flow = self._flows[id(operation)] = operation.flow()
            yield from flow

    def _note_setting(self, step: Sets, around: _Open, hook: Hook) -> None:
        name = step.name.value
        if name in around.hidden:
            _loop_of(name, around).rebinds.add(name)
            return
        if name in INPUTS:
            self.assigned.setdefault(name, set()).add(hook.name)
            return
        self.settings.setdefault(name, []).append(Setting(hook, step.name))
        around.sets |= self.bits.setdefault(name, 1 << len(self.bits))

    def _close(self, done: _Open) -> None:
        if done.key:
            self._inside[done.key] = Inside(done.sets, done.leaves or done.breaks, frozenset(done.rebinds))
        if done.parent is not None:
            done.parent.sets |= done.sets
            done.parent.leaves |= done.leaves
            done.parent.breaks |= done.breaks and done.binds is None


def _loop_of(name: str, around: _Open) -> _Open:
    """The innermost loop that binds a name."""
    while around.parent is not None and (around.binds is None or name not in around.binds):
        around = around.parent
    return around


def outline(hooks: Mapping[str, Block]) -> Outline:
    """Walk all hooks of a route, in the order in which they run."""
    made = Outline()
    for name, block in hooks.items():
        made.read(HOOKS[name], block)
    return made
