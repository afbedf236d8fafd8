"""What an input means, and where it ends."""

from __future__ import annotations

import pytest

from worpen_cli.repl.statements import Statement, awaits_more, blocks, is_open, read_statement, statements


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("a + 1", Statement("expression", "a + 1")),
        ("  a = 1 ", Statement("expression", "1", "a", 6)),
        ("a == 1", Statement("expression", "a == 1")),
        ("a => 1", Statement("expression", "a => 1")),
        (" hi {{ a }}", Statement("value", "hi {{ a }}", offset=1)),
        ("'{{ a }}' | upper", Statement("expression", "'{{ a }}' | upper")),
        ("a = '{{'", Statement("expression", "'{{'", "a", 4)),
        ("x = {a: 1}", Statement("expression", "{a: 1}", "x", 4)),
    ],
)
def test_what_an_input_means(text: str, statement: Statement) -> None:
    assert read_statement(text) == statement


@pytest.mark.parametrize("text", ["[1,", "{a: (", "'abc", 'f("x', "{{ a", "f(')'"])
def test_open_inputs(text: str) -> None:
    assert is_open(text)
    assert awaits_more(text)


@pytest.mark.parametrize("text", ["", "1 + 1", "[1]", "{{ a }}", "'('", '"a\\"("', ")", "f(')')"])
def test_complete_inputs(text: str) -> None:
    assert not is_open(text)
    assert not awaits_more(text)


@pytest.mark.parametrize("text", ["1 +", "a |", "a ?", "x = ", "a\n| upper |", "f(1) &&", "a."])
def test_an_operator_awaits_its_right_side(text: str) -> None:
    assert awaits_more(text)


@pytest.mark.parametrize("text", ["[1,\n", "1 +\n  ", ":type [1,", "'+'", "hi {{ a }}!"])
def test_empty_lines_and_commands_end_an_input(text: str) -> None:
    assert not awaits_more(text)


def test_lines_become_blocks() -> None:
    assert blocks(["1", "[1,", "2]", "(", "x"]) == ["1", "[1,\n2]", "(\nx"]


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("a = 1\na + 1", ["a = 1", "a + 1"]),
        ("[1,\n2]\n| sum", ["[1,\n2]\n| sum"]),
        ("1 +\n2\n3", ["1 +\n2", "3"]),
        ("'a\nb'\n\nc", ["'a\nb'", "c"]),
        ("hi {{ a }}\nthere", ["hi {{ a }}\nthere"]),
        (":type 1\n:vars", [":type 1", ":vars"]),
        ("a\n? b : c", ["a\n? b : c"]),
    ],
)
def test_pasted_lines(typed: str, parts: list[str]) -> None:
    assert [part.strip() for part in statements(typed)] == parts
