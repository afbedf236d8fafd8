"""If and Switch: one of several lists of operations."""

from __future__ import annotations

from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.model import (
    Block,
    Chooses,
    Flow,
    Operation,
    Reads,
    Record,
    Runs,
    Step,
    inside,
    operation,
    part,
)
from compiler.syntax.fields import Condition, ValueField

_LONGEST_CHAIN: Final = 3
"""A Switch of more cases is lowered to a choice: blocks may nest only so deep (bytecode, verification)."""


def _runs(block: Block | None) -> Flow:
    return () if block is None else (Runs(block),)


@operation(
    synonyms="When Cond Condition Branch Unless IfElse",
    example="- If:\n    condition: \"{{ message == 'ping' }}\"\n    then:\n      - WsOp: {command: send, message: pong}",
)
class If(Operation):
    """Runs one of two lists of operations."""

    condition: Condition = fields.condition("What decides.", synonyms="if test when")
    then: Block = fields.operations("Run where the condition is true.", synonyms="do body operations")
    else_: Block | None = fields.operations(
        "Run where it is false.", required=False, aliases=("otherwise",), synonyms="elif else_if elsif elseif"
    )

    def flow(self) -> Flow:
        """The condition, then one of the two."""
        return (Reads(self.condition), Chooses((_runs(self.then), _runs(self.else_)), self.condition))

    def lower(self, asm: Assembler) -> None:
        """`condition; IF; then; ELSE; else; END`."""
        asm.condition(self.condition)
        with asm.block(Opcode.IF):
            asm.operations(self.then.operations)
            if self.else_ is not None and self.else_.operations:
                asm.otherwise()
                asm.operations(self.else_.operations)


@part("Switch.case")
class Case(Record):
    """One case of a Switch: a value, and what runs where it is equal."""

    value: ValueField = fields.value("What the value must be equal to.", aliases=("case",), synonyms="when is equals")
    operations: Block = fields.operations("Run where it is.", aliases=("actions",), synonyms="then do body")


@operation(
    synonyms="Match Case Select",
    example='- Switch:\n    value: "{{ message }}"\n    cases:\n      - value: ping\n        operations:\n'
    "          - WsOp: {command: send, message: pong}\n    default:\n      - Log: {message: unknown}",
)
class Switch(Operation):
    """Runs the operations of the first case whose value is equal; no case falls through to the next."""

    value: ValueField = fields.value("What is compared.", synonyms="on expression variable")
    cases: tuple[Case, ...] = fields.parts("The cases, each `{value, operations}`.", Case)
    default: Block | None = fields.operations("Run where no case is equal.", required=False, synonyms="else otherwise")

    def flow(self) -> Flow:
        """The value, the cases' values, and one of the blocks."""
        read = (self.value, *(case.value for case in self.cases))
        blocks = (*(_runs(case.operations) for case in self.cases), _runs(self.default))
        return (*(Reads(field) for field in read), Chooses(blocks))

    def lower(self, asm: Assembler) -> None:
        """The value in a local, then a chain of comparisons; a long one is no nesting."""
        subject = asm.new_local()
        asm.value(self.value)
        asm.emit(Opcode.SET_LOCAL, subject)
        if len(self.cases) <= _LONGEST_CHAIN:
            self._lower_chain(asm, subject)
        else:
            self._lower_choice(asm, subject)

    def _lower_chain(self, asm: Assembler, subject: int) -> None:
        """`subject == value; IF; operations; ELSE; …`: each case stands in the ELSE of the one before."""
        for case in self.cases:
            self._compare(asm, subject, case)
            asm.open(Opcode.IF)
            asm.operations(case.operations.operations)
            asm.otherwise()
        self._lower_default(asm)
        for _ in self.cases:
            asm.close()

    def _lower_choice(self, asm: Assembler, subject: int) -> None:
        """First the number of the case, in a flat row of comparisons; then the blocks, in a tree over the numbers."""
        chosen, none = asm.new_local(), len(self.cases)
        asm.constant(none)
        asm.emit(Opcode.SET_LOCAL, chosen)
        for number, case in enumerate(self.cases):
            asm.emit(Opcode.LOCAL, chosen)
            asm.constant(none)
            asm.emit(Opcode.EQ)
            with asm.block(Opcode.IF):
                self._compare(asm, subject, case)
                with asm.block(Opcode.IF):
                    asm.constant(number)
                    asm.emit(Opcode.SET_LOCAL, chosen)
        blocks = (*(case.operations for case in self.cases), self.default)
        self._lower_tree(asm, chosen, 0, none + 1, [_weight(block) for block in blocks])

    def _lower_tree(self, asm: Assembler, chosen: int, first: int, end: int, weights: list[int]) -> None:
        if end - first == 1:
            if first == len(self.cases):
                self._lower_default(asm)
            else:
                asm.operations(self.cases[first].operations.operations)
            return
        middle = _balance(weights, first, end)
        asm.emit(Opcode.LOCAL, chosen)
        asm.constant(middle)
        asm.emit(Opcode.LT)
        with asm.block(Opcode.IF):
            self._lower_tree(asm, chosen, first, middle, weights)
            asm.otherwise()
            self._lower_tree(asm, chosen, middle, end, weights)

    def _compare(self, asm: Assembler, subject: int, case: Case) -> None:
        asm.emit(Opcode.LOCAL, subject)
        asm.value(case.value)
        asm.emit(Opcode.EQ)

    def _lower_default(self, asm: Assembler) -> None:
        if self.default is not None:
            asm.operations(self.default.operations)


def _weight(block: Block | None) -> int:
    """How many operations and blocks a block holds, nested ones included, and one more."""
    pending: list[Step] = list(_runs(block))
    weight = 1
    while pending:
        step = pending.pop()
        if isinstance(step, Runs):
            weight += 1 + len(step.block.operations)
        pending += [inner for flow in inside(step) for inner in flow]
    return weight


def _balance(weights: list[int], first: int, end: int) -> int:
    """Where to divide a range so that both parts weigh about the same: heavy blocks, which nest more, stay near the
    root, and Switches in Switches together nest no deeper than one that is as large as all."""
    half, weight = sum(weights[first:end]) / 2, 0
    for place in range(first, end - 1):
        weight += weights[place]
        if weight >= half:
            return place if place > first and weight - half > half - (weight - weights[place]) else place + 1
    return end - 1
