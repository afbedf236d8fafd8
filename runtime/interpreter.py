"""The oracle: runs chunks one instruction at a time, calling the helper of each row of the opcode table.

It is slow and obvious on purpose. The semantics of values are the helpers', those of blocks are here. One
generator runs a chunk: it yields each effect that the program asks for and is sent the reply, or thrown the
fault. Thus hooks that wait and hooks that do not share it, and only their drivers differ.

Leaving is one mechanism. RETURN, BREAK, CONTINUE and a fault are each a `_Leave` that unwinds the open blocks
from the innermost outwards until one takes it: a loop its BREAK and CONTINUE, a TRY with a CATCH a fault, and a
TRY with a FINALLY everything; that one goes on leaving when its FINALLY has ended, unless that left by itself.
OutOfFuel and HookTimeout are no faults and unwind nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, TypeAlias, cast

from compiler.bytecode.opcodes import BOUNDARIES, OPENERS, Opcode, Operand
from compiler.bytecode.program import Chunk, Program, RouteProgram
from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, Mark, OutOfFuel, Uncatchable
from compiler.language.functions import FUNCTIONS, Evaluate
from compiler.language.functions.registry import call
from compiler.language.values import UNSET, ErrorValue, Unset, Value
from runtime.seam import Context, Emit, Hook

Request: TypeAlias = "tuple[str, list[Value]]"
"""An effect and its arguments."""
Run: TypeAlias = Generator[Request, Any, Value]
"""A chunk that is running."""
_Layout: TypeAlias = dict[int, dict[Opcode, int]]
"""For the place of each opener, the places of the opcodes that divide and end its block."""


def build_hook(program: Program, route: RouteProgram, chunk: Chunk, context: Context) -> Hook:
    """A chunk as a function to be called, see `runtime.seam`."""
    if chunk.waits:

        async def waiting_hook(inputs: Sequence[Value], slots: list[Value | Unset], emit: Emit) -> Value:
            return await _drive_waiting(run_chunk(program, route, chunk, context, inputs, slots), emit)

        return waiting_hook

    def hook(inputs: Sequence[Value], slots: list[Value | Unset], emit: Emit) -> Value:
        return _drive(run_chunk(program, route, chunk, context, inputs, slots), emit)

    return hook


def _drive(run: Run, emit: Emit) -> Value:
    try:
        effect, arguments = next(run)
        while True:
            try:
                reply = emit(effect, *arguments)
            except (Fault, Uncatchable) as failure:
                effect, arguments = run.throw(failure)
            else:
                effect, arguments = run.send(reply)
    except StopIteration as end:
        return cast(Value, end.value)


async def _drive_waiting(run: Run, emit: Emit) -> Value:
    try:
        effect, arguments = next(run)
        while True:
            try:
                reply = emit(effect, *arguments)
                if EFFECTS[effect].waits:
                    reply = await reply
            except (Fault, Uncatchable) as failure:
                effect, arguments = run.throw(failure)
            else:
                effect, arguments = run.send(reply)
    except StopIteration as end:
        return cast(Value, end.value)


def run_chunk(
    program: Program,
    route: RouteProgram,
    chunk: Chunk,
    context: Context,
    inputs: Sequence[Value],
    slots: list[Value | Unset],
) -> Run:
    """Run a chunk: yields the effects that it asks for, returns what RETURN returned. Raises as hooks do."""
    layouts = {id(part): _layout(part) for part in chunk.walk()}
    return _Frame(_World(program, route, context, inputs, slots, context.fuel, layouts), chunk).run()


_DRIVERS: Final = frozenset({_drive.__code__, _drive_waiting.__code__})


def drives_a_hook(frame: FrameType) -> bool:
    """Whether a hook that the interpreter runs is run by this frame."""
    return frame.f_code in _DRIVERS


def mark_in(frame: FrameType) -> Mark | None:
    """Where in the source the hook is that this frame of the interpreter drives; None for any other frame."""
    driven = _driven_by(frame)
    return driven["self"].chunk.source_map.mark(driven["at"]) if "at" in driven else None


def hook_in(frame: FrameType) -> tuple[RouteProgram, Chunk] | None:
    """The hook that this frame of the interpreter drives, and whose it is; None for any other frame."""
    driven = _driven_by(frame)
    return (driven["self"].world.route, driven["self"].chunk) if driven else None


def _driven_by(frame: FrameType) -> Mapping[str, Any]:
    """The variables of the `_Frame.run` that this frame drives; none where it drives none, or that has ended."""
    run = frame.f_locals["run"] if drives_a_hook(frame) else None
    return {} if run is None or run.gi_frame is None else run.gi_frame.f_locals


@dataclass(slots=True)
class _World:
    """What a hook and its inner expressions share in one run."""

    program: Program
    route: RouteProgram
    context: Context
    inputs: Sequence[Value]
    slots: list[Value | Unset]
    fuel: int
    layouts: dict[int, _Layout]

    def burn(self) -> None:
        """Pay for one round."""
        if self.fuel <= 0:
            raise OutOfFuel(f"the hook ran more than {self.context.fuel} rounds")
        self.fuel -= 1

    def expression(self, chunk: Chunk) -> Evaluate:
        """An inner expression, to be called with items."""

        def evaluate(item: Value) -> Value:
            self.burn()
            frame = _Frame(self, chunk)
            frame.locals[0] = item
            return _drive(frame.run(), _refuse_effect)

        return evaluate


def _refuse_effect(effect: str, *arguments: Value) -> Value:
    raise AssertionError(f"an inner expression asked for {effect}")


@dataclass(slots=True)
class _Block:
    """An open block: where its parts are, and how far its run is."""

    opener: Opcode
    start: int
    parts: dict[Opcode, int]
    rounds: int = 0
    items: Sequence[Value] = ()
    pending: _Leave | None = None
    in_try: bool = True
    in_finally: bool = False


@dataclass(frozen=True, slots=True)
class _Leave:
    """A way out of blocks: RETURN with its value, BREAK, CONTINUE, or THROW for any fault."""

    how: Opcode
    value: Value = None
    fault: Fault | None = None


def _layout(chunk: Chunk) -> _Layout:
    parts: _Layout = {}
    open_: list[int] = []
    for pc, instruction in enumerate(chunk.code):
        opcode = instruction.opcode
        if opcode in OPENERS:
            open_.append(pc)
            parts[pc] = {}
        elif opcode in BOUNDARIES:
            parts[open_[-1]][opcode] = pc
            if opcode is Opcode.END:
                open_.pop()
    return parts


_JUMPS: Final = frozenset({Opcode.BREAK, Opcode.CONTINUE})


class _Frame:
    """One chunk in the middle of its run: the next instruction, stack, locals and open blocks."""

    def __init__(self, world: _World, chunk: Chunk) -> None:
        self.world = world
        self.chunk = chunk
        self.constants = world.program.constants
        self.layout = world.layouts[id(chunk)]
        self.pc = 0
        self.stack: list[Any] = []
        self.locals: list[Any] = [UNSET] * chunk.locals
        self.blocks: list[_Block] = []
        self.result: Value = None

    def run(self) -> Run:
        observe = self.world.context.observe
        while self.pc < len(self.chunk.code):
            at = self.pc
            self.pc += 1
            if observe is not None:
                observe(self.chunk, at, self.stack)
            try:
                if self.chunk.code[at].opcode is Opcode.EMIT:
                    self.stack.append((yield self.request(at)))
                else:
                    self.step(at)
            except Fault as fault:
                self.fail(fault, at)
            except RecursionError:
                self.fail(Fault(codes.TOO_LARGE, "a value is nested too deep"), at)
            except Uncatchable as failure:
                failure.mark = failure.mark or self.chunk.source_map.mark(at)
                raise
        return self.result

    def fail(self, fault: Fault, at: int) -> None:
        """Leave with a fault of the instruction at `at`. Raises it where nothing takes it."""
        fault.mark = fault.mark or self.chunk.source_map.mark(at)
        self.leave(_Leave(Opcode.THROW, fault=fault))

    # One instruction.

    def step(self, at: int) -> None:
        """Everything but EMIT. Raises Fault."""
        opcode, operand = self.chunk.code[at].opcode, self.chunk.code[at].operand
        if opcode.helper is not None:
            self.stack.append(opcode.helper(*self.operands(opcode, operand)))
        elif opcode in OPENERS:
            self.open(opcode, operand, at)
        elif opcode in BOUNDARIES:
            self.divide(opcode)
        else:
            self.plain(opcode, operand)

    def operands(self, opcode: Opcode, operand: int) -> list[Any]:
        """The arguments of a helper: from the stack, and the name of a member from the constants."""
        pops = opcode.value.pops
        taken = self.take(operand if pops is None else pops)
        return [*taken, self.constants[operand]] if opcode.operand is Operand.CONSTANT else taken

    def take(self, count: int) -> list[Any]:
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def plain(self, opcode: Opcode, operand: int) -> None:
        """What is neither a helper's nor part of a block."""
        stack = self.stack
        match opcode:
            case Opcode.CONST:
                stack.append(self.constants[operand])
            case Opcode.NULL:
                stack.append(None)
            case Opcode.TRUE | Opcode.FALSE:
                stack.append(opcode is Opcode.TRUE)
            case Opcode.INPUT:
                stack.append(self.world.inputs[operand])
            case Opcode.LOCAL:
                stack.append(self.locals[operand])
            case Opcode.SLOT | Opcode.SLOT_SAFE:
                stack.append(self.slot(operand, opcode is Opcode.SLOT_SAFE))
            case Opcode.SET_LOCAL:
                self.locals[operand] = stack.pop()
            case Opcode.SET_SLOT:
                self.world.slots[operand] = values.normalised(stack.pop())
            case Opcode.DROP:
                stack.pop()
            case Opcode.INNER:
                stack.append(self.world.expression(self.chunk.inner[operand]))
            case Opcode.CALL:
                stack.append(self.call(operand))
            case Opcode.WHILE:
                self.begin_round()
            case Opcode.RETURN:
                self.leave(_Leave(opcode, values.normalised(stack.pop())))
            case Opcode.THROW:
                raise thrown(*self.take(2))
            case Opcode.BREAK | Opcode.CONTINUE:
                self.leave(_Leave(opcode))
            case _:
                raise AssertionError(opcode)

    def slot(self, number: int, safe: bool) -> Value:
        value = self.world.slots[number]
        if not isinstance(value, Unset):
            return value
        if safe:
            return None
        name = self.world.route.slots[number].name
        raise Fault(codes.UNDEFINED_VARIABLE, f"the variable `{name}` is not set")

    def call(self, number: int) -> Value:
        row = self.world.program.imports[number]
        arguments = [given if callable(given) else values.normalised(given) for given in self.take(row.arity)]
        return values.normalised(call(FUNCTIONS[row.name], arguments, self.world.context.moment))

    def request(self, at: int) -> Request:
        row = self.world.program.imports[self.chunk.code[at].operand]
        return row.name, [values.normalised(argument) for argument in self.take(row.arity)]

    # Blocks.

    def open(self, opcode: Opcode, operand: int, at: int) -> None:
        block = _Block(opcode, at, self.layout[at])
        match opcode:
            case Opcode.IF:
                if values.truthy(self.stack.pop()):
                    self.blocks.append(block)
                elif Opcode.ELSE in block.parts:
                    self.blocks.append(block)
                    self.pc = block.parts[Opcode.ELSE] + 1
                else:
                    self.pc = block.parts[Opcode.END] + 1
            case Opcode.AND | Opcode.OR | Opcode.COALESCE:
                if _decides(opcode, self.stack[-1]):
                    self.pc = block.parts[Opcode.END] + 1
                else:
                    self.stack.pop()
                    self.blocks.append(block)
            case Opcode.EACH:
                block.items = _items(self.stack.pop())
                self.blocks.append(block)
                self.next_item(block)
            case _:
                self.blocks.append(block)

    def divide(self, opcode: Opcode) -> None:
        """The end of a block, or of one of its parts, is reached."""
        block = self.blocks[-1]
        if opcode in (Opcode.CATCH, Opcode.FINALLY) and Opcode.FINALLY in block.parts:
            self.begin_finally(block, None)
        elif opcode is Opcode.END and block.opener is Opcode.LOOP:
            self.pc = block.start + 1
        elif opcode is Opcode.END and block.opener is Opcode.EACH:
            self.next_item(block)
        else:
            self.close(block)
            if block.pending is not None:
                self.leave(block.pending)

    def close(self, block: _Block) -> None:
        """Go on behind a block's END."""
        self.blocks.pop()
        self.pc = block.parts[Opcode.END] + 1

    def begin_finally(self, block: _Block, pending: _Leave | None) -> None:
        block.pending = pending
        block.in_finally = True
        self.pc = block.parts[Opcode.FINALLY] + 1

    def begin_round(self) -> None:
        """WHILE: its LOOP is the innermost block."""
        block = self.blocks[-1]
        if not values.truthy(self.stack.pop()):
            self.close(block)
            return
        most = self.chunk.code[block.start].operand
        if block.rounds == most:
            raise Fault(codes.LOOP_LIMIT, f"the condition was still true after {most} rounds")
        self.world.burn()
        block.rounds += 1

    def next_item(self, block: _Block) -> None:
        """EACH: the next element, or the end of the loop."""
        if block.rounds == len(block.items):
            self.close(block)
            return
        try:
            self.world.burn()
        except OutOfFuel as empty:
            # Wherever the round before ended: what cannot go on is the loop.
            empty.mark = self.chunk.source_map.mark(block.start)
            raise
        first = self.chunk.code[block.start].operand
        self.locals[first : first + 3] = block.items[block.rounds], block.rounds, len(block.items)
        block.rounds += 1
        self.pc = block.start + 1

    # Leaving.

    def leave(self, leave: _Leave) -> None:
        """Unwind the open blocks until one takes the leave. Raises the fault that none takes."""
        self.stack.clear()
        while self.blocks:
            if self.takes(self.blocks[-1], leave):
                return
            self.blocks.pop()
        if leave.fault is not None:
            raise leave.fault
        self.result = leave.value
        self.pc = len(self.chunk.code)

    def takes(self, block: _Block, leave: _Leave) -> bool:
        """Whether the innermost block takes a leave; the next instruction is then set."""
        if block.opener is Opcode.TRY:
            return self.try_takes(block, leave)
        if leave.how not in _JUMPS or block.opener not in (Opcode.LOOP, Opcode.EACH):
            return False
        if leave.how is Opcode.BREAK:
            self.close(block)
        elif block.opener is Opcode.LOOP:
            self.pc = block.start + 1
        else:
            self.next_item(block)
        return True

    def try_takes(self, block: _Block, leave: _Leave) -> bool:
        if block.in_finally:
            return False
        if leave.fault is not None and block.in_try and (catch := block.parts.get(Opcode.CATCH)) is not None:
            block.in_try = False
            self.locals[self.chunk.code[catch].operand] = error_value(leave.fault)
            self.pc = catch + 1
            return True
        if Opcode.FINALLY in block.parts:
            self.begin_finally(block, leave)
            return True
        return False


def _decides(opcode: Opcode, left: Value) -> bool:
    """Whether the left operand is the block's result already."""
    if opcode is Opcode.COALESCE:
        return left is not None
    return values.truthy(left) is (opcode is Opcode.OR)


def _items(collection: Value) -> list[Value]:
    """What EACH goes over."""
    if collection is None:
        return []
    if isinstance(collection, list):
        return collection
    raise Fault(codes.TYPE_ERROR, f"a loop goes over a list, not over {values.describe(collection)}", collection)


def thrown(message: Value, code: Value) -> Fault:
    """The fault of THROW; null is no code of its own."""
    return Fault(codes.THROWN, values.text(message), code=None if code is None else values.text(code))


def error_value(fault: Fault) -> ErrorValue:
    """What a CATCH sets its local to (language section 7)."""
    mark = fault.mark
    return ErrorValue(
        message=fault.message,
        code=fault.code,
        source=mark.operation if mark else None,
        line=mark.line if mark else None,
    )
