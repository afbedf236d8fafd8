"""Trees to instructions: the Assembler, which operations drive, and the lowering of templates and expressions.

An expression tree is lowered along its spine (see `syntax.nodes`): the innermost left operand first, then
each node on the way out. `??` and `default` make their left side lenient: where it is a variable or a chain
of members, an unset variable and a member of null are null there (C8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from compiler.bytecode.opcodes import LEAVERS, Opcode
from compiler.bytecode.program import Chunk, Import, ImportKind, Instruction, Mark, SourceMap
from compiler.bytecode.verifier import measure
from compiler.diagnostics.source import Span
from compiler.language.effects import Effect
from compiler.language.functions import SPELLINGS
from compiler.language.hooks import INPUT_NUMBERS
from compiler.language.values import Value
from compiler.syntax.fields import (
    AnyField,
    Condition,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
    ValueField,
)
from compiler.syntax.findings import Findings, Locate
from compiler.syntax.inner import inner_expression
from compiler.syntax.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    ListLiteral,
    Literal,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parenthesised,
    Template,
    Unary,
    spine,
    unwrap,
)

BINARY_OPCODES: Final = {
    "+": Opcode.ADD,
    "-": Opcode.SUB,
    "*": Opcode.MUL,
    "/": Opcode.DIV,
    "%": Opcode.MOD,
    "**": Opcode.POW,
    "==": Opcode.EQ,
    "!=": Opcode.NE,
    "<": Opcode.LT,
    "<=": Opcode.LE,
    ">": Opcode.GT,
    ">=": Opcode.GE,
}
LOGICAL_OPCODES: Final = {"&&": Opcode.AND, "||": Opcode.OR, "??": Opcode.COALESCE}
LOOP_FIELDS: Final = ("index", "counter", "total", "is_first", "is_last")
"""Members of `loop`."""


class Lowerable(Protocol):
    """An operation, as far as the Assembler needs to know it."""

    @property
    def place(self) -> Span:
        """Where its name stands."""

    @property
    def title(self) -> str:
        """Its canonical name."""

    def lower(self, asm: Assembler) -> None:
        """Append its instructions."""


@dataclass(slots=True)
class Pool:
    """Constants and imports of one program, each once, in order of first use."""

    constants: dict[tuple[str, str], tuple[int, Value]] = field(default_factory=dict)
    imports: dict[Import, int] = field(default_factory=dict)

    def constant(self, value: Value) -> int:
        """The index of a constant."""
        key = (value.__class__.__name__, repr(value))
        return self.constants.setdefault(key, (len(self.constants), value))[0]

    def imported(self, kind: ImportKind, name: str, arity: int) -> int:
        """The index of an import."""
        return self.imports.setdefault(Import(kind, name, arity), len(self.imports))


@dataclass(frozen=True, slots=True)
class Variables:
    """Where the variables of a route live: numbered slots of the connection; all others are locals of a hook.

    `only`: there is nothing but slots, and their names hide what a hook would provide.
    """

    slots: Mapping[str, int]
    only: bool = False


@dataclass(frozen=True, slots=True)
class LoopNames:
    """The three locals of an EACH, for `loop.…`."""

    first: int


@dataclass(slots=True)
class _Block:
    """An open block, and whether one of its parts so far ran to its end."""

    opener: Opcode
    falls: bool = False
    divided: bool = False
    finally_: bool = False


class Assembler:
    """Builds one chunk. Mutable, one per chunk; operations call its methods in order of execution."""

    def __init__(self, pool: Pool, variables: Variables, findings: Findings, hook: str, *, inner: bool = False) -> None:
        self.pool = pool
        self.variables = variables
        self.hook = hook
        self.reachable = True
        self._findings = findings
        self._inner = inner
        self._code: list[Instruction] = []
        self._marks: list[Mark] = []
        self._mark = Mark(1, 1, 1, 1, "")
        self._chunks: list[Chunk] = []
        self._local_names: list[str] = []
        self._scopes: list[dict[str, int | LoopNames]] = [{}]
        self._blocks: list[_Block] = []
        if inner:
            self._scopes[0]["item"] = self.new_local("item")

    # -- instructions ------------------------------------------------------------------------------

    def emit(self, opcode: Opcode, operand: int = 0) -> None:
        """Append one instruction, at the current mark."""
        self._code.append(Instruction(opcode, operand))
        self._marks.append(self._mark)
        if opcode in LEAVERS:
            self.reachable = False

    def constant(self, value: Value) -> None:
        """Push a constant."""
        if value is None:
            self.emit(Opcode.NULL)
        elif isinstance(value, bool):
            self.emit(Opcode.TRUE if value else Opcode.FALSE)
        else:
            self.emit(Opcode.CONST, self.pool.constant(value))

    def call(self, name: str, arity: int) -> None:
        """Call a function with the arguments on the stack."""
        self.emit(Opcode.CALL, self.pool.imported(ImportKind.FUNCTION, name, arity))

    def effect(self, effect: Effect) -> None:
        """Ask for an effect with the arguments on the stack; the reply is on the stack."""
        self.emit(Opcode.EMIT, self.pool.imported(ImportKind.EFFECT, effect.name, effect.arity))

    def open(self, opener: Opcode, operand: int = 0) -> None:
        """Open a block, which `close` ends; `otherwise`, `catch` and `finally_` divide it."""
        self.emit(opener, operand)
        self._blocks.append(_Block(opener))

    def close(self) -> None:
        """End the innermost block; works out whether what follows can be reached."""
        block = self._blocks.pop()
        self.emit(Opcode.END)
        if block.opener is Opcode.TRY:
            falls = block.falls and self.reachable if block.finally_ else block.falls or self.reachable
            self.reachable = falls
        elif block.divided:
            self.reachable = block.falls or self.reachable
        else:
            # A condition that does not hold skips the block, and a loop can end before its first round.
            self.reachable = True

    @contextmanager
    def block(self, opener: Opcode, operand: int = 0) -> Iterator[None]:
        """A block around what is lowered inside the `with`."""
        self.open(opener, operand)
        yield
        self.close()

    def otherwise(self) -> None:
        """Divide an IF: the other branch follows."""
        self._divide(Opcode.ELSE)

    def catch(self, local: int) -> None:
        """Divide a TRY: its catch block follows, with the error value in a local."""
        self._divide(Opcode.CATCH, local)

    def finally_(self) -> None:
        """Divide a TRY: its finally block follows."""
        self._divide(Opcode.FINALLY)
        self._blocks[-1].finally_ = True

    def _divide(self, opcode: Opcode, operand: int = 0) -> None:
        block = self._blocks[-1]
        block.falls = block.falls or self.reachable
        block.divided = True
        self.reachable = True
        self.emit(opcode, operand)

    # -- operations ---------------------------------------------------------------------------------

    def own_input(self, name: str) -> None:
        """Let a hook's input be a local from here on: operations of this hook set it."""
        local = self.new_local(name)
        self.emit(Opcode.INPUT, INPUT_NUMBERS[name])
        self.emit(Opcode.SET_LOCAL, local)
        self.bind(name, local)

    def operations(self, operations: Iterable[Lowerable]) -> None:
        """Lower operations in order; those that can never run are dropped."""
        for operation in operations:
            if not self.reachable:
                return
            self.mark_at(operation.place, operation.title)
            operation.lower(self)

    def mark_at(self, span: Span, label: str) -> None:
        """Following instructions come from this range of the file."""
        start = self._findings.source.position(span.start)
        end = self._findings.source.position(span.end)
        self._mark = Mark(start.line, start.column, end.line, end.column, label)

    @contextmanager
    def _marked(self, span: Span, label: str) -> Iterator[None]:
        before = self._mark
        self.mark_at(span, label)
        yield
        self._mark = before

    # -- variables ----------------------------------------------------------------------------------

    def new_local(self, name: str = "") -> int:
        """A fresh local variable."""
        self._local_names.append(name)
        return len(self._local_names) - 1

    @contextmanager
    def scope(self, **names: int | LoopNames) -> Iterator[None]:
        """Names that hide others while the scope is open."""
        self._scopes.append(names)
        yield
        self._scopes.pop()

    def bind(self, name: str, local: int) -> None:
        """Let a name of the innermost scope stand for a local."""
        self._scopes[-1][name] = local

    def _find(self, name: str) -> int | LoopNames | None:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), None)

    def store(self, name: str) -> None:
        """Pop the value into a variable."""
        local = self._find(name)
        if local is None and name in self.variables.slots:
            self.emit(Opcode.SET_SLOT, self.variables.slots[name])
            return
        if local is None:
            local = self.new_local(name)
            self._scopes[0][name] = local
        assert isinstance(local, int)
        self.emit(Opcode.SET_LOCAL, local)

    def load(self, name: str, lenient: bool) -> None:
        """Push a variable's value; `lenient`: null where it is not set."""
        found = self._find(name)
        if isinstance(found, LoopNames):
            self._loop_object(found)
        elif found is not None:
            self.emit(Opcode.LOCAL, found)
        elif self._inner:
            self.emit(Opcode.LOCAL, 0)
            self.emit(Opcode.MEMBER, self.pool.constant(name))
        elif name in INPUT_NUMBERS and not self.variables.only:
            self.emit(Opcode.INPUT, INPUT_NUMBERS[name])
        elif name in self.variables.slots:
            self.emit(Opcode.SLOT_SAFE if lenient else Opcode.SLOT, self.variables.slots[name])
        else:
            self.constant(None)

    def _loop_object(self, loop: LoopNames) -> None:
        for key in LOOP_FIELDS:
            self.constant(key)
            self.loop_field(loop, key)
        self.emit(Opcode.OBJECT, 2 * len(LOOP_FIELDS))

    def loop_field(self, loop: LoopNames, key: str) -> None:
        """Push `loop.key`, computed from the loop's locals."""
        index, total = loop.first + 1, loop.first + 2
        if key == "total":
            self.emit(Opcode.LOCAL, total)
            return
        self.emit(Opcode.LOCAL, index)
        if key in ("counter", "is_last"):
            self.constant(1)
            self.emit(Opcode.ADD)
        if key == "is_first":
            self.constant(0)
            self.emit(Opcode.EQ)
        elif key == "is_last":
            self.emit(Opcode.LOCAL, total)
            self.emit(Opcode.EQ)

    # -- fields -------------------------------------------------------------------------------------

    def value(self, field: ValueField) -> None:
        """Push a value position's value."""
        match field:
            case TemplateField():
                with self._marked(field.span, field.field):
                    self.template(field.template, self._findings.locator(field.scalar), field.field, text=False)
            case ConstantField():
                self.constant(field.value)
            case ListField():
                for item in field.items:
                    self.value(item)
                self.emit(Opcode.LIST, len(field.items))
            case ObjectField():
                for key, item in field.entries:
                    self.constant(key.value)
                    self.value(item)
                self.emit(Opcode.OBJECT, 2 * len(field.entries))

    def text(self, field: TextField) -> None:
        """Push a text position's text."""
        with self._marked(field.span, field.field):
            self.template(field.template, self._findings.locator(field.scalar), field.field, text=True)

    def channel(self, field: TextField) -> None:
        """Push a channel's name; null, empty and blank fault."""
        with self._marked(field.span, field.field):
            self.template(field.template, self._findings.locator(field.scalar), field.field, text=False)
            if field.template.constant is None:
                self.emit(Opcode.CHANNEL)

    def condition(self, field: Condition) -> None:
        """Push a condition's value."""
        if isinstance(field, ConstantField):
            self.constant(field.value)
        else:
            self._condition(field)

    def collection(self, field: AnyField) -> None:
        """Push what a Loop goes over."""
        if isinstance(field, ConditionField):
            self._condition(field)
        else:
            assert not isinstance(field, TextField)
            self.value(field)

    def _condition(self, field: ConditionField) -> None:
        assert field.expression is not None, "broken fields are not lowered"
        with self._marked(field.span, field.field):
            self.expression(field.expression, self._findings.locator(field.scalar), field.field)

    def template(self, template: Template, locate: Locate, label: str, *, text: bool) -> None:
        """Push a template's value; `text` where it must be text."""
        if template.constant is not None:
            self.constant(template.constant)
            return
        for part in template.parts:
            if isinstance(part, str):
                self.constant(part)
            else:
                self.expression(part, locate, label)
        if len(template.parts) > 1:
            self.emit(Opcode.CONCAT, len(template.parts))
        elif text:
            self.emit(Opcode.TEXT)

    # -- expressions --------------------------------------------------------------------------------

    def expression(self, node: Expression, locate: Locate, label: str) -> None:
        """Push an expression's value; `locate` gives the places of its spans in the file."""
        _ExpressionLowering(self, locate, label).lower(node, lenient=False)

    def give_back(self) -> None:
        """End the chunk with the value on the stack."""
        self.emit(Opcode.RETURN)

    def inner_chunk(self, node: Expression, locate: Locate, label: str) -> None:
        """Push an inner expression for the function that is called next."""
        inner = Assembler(self.pool, Variables({}), self._findings, self.hook, inner=True)
        inner.expression(node, locate, label)
        inner.give_back()
        self._chunks.append(inner.finish())
        self.emit(Opcode.INNER, len(self._chunks) - 1)

    def finish(self) -> Chunk:
        """The finished chunk."""
        code = tuple(self._code)
        measured = measure(code, tuple(self.pool.imports), tuple(self._chunks))
        return Chunk(
            code,
            locals=len(self._local_names),
            stack=measured.stack,
            cost=measured.cost,
            waits=measured.waits,
            inner=tuple(self._chunks),
            local_names=tuple(self._local_names),
            source_map=SourceMap(tuple(self._marks)),
        )


class _ExpressionLowering:
    """Lowers one expression; holds what all its nodes share."""

    def __init__(self, asm: Assembler, locate: Locate, label: str) -> None:
        self.asm = asm
        self.locate = locate
        self.label = label

    def lower(self, node: Expression, *, lenient: bool) -> None:
        """Push the node's value; `lenient` where it stands directly left of `??` or `default`."""
        nodes = spine(node)
        for part, is_lenient in zip(nodes, leniencies(nodes, lenient), strict=True):
            self._lower_part(part, is_lenient)

    def _lower_part(self, node: Expression, lenient: bool) -> None:
        """Push the node's value, its left operand being on the stack."""
        match node:
            case Literal():
                self._at(node.span)
                self.asm.constant(node.value)
            case Name():
                self._at(node.span)
                self.asm.load(node.name, lenient)
            case Member():
                self._member(node, lenient)
            case Index():
                self.lower(node.key, lenient=False)
                self._at(node.span)
                self.asm.emit(Opcode.INDEX_SAFE if node.safe or lenient else Opcode.INDEX)
            case Call():
                self._call(node)
            case Unary():
                self.lower(node.operand, lenient=False)
                self._at(node.span)
                self.asm.emit(Opcode.NEG if node.operator == "-" else Opcode.NOT)
            case Binary():
                self.lower(node.right, lenient=False)
                self._at(node.span)
                self.asm.emit(BINARY_OPCODES[node.operator])
            case Logical():
                self._at(node.span)
                self._right_side(LOGICAL_OPCODES[node.operator], node.right)
            case Conditional():
                self._conditional(node)
            case ListLiteral():
                for item in node.items:
                    self.lower(item, lenient=False)
                self._at(node.span)
                self.asm.emit(Opcode.LIST, len(node.items))
            case ObjectLiteral():
                for key, _, value in node.entries:
                    self.asm.constant(key)
                    self.lower(value, lenient=False)
                self._at(node.span)
                self.asm.emit(Opcode.OBJECT, 2 * len(node.entries))
            case Parenthesised():
                self.lower(node.content, lenient=lenient)

    def _at(self, span: Span) -> None:
        self.asm.mark_at(self.locate(span), self.label)

    def _right_side(self, opener: Opcode, right: Expression) -> None:
        with self.asm.block(opener):
            self.lower(right, lenient=False)

    def _member(self, node: Member, lenient: bool) -> None:
        self._at(node.span)
        opcode = Opcode.MEMBER_SAFE if node.safe or lenient else Opcode.MEMBER
        self.asm.emit(opcode, self.asm.pool.constant(node.key))

    def _call(self, node: Call) -> None:
        row = SPELLINGS[node.name]
        if row.name == "default":
            self._default(node)
            return
        for position, argument in enumerate(node.arguments):
            if row.parameter(position).literal == "expression":
                literal = unwrap(argument)
                assert isinstance(literal, Literal)
                inner = inner_expression(literal)
                assert inner.tree is not None, "broken inner expressions are not lowered"
                self._at(argument.span)
                self.asm.inner_chunk(inner.tree, inner.within(self.locate), self.label)
            elif position or not node.piped:
                self.lower(argument, lenient=False)
        self._at(node.span)
        self.asm.call(row.name, len(node.arguments))

    def _default(self, node: Call) -> None:
        if not node.piped:
            self.lower(node.arguments[0], lenient=True)
        self._at(node.span)
        self._right_side(Opcode.COALESCE, node.arguments[1])

    def _conditional(self, node: Conditional) -> None:
        for test, value in node.branches:
            self.lower(test, lenient=False)
            self._at(test.span)
            self.asm.open(Opcode.IF, 1)
            self.lower(value, lenient=False)
            self.asm.otherwise()
        self.lower(node.otherwise, lenient=False)
        for _ in node.branches:
            self.asm.close()


def leniencies(nodes: list[Expression], outermost: bool) -> list[bool]:
    """For each node of a spine (innermost first): is it a variable or member directly left of `??` or `default`?"""
    lenient = outermost
    found = []
    for node in reversed(nodes):
        found.append(lenient)
        if isinstance(node, (Member, Index)):
            continue
        lenient = makes_lenient(node)
    return found[::-1]


def makes_lenient(node: Expression) -> bool:
    """Whether the node's left operand may be unset or a member of null: `??` and `| default(…)` (C8)."""
    if isinstance(node, Logical):
        return node.operator == "??"
    return isinstance(node, Call) and node.piped and getattr(SPELLINGS.get(node.name), "name", "") == "default"
