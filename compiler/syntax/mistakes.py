"""Mistakes of grammar: a token of the language where it cannot stand, or one that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from compiler.diagnostics import codes
from compiler.syntax import hints
from compiler.syntax.lexer import END, FOREIGN_NAME, INDEX, NAME, NUMBER, TEXT, Token
from compiler.syntax.nodes import Call, Expression, Member
from compiler.syntax.pending import LEVELS, Braces, Bracket, Choice, Pending
from compiler.syntax.problems import Mistake, quoted, replacement


def unclosed(entry: Pending) -> Mistake:
    """That the expression ended before something that needs a second half got it."""
    if isinstance(entry, Choice):
        _, _, start, end = entry.question
        advice = "both values are needed: `test ? a : b`"
        return Mistake(codes.BAD_EXPRESSION, start, end, "`?` without `:`", help=advice)
    assert isinstance(entry, Bracket), "operators are completed before anybody asks"
    _, text, start, end = entry.opener
    if isinstance(entry, Braces):
        return Mistake(codes.UNCLOSED_TEMPLATE, start, end, "this `{{` is never closed", help="it ends at `}}`")
    message = f"this `{text}` is never closed: a `{entry.closer}` is missing"
    return Mistake(codes.BAD_EXPRESSION, start, end, message)


def wrong_closer(pending: Sequence[Pending], top: Bracket, closer: Token) -> Mistake:
    """That a closer is not the one of the innermost bracket: if it closes an outer one, the inner one is open."""
    _, text, start, end = closer
    if any(isinstance(entry, Bracket) and entry.closer == text for entry in pending):
        return unclosed(top)
    message = f"`{top.opener[1]}` is closed by `{top.closer}`, not by `{text}`"
    return Mistake(codes.BAD_EXPRESSION, start, end, message)


def half_closed(braces: Bracket, closer: Token) -> Mistake:
    """That a single `}` stands where `}}` must."""
    _, _, start, end = braces.opener
    message = "this `{{` is never closed: a single `}` does not close it"
    edits = replacement(closer[2], closer[3], "}}")
    return Mistake(codes.UNCLOSED_TEMPLATE, start, end, message, help="write `}}`", edits=edits)


def misplaced_template(opener: Token, pending: Sequence[Pending], condition: bool, source: str) -> Mistake | None:
    """That a `{{` cannot open an operand here, if it cannot."""
    _, _, start, end = opener
    if not condition:
        message, advice = "a `{{` cannot stand inside an expression", "what stands here is computed without braces"
    elif any(isinstance(entry, Braces) for entry in pending):
        message, advice = "a template cannot stand inside a template", "one pair of `{{ }}` is enough"
    elif source.startswith("{", end):
        message, advice = "three braces do not open a template", "write `{{ x }}`, or `{{ {a: 1} }}`"
    else:
        return None
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help=advice)


# Keys and members.


def no_key(token: Token, braces: Bracket) -> Mistake:
    """That the key of an object must stand where `token` stands."""
    kind, text, start, end = token
    if kind == END:
        return unclosed(braces)
    if (mistake := hints.foreign(token, after_point=False)) is not None:
        return mistake
    edits = replacement(start, end, f"'{text}'") if kind == NUMBER else ()
    advice = f"write `'{text}'`" if kind == NUMBER else "as in `{key: value, 'other key': value}`"
    message = f"unexpected {quoted(text)}: the key of an object is a name or a text"
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help=advice, edits=edits)


def no_colon(key: Token, token: Token, braces: Bracket) -> Mistake:
    """That the `:` after an object's key must stand where `token` stands."""
    kind, text, start, end = token
    if kind == END:
        return unclosed(braces)
    if (mistake := hints.foreign(token, after_point=False)) is not None:
        return mistake
    message = f"unexpected {quoted(text)}: a `:` must follow the key {quoted(key[1])}"
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help="as in `{key: value}`")


def no_member(point: Token, key: Token) -> Mistake:
    """That a member's name must stand where `key` stands, after `.` or `?.`."""
    kind, text, start, end = key
    adjacent = kind == FOREIGN_NAME and point[0] == "." and point[3] == start
    if (mistake := hints.foreign(key, adjacent)) is not None:
        return mistake
    if kind == TEXT:
        return Mistake(codes.BAD_EXPRESSION, start, end, "a key in quotes needs brackets", help=f"write `[{text}]`")
    message = f"a key's name is missing after `{point[1]}`"
    return Mistake(codes.BAD_EXPRESSION, point[2], point[3], message, help="as in `a.b`")


def member_of_filtered(owner: Call, point: Token, source: str) -> Mistake:
    """That nobody would see what `a | f.b` is a member of."""
    _, text, start, end = point
    filtered = owner.span
    edits = (*replacement(filtered.start, filtered.start, "("), *replacement(filtered.end, filtered.end, ")"))
    advice = f"write {quoted(f'({source[filtered.start : filtered.end]}){text}…')}"
    message = "a member of a filter's result needs parentheses"
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help=advice, edits=edits)


def not_callable(called: Expression, opener: Token, source: str) -> Mistake:
    """That only names can be called."""
    _, _, start, end = opener
    if isinstance(called, Member):
        owner = source[called.owner.span.start : called.owner.span.end]
        advice = f"functions stand alone: write {quoted(f'{owner} | {called.key}(…)')}"
        return Mistake(codes.BAD_EXPRESSION, start, end, f"the member `{called.key}` cannot be called", help=advice)
    return unexpected(opener)


# Operands and what follows them.


def no_operand(token: Token, following: Token, previous: Token | None) -> Mistake:
    """That an operand must stand where `token` stands."""
    kind, text, start, end = token
    if (mistake := hints.foreign(token, after_point=False)) is not None:
        return mistake
    if kind == "." and following[0] == INDEX:
        return no_leading_digit(token, following)
    if kind == "+":
        edits = replacement(start, end, "")
        return Mistake(codes.UNKNOWN_OPERATOR, start, end, "unexpected `+`: there is no unary `+`", edits=edits)
    if previous is not None and kind in (END, ")", "]", "}"):
        return _nothing_after(previous, token)
    return Mistake(codes.BAD_EXPRESSION, start, end, f"an operand is missing before {quoted(text)}")


def no_leading_digit(point: Token, digits: Token) -> Mistake:
    """That `.5` is no number, whatever stands before it."""
    start, end = point[3] - 1, digits[3]
    number = f"0.{digits[1]}"
    return Mistake(
        codes.BAD_EXPRESSION,
        start,
        end,
        f"`.{digits[1]}` is not a number; write `{number}`",
        edits=replacement(start, end, f" {number}"),
    )


def _nothing_after(previous: Token, closer: Token) -> Mistake:
    _, text, start, end = previous
    if text == ",":
        message = f"no comma before {quoted(closer[1])}"
        return Mistake(codes.BAD_EXPRESSION, start, end, message, edits=replacement(start, end, ""))
    if text in ("(", "["):
        message = f"nothing stands between `{text}` and {quoted(closer[1])}"
        return Mistake(codes.BAD_EXPRESSION, start, closer[3], message)
    return Mistake(codes.BAD_EXPRESSION, start, end, f"an operand is missing after {quoted(text)}")


_FOLLOWING: Final[dict[str, str]] = {
    NAME: "an operator is missing, or the `|` before a filter",
    ",": "a list is written `[a, b]`",
    ":": "a `:` belongs to `test ? value : otherwise` or to an object",
    "(": "only names can be called: `f(x)`, `x | f`",
    "!": "`!=` means unequal; `!` stands before its operand",
}
"""Advice on what stands after a complete expression, by its kind."""


def unexpected(token: Token) -> Mistake:
    """That nothing of this kind can follow a complete expression."""
    kind, text, start, end = token
    if (mistake := hints.foreign(token, after_point=False)) is not None:
        return mistake
    if kind == NAME and text.lower() in hints.WORDS:
        return hints.unknown_operator(token, hints.WORDS)
    if kind in (")", "]", "}"):
        return Mistake(codes.BAD_EXPRESSION, start, end, f"unexpected `{text}`: nothing opens it")
    message = f"unexpected {quoted(text)} after a complete expression"
    advice = _FOLLOWING.get(kind, "an operator is missing")
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help=advice)


def chained_comparison(operator: Token) -> Mistake:
    """That `a < b < c` would compare a boolean with c."""
    _, text, start, end = operator
    message = f"comparisons cannot be chained: unexpected {quoted(text)}"
    return Mistake(codes.BAD_EXPRESSION, start, end, message, help="write `a < b && b < c`")


def missing_filter(pipe: Token, following: Token) -> Mistake:
    """That no filter's name follows a pipe."""
    _, _, start, end = pipe
    if following[0] in LEVELS or following[0] in (END, ")", "]", "}", ",", ":", "?", "|"):
        return Mistake(codes.BAD_EXPRESSION, start, end, "a filter name is missing after `|`", help="as in `x | upper`")
    return Mistake(
        codes.UNKNOWN_OPERATOR,
        start,
        end,
        "a filter name is missing after `|`; or did you mean `||`?",
        help="`||` is the operator for *or*",
        edits=replacement(start, end, "||"),
    )
