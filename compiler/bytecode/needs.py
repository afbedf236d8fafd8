"""What a hook needs of a decoded `message`: the members that it surely uses, and the kinds that they must be of.

`message.text | upper` as the first thing that a hook does needs an object whose `text` is a text: with anything else
the hook would fault there. A message that cannot meet the needs is refused before the hook runs (language section 10).
Nothing is refused that would have done anything, so a need counts only

- where every run comes by: not behind `&&`, `||`, `??` or `? :`, in a loop's rounds, or in a Try, whose catch would
  take the fault; of two branches what both need, where an early Return or Throw is a branch too;
- before the first effect and the first connection variable that is set: those stay when the hook faults.

One pass over the instructions, as for the manifest. Which kinds an instruction takes is not written here but asked of
its helper, with values of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Final, TypeAlias

from compiler.bytecode.opcodes import OPENERS, Opcode, Operand
from compiler.bytecode.program import Chunk, Import, Instruction, Program, RouteProgram
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import Kind, Value
from compiler.records import dataclass

Path: TypeAlias = "tuple[str, ...]"
"""A member of the message by its keys; () is the message."""


@dataclass(frozen=True, slots=True)
class Need:
    """A member that must be of one of these kinds, and the line of its first use (0: not known)."""

    path: Path
    kinds: Kind
    line: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A value on the stack: a member of the message, or a constant; neither for all others."""

    path: Path | None = None
    constant: tuple[Value, ...] = ()


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_UNKNOWN: Final = _Known()
_Needs: TypeAlias = "dict[Path, tuple[Kind, int]]"


@dataclass(slots=True)
class _State:
    """What holds at a place of the hook: what is needed until here, and the locals that are members or constants."""

    needs: _Needs = field(default_factory=dict)
    locals: dict[int, _Known] = field(default_factory=dict)
    counts: bool = True
    """Whether a fault from here on leaves nothing behind and ends every run."""
    reached: bool = True

    def copy(self) -> _State:
        return _State(dict(self.needs), dict(self.locals), self.counts, self.reached)


@dataclass(slots=True)
class _Block:
    """An open block: the state where it began, or of the part before, and the stack's height."""

    opener: Opcode
    results: int
    height: int
    before: _State
    then: _State | None = None


def route_needs(program: Program, route: RouteProgram) -> tuple[Need, ...]:
    """What a route of a verified program needs of messages; nothing where its codec decodes none."""
    chunk = route.hooks.get("on_message")
    if chunk is None or route.options.get("codec", "text") == "text":
        return ()
    return needs_of(chunk, program.constants, program.imports)


def spelled(path: Path) -> str:
    """A member of the message as expressions write it."""
    return "message" + "".join(f".{key}" if _NAME.fullmatch(key) else f"[{key!r}]" for key in path)


def needs_of(chunk: Chunk, constants: tuple[Value, ...], imports: tuple[Import, ...]) -> tuple[Need, ...]:
    """What a verified chunk of `on_message` needs, members behind what they are members of."""
    found = _Walk(chunk, constants, imports).run()
    rows = sorted(found.items(), key=lambda row: (len(row[0]), row[0]))
    return tuple(Need(path, kinds, line) for path, (kinds, line) in rows if kinds != Kind.ANY)


class _Walk:
    """The pass. Mutable, for one chunk."""

    def __init__(self, chunk: Chunk, constants: tuple[Value, ...], imports: tuple[Import, ...]) -> None:
        self.chunk = chunk
        self.constants = constants
        self.imports = imports
        self.stack: list[_Known] = []
        self.blocks: list[_Block] = []
        self.state = _State()
        self.exits: list[_Needs] = []
        self.at = 0

    def run(self) -> _Needs:
        for place, instruction in enumerate(self.chunk.code):
            self.at = place
            step = _STEPS.get(instruction.opcode)
            if step is not None:
                step(self, instruction)
            else:
                self.plain(instruction)
        if self.state.reached:
            self.exits.append(self.state.needs)
        return _either(self.exits)

    # Values.

    def need(self, given: _Known, kinds: Kind) -> None:
        """The value must be of these kinds."""
        if given.path is None or not self.state.counts or kinds == Kind.ANY:
            return
        mark = self.chunk.source_map.mark(self.at)
        before, line = self.state.needs.get(given.path, (Kind.ANY, mark.line if mark else 0))
        self.state.needs[given.path] = (before & kinds, line)

    def take(self, count: int) -> list[_Known]:
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def plain(self, instruction: Instruction) -> None:
        """An instruction that takes and leaves values, by its row of the table."""
        row = instruction.opcode.value
        taken = self.take(instruction.operand if row.pops is None else row.pops)
        if row.helper is not None and row.pops is not None:
            key = (self.constants[instruction.operand],) if row.operand is Operand.CONSTANT else ()
            for place, given in enumerate(taken):
                if given.path is not None:
                    others = (
                        tuple(other.constant for other in taken[:place]),
                        tuple(other.constant for other in taken[place + 1 :]),
                    )
                    self.need(given, _kinds_taken(row.helper, *others, key))
        self.stack += [_UNKNOWN] * row.pushes

    def constant(self, instruction: Instruction) -> None:
        self.stack.append(_Known(constant=(self.constants[instruction.operand],)))

    def own_constant(self, instruction: Instruction) -> None:
        self.stack.append(_Known(constant=(_OWN_CONSTANTS[instruction.opcode],)))

    def input(self, instruction: Instruction) -> None:
        self.stack.append(_Known(()) if instruction.operand == _MESSAGE else _UNKNOWN)

    def local(self, instruction: Instruction) -> None:
        self.stack.append(self.state.locals.get(instruction.operand, _UNKNOWN))

    def set_local(self, instruction: Instruction) -> None:
        self.state.locals[instruction.operand] = self.stack.pop()

    def set_slot(self, _: Instruction) -> None:
        self.stack.pop()
        self.state.counts = False

    def member(self, instruction: Instruction) -> None:
        (owner,) = self.stack[-1:]
        self.plain(instruction)
        key = self.constants[instruction.operand]
        if owner.path is not None and isinstance(key, str):
            self.stack[-1] = _Known((*owner.path, key))

    def index(self, instruction: Instruction) -> None:
        owner, key = self.stack[-2:]
        self.plain(instruction)
        if owner.path is not None and key.constant and isinstance(key.constant[0], str):
            self.stack[-1] = _Known((*owner.path, key.constant[0]))

    def call(self, instruction: Instruction) -> None:
        row = self.imports[instruction.operand]
        function = FUNCTIONS[row.name]
        for place, given in enumerate(self.take(row.arity)):
            kinds = function.parameter(place).kinds
            # A number may be written as a text (C3).
            self.need(given, kinds | Kind.TEXT if kinds & Kind.NUMBER else kinds)
        self.stack.append(_UNKNOWN)

    def emit(self, instruction: Instruction) -> None:
        self.take(self.imports[instruction.operand].arity)
        self.stack.append(_UNKNOWN)
        self.state.counts = False

    # Ways out.

    def leave(self, instruction: Instruction) -> None:
        self.take(instruction.opcode.value.pops or 0)
        # Who throws says more than who refuses.
        if instruction.opcode in (Opcode.RETURN, Opcode.THROW):
            self.exits.append(self.state.needs)
        self.state.reached = False

    # Blocks.

    def open(self, instruction: Instruction) -> None:
        opcode = instruction.opcode
        if opcode is Opcode.EACH:
            self.need(self.stack.pop(), Kind.LIST | Kind.NULL)
        elif opcode not in (Opcode.LOOP, Opcode.TRY):
            self.stack.pop()
        results = instruction.operand if opcode is Opcode.IF else int(opcode in _CHOICES)
        self.blocks.append(_Block(opcode, results, len(self.stack), self.state))
        self.state = self.state.copy()
        if opcode in (Opcode.EACH, Opcode.TRY):
            self.begin_apart()

    def begin_apart(self) -> None:
        """What comes now may run never, or again with other locals, or have its faults caught."""
        self.state.counts = False
        self.state.locals = {}

    def begin_round(self, _: Instruction) -> None:
        """WHILE: its condition was asked at least once."""
        self.stack.pop()
        self.blocks[-1].before = self.state
        self.state = self.state.copy()
        self.begin_apart()

    def divide(self, instruction: Instruction) -> None:
        block = self.blocks[-1]
        del self.stack[block.height :]
        if block.opener is Opcode.IF:
            block.then, self.state = self.state, block.before.copy()
        else:
            self.state = block.before.copy()
            self.begin_apart()

    def end(self, _: Instruction) -> None:
        block = self.blocks.pop()
        del self.stack[block.height :]
        self.stack += [_UNKNOWN] * block.results
        if block.opener in _BRANCHES:
            self.state = _joined(block.then or block.before, self.state)
            return
        self.state = block.before
        changed, lasts = _changes(self.chunk, self.at)
        self.state.locals = {local: known for local, known in self.state.locals.items() if local not in changed}
        self.state.counts = self.state.counts and not lasts


def _joined(one: _State, other: _State) -> _State:
    """What holds behind two branches."""
    if not one.reached or not other.reached:
        return one if one.reached else other
    same = {local: known for local, known in one.locals.items() if _is_same(known, other.locals.get(local))}
    return _State(_either((one.needs, other.needs)), same, one.counts and other.counts)


def _is_same(one: _Known, other: _Known | None) -> bool:
    """Whether two values are known to be one: a constant that was set in one branch only is not (1 is not true)."""
    return one is other or (other is not None and one.path is not None and one.path == other.path)


def _either(needs: Iterable[_Needs]) -> _Needs:
    """What is needed whichever of these is: no more than they have in common."""
    rows = list(needs)
    first, *others = rows or [{}]
    found: _Needs = {}
    for path, (kinds, line) in first.items():
        if all(path in other for other in others):
            for other in others:
                kinds |= other[path][0]
            found[path] = (kinds, line)
    return found


def _changes(chunk: Chunk, end: int) -> tuple[frozenset[int], bool]:
    """The locals that a block sets, by the place of its END, and whether anything in it outlasts a fault."""
    changed: set[int] = set()
    lasts, depth, at = False, 0, end
    while True:
        opcode, operand = chunk.code[at].opcode, chunk.code[at].operand
        depth += (opcode is Opcode.END) - (opcode in OPENERS)
        if opcode in (Opcode.SET_LOCAL, Opcode.CATCH):
            changed.add(operand)
        elif opcode is Opcode.EACH:
            changed.update(range(operand, operand + 3))
        lasts |= opcode in (Opcode.EMIT, Opcode.SET_SLOT)
        if depth == 0:
            return frozenset(changed), lasts
        at -= 1


# Which kinds a helper takes.

_SAMPLES: Final[Mapping[Kind, tuple[Value, ...]]] = {
    Kind.NULL: (None,),
    Kind.BOOLEAN: (False, True),
    Kind.NUMBER: (0, 1, -1, 2, 0.5),
    Kind.TEXT: ("a", "1", "0", "", "length"),
    Kind.LIST: ([], [0], ["a"]),
    Kind.OBJECT: ({}, {"a": 1}),
}
_ALL_SAMPLES: Final = tuple(value for values in _SAMPLES.values() for value in values)
_Given: TypeAlias = "tuple[tuple[Value, ...], ...]"
"""Operands: a constant each, or nothing for one that is not known."""


def _kinds_taken(helper: Callable[..., Value], left: _Given, right: _Given, key: tuple[Value, ...]) -> Kind:
    """The kinds of an operand with which a helper does not always fault; all where that is so for no kind."""
    if not any(left) and not any(right):
        return _kinds_among_any(helper, len(left), len(right), key)
    return _kinds_among(helper, left, right, key)


@lru_cache(maxsize=256)
def _kinds_among_any(helper: Callable[..., Value], left: int, right: int, key: tuple[Value, ...]) -> Kind:
    return _kinds_among(helper, ((),) * left, ((),) * right, key)


def _kinds_among(helper: Callable[..., Value], left: _Given, right: _Given, key: tuple[Value, ...]) -> Kind:
    taken = Kind(0)
    for kind, samples in _SAMPLES.items():
        if any(_works(helper, left, sample, right, key) for sample in samples):
            taken |= kind
    return taken or Kind.ANY


def _works(helper: Callable[..., Value], left: _Given, sample: Value, right: _Given, key: tuple[Value, ...]) -> bool:
    """Whether a helper takes a sample with some other operand: the one that is known, or any."""
    befores, afters = (side[0] or _ALL_SAMPLES if side else (_NOTHING,) for side in (left, right))
    return any(
        _is_fine(helper, [given for given in (before, sample, after) if given is not _NOTHING], key)
        for before in befores
        for after in afters
    )


def _is_fine(helper: Callable[..., Value], operands: list[Value | object], key: tuple[Value, ...]) -> bool:
    try:
        helper(*operands, *key)
    except Fault:
        return False
    return True


_NOTHING: Final = object()
_MESSAGE: Final = INPUT_NUMBERS["message"]
_CHOICES: Final = frozenset({Opcode.AND, Opcode.OR, Opcode.COALESCE})
_OWN_CONSTANTS: Final[Mapping[Opcode, Value]] = {Opcode.NULL: None, Opcode.TRUE: True, Opcode.FALSE: False}
_BRANCHES: Final = frozenset({Opcode.IF, *_CHOICES})
_STEPS: Final[Mapping[Opcode, Callable[[_Walk, Instruction], None]]] = {
    Opcode.CONST: _Walk.constant,
    Opcode.INPUT: _Walk.input,
    Opcode.LOCAL: _Walk.local,
    Opcode.SET_LOCAL: _Walk.set_local,
    Opcode.SET_SLOT: _Walk.set_slot,
    Opcode.MEMBER: _Walk.member,
    Opcode.MEMBER_SAFE: _Walk.member,
    Opcode.INDEX: _Walk.index,
    Opcode.INDEX_SAFE: _Walk.index,
    Opcode.CALL: _Walk.call,
    Opcode.EMIT: _Walk.emit,
    Opcode.WHILE: _Walk.begin_round,
    Opcode.ELSE: _Walk.divide,
    Opcode.CATCH: _Walk.divide,
    Opcode.FINALLY: _Walk.divide,
    Opcode.END: _Walk.end,
    Opcode.BREAK: _Walk.leave,
    Opcode.CONTINUE: _Walk.leave,
    Opcode.RETURN: _Walk.leave,
    Opcode.THROW: _Walk.leave,
    **dict.fromkeys(_OWN_CONSTANTS, _Walk.own_constant),
    **dict.fromkeys(OPENERS, _Walk.open),
}
"""What is done at an opcode; the others are `plain`."""
