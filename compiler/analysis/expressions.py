"""Checking expressions: names, operators, members, kinds, and constants that always fail; `calls` does the calls.

`Checker.check` returns what is known of the value. A part with a finding counts as anything, so that
nothing is said about its consequences. `skippable` parts may never run (`&&`, `||`, `??`, `? :`): a
constant that would fail there is no finding. Trees are as deep as the parser allows, and longer to the
left: the walk keeps its own stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from compiler.analysis.calls import check_call
from compiler.analysis.known import (
    ANYTHING,
    BOOLEAN,
    LIST,
    NUMBER,
    OBJECT,
    VARIES,
    Known,
    can_calculate,
    can_order,
    constant,
    either,
    is_numeric_part,
    is_word,
    sum_kinds,
    unless_null,
    unless_true,
)
from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code, Severity
from compiler.diagnostics.source import Span
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Kind, Value, describe_kind
from compiler.lower import BINARY_OPCODES, CHOICES, excuses_left
from compiler.syntax.findings import Findings, Locate
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

_ARITHMETIC: Final = frozenset({"-", "*", "/", "%", "**"})
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_NONE: Final = Kind(0)
_MEASURED: Final = Kind.OBJECT | Kind.LIST | Kind.TEXT
"""What has a `length`, and elements."""

_FOLDED_SIZE: Final = 10_000_000
"""So many characters and elements one checker computes only to throw them away."""


class Names(Protocol):
    """What the surroundings of an expression know of names."""

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """A variable is read; reports it where that cannot work."""

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """A member of a variable with known members is read; None where the variable is not one of these."""


Operands: TypeAlias = list[tuple[Known, Span]]
"""What is known of the operands of an operation, and where they stand."""
_Task: TypeAlias = tuple[Expression, bool, bool, int]
"""A node to check; whether it is lenient (C8), whether it is skippable, and in how many choices it is nested."""


class Checker:
    """Checks the expressions of one field; of many, where `locate` is set anew for each."""

    def __init__(self, found: Findings, locate: Locate, names: Names, environment: frozenset[str]) -> None:
        self.found = found
        self.locate = locate
        self.names = names
        self.environment = environment
        self._hyphens: dict[int, str] = {}
        self._foldable = _FOLDED_SIZE

    def report(self, code: Code, span: Span, message: str, **more: Any) -> Known:
        """A finding at a range of the expression's text; the part counts as anything from here on."""
        self.found.add(code, self.locate(span), message, **more)
        return ANYTHING

    def wrong_kind(self, span: Span, message: str, skippable: bool, help: str = "") -> Known:
        """An operation that fails whenever it runs; a part that may never run can be meant for another day."""
        severity = Severity.WARNING if skippable else None
        return self.report(codes.WRONG_KIND, span, message, help=help, severity=severity)

    def template(self, template: Template, *, text: bool) -> Known:
        """A whole template: its own kinds where it is one sole expression in a value position."""
        if template.constant is not None:
            return constant(template.constant)
        parts = [constant(p) if isinstance(p, str) else self.check(p) for p in template.parts]
        if len(parts) == 1 and not text and not template.broken:
            return parts[0]
        wordy = any(isinstance(p, str) and not is_numeric_part(p) for p in template.parts)
        return Known(Kind.TEXT, VARIES, wordy)

    def check(self, node: Expression, *, lenient: bool = False, skippable: bool = False) -> Known:
        """What is known of an expression's value; reports what is wrong with it."""
        pending: list[tuple[_Task, int]] = [((node, lenient, skippable, 0), -1)]
        known: list[Known] = []
        while pending:
            task, count = pending.pop()
            if count < 0:
                if task[3] > CHOICES:
                    return self._too_deep(task[0])
                operands = self._operands(task)
                count = len(operands)
                if operands:
                    pending.append((task, count))
                    pending.extend([(operand, -1) for operand in reversed(operands)])
                    continue
            split = len(known) - count
            part, is_lenient, is_skippable, _ = task
            checked = _CHECKS[part.__class__](self, part, known[split:], is_lenient, is_skippable)
            known[split:] = [checked]
        return known[0]

    def check_inner(self, tree: Expression, locate: Locate, *, skippable: bool) -> bool:
        """Check an inner expression, a chunk of its own; whether there is nothing wrong with it."""
        before = len(self.found.report.diagnostics)
        Checker(self.found, locate, InnerNames(), self.environment).check(tree, skippable=skippable)
        return len(self.found.report.diagnostics) == before

    # -- operands, in order of evaluation -----------------------------------------------------------

    def _operands(self, task: _Task) -> Sequence[_Task]:
        node, lenient, skippable, choices = task
        match node:
            case Literal() | Name():
                return ()
            case Member():
                return ((node.owner, lenient, skippable, choices),)
            case Index():
                return ((node.owner, lenient, skippable, choices), (node.key, False, skippable, choices))
            case Call():
                return self._arguments(node, skippable, choices)
            case Unary():
                return ((node.operand, False, skippable, choices),)
            case Binary():
                self._note_hyphen(node)
                return ((node.left_operand, False, skippable, choices), (node.right, False, skippable, choices))
            case Logical():
                left = (node.left_operand, excuses_left(node), skippable, choices)
                return (left, (node.right, False, True, choices + 1))
            case Conditional():
                return self._choices(node, skippable, choices)
            case ListLiteral():
                return [(item, False, skippable, choices) for item in node.items]
            case ObjectLiteral():
                return [(value, False, skippable, choices) for _, _, value in node.entries]
            case Parenthesised():
                return ((node.content, lenient, skippable, choices),)

    def _arguments(self, node: Call, skippable: bool, choices: int) -> Sequence[_Task]:
        if not excuses_left(node):
            return [(argument, False, skippable, choices) for argument in node.arguments]
        return [
            (argument, not place, skippable or place > 0, choices + (place > 0))
            for place, argument in enumerate(node.arguments)
        ]

    @staticmethod
    def _choices(node: Conditional, skippable: bool, choices: int) -> Sequence[_Task]:
        tasks: list[_Task] = []
        for number, (test, value) in enumerate(node.branches):
            tasks.append((test, False, skippable or number > 0, choices + number))
            tasks.append((value, False, True, choices + number + 1))
        tasks.append((node.otherwise, False, True, choices + len(node.branches)))
        return tasks

    def _too_deep(self, node: Expression) -> Known:
        help = "compute a part of it in a `SetVar` before"
        return self.report(codes.LIMIT, node.span, f"choices are nested more than {CHOICES} deep", help=help)

    # -- names and members --------------------------------------------------------------------------

    def _literal(self, node: Literal, known: list[Known], lenient: bool, skippable: bool) -> Known:
        return constant(node.value)

    def _name(self, node: Name, known: list[Known], lenient: bool, skippable: bool) -> Known:
        return self.names.read(node, lenient, self)

    def _member(self, node: Member, known: list[Known], lenient: bool, skippable: bool) -> Known:
        owner = known[0]
        name = unwrap(node.owner)
        if isinstance(name, Name) and (found := self.names.member(name, node, self)) is not None:
            return found
        safe = node.safe or lenient
        if owner.constant is not VARIES:
            read = values.member_safe if safe else values.member
            key = node.key
            return self.fold(lambda value: read(value, key), [(owner, node.name_span)], skippable, ANYTHING)
        spared = Kind.NULL if safe else _NONE
        holders = _MEASURED if node.key == "length" else Kind.OBJECT
        if not owner.kinds & (holders | spared):
            return self._no_member(node, owner, skippable)
        if not owner.kinds & Kind.OBJECT:
            return Known(Kind.NUMBER | (owner.kinds & spared)) if owner.kinds & holders else Known(Kind.NULL)
        return ANYTHING

    def _no_member(self, node: Member, owner: Known, skippable: bool) -> Known:
        help = ""
        if owner.kinds & Kind.TEXT:
            name = unwrap(node.owner)
            shown = name.name if isinstance(name, Name) else "…"
            help = f"if it is JSON, read it first: `({shown} | json_parse).{node.key}`"
        message = f"{describe_kind(owner.kinds)} has no member `{node.key}`"
        return self.wrong_kind(node.name_span, message, skippable, help)

    def _index(self, node: Index, known: list[Known], lenient: bool, skippable: bool) -> Known:
        owner, key = known
        name = unwrap(node.owner)
        if isinstance(name, Name) and isinstance(key.constant, str):
            member = Member(node.owner, key.constant, node.safe, node.span, node.key.span)
            if (found := self.names.member(name, member, self)) is not None:
                return found
        safe = node.safe or lenient
        if owner.constant is not VARIES and key.constant is not VARIES:
            read = values.index_safe if safe else values.index
            return self.fold(read, [(owner, node.owner.span), (key, node.key.span)], skippable, ANYTHING)
        spared = Kind.NULL if safe else _NONE
        if not owner.kinds & (_MEASURED | spared):
            return self.wrong_kind(node.span, f"{describe_kind(owner.kinds)} has no elements", skippable)
        if not owner.kinds & (Kind.OBJECT | spared) and not key.kinds & Kind.NUMBER:
            message = f"{describe_kind(owner.kinds)} is indexed by a whole number, this is {describe_kind(key.kinds)}"
            return self.wrong_kind(node.key.span, message, skippable)
        return Known(Kind.TEXT | Kind.NULL) if owner.kinds == Kind.TEXT else ANYTHING

    # -- hints --------------------------------------------------------------------------------------

    def _note_hyphen(self, node: Binary) -> None:
        """`query.user-id` is a subtraction; if `id` is unknown, brackets were meant."""
        left = node.left_operand
        if node.operator != "-" or not isinstance(node.right, Name) or not isinstance(left, Member):
            return
        if isinstance(left.owner, Name):
            self._hyphens[id(node.right)] = f"{left.owner.name}['{left.key}-{node.right.name}']"

    def bracket_hint(self, node: Name) -> str:
        """Advice for an unknown name behind a hyphen; empty elsewhere."""
        meant = self._hyphens.get(id(node))
        return f"a key with a hyphen needs brackets: `{meant}`" if meant else ""

    # -- operators ----------------------------------------------------------------------------------

    def _unary(self, node: Unary, known: list[Known], lenient: bool, skippable: bool) -> Known:
        operand = known[0]
        helper = values.negate if node.operator == "!" else values.minus
        result = BOOLEAN if node.operator == "!" else NUMBER
        if operand.constant is not VARIES:
            return self.fold(helper, [(operand, node.operand.span)], skippable, result)
        if node.operator == "-" and not can_calculate(operand):
            return self._bad_operand("-", operand, node.operand.span, skippable, "a number")
        return result

    def _binary(self, node: Binary, known: list[Known], lenient: bool, skippable: bool) -> Known:
        left, right = known
        operator = node.operator
        operands = [(left, node.left_operand.span), (right, node.right.span)]
        if left.constant is not VARIES and right.constant is not VARIES:
            helper = BINARY_OPCODES[operator].helper
            return self.fold(helper, operands, skippable, _result(operator, left, right))
        if operator in _ARITHMETIC:
            for operand, span in operands:
                if not can_calculate(operand):
                    return self._bad_operand(operator, operand, span, skippable)
            if operator in "/%" and not skippable and _is_zero(right):
                return self.report(codes.DIVISION_BY_ZERO, node.right.span, "this divides by zero")
        elif operator == "+" and not sum_kinds(left, right):
            return self._bad_pair(node, left, right, "add", skippable)
        elif operator in _ORDER and not can_order(left, right):
            return self._bad_pair(node, left, right, "order", skippable)
        return _result(operator, left, right)

    def _bad_operand(self, operator: str, known: Known, span: Span, skippable: bool, wanted: str = "numbers") -> Known:
        return self.wrong_kind(span, f"`{operator}` takes {wanted}, this is {describe_known(known)}", skippable)

    def _bad_pair(self, node: Binary, left: Known, right: Known, verb: str, skippable: bool) -> Known:
        message = f"`{node.operator}` cannot {verb} {describe_known(left)} and {describe_known(right)}"
        unusable = Kind.NULL | Kind.OBJECT | Kind.BOOLEAN | (_NONE if verb == "add" else Kind.LIST)
        at = node.right.span if left.kinds & ~unusable else node.left_operand.span
        return self.wrong_kind(at, message, skippable)

    def fold(
        self,
        helper: Callable[..., Value] | None,
        operands: Operands,
        skippable: bool,
        otherwise: Known,
        place: Callable[[Fault, Operands], Span] | None = None,
    ) -> Known:
        """The constant result of constant operands; where it always fails, a finding at the operand in question."""
        if helper is None or self._foldable <= 0:
            return otherwise
        try:
            made = helper(*(known.constant for known, _ in operands))
        except Fault as fault:
            if skippable:
                return otherwise
            return self.report(fault.kind, (place or _culprit)(fault, operands), f"this always fails: {fault.message}")
        if isinstance(made, (str, list, dict)):
            self._foldable -= len(made)
        return constant(made)

    def _logical(self, node: Logical, known: list[Known], lenient: bool, skippable: bool) -> Known:
        left, right = known
        return unless_true(left, right) if node.operator == "&&" else unless_null(left, right)

    def _conditional(self, node: Conditional, known: list[Known], lenient: bool, skippable: bool) -> Known:
        result = known[-1]
        for value in known[1::2]:
            result = either(result, value)
        return result

    def _list(self, node: ListLiteral, known: list[Known], lenient: bool, skippable: bool) -> Known:
        if all(item.constant is not VARIES for item in known):
            return constant([item.constant for item in known])  # type: ignore[misc]
        return LIST

    def _object(self, node: ObjectLiteral, known: list[Known], lenient: bool, skippable: bool) -> Known:
        if all(item.constant is not VARIES for item in known):
            constants: list[Value] = [item.constant for item in known]  # type: ignore[misc]
            return constant(dict(zip((key for key, _, _ in node.entries), constants, strict=True)))
        return OBJECT

    def _parenthesised(self, node: Parenthesised, known: list[Known], lenient: bool, skippable: bool) -> Known:
        return known[0]

    def _call(self, node: Call, known: list[Known], lenient: bool, skippable: bool) -> Known:
        return check_call(self, node, known, skippable)


_Check: TypeAlias = Callable[[Checker, Any, list[Known], bool, bool], Known]
_CHECKS: Final[dict[type, _Check]] = {
    Literal: Checker._literal,
    Name: Checker._name,
    Member: Checker._member,
    Index: Checker._index,
    Call: Checker._call,
    Unary: Checker._unary,
    Binary: Checker._binary,
    Logical: Checker._logical,
    Conditional: Checker._conditional,
    ListLiteral: Checker._list,
    ObjectLiteral: Checker._object,
    Parenthesised: Checker._parenthesised,
}


class InnerNames:
    """Names of an inner expression: `item`, and the item's keys, of which nothing is known."""

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """Any key of the item."""
        return ANYTHING

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """No variable has known members here."""
        return None


def describe_known(known: Known) -> str:
    """What is known of a value, in words."""
    return "a text that is not numeric" if is_word(known) else describe_kind(known.kinds)


def _culprit(fault: Fault, operands: Operands) -> Span:
    """The operand that makes an operation on constants fail."""
    if fault.kind is codes.DIVISION_BY_ZERO and len(operands) == 2:
        return operands[1][1]
    for known, span in operands:
        if not can_calculate(known):
            return span
    return operands[0][1]


def _is_zero(known: Known) -> bool:
    value = known.constant
    return value is not VARIES and isinstance(value, (int, float, str)) and values.equal(value, 0)


def _result(operator: str, left: Known, right: Known) -> Known:
    if operator == "+":
        return Known(sum_kinds(left, right) or Kind.ANY, VARIES, left.wordy or right.wordy)
    return NUMBER if operator in _ARITHMETIC else BOOLEAN
