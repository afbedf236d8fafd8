"""What translated code calls on rare ways."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bytecode.program import Import, ImportKind
from compiler.diagnostics import codes
from compiler.language.faults import Fault
from runtime.translator import support
from tests.assembly import Performed, Quiet, program
from tests.assembly import run as run_hook


def test_functions_are_checked_and_normalised() -> None:
    upper = support.function_caller(Import(ImportKind.FUNCTION, "upper", 1), Quiet())
    assert upper("a") == "A"
    with pytest.raises(Fault, match="takes a text, not a number"):
        upper(5)
    absolute = support.function_caller(Import(ImportKind.FUNCTION, "abs", 1), Quiet())
    assert (absolute(-2.0), type(absolute(-2.0))) == (2, int)


def test_inner_expressions_are_passed_as_they_are() -> None:
    mapped = support.function_caller(Import(ImportKind.FUNCTION, "map", 2), Quiet())
    assert mapped([1, 2], lambda item: item * 2) == [2, 4]


def test_what_each_goes_over() -> None:
    assert support.items_of(None) == ()
    with pytest.raises(Fault) as caught:
        support.items_of("abc")
    assert caught.value.kind is codes.TYPE_ERROR


def test_a_recursion_error_of_the_host_is_a_bug() -> None:
    made = program("TRY ; CONST 'a' ; FALSE ; EMIT send ; DROP ; CATCH 0 ; LOCAL 0 ; MEMBER 'code' ; RETURN ; END")
    host = Performed({"send": RecursionError("the host's own")})
    with pytest.raises(RecursionError, match="the host's own"):
        run_hook(made, host)


def test_an_overflow_of_a_template_is_a_fault() -> None:
    text = "CONST 1 ; SET_LOCAL 0 ; INPUT query ; CONST 1 ; ADD ; CONST 3 ; DIV ; RETURN"
    huge: Any = 10**400
    with pytest.raises(Fault) as caught:
        run_hook(program(text), query=huge)
    assert (caught.value.kind, caught.value.message) == (codes.NUMBER_RANGE, "the result is too large")
