"""If, Switch, While, Loop, Break, Continue."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.language.limits import LOOP_ROUNDS
from compiler.language.values import Kind
from compiler.lower import Assembler, LoopNames
from compiler.operations import fields
from compiler.operations.model import (
    Block,
    Chooses,
    Flow,
    Leaves,
    Operation,
    Reads,
    Repeats,
    Runs,
    Way,
    names_set,
    operation,
)
from compiler.syntax.fields import Collection, Condition, ValueField, Written
from compiler.syntax.findings import Findings

DEFAULT_ROUNDS = 1000


def _runs(block: Block | None) -> Flow:
    return () if block is None else (Runs(block),)


@operation(
    synonyms=("When", "Cond", "Condition", "Branch", "Unless"),
    example="- If:\n    condition: \"{{ message == 'ping' }}\"\n    then:\n      - WsOp: {command: send, message: pong}",
)
class If(Operation):
    """Runs one of two lists of operations."""

    condition: Condition = fields.condition(
        "What decides.", synonyms={"if": "condition", "test": "condition", "when": "condition"}
    )
    then: Block = fields.operations(
        "Run where the condition is true.", synonyms={"do": "then", "body": "then", "operations": "then"}
    )
    else_: Block | None = fields.operations(
        "Run where it is false.", required=False, aliases=("otherwise",), synonyms={"elif": "else", "else_if": "else"}
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


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a Switch: a value, and what runs where it is equal."""

    value: ValueField
    operations: Block


@operation(
    synonyms=("Match", "Case", "Select"),
    example='- Switch:\n    value: "{{ message }}"\n    cases:\n      - value: ping\n        operations:\n'
    "          - WsOp: {command: send, message: pong}\n    default:\n      - Log: {message: unknown}",
)
class Switch(Operation):
    """Runs the operations of the first case whose value is equal; no case falls through to the next."""

    value: ValueField = fields.value(
        "What is compared.", synonyms={"on": "value", "expression": "value", "variable": "value"}
    )
    cases: tuple[Case, ...] = fields.cases("The cases, each `{value, operations}`.")
    default: Block | None = fields.operations(
        "Run where no case is equal.", required=False, synonyms={"else": "default", "otherwise": "default"}
    )

    def flow(self) -> Flow:
        """The value, the cases' values as far as needed, and one of the blocks."""
        rest: Flow = _runs(self.default)
        for case in reversed(self.cases):
            rest = (Reads(case.value), Chooses((_runs(case.operations), rest)))
        return (Reads(self.value), *rest)

    def lower(self, asm: Assembler) -> None:
        """The value in a local, then a chain of comparisons."""
        subject = asm.new_local()
        asm.value(self.value)
        asm.emit(Opcode.SET_LOCAL, subject)
        for case in self.cases:
            asm.emit(Opcode.LOCAL, subject)
            asm.value(case.value)
            asm.emit(Opcode.EQ)
            asm.open(Opcode.IF)
            asm.operations(case.operations.operations)
            asm.otherwise()
        if self.default is not None:
            asm.operations(self.default.operations)
        for _ in self.cases:
            asm.close()


@operation(
    synonyms=("Repeat", "Until"),
    example='- SetVar: {name: n, value: 0}\n- While:\n    condition: "{{ n < 3 }}"\n    body:\n'
    '      - SetVar: {name: n, value: "{{ n + 1 }}"}',
)
class While(Operation):
    """Repeats operations while a condition is true. Still true after `max_iterations` rounds: error `loop_limit`."""

    condition: Condition = fields.condition(
        "Tested before each round.", synonyms={"while": "condition", "test": "condition"}
    )
    body: Block = fields.operations(
        "What is repeated.", aliases=("do",), synonyms={"then": "body", "operations": "body"}
    )
    max_iterations: Written[int] | None = fields.integer(
        "The most rounds.",
        default=str(DEFAULT_ROUNDS),
        minimum=0,
        maximum=LOOP_ROUNDS,
        synonyms={"limit": "max_iterations"},
    )

    def flow(self) -> Flow:
        """The condition and the body, again and again."""
        return (Repeats((Runs(self.body),), test=self.condition),)

    def lower(self, asm: Assembler) -> None:
        """`LOOP; condition; WHILE; body; END`."""
        rounds = DEFAULT_ROUNDS if self.max_iterations is None else self.max_iterations.value
        with asm.block(Opcode.LOOP, rounds):
            asm.condition(self.condition)
            asm.emit(Opcode.WHILE)
            asm.operations(self.body.operations)


@operation(
    aliases=("for_each", "foreach"),
    synonyms=("For", "ForRange", "Each", "Iterate", "Range"),
    example="- Loop:\n    collection: \"{{ message | split(',') }}\"\n    var: word\n    body:\n"
    '      - WsOp: {command: send, message: "{{ loop.counter }}/{{ loop.total }}: {{ word }}"}',
)
class Loop(Operation):
    """Runs operations once for each element of a list. Null is an empty list.

    `loop` is `{index, counter, total, is_first, is_last}` inside; the loop's variables end with it.
    """

    collection: Collection = fields.collection(
        "The list.",
        synonyms={
            "list": "collection",
            "items": "collection",
            "in": "collection",
            "over": "collection",
            "array": "collection",
        },
    )
    var: Written[str] | None = fields.variable(
        "The variable that holds the element.", required=False, default="item", aliases=("item_var", "as"),
        synonyms={"variable": "var", "name": "var", "item": "var"},
    )  # fmt: skip
    index_var: Written[str] | None = fields.variable(
        "The variable that holds its index, from 0.",
        required=False,
        default="index",
        synonyms={"index": "index_var", "key": "index_var"},
    )
    body: Block = fields.operations(
        "What is repeated.", aliases=("do",), synonyms={"then": "body", "operations": "body"}, required=True
    )

    def _name(self, given: Written[str] | None, default: str) -> Written[str]:
        return Written(default, self.place) if given is None else given

    @property
    def names(self) -> tuple[Written[str], Written[str]]:
        """The variables of the element and of its index."""
        return self._name(self.var, "item"), self._name(self.index_var, "index")

    def check(self, found: Findings) -> None:
        """The two variables must differ."""
        item, index = self.names
        if item.value == index.value:
            found.add(codes.BAD_VALUE, item.span, f"`{item.value}` cannot be both the element and its index")

    def flow(self) -> Flow:
        """The collection, then the body for each element."""
        item, index = self.names
        body = Repeats((Runs(self.body),), binds=((item, Kind.ANY), (index, Kind.NUMBER)), has_loop=True)
        return (Reads(self.collection), body)

    def lower(self, asm: Assembler) -> None:
        """`collection; EACH; body; END`. An index variable that the body sets is a copy, so that `loop` stays right."""
        item, index = (name.value for name in self.names)
        first = asm.new_local(item)
        asm.new_local(index)
        asm.new_local()
        asm.collection(self.collection)
        names: dict[str, int | LoopNames] = {item: first, index: first + 1, "loop": LoopNames(first)}
        with asm.block(Opcode.EACH, first), asm.scope(**names):
            if index in set(names_set((Runs(self.body),))):
                copy = asm.new_local(index)
                asm.emit(Opcode.LOCAL, first + 1)
                asm.emit(Opcode.SET_LOCAL, copy)
                asm.bind(index, copy)
            asm.operations(self.body.operations)


@operation(
    needs_loop=True,
    example='- Loop:\n    collection: [1, 2]\n    body:\n      - If: {condition: "{{ item == 2 }}", then: [{Break: {}}]}',
)
class Break(Operation):
    """Leaves the innermost loop."""

    def flow(self) -> Flow:
        """Leaves the loop."""
        return (Leaves(Way.LOOP),)

    def lower(self, asm: Assembler) -> None:
        """`BREAK`."""
        asm.emit(Opcode.BREAK)


@operation(
    needs_loop=True, synonyms=("Next", "Skip"),
    example="- Loop:\n    collection: [1, 2]\n    body:\n      - If: {condition: \"{{ item == 1 }}\", then: [{Continue: {}}]}\n      - Log: {message: \"{{ item }}\"}",
)  # fmt: skip
class Continue(Operation):
    """Goes on with the next round of the innermost loop."""

    def flow(self) -> Flow:
        """Leaves the round."""
        return (Leaves(Way.ROUND),)

    def lower(self, asm: Assembler) -> None:
        """`CONTINUE`."""
        asm.emit(Opcode.CONTINUE)
