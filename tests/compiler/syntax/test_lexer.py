from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.syntax.lexer import (
    BAD_NUMBER,
    END,
    FOREIGN_NAME,
    INDEX,
    NAME,
    NUMBER,
    OPEN_TEXT,
    OPERATORS,
    STRAY,
    TEXT,
    UNKNOWN,
    UNKNOWN_OPERATORS,
    number_value,
    text_value,
    tokenize,
)
from compiler.syntax.problems import Mistake


def kinds(source: str) -> list[tuple[str, str]]:
    tokens = tokenize(source, 0, len(source))
    assert all(source[start:end] == text for _, text, start, end in tokens)
    while len(tokens) > 1 and tokens[-2][0] == END:
        tokens.pop()
    assert tokens[-1][0] == END
    return [(kind, text) for kind, text, _, _ in tokens[:-1]]


def test_names_numbers_texts_and_operators() -> None:
    assert kinds("a_1 + 2.5e-3 == 'x' | f") == [
        (NAME, "a_1"), ("+", "+"), (NUMBER, "2.5e-3"), ("==", "=="), (TEXT, "'x'"), ("|", "|"), (NAME, "f"),
    ]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_are_their_own_kind(operator: str) -> None:
    assert kinds(operator) == [(operator, operator)]


@pytest.mark.parametrize("operator", UNKNOWN_OPERATORS)
def test_unknown_operators_are_one_token(operator: str) -> None:
    assert kinds(f"a {operator} b") == [(NAME, "a"), (UNKNOWN, operator), (NAME, "b")]


def test_longer_operators_come_first() -> None:
    assert [kind for kind, _ in kinds("a**b||c??d?.e")] == [NAME, "**", NAME, "||", NAME, "??", NAME, "?.", NAME]
    assert [kind for kind, _ in kinds("5--3")] == [NUMBER, "-", "-", NUMBER]
    assert [kind for kind, _ in kinds("!!a==-1")] == ["!", "!", NAME, "==", "-", NUMBER]


def test_digits_after_a_point_are_an_index() -> None:
    assert kinds("m.0.1") == [(NAME, "m"), (".", "."), (INDEX, "0"), (".", "."), (INDEX, "1")]
    assert kinds("0.1") == [(NUMBER, "0.1")]


@pytest.mark.parametrize("number", ["0x10", "1.2.3", "1.", "1_000", "12ab", "1e", "1.5e", "5.length", "1٣", "1e+5x"])
def test_malformed_numbers_are_one_token(number: str) -> None:
    assert kinds(number) == [(BAD_NUMBER, number)]


def test_a_malformed_number_ends_before_an_operator() -> None:
    assert kinds("1e+x") == [(BAD_NUMBER, "1e"), ("+", "+"), (NAME, "x")]


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\r\n", "\xa0", "\u2003", "\u3000", "\x0b"])
def test_any_unicode_blank_separates(blank: str) -> None:
    assert kinds(f"{blank}a{blank}b{blank}") == [(NAME, "a"), (NAME, "b")]


def test_names_of_other_scripts_are_one_token() -> None:
    assert kinds("سن + naïve") == [(FOREIGN_NAME, "سن"), ("+", "+"), (FOREIGN_NAME, "naïve")]


def test_texts_hold_quotes_and_line_breaks() -> None:
    assert kinds("""'it\\'s "a"\n' "'" """) == [(TEXT, "'it\\'s \"a\"\n'"), (TEXT, '"\'"')]


def test_an_open_text_takes_the_rest() -> None:
    assert kinds("a == 'b + c") == [(NAME, "a"), ("==", "=="), (OPEN_TEXT, "'b + c")]
    assert kinds("'abc\\") == [(OPEN_TEXT, "'abc\\")]
    assert kinds("'abc\\'") == [(OPEN_TEXT, "'abc\\'")]


@pytest.mark.parametrize("character", ["#", ";", "`", "$", "@", "\\", "“", "’", "\u200b", "😀", "\0"])
def test_other_characters_are_strays(character: str) -> None:
    assert kinds(f"a{character} b")[1] == (STRAY, character)


def test_a_part_of_a_source_has_offsets_of_the_whole() -> None:
    assert tokenize("Hi {{ x }}!", 5, 8)[0] == (NAME, "x", 6, 7)


def test_many_open_quotes_are_read_in_linear_time() -> None:
    assert len(kinds("'\\" * 200_000)) == 1


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("12", 12), ("007", 7), ("3.14", 3.14), ("1e3", 1000), ("1E2", 100), ("1e-7", 1e-7), ("1.0", 1),
        ("9007199254740993", 9007199254740992), ("1" * 300, int(float("1" * 300))),
    ],
)  # fmt: skip
def test_numbers_are_normal(literal: str, value: float) -> None:
    number = number_value(literal, 0)
    assert number == value
    assert type(number) is type(value)


@pytest.mark.parametrize("literal", ["1e999", "9" * 5000])
def test_numbers_beyond_the_doubles(literal: str) -> None:
    with pytest.raises(Mistake) as caught:
        number_value(literal, 3)
    assert caught.value.problem.code is codes.NUMBER_RANGE
    assert caught.value.problem.span.start == 3


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r"'\n\t\r\\'", "\n\t\r\\"), (r"'it\'s'", "it's"), (r'"say \"hi\""', 'say "hi"'), (r"'\u00e9'", "é"),
        (r"'\ud83d\ude00'", "😀"), (r"'\q\U0041'", r"\q\U0041"), ("'a\\\nb'", "a\\\nb"), ("'a\nb'", "a\nb"),
        (r"'\\u00e9'", r"\u00e9"), (r"'\\n'", r"\n"), ("''", ""),
    ],
)  # fmt: skip
def test_escapes(literal: str, value: str) -> None:
    assert text_value(literal, 0) == value


@pytest.mark.parametrize(
    ("literal", "start", "end"),
    [
        (r"'ab\u00'", 3, 5), (r"'\ud83d'", 1, 7), (r"'a\ude00'", 2, 8), (r"'\ud83d\ud83d'", 1, 7),
        (r"'\ud83dx\ude00'", 1, 7), (r"'\u٣٣٣٣'", 1, 3),
    ],
)  # fmt: skip
def test_wrong_escapes_are_shown_where_they_stand(literal: str, start: int, end: int) -> None:
    with pytest.raises(Mistake) as caught:
        text_value(literal, 10)
    span = caught.value.problem.span
    assert (span.start, span.end) == (start + 10, end + 10)
