"""Trees to instructions: the Assembler, which operations drive, and the lowering of templates and expressions.

An expression tree is lowered by a list of things to do next, not by recursion: chains are as long as they
like, and operands are nested as deep as the parser allows. `??` and `default` make their left side lenient:
where it is a variable or a chain of members, an unset variable and a member of null are null there (C8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from functools import partial
from typing import Final, Protocol, TypeAlias

from compiler.bytecode.flow import BLOCK_DEPTH
from compiler.bytecode.opcodes import LEAVERS, Opcode
from compiler.bytecode.program import Chunk, Import, ImportKind, Instruction, Mark, SourceMap
from compiler.bytecode.verifier import measure
from compiler.diagnostics.source import Span
from compiler.language.effects import Effect
from compiler.language.functions import SPELLINGS
from compiler.language.hooks import INPUT_NUMBERS, INPUTS
from compiler.language.values import Value
from compiler.records import dataclass
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
CHOICES: Final = BLOCK_DEPTH - 200
"""So many choices (`&&`, `||`, `??`, `? :`) may be nested in an expression: operations nest fewer than 200 blocks."""

Place: TypeAlias = tuple[Span, str]
"""Where an instruction comes from: a range of the file, and a field's or operation's name."""


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
        self._places: list[Place] = []
        self._place: Place = (Span(0, 0), "")
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
        self._places.append(self._place)
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
        """Lower operations in order; those that can never run are dropped. The mark is as before when they are done."""
        before = self._place
        for operation in operations:
            if not self.reachable:
                break
            self.mark_at(operation.place, operation.title)
            operation.lower(self)
        self._place = before

    def mark_at(self, span: Span, label: str) -> None:
        """Following instructions come from this range of the file."""
        self._place = (span, label)

    @contextmanager
    def _marked(self, span: Span, label: str) -> Iterator[None]:
        before = self._place
        self._place = (span, label)
        yield
        self._place = before

    def _marks(self) -> tuple[Mark, ...]:
        """The places as people count them."""
        made = {place: self._mark(place) for place in dict.fromkeys(self._places)}
        return tuple([made[place] for place in self._places])

    def _mark(self, place: Place) -> Mark:
        source = self._findings.source
        span, label = place
        line, end_line = source.line_of(span.start), source.line_of(span.end)
        starts = source.line_starts
        return Mark(line, span.start - starts[line - 1] + 1, end_line, span.end - starts[end_line - 1] + 1, label)

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
            self.emit(Opcode.MEMBER_SAFE if lenient else Opcode.MEMBER, self.pool.constant(name))
        elif name in INPUT_NUMBERS and not self.variables.only and self.hook in INPUTS[name].hooks:
            self.emit(Opcode.INPUT, INPUT_NUMBERS[name])
        elif name in self.variables.slots:
            self.emit(Opcode.SLOT_SAFE if lenient else Opcode.SLOT, self.variables.slots[name])
        else:
            self.constant(None)  # only a lenient read gets here: it is set nowhere, or belongs to another hook

    def loop_names(self, name: str) -> LoopNames | None:
        """The locals behind `loop`, where the name stands for it."""
        found = self._find(name)
        return found if isinstance(found, LoopNames) else None

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
        """Push a value position's value. Lists and mappings are followed without recursion."""
        pending: list[ValueField | tuple[Opcode, int] | str] = [field]
        while pending:
            match part := pending.pop():
                case str():
                    self.constant(part)
                case TemplateField():
                    self._template_field(part, text=False)
                case ConstantField():
                    self.constant(part.value)
                case ListField():
                    pending.append((Opcode.LIST, len(part.items)))
                    pending += reversed(part.items)
                case ObjectField():
                    pending.append((Opcode.OBJECT, 2 * len(part.entries)))
                    for key, item in reversed(part.entries):
                        pending += [item, key.value]
                case (opcode, count):
                    self.emit(opcode, count)

    def _template_field(self, field: TemplateField | TextField, *, text: bool) -> None:
        with self._marked(field.span, field.field):
            self.template(field.template, self._findings.locator(field.scalar), field.field, text=text)

    def text(self, field: TextField) -> None:
        """Push a text position's text."""
        self._template_field(field, text=True)

    def channel(self, field: TextField) -> None:
        """Push a channel's name; null, empty and blank fault."""
        with self._marked(field.span, field.field):
            self._template_parts(field.template, self._findings.locator(field.scalar), field.field)
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
        before = self._place
        self._template_parts(template, locate, label)
        if text and template.sole is not None:
            self.emit(Opcode.TEXT)
        self._place = before

    def _template_parts(self, template: Template, locate: Locate, label: str) -> None:
        """Push a template's value. What is done to a sole expression next, is done at its place."""
        if template.constant is not None:
            self.constant(template.constant)
            return
        before = self._place
        for part in template.parts:
            if isinstance(part, str):
                self.constant(part)
            else:
                self.expression(part, locate, label)
        if len(template.parts) > 1:
            self._place = before
            self.emit(Opcode.CONCAT, len(template.parts))

    # -- expressions --------------------------------------------------------------------------------

    def expression(self, node: Expression, locate: Locate, label: str) -> None:
        """Push an expression's value; `locate` gives the places of its spans in the file."""
        _ExpressionLowering(self, locate, label).lower(node)

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
            source_map=SourceMap(self._marks()),
        )


_Task: TypeAlias = "tuple[Expression, bool] | Callable[[], None]"
"""A node whose value is to be pushed, with whether it is lenient; or something else to do."""


class _ExpressionLowering:
    """Lowers one expression; holds what all its nodes share."""

    def __init__(self, asm: Assembler, locate: Locate, label: str) -> None:
        self.asm = asm
        self.locate = locate
        self.label = label

    def lower(self, node: Expression) -> None:
        """Push the node's value."""
        pending: list[_Task] = [(node, False)]
        while pending:
            task = pending.pop()
            if isinstance(task, tuple):
                pending += reversed(self._tasks(*task))
            else:
                task()

    def _tasks(self, node: Expression, lenient: bool) -> list[_Task]:
        """What pushes a node's value, in order. Names and literals are pushed at once."""
        match node:
            case Name():
                self._at(node.span)
                self.asm.load(node.name, lenient)
                return []
            case Literal():
                self._at(node.span)
                self.asm.constant(node.value)
                return []
            case Member():
                return self._member(node, lenient)
            case Index():
                return self._index(node, lenient)
            case Call():
                return self._call(node)
            case Unary():
                return [(node.operand, False), self._emit(node, Opcode.NEG if node.operator == "-" else Opcode.NOT)]
            case Binary():
                return [
                    (node.left_operand, False),
                    (node.right, False),
                    self._emit(node, BINARY_OPCODES[node.operator]),
                ]
            case Logical():
                return self._choice(node, LOGICAL_OPCODES[node.operator], node.left_operand, node.right)
            case Conditional():
                return self._conditional(node)
            case ListLiteral():
                return [*((item, False) for item in node.items), self._emit(node, Opcode.LIST, len(node.items))]
            case ObjectLiteral():
                return self._object(node)
            case Parenthesised():
                return [(node.content, lenient)]

    def _at(self, span: Span) -> None:
        self.asm.mark_at(self.locate(span), self.label)

    def _emit(self, node: Expression, opcode: Opcode, operand: int = 0) -> Callable[[], None]:
        """The instruction that makes the node's value of its operands."""

        def emit() -> None:
            self._at(node.span)
            self.asm.emit(opcode, operand)

        return emit

    def _open(self, node: Expression, opener: Opcode, operand: int = 0) -> Callable[[], None]:
        def open_() -> None:
            self._at(node.span)
            self.asm.open(opener, operand)

        return open_

    def _member(self, node: Member, lenient: bool) -> list[_Task]:
        if (loop := self._loop_of(node.owner)) is not None and node.key in LOOP_FIELDS:
            return [self._loop_field(node, loop, node.key)]
        opcode = Opcode.MEMBER_SAFE if node.safe or lenient else Opcode.MEMBER

        def read() -> None:
            self._at(node.span)
            self.asm.emit(opcode, self.asm.pool.constant(node.key))

        return [(node.owner, lenient), read]

    def _index(self, node: Index, lenient: bool) -> list[_Task]:
        key = node.key.value if isinstance(node.key, Literal) else None
        if (loop := self._loop_of(node.owner)) is not None and key in LOOP_FIELDS:
            return [self._loop_field(node, loop, str(key))]
        opcode = Opcode.INDEX_SAFE if node.safe or lenient else Opcode.INDEX
        return [(node.owner, lenient), (node.key, False), self._emit(node, opcode)]

    def _loop_of(self, owner: Expression) -> LoopNames | None:
        name = unwrap(owner)
        return self.asm.loop_names(name.name) if isinstance(name, Name) else None

    def _loop_field(self, node: Expression, loop: LoopNames, key: str) -> Callable[[], None]:
        def push() -> None:
            self._at(node.span)
            self.asm.loop_field(loop, key)

        return push

    def _choice(self, node: Expression, opener: Opcode, left: Expression, right: Expression) -> list[_Task]:
        return [(left, excuses_left(node)), self._open(node, opener), (right, False), self.asm.close]

    def _conditional(self, node: Conditional) -> list[_Task]:
        tasks: list[_Task] = []
        for test, value in node.branches:
            tasks += [(test, False), self._open(test, Opcode.IF, 1), (value, False), self.asm.otherwise]
        return [*tasks, (node.otherwise, False), *(self.asm.close for _ in node.branches), partial(self._at, node.span)]

    def _object(self, node: ObjectLiteral) -> list[_Task]:
        tasks: list[_Task] = []
        for key, _, value in node.entries:
            tasks += [partial(self.asm.constant, key), (value, False)]
        return [*tasks, self._emit(node, Opcode.OBJECT, 2 * len(node.entries))]

    def _call(self, node: Call) -> list[_Task]:
        row = SPELLINGS[node.name]
        if row.name == "default":
            return self._choice(node, Opcode.COALESCE, *node.arguments)
        tasks: list[_Task] = []
        for place, argument in enumerate(node.arguments):
            is_inner = row.parameter(place).literal == "expression"
            tasks.append(partial(self._inner, argument) if is_inner else (argument, False))
        return [*tasks, self._function(node, row.name)]

    def _function(self, node: Call, name: str) -> Callable[[], None]:
        def emit() -> None:
            self._at(node.span)
            self.asm.call(name, len(node.arguments))

        return emit

    def _inner(self, argument: Expression) -> None:
        literal = unwrap(argument)
        assert isinstance(literal, Literal)
        inner = inner_expression(literal)
        assert inner.tree is not None, "broken inner expressions are not lowered"
        self._at(argument.span)
        self.asm.inner_chunk(inner.tree, inner.within(self.locate), self.label)


def excuses_left(node: Expression) -> bool:
    """Whether the node's first operand may be unset or a member of null: `??` and `default` (C8)."""
    if isinstance(node, Logical):
        return node.operator == "??"
    return isinstance(node, Call) and getattr(SPELLINGS.get(node.name), "name", "") == "default"
