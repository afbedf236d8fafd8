"""What one chunk does with its stack, blocks and locals: found in one pass over its instructions.

Theory. There are two kinds of opcodes. *Values* take operands from the stack and leave one; so do the blocks
with a result: IF 1, AND, OR, COALESCE. *Statements* take what they need from a stack that then is empty, and
stand outside of blocks with a result; so do the blocks without one: IF 0, LOOP, EACH, TRY. An expression
therefore never contains an effect or an assignment, and can be evaluated again (bytecode section 5).

The pass keeps, instead of values, what is known of each: how deep its expression leans to the right, and
whether it is a literal text or an inner expression. Chains that lean to the left are as long as they like.
`assigned` has a bit for each local that was set on every path; where no path leads, every bit is set, since
that place has nothing to say when paths join.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compiler.bytecode.opcodes import BOUNDARIES, Opcode, Operand
from compiler.bytecode.program import Chunk, Import, ImportKind, Instruction, LoadError
from compiler.diagnostics import codes
from compiler.language import limits
from compiler.language.effects import EFFECTS, Effect
from compiler.language.functions import FUNCTIONS, Function
from compiler.language.values import Value
from compiler.records import dataclass

LOOP_DEPTH: Final = limits.LOOP_DEPTH
"""Nesting of LOOP, EACH and TRY."""
BLOCK_DEPTH: Final = 512
"""Nesting of blocks of any kind."""
EXPRESSION_DEPTH: Final = limits.TREE_DEPTH + 6 * limits.BRACKET_DEPTH
"""Operands that wait for others: one for each collection around an expression, and in each of its brackets one for
the bracket and five for the binary levels of precedence, so that all that the language allows passes."""

_INNER: Final = -1
_LITERAL: Final = -2
_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Scope:
    """What surrounds a chunk, and so what its operands may be. `hook` is "" for templates and inner expressions,
    which are one expression and a RETURN. None stands for anything."""

    imports: tuple[Import, ...]
    inner: tuple[Chunk, ...]
    constants: tuple[Value, ...] | None = None
    inputs: frozenset[int] | None = None
    slots: int | None = None
    locals: int | None = None
    assigned: int = 0
    hook: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What the pass found: greatest height of the stack, the most instructions of one run (None where only fuel
    bounds it), whether an effect may wait."""

    stack: int
    cost: int | None
    waits: bool


class FlowError(Exception):
    """What is wrong with the instruction at `pc`."""

    def __init__(self, pc: int, reason: str) -> None:
        super().__init__(reason)
        self.pc = pc
        self.reason = reason


def measure(code: tuple[Instruction, ...], imports: tuple[Import, ...], inner: tuple[Chunk, ...] = ()) -> Measure:
    """Stack, cost and waiting of a chunk that is being made. Raises LoadError where its blocks do not fit, or are
    nested too deep."""
    locals_ = 3 * len(code) + 1
    try:
        return follow(code, Scope(imports, inner, locals=locals_, assigned=(1 << locals_) - 1))
    except FlowError as error:
        raise LoadError(codes.INVALID_PROGRAM, f"instruction {error.pc}: {error.reason}") from None


def follow(code: tuple[Instruction, ...], scope: Scope) -> Measure:
    """Check one chunk's instructions. Raises FlowError at the first that is not allowed where it stands."""
    return _Pass(code, scope).run()


@dataclass(slots=True)
class _Block:
    """A block that is open. `exits` has the locals assigned on all paths to its end so far, `cost` what it costs
    up to the start of the branch that is read now, `dearest` up to the end of the dearest branch."""

    opener: Opcode
    part: Opcode
    results: int
    height: int
    entered: int
    exits: int = _NOWHERE
    left: int = 0
    cost: int = 0
    dearest: int = 0


class _Pass:
    """The state of the pass: one method for each kind of instruction."""

    def __init__(self, code: tuple[Instruction, ...], scope: Scope) -> None:
        self.code = code
        self.scope = scope
        self.pc = 0
        self.stack: list[int] = []
        self.blocks: list[_Block] = []
        self.assigned = scope.assigned
        self.pending_reply = False
        self.result_blocks = 0
        self.loops = 0
        self.highest = 0
        self.cost = 0
        self.bounded = True
        self.waits = False

    def run(self) -> Measure:
        stack, steps = self.stack, _STEPS
        for pc, instruction in enumerate(self.code):
            self.pc = pc
            opcode = instruction.opcode
            if self.assigned == _NOWHERE and opcode not in BOUNDARIES:
                raise self.refuse("it can never be reached")
            if self.pending_reply and opcode not in _TAKERS:
                raise self.refuse("the reply of an effect is taken at once, by a SET, DROP or RETURN")
            self.pending_reply = False
            self.cost += 1
            steps[opcode.number](self, instruction)
            if len(stack) > self.highest:
                self.highest = len(stack)
        self.pc = len(self.code)
        self.finish()
        return Measure(self.highest, self.cost if self.bounded else None, self.waits)

    def finish(self) -> None:
        if self.blocks:
            raise self.refuse(f"{self.blocks[-1].opener.name} has no END")
        if self.stack or self.pending_reply:
            raise self.refuse("a value is left on the stack")
        if self.scope.hook == "" and (self.assigned != _NOWHERE or self.code[-1].opcode is not Opcode.RETURN):
            raise self.refuse("an expression ends with RETURN")

    def refuse(self, reason: str) -> FlowError:
        return FlowError(self.pc, reason)

    # The stack.

    def pop(self) -> int:
        floor = self.blocks[-1].height if self.blocks else 0
        if len(self.stack) <= floor:
            raise self.refuse("the stack has too few values")
        value = self.stack.pop()
        if value == _INNER:
            raise self.refuse("an inner expression is only for the function that is called with it")
        return value

    def push(self, depth: int) -> None:
        if depth > EXPRESSION_DEPTH:
            raise self.refuse(f"the expression is nested more than {EXPRESSION_DEPTH} deep")
        self.stack.append(depth)

    def take(self, count: int) -> list[int]:
        """The topmost values, lowest first; inner expressions as well."""
        floor = self.blocks[-1].height if self.blocks else 0
        if count > len(self.stack) - floor:
            raise self.refuse("the stack has too few values")
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def statement(self) -> None:
        """What a statement asks for: nothing is on the stack any more, and no expression surrounds it."""
        if self.stack or self.result_blocks:
            raise self.refuse("a statement inside of an expression")
        if self.scope.hook == "" and self.code[self.pc].opcode is not Opcode.RETURN:
            raise self.refuse("a statement where only an expression may be")
        if self.blocks and self.blocks[-1].part is Opcode.LOOP and self.code[self.pc].opcode is not Opcode.WHILE:
            raise self.refuse("a statement in the condition of a LOOP")

    def combine(self, operands: list[int]) -> None:
        """Push what is made of the operands: the first may lean to the left, the others nest."""
        if _INNER in operands:
            raise self.refuse("an inner expression is only for the function that is called with it")
        self.push(max(operands[0], max(operands[1:], default=-1) + 1, 0) if operands else 0)

    # Values.

    def constant(self, instruction: Instruction) -> None:
        constants = self.scope.constants
        if constants is None:
            self.stack.append(_LITERAL)
            return
        self.check_index(instruction, len(constants), "constants")
        self.stack.append(_LITERAL if isinstance(constants[instruction.operand], str) else 0)

    def fixed(self, instruction: Instruction) -> None:
        self.stack.append(0)

    def input(self, instruction: Instruction) -> None:
        if self.scope.inputs is not None and instruction.operand not in self.scope.inputs:
            raise self.refuse("the hook does not see this input")
        self.stack.append(0)

    def slot(self, instruction: Instruction) -> None:
        self.check_index(instruction, self.scope.slots, "variables")
        self.stack.append(0)

    def local(self, instruction: Instruction) -> None:
        self.check_index(instruction, self.scope.locals, "locals")
        if not self.assigned >> instruction.operand & 1:
            raise self.refuse("a local is read that is not set on every path")
        self.stack.append(0)

    def unary(self, instruction: Instruction) -> None:
        self.stack.append(max(self.pop(), 0))

    def binary(self, instruction: Instruction) -> None:
        right, left = self.pop(), self.pop()
        self.push(max(left, right + 1, 1))

    def member(self, instruction: Instruction) -> None:
        constants = self.scope.constants
        if constants is not None:
            self.check_index(instruction, len(constants), "constants")
            if not isinstance(constants[instruction.operand], str):
                raise self.refuse("the name of a member is a text")
        self.stack.append(max(self.pop(), 0))

    def many(self, instruction: Instruction) -> None:
        if instruction.opcode is Opcode.OBJECT and instruction.operand % 2:
            raise self.refuse("an object has a value for each key")
        self.combine(self.take(instruction.operand))

    def inner(self, instruction: Instruction) -> None:
        self.check_index(instruction, len(self.scope.inner), "inner expressions")
        self.bounded = False
        self.stack.append(_INNER)

    def call(self, instruction: Instruction) -> None:
        function = self.imported(instruction, ImportKind.FUNCTION)
        arguments = self.take(self.scope.imports[instruction.operand].arity)
        if isinstance(function, Function):
            arguments = [self.argument(function, position, given) for position, given in enumerate(arguments)]
        self.combine(arguments)

    def argument(self, function: Function, position: int, given: int) -> int:
        literal = function.parameter(position).literal
        if literal == "expression":
            if given != _INNER:
                raise self.refuse(f"`{function.name}` takes an inner expression here")
            return 0
        if literal and given != _LITERAL:
            raise self.refuse(f"`{function.name}` takes a literal text here")
        return given

    def imported(self, instruction: Instruction, kind: ImportKind) -> Function | Effect:
        self.check_index(instruction, len(self.scope.imports), "imports")
        row = self.scope.imports[instruction.operand]
        found = (FUNCTIONS if kind is ImportKind.FUNCTION else EFFECTS).get(row.name)
        if row.kind is not kind or found is None:
            raise self.refuse(f"`{row.name}` is not a known {kind.value}")
        return found

    def check_index(self, instruction: Instruction, count: int | None, things: str) -> None:
        if count is not None and instruction.operand >= count:
            raise self.refuse(f"operand {instruction.operand}, but there are {count} {things}")

    # Statements.

    def emit(self, instruction: Instruction) -> None:
        effect = self.imported(instruction, ImportKind.EFFECT)
        if _INNER in self.take(self.scope.imports[instruction.operand].arity):
            raise self.refuse("an inner expression is only for the function that is called with it")
        self.statement()
        if isinstance(effect, Effect):
            if self.scope.hook is not None and self.scope.hook not in effect.hooks:
                raise self.refuse(f"`{effect.name}` is not allowed in {self.scope.hook}")
            self.waits |= effect.waits
        self.stack.append(0)
        self.pending_reply = True

    def set_local(self, instruction: Instruction) -> None:
        self.check_index(instruction, self.scope.locals, "locals")
        self.pop()
        self.statement()
        self.assigned |= 1 << instruction.operand

    def set_slot(self, instruction: Instruction) -> None:
        self.check_index(instruction, self.scope.slots, "variables")
        self.drop(instruction)

    def drop(self, instruction: Instruction) -> None:
        self.pop()
        self.statement()

    def leave(self, instruction: Instruction) -> None:
        for _ in range(instruction.opcode.value.pops or 0):
            self.pop()
        self.statement()
        if instruction.opcode in (Opcode.BREAK, Opcode.CONTINUE) and not any(
            block.opener in _LOOPS for block in self.blocks
        ):
            raise self.refuse("there is no loop around it")
        self.assigned = _NOWHERE

    # Blocks.

    def open(self, instruction: Instruction, results: int, left: int = 0) -> None:
        opcode = instruction.opcode
        if not results:
            self.statement()
        self.result_blocks += results
        self.loops += opcode in _COUNTED
        self.blocks.append(
            _Block(opcode, opcode, results, len(self.stack), self.assigned, left=max(left, 0), cost=self.cost)
        )
        if len(self.blocks) > BLOCK_DEPTH:
            raise self.refuse(f"blocks are nested more than {BLOCK_DEPTH} deep")
        if self.loops > LOOP_DEPTH:
            raise self.refuse(f"loops and tries are nested more than {LOOP_DEPTH} deep")

    def open_if(self, instruction: Instruction) -> None:
        if instruction.operand > 1:
            raise self.refuse("a block leaves one value or none")
        left = self.pop()
        self.open(instruction, instruction.operand, left)

    def open_choice(self, instruction: Instruction) -> None:
        left = self.pop()
        self.open(instruction, 1, left)

    def open_loop(self, instruction: Instruction) -> None:
        if instruction.operand > limits.LOOP_ROUNDS:
            raise self.refuse(f"a loop has at most {limits.LOOP_ROUNDS} rounds")
        self.bounded = False
        self.open(instruction, 0)

    def open_each(self, instruction: Instruction) -> None:
        if self.scope.locals is not None and instruction.operand + 2 >= self.scope.locals:
            raise self.refuse(f"it needs three locals, but there are {self.scope.locals}")
        self.bounded = False
        self.pop()
        self.open(instruction, 0)
        self.assigned |= 0b111 << instruction.operand

    def open_try(self, instruction: Instruction) -> None:
        self.open(instruction, 0)

    def begin_round(self, instruction: Instruction) -> None:
        self.pop()
        self.statement()
        if not self.blocks or self.blocks[-1].part is not Opcode.LOOP:
            raise self.refuse("WHILE stands once in a LOOP, behind its condition")
        self.blocks[-1].part = Opcode.WHILE

    def divide_if(self, instruction: Instruction) -> None:
        block = self.part_of(instruction, Opcode.IF)
        block.dearest, self.cost = self.cost, block.cost

    def divide_try(self, instruction: Instruction) -> None:
        if instruction.opcode is Opcode.FINALLY:
            self.part_of(instruction, Opcode.TRY, Opcode.CATCH)
        else:
            self.check_index(instruction, self.scope.locals, "locals")
            self.part_of(instruction, Opcode.TRY)
            self.assigned |= 1 << instruction.operand

    def part_of(self, instruction: Instruction, *parts: Opcode) -> _Block:
        """End a part of the innermost block, and begin the next one as the block began."""
        block = self.end_part(instruction)
        if block.part not in parts:
            raise self.refuse(f"{instruction.opcode.name} does not divide {block.part.name}")
        block.part = instruction.opcode
        self.assigned = block.entered
        return block

    def end_part(self, instruction: Instruction) -> _Block:
        """Check the stack at the end of a block's part; its result, if it has one, is taken."""
        if not self.blocks:
            raise self.refuse(f"there is no block for {instruction.opcode.name}")
        block = self.blocks[-1]
        if len(self.stack) != block.height + block.results:
            raise self.refuse(f"the block leaves {len(self.stack) - block.height} values, not {block.results}")
        if block.results:
            block.left = max(block.left, self.pop())
        if block.part is not Opcode.FINALLY:
            block.exits &= self.assigned
        return block

    def end(self, instruction: Instruction) -> None:
        block = self.end_part(instruction)
        self.assigned = self.after(block)
        self.cost = max(self.cost, block.dearest + 1)
        self.blocks.pop()
        self.loops -= block.opener in _COUNTED
        self.result_blocks -= block.results
        if block.results:
            self.push(block.left)

    def after(self, block: _Block) -> int:
        """What is assigned behind the block."""
        if block.part is Opcode.FINALLY:
            return _NOWHERE if _NOWHERE in (self.assigned, block.exits) else self.assigned | block.exits
        if block.part is Opcode.CATCH or block.part is Opcode.ELSE:
            return block.exits
        if block.part is Opcode.TRY:
            raise self.refuse("a TRY has a CATCH or a FINALLY")
        if block.part is Opcode.LOOP:
            raise self.refuse("a LOOP has a WHILE")
        if block.part is Opcode.IF and block.results:
            raise self.refuse("an IF with a result has an ELSE")
        return block.entered


_LOOPS: Final = frozenset({Opcode.LOOP, Opcode.EACH})
_COUNTED: Final = frozenset({Opcode.LOOP, Opcode.EACH, Opcode.TRY})
_TAKERS: Final = frozenset({Opcode.SET_LOCAL, Opcode.SET_SLOT, Opcode.DROP, Opcode.RETURN})

_Step = Callable[[_Pass, Instruction], None]
_SPECIAL: Final[dict[Opcode, _Step]] = {
    Opcode.CONST: _Pass.constant,
    Opcode.INPUT: _Pass.input,
    Opcode.LOCAL: _Pass.local,
    Opcode.SLOT: _Pass.slot,
    Opcode.SLOT_SAFE: _Pass.slot,
    Opcode.SET_LOCAL: _Pass.set_local,
    Opcode.SET_SLOT: _Pass.set_slot,
    Opcode.DROP: _Pass.drop,
    Opcode.INNER: _Pass.inner,
    Opcode.CALL: _Pass.call,
    Opcode.EMIT: _Pass.emit,
    Opcode.IF: _Pass.open_if,
    Opcode.ELSE: _Pass.divide_if,
    Opcode.AND: _Pass.open_choice,
    Opcode.OR: _Pass.open_choice,
    Opcode.COALESCE: _Pass.open_choice,
    Opcode.LOOP: _Pass.open_loop,
    Opcode.WHILE: _Pass.begin_round,
    Opcode.EACH: _Pass.open_each,
    Opcode.BREAK: _Pass.leave,
    Opcode.CONTINUE: _Pass.leave,
    Opcode.TRY: _Pass.open_try,
    Opcode.CATCH: _Pass.divide_try,
    Opcode.FINALLY: _Pass.divide_try,
    Opcode.END: _Pass.end,
    Opcode.RETURN: _Pass.leave,
    Opcode.THROW: _Pass.leave,
}


def _step(opcode: Opcode) -> _Step:
    """The method for an opcode; for those that only take and leave values it follows from the picture."""
    if opcode in _SPECIAL:
        return _SPECIAL[opcode]
    if opcode.operand is Operand.CONSTANT:
        return _Pass.member
    return {None: _Pass.many, 0: _Pass.fixed, 1: _Pass.unary, 2: _Pass.binary}[opcode.value.pops]


_STEPS: Final = {opcode.number: _step(opcode) for opcode in Opcode}
