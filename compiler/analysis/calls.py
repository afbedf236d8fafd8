"""Checking calls of functions and filters: name, number of arguments, literals, kinds, constant results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.analysis.known import ANYTHING, VARIES, Known, is_word, unless_null
from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import certain, did_you_mean
from compiler.language.faults import Fault
from compiler.language.functions import SPELLINGS, Function
from compiler.language.functions.registry import call
from compiler.language.functions.synonyms import FUNCTION_SYNONYMS
from compiler.language.functions.text import compile_pattern
from compiler.language.values import Kind, Value, describe_kind
from compiler.syntax.inner import inner_expression
from compiler.syntax.nodes import Binary, Call, Literal, Unary, left_of, unwrap

if TYPE_CHECKING:
    from compiler.analysis.expressions import Checker


def check_call(checker: Checker, node: Call, arguments: list[Known], skippable: bool) -> Known:
    """What is known of a call's result, given what is known of its arguments."""
    row = SPELLINGS.get(node.name)
    if row is None:
        return _unknown_function(checker, node)
    if not _check_count(checker, node, row):
        return ANYTHING
    if row.name == "default":
        return unless_null(*arguments)
    good = [_check_literal(checker, node, row, place, skippable) for place in range(len(arguments))]
    if not all(good):
        return ANYTHING
    return _apply(checker, node, row, arguments, skippable)


def _unknown_function(checker: Checker, node: Call) -> Known:
    word = "filter" if node.piped else "function"
    message = f"no {word} is called `{node.name}`"
    if not checker.found.wants_advice:
        return checker.report(codes.UNKNOWN_FUNCTION, node.name_span, message)
    label = did_you_mean(node.name, SPELLINGS, FUNCTION_SYNONYMS)
    meant = certain(node.name, SPELLINGS, FUNCTION_SYNONYMS) if label else None
    fixes = checker.found.replacing(checker.locate, node.name_span, meant)
    return checker.report(codes.UNKNOWN_FUNCTION, node.name_span, message, label=label, fixes=fixes)


def _check_count(checker: Checker, node: Call, row: Function) -> bool:
    given, least, most = len(node.arguments), row.minimum, row.maximum
    if given >= least and (most is None or given <= most):
        return True
    shift = 1 if node.piped else 0
    kind = "filter" if node.piped else "function"
    if most is not None and most < shift:
        message = f"`{node.name}` takes no value: nothing can be piped into it"
    else:
        wanted = _counted(least - shift, None if most is None else most - shift)
        noun = "argument" if wanted == "1" else "arguments"
        message = f"the {kind} `{node.name}` takes {wanted} {noun}, {given - shift} given"
    checker.report(codes.ARGUMENT_COUNT, node.name_span, message, help=f"`{row.signature}`")
    return False


def _counted(least: int, most: int | None) -> str:
    if most is None:
        return f"{max(least, 0)} or more"
    return str(most) if least == most else f"{max(least, 0)} to {most}"


# Arguments that must be literals.


def _check_literal(checker: Checker, node: Call, row: Function, place: int, skippable: bool) -> bool:
    parameter = row.parameter(place)
    if not parameter.literal:
        return True
    argument = node.arguments[place]
    literal = unwrap(argument)
    if not isinstance(literal, Literal) or not isinstance(literal.value, str):
        message = f"the {parameter.name} of `{row.name}` must be a text literal"
        checker.report(codes.NOT_A_LITERAL, argument.span, message)
        return False
    if parameter.literal == "pattern":
        return _check_pattern(checker, literal)
    if parameter.literal == "environment":
        return _check_environment(checker, literal)
    return _check_inner(checker, literal, skippable)


def _check_pattern(checker: Checker, literal: Literal) -> bool:
    try:
        compile_pattern(str(literal.value))
    except Fault as fault:
        checker.report(codes.BAD_PATTERN, literal.span, fault.message)
        return False
    return True


def _check_environment(checker: Checker, literal: Literal) -> bool:
    if literal.value in checker.environment:
        return True
    help = f"add `{literal.value}` to `env.allow` in worpen.toml, if every client may know it"
    message = f"`{literal.value}` is not in `env.allow`"
    checker.report(codes.FORBIDDEN_ENVIRONMENT, literal.span, message, help=help)
    return False


def _check_inner(checker: Checker, literal: Literal, skippable: bool) -> bool:
    inner = inner_expression(literal)
    locate = inner.within(checker.locate)
    checker.found.add_problems(locate, inner.problems)
    return inner.tree is not None and checker.check_inner(inner.tree, locate, skippable=skippable)


# Kinds, and results that are constant.


def _apply(checker: Checker, node: Call, row: Function, arguments: list[Known], skippable: bool) -> Known:
    for place, known in enumerate(arguments):
        if known.constant is VARIES and not _is_taken(row, place, known):
            return _wrong_argument(checker, node, row, place, known, skippable)
    if _is_foldable(row, arguments):
        return _fold(checker, node, row, arguments, skippable)
    return Known(row.result)


def _is_taken(row: Function, place: int, known: Known) -> bool:
    """Whether an argument can be of a kind that the function takes; numbers are taken as numeric texts too."""
    wanted = row.parameter(place).kinds
    if known.kinds & wanted:
        return True
    return bool(wanted & Kind.NUMBER and known.kinds & Kind.TEXT) and not is_word(known)


def _is_foldable(row: Function, arguments: list[Known]) -> bool:
    if not row.constant or not arguments or any(known.constant is VARIES for known in arguments):
        return False
    return not any(row.parameter(place).literal == "expression" for place in range(len(arguments)))


def _fold(checker: Checker, node: Call, row: Function, arguments: list[Known], skippable: bool) -> Known:
    def result(*constants: Value) -> Value:
        return call(row, constants, None)  # type: ignore[arg-type]

    def place(fault: Fault, operands: list[tuple[Known, Span]]) -> Span:
        if node.piped:
            return node.name_span
        spans = (span for known, span in operands for value in fault.operands if value is known.constant)
        return next(spans, node.name_span)

    operands = [(known, argument.span) for known, argument in zip(arguments, node.arguments, strict=True)]
    return checker.fold(result, operands, skippable, Known(row.result), place)


def _wrong_argument(checker: Checker, node: Call, row: Function, place: int, known: Known, skippable: bool) -> Known:
    piped = node.piped and not place
    left = left_of(node) if piped else None
    if isinstance(left, Unary) and left.operator == "!":
        return ANYTHING  # the parser warned that `!` takes only what stands beside it
    wanted = row.parameter(place).kinds
    shown = "a text that is not numeric" if is_word(known) and wanted & Kind.NUMBER else describe_kind(known.kinds)
    help = ""
    if isinstance(left, Binary):
        help = f"the filter takes everything to its left; write `(… | {node.name})` around what it is meant for"
    span = node.name_span if piped else node.arguments[place].span
    message = f"`{node.name}` takes {describe_kind(wanted)}, this is {shown}"
    return checker.wrong_kind(span, message, skippable, help)
