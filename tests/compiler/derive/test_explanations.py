"""Explanations and lists: everything is found by every spelling, and nothing is left out."""

from __future__ import annotations

import pytest

from compiler.derive.explanations import (
    LISTED_KINDS,
    explain,
    explain_code,
    explained_names,
    filter_form,
    listing,
    suggest_name,
)
from compiler.diagnostics.codes import CODES, Code
from compiler.language.functions import FUNCTIONS
from compiler.language.functions import SPELLINGS as FUNCTION_SPELLINGS
from compiler.language.values import to_json
from compiler.operations import OPERATIONS, SPELLINGS


@pytest.mark.parametrize("name", explained_names())
def test_every_name_is_explained(name: str) -> None:
    explanation = explain(name)
    assert explanation is not None
    assert explanation.name == name
    assert explanation.text.strip()
    assert explanation.sections
    assert all(section.lines for section in explanation.sections)


@pytest.mark.parametrize("name", FUNCTION_SPELLINGS)
def test_every_spelling_of_a_function_is_explained(name: str) -> None:
    explanation = explain(name)
    assert explanation is not None
    assert explanation.name in (FUNCTION_SPELLINGS[name].name, *OPERATIONS)


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_an_operation_is_explained(name: str) -> None:
    explanation = explain(name)
    assert explanation is not None
    assert explanation.name == SPELLINGS[name].__name__
    told = "\n".join(explanation.sections[0].lines)
    assert all(field in told for field in SPELLINGS[name].spellings)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_a_finding_shows_what_has_it_and_what_has_not(code: Code) -> None:
    bad, good = explain_code(code).sections
    assert "\n".join(bad.lines).splitlines() == code.bad.splitlines()
    assert "\n".join(good.lines).splitlines() == code.good.splitlines()
    assert explain(code.label) == explain_code(code)


def test_operations_of_the_wider_system_say_what_to_write() -> None:
    explanation = explain("MathOp")
    assert explanation is not None
    assert explanation.sections[0].lines == ("{{ price * quantity }}",)
    assert explain("query_db") == explain("QueryDb")


def test_nothing_is_called_nonsense() -> None:
    assert explain("nonsense") is None
    assert suggest_name("qqqqqqqqqqqq") == ""


@pytest.mark.parametrize(("name", "meant"), [("Print", "Log"), ("wsop", "WsOp"), ("on_close", "on_disconnect")])
def test_suggestions(name: str, meant: str) -> None:
    assert suggest_name(name) == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("upper", "text | upper"),
        ("replace", "text | replace(old, new)"),
        ("round", "number | round(digits?)"),
        ("max", "numbers | max(*more)"),
    ],
)
def test_functions_as_filters(name: str, form: str) -> None:
    assert filter_form(FUNCTIONS[name]) == form


@pytest.mark.parametrize("kind", LISTED_KINDS)
def test_lists_are_plain_values_with_names_and_docs(kind: str) -> None:
    rows = listing(kind)
    assert len({to_json(row["name"]) for row in rows}) == len(rows)
    assert all(row["doc"] for row in rows)
    assert all("\n" not in str(row["doc"]) for row in rows)


def test_the_lists_are_the_tables() -> None:
    assert [row["name"] for row in listing("operations")] == list(OPERATIONS)
    assert [row["name"] for row in listing("functions")] == list(FUNCTIONS)
    assert [row["code"] for row in listing("codes")] == [code.label for code in CODES.values()]


def test_there_is_no_other_list() -> None:
    with pytest.raises(KeyError):
        listing("opcodes")
