"""Completions: what can stand where."""

from __future__ import annotations

import pytest

from compiler.derive.completions import complete_fields, complete_functions, complete_operations, complete_variables
from compiler.language.functions import FUNCTIONS
from compiler.language.hooks import INPUTS
from compiler.language.values import Kind
from compiler.operations import OPERATIONS


def test_all_functions_with_signature_and_a_sentence() -> None:
    found = complete_functions()
    assert [one.name for one in found] == list(FUNCTIONS)
    assert all(one.detail.startswith(f"{one.name}(") and one.doc and "\n" not in one.doc for one in found)


def test_behind_a_pipe_only_what_takes_the_value() -> None:
    of_lists = {one.name for one in complete_functions(Kind.LIST)}
    assert {"first", "sort", "length", "reverse"} <= of_lists
    assert not {"upper", "now", "sqrt"} & of_lists
    assert "upper" in {one.name for one in complete_functions(Kind.TEXT)}


def test_operations_of_a_hook() -> None:
    assert [one.name for one in complete_operations()] == list(OPERATIONS)
    assert "Reject" in {one.name for one in complete_operations("on_auth")}
    assert "WsOp" not in {one.name for one in complete_operations("on_auth")}
    assert "Reject" not in {one.name for one in complete_operations("on_message")}


@pytest.mark.parametrize("name", OPERATIONS)
def test_fields_of_an_operation(name: str) -> None:
    assert [one.name for one in complete_fields(name)] == list(OPERATIONS[name].rows)


def test_words_are_shown_beside_a_field() -> None:
    (level,) = [one for one in complete_fields("Log") if one.name == "level"]
    assert level.detail == "debug | info | warn | error"


def test_variables_of_a_hook() -> None:
    assert [one.name for one in complete_variables()] == list(INPUTS)
    assert "message" not in {one.name for one in complete_variables("on_connect")}
