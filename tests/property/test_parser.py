"""The parser against random text, against its printer, and against a naive parser of the same grammar."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.source import Span
from compiler.syntax.lexer import OPERATORS, UNKNOWN_OPERATORS, tokenize
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
    Unary,
    walk,
)
from compiler.syntax.parser import parse_condition, parse_expression, parse_template
from compiler.syntax.printer import show
from compiler.syntax.problems import Problem
from tests.compiler.syntax.outline import outline

SOUP = st.lists(
    st.sampled_from(
        [*OPERATORS, *UNKNOWN_OPERATORS, "{{", "}}", "a", "b2", "f", "true", "and", "not", "'t'", '"', "'", "12", "1.5",
         "0x1", ".5", "\\", "#", "$", "${", "سن", " ", "\n", "\u200b"]
    )
).map("".join)  # fmt: skip
TEXT = st.text(st.one_of(st.characters(), st.sampled_from("{}'\"\\.|?:()[]u0d8 ")), max_size=60)


def check(value: str, broken: bool, problems: tuple[Problem, ...]) -> None:
    errors = [problem for problem in problems if problem.code.severity is Severity.ERROR]
    assert broken == bool(errors)
    for problem in problems:
        for span in (problem.span, *(edit.span for edit in problem.edits)):
            assert 0 <= span.start <= span.end <= len(value)
        assert problem.message


@given(st.one_of(SOUP, TEXT))
def test_no_text_breaks_the_parser(value: str) -> None:
    tree, problems = parse_expression(value)
    check(value, tree is None, problems)
    assert tree is not None or len(problems) == 1
    condition, problems = parse_condition(value)
    check(value, condition is None, problems)
    template, problems = parse_template(value)
    check(value, template.broken, problems)
    template, problems = parse_template(f"a {{{{ {value} }}}} b")
    check(f"a {{{{ {value} }}}} b", template.broken, problems)


@given(st.one_of(SOUP, TEXT))
def test_tokens_cover_all_but_blanks(value: str) -> None:
    place = 0
    for _, text, start, end in tokenize(value, 0, len(value)):
        assert not value[place:start].strip()
        assert value[start:end] == text
        place = end
    assert place == len(value)


@given(SOUP)
def test_what_is_an_expression_is_a_condition_too(value: str) -> None:
    tree, _ = parse_expression(value)
    condition, _ = parse_condition(value)
    assert tree is None or (condition is not None and outline(condition) == outline(tree))


# Trees printed and read again.

NOWHERE = Span(0, 0)
NAMES = st.sampled_from(["a", "b", "item", "x_1"])
LITERALS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 1 << 53),
    st.floats(0, 1e300).filter(lambda number: not number.is_integer()), st.text(max_size=5),
)  # fmt: skip
LEAVES = st.one_of(
    LITERALS.map(lambda value: Literal(value, NOWHERE)),
    NAMES.map(lambda name: Name(name, NOWHERE)),
)
ARITHMETIC = ["+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">="]


def branches(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Member, inner, NAMES, st.booleans(), st.just(NOWHERE), st.just(NOWHERE)),
        st.builds(Index, inner, inner, st.booleans(), st.just(NOWHERE)),
        st.builds(Call, NAMES, several, st.just(False), st.just(NOWHERE), st.just(NOWHERE)),
        st.builds(lambda n, one, more: Call(n, (one, *more), True, NOWHERE, NOWHERE), NAMES, inner, several),
        st.builds(Unary, st.sampled_from("-!"), inner, st.just(NOWHERE)),
        st.builds(Binary, st.sampled_from(ARITHMETIC), inner, inner, st.just(NOWHERE), st.just(NOWHERE)),
        st.builds(Logical, st.sampled_from(["&&", "||", "??"]), inner, inner, st.just(NOWHERE), st.just(NOWHERE)),
        st.builds(
            lambda asked, otherwise: Conditional(tuple(asked), otherwise, NOWHERE),
            st.lists(st.tuples(inner, inner), min_size=1, max_size=2), inner,
        ),
        several.map(lambda items: ListLiteral(items, NOWHERE)),
        st.dictionaries(st.one_of(NAMES, st.text(max_size=4)), inner, max_size=3).map(
            lambda entries: ObjectLiteral(tuple((key, NOWHERE, value) for key, value in entries.items()), NOWHERE)
        ),
    )  # fmt: skip


TREES = st.recursive(LEAVES, branches, max_leaves=12)


@given(TREES)
def test_printed_trees_read_back(tree: Expression) -> None:
    source = show(tree)
    again, _ = parse_expression(source)
    assert again is not None, source
    assert outline(again) == outline(tree)
    assert show(again) == source


@given(TREES)
def test_positions_do_not_change_the_tree(tree: Expression) -> None:
    source = show(tree)
    for value in (f"{{{{{source} }}}}", f"Hi {{{{ {source}\n}}}}{{{{ b }}}}"):
        if value.startswith("{{{"):
            continue
        template, _ = parse_template(value)
        assert not template.broken
        assert outline(next(template.expressions)) == outline(tree)
    condition, _ = parse_condition(f"{{{{ {source} }}}} != (\t{source})")
    assert isinstance(condition, Binary)
    assert outline(condition.left_operand) == outline(condition.right) == outline(tree)


@given(TREES)
def test_blanks_between_tokens_mean_nothing(tree: Expression) -> None:
    source = show(tree)
    tokens = [text for _, text, _, _ in tokenize(source, 0, len(source))]
    for blank in (" ", "\n\t", "\u3000"):
        again, _ = parse_expression(blank.join(tokens))
        assert again is not None
        assert outline(again) == outline(tree)


@given(TREES)
def test_every_span_reads_as_its_node(tree: Expression) -> None:
    source = show(tree)
    again, _ = parse_expression(source)
    assert again is not None
    for node in walk(again):
        part, _ = parse_expression(source[node.span.start : node.span.end])
        assert part is not None
        assert outline(part) == outline(node)


# A naive parser: recursive descent over the table of the language, a function a level, on tokens split by blanks.

LEFT_LEVELS = [["??"], ["||"], ["&&"], ["==", "!="], ["<", "<=", ">", ">="], None, ["+", "-"], ["*", "/", "%"]]


class Refused(Exception):
    """The naive parser cannot read it."""


class Naive:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, "end"]
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place]

    def take(self, *expected: str) -> str:
        token = self.tokens[self.place]
        if expected and token not in expected:
            raise Refused(token)
        self.place += 1
        return token

    def whole(self) -> Any:
        tree = self.choice()
        self.take("end")
        return tree

    def choice(self) -> Any:
        test, asked = self.left(0, None), []
        while self.peek() == "?":
            self.take()
            value = self.choice()
            self.take(":")
            asked.append((test, value))
            test = self.left(0, None)
        return ("?", *asked, test) if asked else test

    def left(self, level: int, first: Any) -> Any:
        """Levels 11 to 4; `first` is an operand that was read already and begins the innermost of them."""
        if level == len(LEFT_LEVELS):
            return self.prefix(first)
        operators = LEFT_LEVELS[level]
        if operators is None:
            return self.pipe(level)
        tree = self.left(level + 1, first)
        while self.peek() in operators:
            operator = self.take()
            tree = (operator, tree, self.left(level + 1, None))
            if operator in ("<", "<=", ">", ">=") and self.peek() in operators:
                raise Refused("chained")
        return tree

    def pipe(self, level: int) -> Any:
        tree = self.left(level + 1, None)
        while self.peek() == "|":
            self.take()
            name = self.take("a", "b", "f", "g")
            passed = self.arguments() if self.peek() == "(" else ()
            tree = self.left(level + 1, ("|", name, tree, *passed))
        return tree

    def prefix(self, first: Any) -> Any:
        if first is None and self.peek() in ("-", "!"):
            return (self.take(), self.prefix(None))
        base = self.operand() if first is None else first
        if self.peek() == "**":
            self.take()
            return ("**", base, self.prefix(None))
        return base

    def operand(self) -> Any:
        if self.peek() == "(":
            self.take()
            tree = self.choice()
            self.take(")")
        else:
            tree = self.take("a", "b", "f", "g")
            if self.peek() == "(":
                tree = ("call", tree, *self.arguments())
        while self.peek() == ".":
            self.take()
            tree = (".", tree, self.take("a", "b", "f", "g"))
        return tree

    def arguments(self) -> tuple[Any, ...]:
        """At most one: there are no commas here."""
        self.take("(")
        passed = () if self.peek() == ")" else (self.choice(),)
        self.take(")")
        return passed


OPERAND = st.sampled_from(["a", "b", "- a", "! b", "a . b", "( a | f )", "( a ? b : f )", "- - a", "( a + b ) . a"])
CONNECTIVE = st.sampled_from(
    [*(operator for operators in LEFT_LEVELS for operator in operators or []), "**", "| f *", "| g **", "| f >",
     "| f | g +", "| g &&", "| f ? a :", "?", ":", "? a :", "? b ? a : f :", "| f . ", "| f -"]
)  # fmt: skip
CHAINS = st.builds(
    lambda first, rest, last: " ".join([first, *(word for pair in rest for word in pair), last]).split(),
    OPERAND, st.lists(st.tuples(CONNECTIVE, OPERAND), max_size=8), st.sampled_from(["", "| f", "| f | g", ")"]),
)  # fmt: skip
NOISE = st.lists(st.sampled_from(["a", "f", "+", "-", "**", "!", "<", "&&", "|", "?", ":", "(", ")", "."]), max_size=9)


@given(st.one_of(CHAINS, NOISE))
def test_a_naive_parser_agrees(tokens: list[str]) -> None:
    try:
        expected = Naive(tokens).whole()
    except Refused:
        expected = None
    tree, problems = parse_expression(" ".join(tokens))
    assert (outline(tree) if tree is not None else None) == expected, problems
