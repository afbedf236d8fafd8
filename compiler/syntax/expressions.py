"""From tokens to a tree: operator precedence without recursion (language section 7).

Two states take turns: an operand is awaited, or one is complete and something may follow it. What waits
for an operand or a closer lies on a stack of `compiler.syntax.pending`; an operator first completes all
that binds at least as tightly. A filter completes everything of levels 1 to 5 and is then an operand
itself, which is why `x | length * 2` multiplies the length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.language.limits import BRACKET_DEPTH
from compiler.language.values import Value
from compiler.syntax import hints, mistakes
from compiler.syntax.lexer import (
    END,
    INDEX,
    NAME,
    NUMBER,
    TEXT,
    Token,
    number_value,
    text_value,
    tokenize,
)
from compiler.syntax.nodes import Call, Expression, Index, ListLiteral, Literal, Member, Name, ObjectLiteral, Unary
from compiler.syntax.pending import (
    CHOICE,
    LEVELS,
    OPEN,
    ORDER,
    PIPE,
    POWER,
    Arguments,
    Braces,
    Bracket,
    Choice,
    Group,
    IndexBrackets,
    Infix,
    ListBrackets,
    ObjectBraces,
    Pending,
    Prefix,
    make_call,
)
from compiler.syntax.problems import Mistake, Problem, quoted

OPERAND_DEPTH: Final = 2 * BRACKET_DEPTH + 50
"""How deep operands may nest off the spines: room for an operator before each bracket, and recursion for walkers."""

_OPENED_IN_VAIN: Final = frozenset({("(", END), ("[", END), ("{", END), ("{", "}")})
"""An opener and what follows it where the closer is what is missing; `{}` and `{{}}` were read before."""

_CONSTANTS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}


class ExpressionParser:
    """Reads one expression, `source[start:end]`. Mutable, used once.

    `condition`: `{{ … }}` may stand for an operand. After `parse`, `warnings` are what may come with a
    tree, and `doubtful` tells that `compiler.syntax.precedence` should look at it.
    """

    def __init__(self, source: str, start: int, end: int, condition: bool) -> None:
        self.source = source
        self.condition = condition
        self.warnings: list[Problem] = []
        self.doubtful = False
        self.tokens = tokenize(source, start, end)
        self._place = 0
        self._pending: list[Pending] = []
        self._brackets = 0

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read."""
        return self.tokens[0][0] == END

    def parse(self) -> Expression:
        """The tree. Raises Mistake, at the first token that cannot stand where it stands."""
        node = self._operand()
        while True:
            token = self.tokens[self._place]
            kind = token[0]
            if (level := LEVELS.get(kind)) is not None:
                node = self._infix(node, token, level)
            elif kind == END:
                return self._finish(node)
            elif (follow := _FOLLOWERS.get(kind)) is not None:
                node = follow(self, node, token)
            else:
                raise mistakes.unexpected(token)

    # The stack.

    def _push(self, entry: Pending, opener: Token) -> None:
        self._pending.append(entry)
        if len(self._pending) > OPERAND_DEPTH or self._brackets > BRACKET_DEPTH:
            message = f"the expression is nested more than {BRACKET_DEPTH} deep"
            raise Mistake(codes.LIMIT, opener[2], opener[3], message, help="compute a part of it in a `SetVar` before")

    def _open(self, bracket: Bracket) -> None:
        self._brackets += 1
        self._push(bracket, bracket.opener)

    def _opens_nothing(self, bracket: Bracket) -> bool:
        """Open a bracket, and go past its closer where that follows at once."""
        self._open(bracket)
        if self.tokens[self._place][0] != bracket.closer:
            return False
        self._pending.pop()
        self._brackets -= 1
        self._place += 1
        return True

    def _reduce(self, node: Expression, level: int) -> Expression:
        """Complete, with `node` as last operand, all that binds as tightly as `level` or tighter."""
        pending = self._pending
        while pending and pending[-1].level <= level:
            node = pending.pop().complete(node)
        return node

    def _finish(self, node: Expression) -> Expression:
        node = self._reduce(node, OPEN - 1)
        if self._pending:
            raise mistakes.unclosed(self._pending[-1])
        return node

    # An operand is awaited.

    def _operand(self) -> Expression:
        """The next operand that is complete by itself; prefix operators and openers before it become pending."""
        while True:
            token = self.tokens[self._place]
            begin = _BEGINNERS.get(token[0])
            if begin is None:
                raise self._no_operand(token)
            self._place += 1
            if (node := begin(self, token)) is not None:
                return node

    def _no_operand(self, token: Token) -> Mistake:
        previous = self.tokens[self._place - 1] if self._place else None
        if previous is not None and (previous[0], token[0]) in _OPENED_IN_VAIN:
            return mistakes.unclosed(self._pending[-1])
        return mistakes.no_operand(token, self.tokens[min(self._place + 1, len(self.tokens) - 1)], previous)

    def _number(self, token: Token) -> Expression:
        _, text, start, end = token
        return Literal(number_value(text, start), Span(start, end))

    def _text(self, token: Token) -> Expression:
        _, text, start, end = token
        return Literal(text_value(text, start), Span(start, end))

    def _name(self, token: Token) -> Expression | None:
        _, text, start, end = token
        if text in hints.RESERVED_WORDS:
            raise hints.unknown_operator(token, hints.WORDS)
        if self.tokens[self._place][0] == "(":
            self._refuse_constant_call(token)
            return self._arguments(token, None)
        if text in _CONSTANTS:
            return Literal(_CONSTANTS[text], Span(start, end))
        return Name(text, Span(start, end))

    def _refuse_constant_call(self, token: Token) -> None:
        if token[1] in _CONSTANTS:
            raise mistakes.unexpected(self.tokens[self._place])

    def _arguments(self, name: Token, piped: Expression | None) -> Expression | None:
        """Go past the `(` after a name: the call where nothing is passed, else None, with the brackets pending."""
        opener = self.tokens[self._place]
        self._place += 1
        if self._opens_nothing(Arguments(opener, name, piped)):
            return make_call(name, (), piped, self.tokens[self._place - 1][3])
        return None

    def _prefix(self, token: Token) -> None:
        self._push(Prefix(token), token)

    def _group(self, token: Token) -> None:
        self._open(Group(token))

    def _list(self, token: Token) -> Expression | None:
        if self._opens_nothing(ListBrackets(token)):
            return ListLiteral((), Span(token[2], self.tokens[self._place - 1][3]))
        return None

    def _braces(self, token: Token) -> Expression | None:
        following = self.tokens[self._place]
        if following[0] == "{" and following[2] == token[3]:
            self._template(token, following)
            return None
        braces = ObjectBraces(token)
        if self._opens_nothing(braces):
            return ObjectLiteral((), Span(token[2], following[3]))
        self._key(braces)
        return None

    # `{{ … }}` for an operand of a condition.

    def _template(self, first: Token, second: Token) -> None:
        opener: Token = ("{", "{{", first[2], second[3])
        if misplaced := mistakes.misplaced_template(opener, self._pending, self.condition, self.source):
            raise misplaced
        self._place += 1
        if self._closes_braces(self._place):
            end = self.tokens[self._place + 1][3]
            raise Mistake(codes.EMPTY_TEMPLATE, opener[2], end, "nothing stands between the braces")
        self._push(Braces(opener), opener)

    def _closes_braces(self, place: int) -> bool:
        first, second = self.tokens[place], self.tokens[min(place + 1, len(self.tokens) - 1)]
        return first[0] == second[0] == "}" and first[3] == second[2]

    # Keys of objects.

    def _key(self, braces: ObjectBraces) -> None:
        """Go past `key :`."""
        kind, text, start, end = token = self.tokens[self._place]
        if kind not in (NAME, TEXT):
            raise mistakes.no_key(token, braces)
        key = text if kind == NAME else text_value(text, start)
        if key in braces.seen:
            message = f"the key {quoted(key)} is given twice; the last one counts"
            self.warnings.append(Problem(codes.REPEATED_KEY, Span(start, end), message))
        colon = self.tokens[self._place + 1]
        if colon[0] != ":":
            raise mistakes.no_colon(token, colon, braces)
        braces.seen.add(key)
        braces.keys.append((key, Span(start, end)))
        self._place += 2

    # An operand is complete: what follows it.

    def _infix(self, node: Expression, token: Token, level: int) -> Expression:
        node = self._reduce(node, level - 1 if level in (POWER, ORDER) else level)
        if level == ORDER and self._pending and self._pending[-1].level == ORDER:
            raise mistakes.chained_comparison(token)
        if token[0] == "||":
            self.doubtful = True
        self._place += 1
        self._push(Infix(level, node, token), token)
        return self._operand()

    def _member(self, node: Expression, token: Token) -> Expression:
        self._refuse_filtered(node, token)
        kind, text, start, end = key = self.tokens[self._place + 1]
        safe = token[0] == "?."
        if kind == NAME:
            self._place += 2
            return Member(node, text, safe, Span(node.span.start, end), Span(start, end))
        if safe and kind == "[":
            self._place += 1
            return self._index(node, key)
        if kind == INDEX and safe:
            raise mistakes.no_leading_digit(token, key)
        if kind == INDEX or (kind == NUMBER and text.isdecimal() and not safe):
            self._place += 2
            return Index(node, Literal(number_value(text, start), Span(start, end)), False, Span(node.span.start, end))
        raise mistakes.no_member(token, key)

    def _index(self, node: Expression, token: Token) -> Expression:
        self._refuse_filtered(node, token)
        safe = self.tokens[self._place - 1][0] == "?."
        self._place += 1
        self._open(IndexBrackets(token, node, safe))
        return self._operand()

    def _refuse_filtered(self, node: Expression, token: Token) -> None:
        if isinstance(node, Call) and node.piped:
            raise mistakes.member_of_filtered(node, token, self.source)

    def _call(self, node: Expression, token: Token) -> Expression:
        raise mistakes.not_callable(node, token, self.source)

    def _filter(self, node: Expression, token: Token) -> Expression:
        name = self.tokens[self._place + 1]
        if name[1] in hints.RESERVED_WORDS:
            raise hints.unknown_operator(name, hints.WORDS)
        if name[0] != NAME or name[1] in _CONSTANTS:
            raise hints.foreign(name, after_point=False) or mistakes.missing_filter(token, name)
        node = self._reduce(node, PIPE - 1)
        if isinstance(node, Unary) and node.operator == "!":
            self.doubtful = True
        self._place += 2
        if self.tokens[self._place][0] != "(":
            return make_call(name, (), node, name[3])
        return self._arguments(name, node) or self._operand()

    def _question(self, node: Expression, token: Token) -> Expression:
        node = self._reduce(node, CHOICE - 1)
        top = self._pending[-1] if self._pending else None
        if isinstance(top, Choice) and top.level == CHOICE:
            top.ask(node, token)
        else:
            self._push(Choice(node, token), token)
        self._place += 1
        return self._operand()

    def _colon(self, node: Expression, token: Token) -> Expression:
        node = self._reduce(node, OPEN - 1)
        top = self._pending[-1] if self._pending else None
        if not isinstance(top, Choice):
            raise mistakes.unexpected(token)
        top.answer(node)
        self._place += 1
        return self._operand()

    def _comma(self, node: Expression, token: Token) -> Expression:
        node = self._reduce(node, OPEN - 1)
        top = self._pending[-1] if self._pending else None
        if isinstance(top, Choice):
            raise mistakes.unclosed(top)
        if not isinstance(top, Bracket) or not top.takes_commas:
            raise mistakes.unexpected(token)
        top.items.append(node)
        self._place += 1
        if isinstance(top, ObjectBraces):
            if self.tokens[self._place][0] == top.closer:
                raise self._no_operand(self.tokens[self._place])
            self._key(top)
        return self._operand()

    def _close(self, node: Expression, token: Token) -> Expression:
        node = self._reduce(node, OPEN - 1)
        top = self._pending[-1] if self._pending else None
        if isinstance(top, Choice):
            raise mistakes.unclosed(top)
        if not isinstance(top, Bracket):
            raise mistakes.unexpected(token)
        if top.closer != token[0]:
            raise mistakes.wrong_closer(self._pending, top, token)
        if isinstance(top, Braces):
            return self._close_template(node, top, token)
        self._pending.pop()
        self._brackets -= 1
        self._place += 1
        return top.close(node, token[3])

    def _close_template(self, node: Expression, braces: Braces, token: Token) -> Expression:
        if not self._closes_braces(self._place):
            raise mistakes.half_closed(braces, token)
        self._pending.pop()
        self._place += 2
        return braces.close(node, token[3] + 1)


_BEGINNERS: Final[dict[str, Callable[[ExpressionParser, Token], Expression | None]]] = {
    NAME: ExpressionParser._name,
    NUMBER: ExpressionParser._number,
    TEXT: ExpressionParser._text,
    "-": ExpressionParser._prefix,
    "!": ExpressionParser._prefix,
    "(": ExpressionParser._group,
    "[": ExpressionParser._list,
    "{": ExpressionParser._braces,
}
"""What can begin an operand: gives it, or None where more is awaited."""

_FOLLOWERS: Final[dict[str, Callable[[ExpressionParser, Expression, Token], Expression]]] = {
    ".": ExpressionParser._member,
    "?.": ExpressionParser._member,
    "[": ExpressionParser._index,
    "(": ExpressionParser._call,
    "|": ExpressionParser._filter,
    "?": ExpressionParser._question,
    ":": ExpressionParser._colon,
    ",": ExpressionParser._comma,
    ")": ExpressionParser._close,
    "]": ExpressionParser._close,
    "}": ExpressionParser._close,
}
"""What can follow an operand besides the operators of LEVELS: gives the next complete operand."""
