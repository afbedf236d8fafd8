"""While and Loop, and Break and Continue inside of them."""

from __future__ import annotations

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.language.limits import LOOP_ROUNDS
from compiler.language.values import Kind
from compiler.lower import Assembler, LoopNames
from compiler.operations import fields
from compiler.operations.lowering import written_or
from compiler.operations.model import Block, Flow, Leaves, Operation, Reads, Repeats, Runs, Way, names_set, operation
from compiler.syntax.fields import Collection, Condition, Written
from compiler.syntax.findings import Findings

DEFAULT_ROUNDS = 1000


@operation(
    repeats=True,
    synonyms="Repeat RepeatWhile DoWhile",
    example='- SetVar: {name: n, value: 0}\n- While:\n    condition: "{{ n < 3 }}"\n    body:\n'
    '      - SetVar: {name: n, value: "{{ n + 1 }}"}',
)
class While(Operation):
    """Repeats operations while a condition is true. Still true after `max_iterations` rounds: error `loop_limit`."""

    condition: Condition = fields.condition("Tested before each round.", synonyms="while test")
    body: Block = fields.operations("What is repeated.", aliases=("do",), synonyms="then operations")
    max_iterations: Written[int] | None = fields.integer(
        "The most rounds.", default=str(DEFAULT_ROUNDS), minimum=0, maximum=LOOP_ROUNDS, synonyms="limit max max_rounds"
    )

    def flow(self) -> Flow:
        """The condition and the body, again and again."""
        return (Repeats((Runs(self.body),), test=self.condition),)

    def lower(self, asm: Assembler) -> None:
        """`LOOP; condition; WHILE; body; END`."""
        rounds = written_or(self.max_iterations, DEFAULT_ROUNDS)
        with asm.block(Opcode.LOOP, rounds):
            asm.condition(self.condition)
            asm.emit(Opcode.WHILE)
            asm.operations(self.body.operations)


@operation(
    aliases=("for_each", "foreach"),
    repeats=True,
    synonyms="For ForIn ForOf Each Iterate Range",
    example="- Loop:\n    collection: \"{{ message | split(',') }}\"\n    var: word\n    body:\n"
    '      - WsOp: {command: send, message: "{{ loop.counter }}/{{ loop.total }}: {{ word }}"}',
)
class Loop(Operation):
    """Runs operations once for each element of a list. Null is an empty list.

    `loop` is `{index, counter, total, is_first, is_last}` inside; the loop's variables end with it.
    """

    collection: Collection = fields.collection("The list.", synonyms="list items in of over array")
    var: Written[str] | None = fields.variable(
        "The variable that holds the element.",
        required=False,
        default="item",
        aliases=("item_var", "as"),
        synonyms="variable name item",
    )
    index_var: Written[str] | None = fields.variable(
        "The variable that holds its index, from 0.", required=False, default="index", synonyms="index key"
    )
    body: Block = fields.operations("What is repeated.", aliases=("do",), synonyms="then operations")

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
    needs_loop=True, synonyms="Next Skip",
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
