"""What is offered where."""

from __future__ import annotations

import pytest

from compiler.language.functions import FUNCTIONS
from compiler.language.values import Kind, Value
from worpen_cli.repl.completion import Candidate, complete
from worpen_cli.repl.evaluation import Evaluator
from worpen_cli.repl.preview import Previewer

SCOPE: dict[str, Value] = {
    "user": {"name": "Ann", "user-id": 3, "tags": ["a"]},
    "xs": [{"price": 1}],
    "n": 5,
    "message": "hi",
}
PREVIEWER = Previewer(Evaluator(), lambda _: None, 60_000_000_000)


def offered(before: str) -> list[Candidate]:
    return list(complete(before, SCOPE, lambda text: PREVIEWER.value(text, SCOPE), {"message": "The message."}))


def texts(before: str) -> list[str]:
    return [candidate.text for candidate in offered(before)]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("us", ["user"]),
        ("x = mess", ["message"]),
        ("[n, mess", ["message"]),
        ("user.", ["name", "['user-id']", "tags"]),
        ("user.na", ["name"]),
        ("user?.u", ["?.['user-id']"]),
        ("user.tags.", ["length"]),
        ("[xs[0].", ["price"]),
        ("(user).n", ["name"]),
        ("(xs | first).", ["price"]),
        ("hi {{ user.n", ["name"]),
        ("xs | map('pr", ["price"]),
        ("xs | map('i", ["item"]),
        ("message | upper | rev", ["reverse"]),
        ("message | repl", ["replace("]),
        ("n > 1 ? user.n", ["name"]),
        ("tru", ["truncate(", "true"]),
    ],
)
def test_offers(before: str, first: list[str]) -> None:
    assert texts(before) == first


@pytest.mark.parametrize(
    "before", ["'us", "hi {{ n }} us", "hi us {{ n }}", "nope.", "n.", "user ", "user.x.", "1 .", "."]
)
def test_offers_nothing(before: str) -> None:
    assert texts(before) == []


@pytest.mark.parametrize(
    ("piped", "kind"), [("message", Kind.TEXT), ("xs", Kind.LIST), ("n", Kind.NUMBER), ("user", Kind.OBJECT)]
)
def test_filters_that_take_the_type_come_first(piped: str, kind: Kind) -> None:
    names = [candidate.shown for candidate in offered(f"{piped} | ")]
    taken = [FUNCTIONS[name].parameters[0].kinds for name in names]
    fits = [bool(kinds & kind) for kinds in taken]
    assert fits == sorted(fits, reverse=True)
    assert taken[0] == kind
    assert set(names) == {name for name, row in FUNCTIONS.items() if row.parameters}


def test_arithmetic_binds_tighter_than_a_pipe() -> None:
    assert offered("message == n + 1 | ab")[0].text == "abs"
    assert "takes" not in offered("message == n + 1 | ab")[0].meta


def test_the_menu_says_what_a_name_is() -> None:
    assert offered("mess")[0].meta == 'text of 2  "hi"  The message.'
    row = FUNCTIONS["replace"]
    assert offered("message | repl")[0].meta == f"{row.signature}  {row.summary}"
    assert "not this" in offered("n | repl")[0].meta


def test_replacing_starts_where_the_word_does() -> None:
    assert offered("user.na")[0].start == 5
    assert offered("user.us")[0].start == 4
    assert offered("hi {{ us")[0].start == 6
