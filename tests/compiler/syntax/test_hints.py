from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.syntax.hints import CHARACTERS, OPERATORS, RESERVED_WORDS, WORDS, foreign
from compiler.syntax.lexer import UNKNOWN_OPERATORS, tokenize
from compiler.syntax.parser import parse_expression
from compiler.syntax.problems import Problem
from compiler.syntax.suspicions import edited


def problem_of(source: str) -> Problem:
    tree, problems = parse_expression(source)
    assert tree is None
    assert len(problems) == 1
    return problems[0]


def test_the_tables_agree() -> None:
    assert set(OPERATORS) == set(UNKNOWN_OPERATORS)
    assert set(WORDS) > RESERVED_WORDS


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_of_other_languages(operator: str) -> None:
    better, advice = OPERATORS[operator]
    source = f"a {operator} b"
    problem = problem_of(source)
    assert (problem.code, problem.span.start, problem.span.end) == (codes.UNKNOWN_OPERATOR, 2, 2 + len(operator))
    assert f"`{operator}`" in problem.message
    assert problem.help == advice
    assert (better is None) == (not problem.edits)
    if better is not None:
        assert f"`{better}`" in problem.message
        assert parse_expression(edited(source, problem.edits))[0] is not None


@pytest.mark.parametrize("word", [*WORDS, "AND", "Or"])
def test_words_for_operators(word: str) -> None:
    problem = problem_of(f"a {word} b")
    assert (problem.code, problem.span.start, problem.span.end) == (codes.UNKNOWN_OPERATOR, 2, 2 + len(word))
    if better := WORDS[word.lower()][0]:
        assert edited(f"a {word} b", problem.edits) == f"a {better} b"


@pytest.mark.parametrize(
    ("source", "start"), [("not a", 0), ("not (a)", 0), ("and", 0), ("a && not b", 5), ("a | or", 4), ("[not]", 1)]
)
def test_reserved_words_are_no_names(source: str, start: int) -> None:
    problem = problem_of(source)
    assert (problem.code, problem.span.start) == (codes.UNKNOWN_OPERATOR, start)


def test_other_words_are_names() -> None:
    assert parse_expression("is + mod(if)")[0] is not None


@pytest.mark.parametrize("character", CHARACTERS)
def test_characters_of_other_languages(character: str) -> None:
    for source in (f"a {character}b", f"{character}a", f"a.{character}"):
        problem = problem_of(source)
        assert problem.code is codes.BAD_EXPRESSION
        assert source[problem.span.start] == character
        assert problem.help == CHARACTERS[character]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        ("0x10", "decimal"), ("0B1", "decimal"), ("1_000", "`1000`"), ("1.", "follow the point"),
        ("1.2.3", "both sides"), ("1e", "exponent"), ("12ab", "starts with a letter"),
    ],
)  # fmt: skip
def test_numbers_of_other_languages(number: str, advice: str) -> None:
    problem = problem_of(f"1 + {number}")
    assert (problem.code, problem.span.start, problem.span.end) == (codes.BAD_EXPRESSION, 4, 4 + len(number))
    assert advice in problem.help


def test_names_of_other_scripts_are_read_by_brackets() -> None:
    assert "`x['سن']`" in problem_of("سن + 1").help
    assert not problem_of("سن + 1").edits
    assert edited("x.سن + 1", problem_of("x.سن + 1").edits) == "x['سن'] + 1"
    assert not problem_of("x. سن").edits
    assert not problem_of("x?.سن").edits


def test_invisible_characters_are_named_and_removed() -> None:
    problem = problem_of("a\u200b + b")
    assert "U+200B" in problem.message
    assert "ZERO WIDTH SPACE" in problem.message
    assert edited("a\u200b + b", problem.edits) == "a + b"


def test_other_characters_are_named() -> None:
    assert "`😀` (GRINNING FACE)" in problem_of("a 😀").message


def test_open_texts_point_at_their_quote() -> None:
    problem = problem_of("a == \"b + 'c'")
    assert (problem.code, problem.span.start, problem.span.end) == (codes.UNCLOSED_TEXT, 5, 6)


def test_tokens_of_the_language_are_not_foreign() -> None:
    assert all(foreign(token, False) is None for token in tokenize("a.b + 'c' | f(1)[2]", 0, 19))
