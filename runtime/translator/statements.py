"""Statements and blocks in translated code.

Blocks of the program become blocks of Python, with three exceptions:

- Blocks with a result whose parts have no lines become Python's own conditional expressions.
- Fuel. A loop with no loop inside it and no TRY around it asks once, when it begins, how many rounds there is fuel
  for, and counts nothing while it runs. Other loops pay in each round.
- FINALLY. A `for` of one round stands around what it guards: whatever leaves says how in a variable, w, and breaks;
  behind the FINALLY, w says how to go on. Python's own `finally` would run for a timeout as well, and is copied to
  each way out when Python compiles it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from compiler.bytecode.opcodes import Opcode
from compiler.language.effects import EFFECTS
from runtime.translator import kinds
from runtime.translator.expressions import ExpressionTranslator
from runtime.translator.kinds import ANY, Facts, merged
from runtime.translator.layout import LOOPS, Extent
from runtime.translator.operands import Operand

RETURNS, BREAKS, CONTINUES, FAULTS = 1, 2, 3, 4
"""The values of w: how a TRY with a FINALLY is left."""
_PASSES: Final = 3
"""How often the facts at a loop's start are guessed before nothing is supposed of what the loop sets."""


@dataclass(slots=True)
class Block:
    """An open block: its extent, where its lines began, and what is kept until it ends."""

    extent: Extent
    place: int
    before: Facts
    operand: Operand | None = None
    result: str = ""
    part: Opcode | None = None
    part_place: int = 0
    then: Operand | None = None
    ends: list[Facts] = field(default_factory=list)
    again: list[Facts] = field(default_factory=list)
    chained: bool = False
    counts: bool = False
    passes: int = 0
    ways: set[int] = field(default_factory=set)
    escapes: set[int] = field(default_factory=set)

    @property
    def number(self) -> int:
        """What the names of its variables end with."""
        return self.extent.start


class StatementTranslator(ExpressionTranslator):
    """The pass over a whole chunk."""

    fuel = 0
    """Rounds that one run may make."""

    def __init__(self, *given: Any, fuel: int, inner: bool = False) -> None:
        super().__init__(*given)
        self.fuel = fuel
        self.blocks: list[Block] = []
        self.uses_tank = inner or bool(self.chunk.inner)
        self.tank = "tank[0]" if self.uses_tank else "fuel"
        self.single = (
            self.layout.burners == 1
            and not self.uses_tank
            and not any(extent.in_try for extent in self.layout.extents.values() if extent.opener in LOOPS)
        )
        """Whether one loop alone burns fuel: then nobody needs to know what is left."""

    def run(self, start: int, end: int) -> None:
        """Translate some instructions."""
        self.pc = start
        while self.pc < end:
            instruction = self.chunk.code[self.pc]
            self.out.pc = self.pc
            self.pc += 1
            opcode = instruction.opcode
            if self.unchecked and opcode not in _TAKERS:
                self.check()
            special = _SPECIAL.get(opcode)
            if special is not None:
                special(self, instruction.operand)
            else:
                self.value(opcode, instruction.operand)
            if not self.stack and not (self.blocks and self.blocks[-1].result):
                self.begin_statement()

    # Values.

    def push_constant(self, operand: int) -> None:
        """CONST."""
        self.stack.append(self.constant(operand))

    def push_null(self, _: int) -> None:
        """NULL."""
        self.stack.append(Operand("None", kinds.NULL, literal=True))

    def push_true(self, _: int) -> None:
        """TRUE."""
        self.stack.append(Operand("True", kinds.BOOLEAN, literal=True, value=True))

    def push_false(self, _: int) -> None:
        """FALSE."""
        self.stack.append(Operand("False", kinds.BOOLEAN, literal=True, value=False))

    def push_slot(self, operand: int) -> None:
        """SLOT."""
        self.slot(operand, safe=False)

    def push_slot_safe(self, operand: int) -> None:
        """SLOT_SAFE."""
        self.slot(operand, safe=True)

    def push_inner(self, operand: int) -> None:
        """INNER: the expression as a function of an item, which pays from the hook's tank."""
        self.stack.append(Operand(f"partial(inner_{operand}, tank)", 0))

    # Statements.

    def set_local(self, operand: int) -> None:
        """SET_LOCAL."""
        value = self.pop()
        name = f"l{operand}"
        self.assign(name, value)
        self.facts.set(name, value.kinds)

    def set_slot(self, operand: int) -> None:
        """SET_SLOT: in the connection and in a variable of the function."""
        value = self.named(self.stack.pop())
        name = f"s{operand}"
        self.out.write(f"slots[{operand}] = {name} = {self.normal(value)}")
        self.facts.set(name, value.kinds & ~kinds.INEXACT)

    def drop(self, _: int) -> None:
        """DROP: what cannot fail need not be computed."""
        self.stack.pop()

    def emit(self, number: int) -> None:
        """EMIT, awaited where the effect waits."""
        row = self.program.imports[number]
        arguments = [self.normal(self.named(given)) for given in self.take(row.arity, exact=False)]
        asked = f"emit({', '.join([repr(row.name), *arguments])})"
        if EFFECTS[row.name].waits:
            asked = f"await {asked}"
        if self.chunk.code[self.pc].opcode is Opcode.DROP:
            self.out.write(asked)
            self.stack.append(Operand("None", kinds.NULL, literal=True))
        else:
            self.line(asked, ANY)

    def throw(self, _: int) -> None:
        """THROW."""
        message, code = self.take(2)
        self.out.write(f"raise thrown({message.text}, {code.text})")
        self.facts.reachable = False

    def return_value(self, _: int) -> None:
        """RETURN."""
        value = self.named(self.stack.pop())
        self.leave_with(self.normal(value))

    # Ways out.

    def leave_with(self, text: str) -> None:
        """RETURN, past every FINALLY."""
        guard = next((block for block in reversed(self.blocks) if _guards(block)), None)
        if guard is None:
            self.out.write(f"return {text}")
        else:
            self.out.write(f"v{guard.number} = {text}")
            self.leave_through(guard, RETURNS)
        self.facts.reachable = False

    def leave_through(self, guard: Block, way: int) -> None:
        """Go to a FINALLY: out of all loops inside of it, and of the one of one round."""
        guard.ways.add(way)
        self.out.write(f"w{guard.number} = {way}")
        for block in reversed(self.blocks):
            if block is guard:
                break
            if block.extent.opener in LOOPS:
                block.escapes.add(guard.number)
        self.out.write("break")

    def leave_loop(self, way: int) -> None:
        """BREAK or CONTINUE of the innermost loop."""
        for block in reversed(self.blocks):
            if _guards(block):
                self.leave_through(block, way)
                break
            if block.extent.opener in LOOPS:
                self.leave_this_loop(block, way)
                break
        self.facts.reachable = False

    def leave_this_loop(self, loop: Block, way: int) -> None:
        """BREAK or CONTINUE with nothing in between."""
        if way == CONTINUES:
            loop.again.append(self.facts.copy())
            self.out.write("continue")
            return
        loop.ends.append(self.facts.copy())
        if loop.counts and not self.single:
            self.settle(loop)
        self.out.write("break")

    def settle(self, loop: Block, unused: int = 0) -> None:
        """Pay for the rounds of a loop that counted none; one was begun for nothing where its condition ended it."""
        number = loop.number
        if loop.extent.opener is Opcode.EACH:
            self.out.write(f"{self.tank} -= r{number}")
        else:
            less = f" - {unused}" if unused else ""
            self.out.write(f"{self.tank} -= m{number} - r{number}.__length_hint__(){less}")

    def break_(self, _: int) -> None:
        """BREAK."""
        self.leave_loop(BREAKS)

    def continue_(self, _: int) -> None:
        """CONTINUE."""
        self.leave_loop(CONTINUES)

    # Blocks.

    def open(self, operand: Operand | None = None) -> Block:
        """Begin a block here."""
        block = Block(self.layout.extents[self.pc - 1], self.out.place, self.facts.copy(), operand)
        block.part_place = block.place
        self.blocks.append(block)
        return block

    def open_if(self, results: int) -> None:
        """IF."""
        condition = self.stack.pop()
        text = self.truth(condition)
        parent = self.blocks[-1] if self.blocks else None
        block = self.open(Operand(text, kinds.BOOLEAN, condition.weight))
        if not results and parent is not None and self.is_chain(parent, block):
            block.chained = True
        block.result = "" if not results else self.temporary()

    def is_chain(self, parent: Block, block: Block) -> bool:
        """Whether a block is all there is in the ELSE of its parent, so that it can be its `elif`."""
        return (
            parent.part is Opcode.ELSE
            and not parent.result
            and parent.part_place == self.out.place
            and block.extent.end + 1 == parent.extent.end
        )

    def open_choice(self, _: int) -> None:
        """AND, OR, COALESCE."""
        opcode = self.chunk.code[self.pc - 1].opcode
        left = self.pop()
        if opcode is Opcode.COALESCE or left.kinds & (kinds.LIST | kinds.OBJECT):
            left = self.named(left)
        block = self.open(left)
        block.result = self.temporary()
        block.part = opcode

    def otherwise(self, _: int) -> None:
        """ELSE."""
        block = self.blocks[-1]
        block.part = Opcode.ELSE
        block.ends.append(self.facts)
        if block.result:
            block.then = self.pop()
            if self.out.place > block.place:
                self.assign(block.result, block.then)
        else:
            self.write_then(block)
        block.part_place = self.out.place
        self.facts = block.before.copy()

    def write_then(self, block: Block) -> None:
        """Lay out the branch for a condition that holds."""
        assert block.operand is not None
        keyword = "elif" if block.chained else "if"
        self.out.wrap(block.place, f"{keyword} {block.operand.text}:", block.extent.start)

    def end(self, _: int) -> None:
        """END."""
        block = self.blocks[-1]
        match block.extent.opener:
            case Opcode.IF:
                (self.end_value if block.result else self.end_branch)(block)
            case Opcode.AND | Opcode.OR | Opcode.COALESCE:
                self.end_choice(block)
            case Opcode.EACH:
                self.end_each(block)
            case Opcode.LOOP:
                self.end_loop(block)
            case _:
                self.end_try(block)

    def end_branch(self, block: Block) -> None:
        """The end of an IF of statements."""
        self.blocks.pop()
        if block.part is not Opcode.ELSE:
            self.write_then(block)
            self.facts = merged([self.facts, block.before])
            return
        inside = self.out.lines[block.part_place :]
        if inside and not inside[0].startswith("elif"):
            self.out.wrap(block.part_place, "else:", block.extent.parts[Opcode.ELSE])
        self.facts = merged([*block.ends, self.facts])

    def end_value(self, block: Block) -> None:
        """The end of an IF with a result: text where neither part has lines, else branches that set a variable."""
        self.blocks.pop()
        assert block.operand is not None
        assert block.then is not None
        condition, then, other = block.operand, block.then, self.pop()
        known = then.kinds | other.kinds
        self.facts = merged([*block.ends, self.facts])
        if self.out.place == block.place:
            weight = condition.weight + then.weight + other.weight + 1
            self.push(f"({then.text} if {condition.text} else {other.text})", known, weight)
            return
        self.assign(block.result, other, block.part_place)
        self.out.wrap(block.part_place, "else:", block.extent.start)
        if block.part_place == block.place:
            self.out.insert(block.place, f"{block.result} = {then.text}", block.extent.start)
            block.part_place += 1
        self.wrap_range(block.place, block.part_place, f"if {condition.text}:", block.extent.start)
        self.stack.append(Operand(block.result, known))

    def wrap_range(self, place: int, end: int, opening: str, pc: int) -> None:
        """Put some of the lines under an opening."""
        lines, pcs = self.out.lines[end:], self.out.pcs[end:]
        self.out.cut(end)
        self.out.wrap(place, opening, pc)
        self.out.lines += lines
        self.out.pcs += pcs

    def end_choice(self, block: Block) -> None:
        """The end of AND, OR, COALESCE."""
        self.blocks.pop()
        assert block.operand is not None
        left, right, opcode = block.operand, self.pop(), block.extent.opener
        known = left.kinds | right.kinds
        self.facts = merged([block.before, self.facts])
        if self.out.place == block.place:
            self.push(self.choice(opcode, left, right), known, left.weight + right.weight + 1)
            return
        self.assign(block.result, right, block.place)
        test = Operand(block.result, left.kinds)
        condition = f"{block.result} is None" if opcode is Opcode.COALESCE else self.truth(test)
        condition = f"not {condition}" if opcode is Opcode.OR else condition
        self.out.wrap(block.place, f"if {condition}:", block.extent.start)
        self.out.insert(block.place, f"{block.result} = {left.text}", block.extent.start)
        self.stack.append(Operand(block.result, known))

    def choice(self, opcode: Opcode, left: Operand, right: Operand) -> str:
        """The same without lines."""
        if opcode is Opcode.COALESCE:
            return f"({right.text} if {left.text} is None else {left.text})"
        if not left.kinds & (kinds.LIST | kinds.OBJECT):
            return f"({left.text} {opcode.name.lower()} {right.text})"
        first, second = (right, left) if opcode is Opcode.AND else (left, right)
        return f"({first.text} if {self.truth(left)} else {second.text})"

    # Loops.

    def open_each(self, first: int) -> None:
        """EACH."""
        collection = self.named(self.stack.pop())
        number = self.pc - 1
        name = f"c{number}"
        self.out.write(f"{name} = {collection.text}")
        if collection.kinds & ~kinds.LIST:
            self.out.write(f"if {name}.__class__ is not list: {name} = items_of({name})")
        block = self.open(Operand(name, collection.kinds))
        block.counts = not block.extent.has_rounds and not block.extent.in_try
        self.begin_loop(block)
        self.begin_each_round(block, first)

    def begin_loop(self, block: Block) -> None:
        """What may be supposed when a round begins. Only of innermost loops it is found out by trying."""
        if block.extent.has_rounds:
            self.facts.forget(self.layout.assigned(block.extent.start, block.extent.end))
        block.before = self.facts.copy()

    def repeats(self, block: Block) -> bool:
        """At the end of a loop: whether its body is to be translated once more, with what it leaves behind."""
        if block.extent.has_rounds:
            return False
        start = merged([block.before, self.facts, *block.again])
        if start == block.before:
            return False
        block.passes += 1
        if block.passes > _PASSES:
            start = block.before.copy()
            start.forget(self.layout.assigned(block.extent.start, block.extent.end))
        self.out.cut(block.part_place)
        self.facts = start
        block.before = start.copy()
        block.ends, block.again = [], []
        self.pc = block.extent.start + 1
        self.out.pc = block.extent.start
        return True

    def begin_each_round(self, block: Block, first: int) -> None:
        """What a round of EACH does before its statements."""
        number, name = block.number, f"c{block.number}"
        block.part_place = self.out.place
        if not block.counts:
            self.burn()
        wanted = [offset for offset in (1, 2) if self.layout.reads_local(first + offset)]
        if 1 in wanted:
            self.out.write(f"l{first + 1} = r{number} - 1")
        if 2 in wanted:
            self.out.write(f"l{first + 2} = len({name})")
        self.facts.set(f"l{first}", ANY)
        self.facts.set(f"l{first + 1}", kinds.NATURAL)
        self.facts.set(f"l{first + 2}", kinds.NATURAL)

    def end_each(self, block: Block) -> None:
        """The end of EACH: nothing was paid for where the rounds were counted beforehand."""
        first = self.chunk.code[block.extent.start].operand
        if self.repeats(block):
            self.begin_each_round(block, first)
            return
        self.blocks.pop()
        self.out.pc = block.extent.start
        number, name = block.number, f"c{block.number}"
        left = str(self.fuel) if self.single else self.tank
        items = f"{name} if len({name}) <= {left} else {name}[:{left}]" if block.counts else name
        counted = self.layout.reads_local(first + 1) or (block.counts and not self.single)
        opening = f"for r{number}, l{first} in enumerate({items}, 1):" if counted else f"for l{first} in {items}:"
        self.out.wrap(block.part_place, opening, block.extent.start)
        if block.counts:
            place = self.out.place
            self.out.write(f"if len({name}) > {left}: raise out_of_fuel({self.fuel})")
            if not self.single:
                self.out.write(f"{self.tank} -= len({name})")
            self.out.wrap(place, "else:", block.extent.start)
        self.after_loop(block)

    def after_loop(self, block: Block) -> None:
        """Behind a loop: go on leaving where a RETURN left it for a FINALLY."""
        self.facts = merged([block.before, *block.ends])
        for number in sorted(block.escapes):
            self.out.write(f"if w{number}: break")

    def open_loop(self, _: int) -> None:
        """LOOP."""
        block = self.open()
        number = block.number
        block.counts = not block.extent.has_rounds and not block.extent.in_try
        most = self.chunk.code[number].operand
        if block.counts and self.single:
            self.out.write(f"r{number} = repeat(None, {min(most, self.fuel)})")
        elif block.counts:
            self.out.write(f"m{number} = {most} if {most} <= {self.tank} else {self.tank}")
            self.out.write(f"r{number} = repeat(None, m{number})")
        else:
            self.out.write(f"r{number} = 0")
        self.begin_loop(block)
        block.part_place = self.out.place

    def begin_round(self, _: int) -> None:
        """WHILE."""
        block = self.blocks[-1]
        number, most = block.number, self.chunk.code[block.number].operand
        condition = self.truth(self.stack.pop())
        place = self.out.place
        block.ends.append(self.facts.copy())
        if block.counts and not self.single:
            self.settle(block, 1)
        self.out.write("break")
        self.out.wrap(place, f"if not {condition}:", self.pc - 1)
        if not block.counts:
            self.out.write(f"if r{number} == {most}: raise loop_limit({most})")
            self.burn()
            self.out.write(f"r{number} += 1")

    def burn(self) -> None:
        """Pay for a round."""
        self.out.write(f"if not {self.tank}: raise out_of_fuel({self.fuel})")
        self.out.write(f"{self.tank} -= 1")

    def end_loop(self, block: Block) -> None:
        """The end of a LOOP."""
        if self.repeats(block):
            return
        self.blocks.pop()
        number = block.number
        if block.counts:
            self.out.wrap(block.part_place, f"for _ in r{number}:", number)
            self.end_counted(block)
        else:
            self.out.wrap(block.part_place, "while True:", number)
        after = self.pc
        block.before.reachable = False
        self.after_loop(block)
        self.pc = after

    def end_counted(self, block: Block) -> None:
        """No rounds are left: all is well if the condition does not hold any more."""
        number, most, after = block.number, self.chunk.code[block.number].operand, self.pc
        place = self.out.place
        end = block.extent.parts[Opcode.WHILE]
        self.facts = block.before.copy()
        self.run(number + 1, end)
        self.out.pc = end
        self.check()  # where there is no round, this is the first time that the condition is asked
        condition = self.truth(self.stack.pop())
        if self.single:
            refused = f"loop_limit({most})" if most <= self.fuel else f"out_of_fuel({self.fuel})"
        else:
            refused = f"loop_limit({most}) if m{number} == {most} else out_of_fuel({self.fuel})"
        self.out.write(f"if {condition}: raise {refused}")
        if not self.single:
            self.out.write(f"{self.tank} -= m{number}")
        self.out.wrap(place, "else:", end)
        block.ends.append(self.facts)
        self.pc = after

    # Try.

    def open_try(self, _: int) -> None:
        """TRY."""
        self.open()

    def begin_catch(self, local: int) -> None:
        """CATCH."""
        block = self.blocks[-1]
        block.part = Opcode.CATCH
        block.ends.append(self.facts)
        self.write_try(block, local)
        self.facts = self.after_fault(block, Opcode.CATCH)
        self.facts.set(f"l{local}", kinds.OBJECT)
        block.part_place = self.out.place

    def after_fault(self, block: Block, part: Opcode) -> Facts:
        """What holds where a fault can have come from anywhere between the TRY and this part."""
        facts = block.before.copy()
        facts.forget(self.layout.assigned(block.extent.start, block.extent.parts[part]))
        return facts

    def write_try(self, block: Block, local: int) -> None:
        """The guarded statements, and what becomes of their fault."""
        number = block.number
        self.out.wrap(block.place, "try:", number)
        place = self.out.place
        self.out.write(f"l{local} = caught_value(problem, PLACES)")
        self.out.write(f"e{number} = True")
        self.out.wrap(place, "except CATCHABLE as problem:", self.pc - 1)
        self.out.insert(block.place, f"e{number} = False", number)

    def end_catch(self, block: Block) -> None:
        """The end of the statements of a CATCH."""
        self.out.wrap(block.part_place, f"if e{block.number}:", block.extent.parts[Opcode.CATCH])
        self.facts = merged([*block.ends, self.facts])

    def begin_finally(self, _: int) -> None:
        """FINALLY."""
        block = self.blocks[-1]
        if block.part is Opcode.CATCH:
            self.end_catch(block)
        block.part = Opcode.FINALLY
        self.write_guard(block)
        self.facts = self.after_fault(block, Opcode.FINALLY)
        block.part_place = self.out.place

    def write_guard(self, block: Block) -> None:
        """All that the FINALLY guards, in a loop of one round."""
        number, start = block.number, block.extent.start
        self.out.wrap(block.place, "try:", start)
        place = self.out.place
        self.out.write(f"p{number} = [caught(problem, PLACES)]")
        self.out.write(f"w{number} = {FAULTS}")
        self.out.wrap(place, "except CATCHABLE as problem:", start)
        self.out.wrap(block.place, "for _ in ONCE:", start)
        self.out.insert(block.place, f"w{number} = 0", start)

    def end_try(self, block: Block) -> None:
        """The end of a TRY: behind its FINALLY, go on as it was left."""
        self.blocks.pop()
        if block.part is not Opcode.FINALLY:
            self.end_catch(block)
            return
        if not self.facts.reachable:
            return
        facts, number = self.facts, block.number
        for way in sorted(block.ways):
            self.facts = facts.copy()
            place = self.out.place
            if way == RETURNS:
                self.leave_with(f"v{number}")
            else:
                self.leave_loop(way)
            self.out.wrap(place, f"if w{number} == {way}:", block.extent.start)
        self.out.write(f"if w{number} == {FAULTS}: raise p{number}.pop()")
        self.facts = facts


def _guards(block: Block) -> bool:
    """Whether what leaves this block must run its FINALLY first."""
    parts = block.extent.parts
    return block.extent.opener is Opcode.TRY and Opcode.FINALLY in parts and block.part is not Opcode.FINALLY


_TAKERS: Final = frozenset(opcode for opcode in Opcode if opcode.natives and opcode not in (Opcode.EQ, Opcode.NE)) | {
    Opcode.CONST, Opcode.NULL, Opcode.TRUE, Opcode.FALSE, Opcode.INPUT, Opcode.LOCAL, Opcode.SLOT, Opcode.CALL,
}  # fmt: skip
"""Opcodes that may come between the reading of a variable and the question whether it is set."""

_Method = Callable[[StatementTranslator, int], None]
_SPECIAL: Final[dict[Opcode, _Method]] = {
    Opcode.CONST: StatementTranslator.push_constant,
    Opcode.NULL: StatementTranslator.push_null,
    Opcode.TRUE: StatementTranslator.push_true,
    Opcode.FALSE: StatementTranslator.push_false,
    Opcode.INPUT: StatementTranslator.input,
    Opcode.LOCAL: StatementTranslator.local,
    Opcode.SLOT: StatementTranslator.push_slot,
    Opcode.SLOT_SAFE: StatementTranslator.push_slot_safe,
    Opcode.SET_LOCAL: StatementTranslator.set_local,
    Opcode.SET_SLOT: StatementTranslator.set_slot,
    Opcode.DROP: StatementTranslator.drop,
    Opcode.CALL: StatementTranslator.call,
    Opcode.INNER: StatementTranslator.push_inner,
    Opcode.EMIT: StatementTranslator.emit,
    Opcode.IF: StatementTranslator.open_if,
    Opcode.ELSE: StatementTranslator.otherwise,
    Opcode.AND: StatementTranslator.open_choice,
    Opcode.OR: StatementTranslator.open_choice,
    Opcode.COALESCE: StatementTranslator.open_choice,
    Opcode.LOOP: StatementTranslator.open_loop,
    Opcode.WHILE: StatementTranslator.begin_round,
    Opcode.EACH: StatementTranslator.open_each,
    Opcode.BREAK: StatementTranslator.break_,
    Opcode.CONTINUE: StatementTranslator.continue_,
    Opcode.TRY: StatementTranslator.open_try,
    Opcode.CATCH: StatementTranslator.begin_catch,
    Opcode.FINALLY: StatementTranslator.begin_finally,
    Opcode.END: StatementTranslator.end,
    Opcode.RETURN: StatementTranslator.return_value,
    Opcode.THROW: StatementTranslator.throw,
}
