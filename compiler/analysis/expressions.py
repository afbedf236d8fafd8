"""Checking expressions: names, functions, argument counts, kinds, and constants that always fail.

`Checker.check` returns what is known of the value. A part with a finding counts as anything, so that
nothing is said about its consequences. `skippable` parts may never run (`&&`, `||`, `??`, `? :`): a
constant that would fail there is no finding.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from compiler.analysis.known import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    TEXT,
    VARIES,
    Known,
    can_calculate,
    can_order,
    constant,
    either,
    is_numeric_part,
    sum_kinds,
)
from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import did_you_mean
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.functions import SPELLINGS, Function
from compiler.language.functions.registry import call
from compiler.language.functions.synonyms import FUNCTION_SYNONYMS
from compiler.language.functions.text import compile_pattern
from compiler.language.values import Kind, Value, describe_kind
from compiler.lower import BINARY_OPCODES, leniencies
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
    left_of,
    spine,
    unwrap,
)

_ARITHMETIC: Final = ("-", "*", "/", "%", "**")
_ORDER: Final = ("<", "<=", ">", ">=")
_FOLDED_TEXT: Final = 1000
"""Constants larger than so many characters are not carried on."""


class Names(Protocol):
    """What the surroundings of an expression know of names."""

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """A variable is read; reports it where that cannot work."""

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """A member of a variable with known members is read; None where the variable is not one of these."""


class Checker:
    """Checks the expressions of one field."""

    def __init__(self, found: Findings, locate: Locate, names: Names, environment: frozenset[str]) -> None:
        self.found = found
        self.locate = locate
        self.names = names
        self.environment = environment
        self._hyphens: dict[int, str] = {}

    def report(self, code: Code, span: Span, message: str, **more: Any) -> Known:
        """A finding at a range of the expression's text; the part counts as anything from here on."""
        self.found.add(code, self.locate(span), message, **more)
        return ANYTHING

    def template(self, template: Template, *, text: bool) -> Known:
        """A whole template: its own kinds where it is one sole expression in a value position."""
        if template.constant is not None:
            return constant(template.constant)
        parts = [constant(p) if isinstance(p, str) else self.check(p) for p in template.parts]
        if len(parts) == 1 and not text:
            return parts[0]
        wordy = any(isinstance(p, str) and not is_numeric_part(p) for p in template.parts)
        return Known(Kind.TEXT, VARIES, wordy)

    def check(self, node: Expression, *, lenient: bool = False, skippable: bool = False) -> Known:
        """What is known of an expression's value; reports what is wrong with it."""
        nodes = spine(node)
        known = ANYTHING
        for part, is_lenient in zip(nodes, leniencies(nodes, lenient), strict=True):
            known = self._part(part, known, is_lenient, skippable)
        return known

    def _part(self, node: Expression, left: Known, lenient: bool, skippable: bool) -> Known:
        match node:
            case Literal():
                return constant(node.value)
            case Name():
                return self.names.read(node, lenient, self)
            case Member():
                return self._member(node, left, lenient)
            case Index():
                return self._index(node, left, lenient, skippable)
            case Call():
                return self._call(node, left, skippable)
            case Unary():
                return self._unary(node, skippable)
            case Binary():
                self._note_hyphen(node)
                return self._binary(node, left, self.check(node.right, skippable=skippable), skippable)
            case Logical():
                return self._logical(node, left)
            case Conditional():
                return self._conditional(node, skippable)
            case ListLiteral():
                return self._list([self.check(item, skippable=skippable) for item in node.items])
            case ObjectLiteral():
                for _, _, value in node.entries:
                    self.check(value, skippable=skippable)
                return Known(Kind.OBJECT)
            case Parenthesised():
                return self.check(node.content, lenient=lenient, skippable=skippable)

    # -- members ------------------------------------------------------------------------------------

    def _member(self, node: Member, owner: Known, lenient: bool) -> Known:
        name = unwrap(node.owner)
        if isinstance(name, Name) and (known := self.names.member(name, node, self)) is not None:
            return known
        spared = Kind.NULL if node.safe or lenient else Kind(0)
        holders = Kind.OBJECT | (Kind.LIST | Kind.TEXT if node.key == "length" else Kind(0))
        if not owner.kinds & (holders | spared):
            return self._no_member(node, owner)
        if not owner.kinds & Kind.OBJECT:
            return Known(Kind.NUMBER | (owner.kinds & spared)) if owner.kinds & holders else Known(Kind.NULL)
        return ANYTHING

    def _no_member(self, node: Member, owner: Known) -> Known:
        shown = describe_kind(owner.kinds)
        help = ""
        if owner.kinds & Kind.TEXT:
            help = f"if it is JSON, read it first: `(… | json_parse).{node.key}`"
            if isinstance(name := unwrap(node.owner), Name):
                help = f"if it is JSON, read it first: `({name.name} | json_parse).{node.key}`"
        return self.report(codes.WRONG_KIND, node.name_span, f"{shown} has no member `{node.key}`", help=help)

    def _index(self, node: Index, owner: Known, lenient: bool, skippable: bool) -> Known:
        key = self.check(node.key, skippable=skippable)
        name = unwrap(node.owner)
        if isinstance(name, Name) and isinstance(key.constant, str):
            span = node.key.span
            member = Member(node.owner, key.constant, node.safe, node.span, span)
            if (known := self.names.member(name, member, self)) is not None:
                return known
        spared = Kind.NULL if node.safe or lenient else Kind(0)
        if not owner.kinds & (Kind.OBJECT | Kind.LIST | Kind.TEXT | spared):
            return self.report(codes.WRONG_KIND, node.span, f"{describe_kind(owner.kinds)} has no elements")
        if not owner.kinds & (Kind.OBJECT | spared) and not key.kinds & Kind.NUMBER:
            return self.report(
                codes.WRONG_KIND,
                node.key.span,
                f"{describe_kind(owner.kinds)} is indexed by a whole number, this is {describe_kind(key.kinds)}",
            )
        if isinstance(owner.constant, (list, dict, str)) and key.constant is not VARIES:
            return self._fold(values.index, [(owner, node.owner.span), (key, node.key.span)], skippable, ANYTHING)
        return Known(Kind.TEXT | Kind.NULL) if owner.kinds == Kind.TEXT else ANYTHING

    # -- hints ----------------------------------------------------------------------------------

    def _note_hyphen(self, node: Binary) -> None:
        """`query.user-id` is a subtraction; if `id` is unknown, brackets were meant."""
        owner = node.left_operand.owner if isinstance(node.left_operand, Member) else None
        if node.operator == "-" and isinstance(node.right, Name) and isinstance(owner, Name):
            assert isinstance(node.left_operand, Member)
            self._hyphens[id(node.right)] = f"{owner.name}['{node.left_operand.key}-{node.right.name}']"

    def bracket_hint(self, node: Name) -> str:
        """Advice for an unknown name behind a hyphen; empty elsewhere."""
        meant = self._hyphens.get(id(node))
        return f"a key with a hyphen needs brackets: `{meant}`" if meant else ""

    # -- operators ----------------------------------------------------------------------------------

    def _unary(self, node: Unary, skippable: bool) -> Known:
        operand = self.check(node.operand, skippable=skippable)
        helper = values.negate if node.operator == "!" else values.minus
        result = BOOLEAN if node.operator == "!" else NUMBER
        if operand.constant is not VARIES:
            return self._fold(helper, [(operand, node.operand.span)], skippable, result)
        if node.operator == "-" and not can_calculate(operand):
            return self.report(
                codes.WRONG_KIND, node.operand.span, f"`-` takes a number, this is {describe_kind(operand.kinds)}"
            )
        return result

    def _binary(self, node: Binary, left: Known, right: Known, skippable: bool) -> Known:
        operator = node.operator
        operands = [(left, node.left_operand.span), (right, node.right.span)]
        if left.constant is not VARIES and right.constant is not VARIES:
            helper = BINARY_OPCODES[operator].value.helper
            return self._fold(helper, operands, skippable, self._result(operator, left, right))
        if operator in _ARITHMETIC:
            for known, span in operands:
                if not can_calculate(known):
                    return self._bad_operand(operator, known, span)
            if operator in "/%" and right.constant == 0 and not skippable:
                return self.report(codes.DIVISION_BY_ZERO, node.right.span, "this divides by zero")
        elif operator == "+" and not sum_kinds(left, right):
            return self._bad_pair(node, left, right, "add")
        elif operator in _ORDER and not can_order(left, right):
            return self._bad_pair(node, left, right, "order")
        return self._result(operator, left, right)

    def _result(self, operator: str, left: Known, right: Known) -> Known:
        if operator == "+":
            return Known(sum_kinds(left, right) or Kind.ANY, VARIES, left.wordy or right.wordy)
        return NUMBER if operator in _ARITHMETIC else BOOLEAN

    def _bad_operand(self, operator: str, known: Known, span: Span) -> Known:
        shown = "a text that is not numeric" if known.kinds == Kind.TEXT else describe_kind(known.kinds)
        return self.report(codes.WRONG_KIND, span, f"`{operator}` takes numbers, this is {shown}")

    def _bad_pair(self, node: Binary, left: Known, right: Known, verb: str) -> Known:
        message = f"`{node.operator}` cannot {verb} {describe_kind(left.kinds)} and {describe_kind(right.kinds)}"
        unusable = Kind.NULL | Kind.OBJECT | Kind.BOOLEAN | (Kind(0) if verb == "add" else Kind.LIST)
        at = node.right.span if left.kinds & ~unusable else node.left_operand.span
        return self.report(codes.WRONG_KIND, at, message)

    def _fold(self, helper: Any, operands: list[tuple[Known, Span]], skippable: bool, otherwise: Known) -> Known:
        """The constant result of constant operands; where it always fails, a finding at the operand in question."""
        arguments = [known.constant for known, _ in operands]
        try:
            return _kept(helper(*arguments), otherwise)
        except Fault as fault:
            if skippable:
                return otherwise
            return self.report(fault.kind, self._culprit(fault, operands), f"this always fails: {fault.message}")

    @staticmethod
    def _culprit(fault: Fault, operands: list[tuple[Known, Span]]) -> Span:
        if fault.kind is codes.DIVISION_BY_ZERO and len(operands) == 2:
            return operands[1][1]
        for known, span in operands:
            if not can_calculate(known):
                return span
        return operands[0][1]

    def _logical(self, node: Logical, left: Known) -> Known:
        right = self.check(node.right, skippable=True)
        if node.operator in ("??", "||"):  # null is falsy: neither gives it back
            left = left.without_null()
        return either(left, right)

    def _conditional(self, node: Conditional, skippable: bool) -> Known:
        result: Known | None = None
        for number, (test, value) in enumerate(node.branches):
            self.check(test, skippable=skippable or number > 0)
            known = self.check(value, skippable=True)
            result = known if result is None else either(result, known)
        otherwise = self.check(node.otherwise, skippable=True)
        return otherwise if result is None else either(result, otherwise)

    @staticmethod
    def _list(items: list[Known]) -> Known:
        if len(items) <= _FOLDED_TEXT and all(item.constant is not VARIES for item in items):
            return Known(Kind.LIST, [item.constant for item in items])  # type: ignore[misc]
        return Known(Kind.LIST)

    # -- calls --------------------------------------------------------------------------------------

    def _call(self, node: Call, piped: Known, skippable: bool) -> Known:
        row = SPELLINGS.get(node.name)
        if row is not None and row.name == "default":
            return self._default(node, row, piped)
        arguments = [
            piped if node.piped and not position else self._argument(node, row, position, skippable)
            for position in range(len(node.arguments))
        ]
        if row is None:
            return self._unknown_function(node)
        if not self._check_count(node, row):
            return ANYTHING
        if not self._check_literals(node, row, arguments, skippable):
            return ANYTHING
        return self._apply(node, row, arguments, skippable)

    def _argument(self, node: Call, row: Function | None, position: int, skippable: bool) -> Known:
        argument = node.arguments[position]
        if (
            row is not None
            and row.parameters
            and row.parameter(position).literal == "expression"
            and isinstance(unwrap(argument), Literal)
        ):
            return TEXT
        return self.check(argument, skippable=skippable)

    def _default(self, node: Call, row: Function, piped: Known) -> Known:
        if not self._check_count(node, row):
            return ANYTHING
        value = piped if node.piped else self.check(node.arguments[0], lenient=True)
        return either(value.without_null(), self.check(node.arguments[1], skippable=True))

    def _unknown_function(self, node: Call) -> Known:
        word = "filter" if node.piped else "function"
        label = did_you_mean(node.name, SPELLINGS, FUNCTION_SYNONYMS)
        return self.report(codes.UNKNOWN_FUNCTION, node.name_span, f"no {word} is called `{node.name}`", label=label)

    def _check_count(self, node: Call, row: Function) -> bool:
        given, least, most = len(node.arguments), row.minimum, row.maximum
        if given >= least and (most is None or given <= most):
            return True
        shift = 1 if node.piped else 0
        wanted = (
            str(least - shift)
            if least == most
            else f"{least - shift} or more"
            if most is None
            else f"{least - shift} to {most - shift}"
        )
        noun = "argument" if wanted == "1" else "arguments"
        kind = "filter" if node.piped else "function"
        message = f"the {kind} `{node.name}` takes {wanted} {noun}, {given - shift} given"
        self.report(codes.ARGUMENT_COUNT, node.name_span, message, help=f"`{row.signature}`")
        return False

    def _check_literals(self, node: Call, row: Function, arguments: list[Known], skippable: bool) -> bool:
        good = True
        for position, argument in enumerate(node.arguments):
            kind = row.parameter(position).literal
            if not kind:
                continue
            literal = unwrap(argument)
            if not isinstance(literal, Literal) or not isinstance(literal.value, str):
                self.report(
                    codes.NOT_A_LITERAL,
                    argument.span,
                    f"the {row.parameter(position).name} of `{row.name}` must be a text literal",
                )
                good = False
            else:
                good = self._check_literal(kind, literal, skippable) and good
        return good

    def _check_literal(self, kind: str, literal: Literal, skippable: bool) -> bool:
        text = str(literal.value)
        if kind == "pattern":
            try:
                compile_pattern(text)
            except Fault as fault:
                self.report(codes.BAD_PATTERN, literal.span, fault.message)
                return False
        elif kind == "environment" and text not in self.environment:
            help = f"add `{text}` to `env.allow` in worpen.toml, if every client may know it"
            self.report(codes.FORBIDDEN_ENVIRONMENT, literal.span, f"`{text}` is not in `env.allow`", help=help)
            return False
        elif kind == "expression":
            return self._check_inner(literal)
        return True

    def _check_inner(self, literal: Literal) -> bool:
        inner = inner_expression(literal)
        locate = inner.within(self.locate)
        self.found.add_problems(locate, inner.problems)
        if inner.tree is None:
            return False
        before = len(self.found.report.diagnostics)
        Checker(self.found, locate, InnerNames(), self.environment).check(inner.tree)
        return len(self.found.report.diagnostics) == before

    def _apply(self, node: Call, row: Function, arguments: list[Known], skippable: bool) -> Known:
        for position, known in enumerate(arguments):
            wanted = row.parameter(position).kinds
            numeric = (
                wanted & Kind.NUMBER and known.kinds & Kind.TEXT and not (known.wordy and known.kinds == Kind.TEXT)
            )
            if not known.kinds & wanted and not numeric and known.constant is VARIES:
                return self._wrong_argument(node, row, position, known)
        if (
            row.constant
            and not row.needs_moment
            and arguments
            and all(a.constant is not VARIES for a in arguments)
            and not _has_inner(row, len(arguments))
        ):
            spans = [argument.span for argument in node.arguments]
            operands = list(zip(arguments, spans, strict=True))
            return self._fold_call(node, row, operands, skippable)
        return Known(row.result)

    def _fold_call(self, node: Call, row: Function, operands: list[tuple[Known, Span]], skippable: bool) -> Known:
        try:
            return _kept(call(row, [known.constant for known, _ in operands], None), Known(row.result))  # type: ignore[arg-type, misc]
        except Fault as fault:
            if skippable:
                return Known(row.result)
            span = node.name_span if node.piped else next(
                (s for k, s in operands for o in fault.operands if o is k.constant), node.name_span
            )  # fmt: skip
            return self.report(fault.kind, span, f"this always fails: {fault.message}")

    def _wrong_argument(self, node: Call, row: Function, position: int, known: Known) -> Known:
        piped = node.piped and not position
        left = left_of(node) if piped else None
        if isinstance(left, Unary) and left.operator == "!":
            return ANYTHING  # the parser warned that `!` takes only what stands beside it
        wanted = describe_kind(row.parameter(position).kinds)
        shown = (
            "a text that is not numeric"
            if known.kinds == Kind.TEXT and row.parameter(position).kinds & Kind.NUMBER
            else describe_kind(known.kinds)
        )
        help = ""
        if isinstance(left, Binary):
            help = f"the filter takes everything to its left; write `(… | {node.name})` around what it is meant for"
        span = node.name_span if piped else node.arguments[position].span
        return self.report(codes.WRONG_KIND, span, f"`{node.name}` takes {wanted}, this is {shown}", help=help)


class InnerNames:
    """Names of an inner expression: `item`, and the item's keys, of which nothing is known."""

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """Any key of the item."""
        return ANYTHING

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """No variable has known members here."""
        return None


def _has_inner(row: Function, count: int) -> bool:
    return any(row.parameter(position).literal == "expression" for position in range(count))


def _kept(value: Value, otherwise: Known) -> Known:
    """A constant, unless it is too large to carry on."""
    if isinstance(value, (str, list, dict)) and len(value) > _FOLDED_TEXT:
        return Known(values.kind_of(value)) if otherwise is ANYTHING else otherwise
    return constant(value)
