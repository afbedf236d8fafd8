"""The declaration of functions, and the door through which they are called."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS, SPELLINGS, camel_case, check_argument
from compiler.language.functions.registry import Function, function
from compiler.language.limits import LIST_ITEMS, TEXT_BYTES
from compiler.language.values import Kind, Value
from tests.compiler.language.functions.calls import fault, run


def test_a_row_is_read_off_the_python_function() -> None:
    row = FUNCTIONS["round"]
    assert (row.minimum, row.maximum, row.variadic) == (1, 2, False)
    assert [(p.name, p.kinds, p.required) for p in row.parameters] == [
        ("number", Kind.NUMBER, True),
        ("digits", Kind.NUMBER, False),
    ]
    assert row.result == Kind.NUMBER
    assert row.signature == "round(number, digits?)"
    assert row.summary == row.doc.splitlines()[0]


def test_any_number_of_arguments() -> None:
    row = FUNCTIONS["max"]
    assert (row.minimum, row.maximum, row.variadic) == (1, None, True)
    assert row.signature == "max(numbers, *more)"
    assert row.parameter(0).kinds == Kind.NUMBER | Kind.LIST
    assert row.parameter(7).kinds == Kind.NUMBER


def test_kinds_of_annotations() -> None:
    assert FUNCTIONS["length"].parameters[0].kinds == Kind.TEXT | Kind.LIST | Kind.OBJECT
    assert FUNCTIONS["type"].parameters[0].kinds == Kind.ANY
    assert FUNCTIONS["map"].parameters[1].kinds == Kind.TEXT
    assert FUNCTIONS["substring"].parameters[2].kinds == Kind.NUMBER | Kind.NULL
    assert FUNCTIONS["env"].result == Kind.TEXT | Kind.NULL
    assert FUNCTIONS["first"].result == Kind.ANY
    assert FUNCTIONS["keys"].result == Kind.LIST
    assert FUNCTIONS["is_url"].result == Kind.BOOLEAN
    assert FUNCTIONS["merge"].result == Kind.OBJECT


def test_classes_belong_to_the_kinds() -> None:
    assert FUNCTIONS["to_number"].parameters[0].classes == {str, int, float, bool}


def test_the_moment_is_no_argument() -> None:
    row = FUNCTIONS["random_int"]
    assert row.needs_moment
    assert not row.constant
    assert [p.name for p in row.parameters] == ["least", "most"]
    assert FUNCTIONS["now"].parameters == ()


def test_camel_case() -> None:
    assert camel_case("starts_with") == "startsWith"
    assert camel_case("md5") == "md5"


@pytest.fixture
def tables() -> object:
    """Leaves the tables as they were, whatever a test declares."""
    functions, spellings = dict(FUNCTIONS), dict(SPELLINGS)
    yield
    for table, kept in ((FUNCTIONS, functions), (SPELLINGS, spellings)):
        table.clear()
        table.update(kept)


@pytest.mark.usefixtures("tables")
class TestDeclaring:
    def test_what_must_be_written(self) -> None:
        def undocumented(text: str) -> str:
            return text

        def unexampled(text: str) -> str:
            """The text."""
            return text

        with pytest.raises(ValueError, match="docstring and examples"):
            function("text", examples=[("1", 1)])(undocumented)
        with pytest.raises(ValueError, match="docstring and examples"):
            function("text", examples=[])(unexampled)

    def test_a_name_belongs_to_one_function(self) -> None:
        def starts_with(text: str) -> str:
            """The text."""
            return text

        def another(text: str) -> str:
            """The text."""
            return text

        with pytest.raises(ValueError, match="two functions"):
            function("text", examples=[("1", 1)])(starts_with)
        with pytest.raises(ValueError, match="two functions"):
            function("text", aliases=["startsWith"], examples=[("1", 1)])(another)

    def test_the_door_holds_results_to_the_limits(self) -> None:
        @function("text", examples=[("1", 1)])
        def too_much(value: Value) -> Value:
            """Far more of it."""
            return value * (LIST_ITEMS + TEXT_BYTES)  # type: ignore[operator]

        assert fault("too_much", "x") is codes.TOO_LARGE
        assert fault("too_much", [1]) is codes.TOO_LARGE
        assert run("too_much", 0.5) == (LIST_ITEMS + TEXT_BYTES) / 2


class TestArguments:
    def test_numbers_take_numeric_strings(self) -> None:
        assert run("floor", "3.7") == 3
        assert run("slice", "hello", "1", "-1") == "ell"

    @pytest.mark.parametrize("wrong", ["abc", "", " 5", None, True, [1], {}])
    def test_and_nothing_else(self, wrong: Value) -> None:
        assert fault("floor", wrong) is codes.TYPE_ERROR

    @pytest.mark.parametrize("wrong", [5, None, True, ["a"], {}])
    def test_texts_are_texts(self, wrong: Value) -> None:
        assert fault("upper", wrong) is codes.TYPE_ERROR
        assert fault("replace", "abc", "a", wrong) is codes.TYPE_ERROR

    def test_the_message_names_what_is_wrong(self) -> None:
        row: Function = FUNCTIONS["replace"]
        with pytest.raises(Fault, match="`replace` takes a text as `old`, not a number") as caught:
            check_argument(row, 1, 5)
        assert caught.value.operands == (5,)

    def test_numbers_arrive_and_leave_in_normal_form(self) -> None:
        assert run("to_string", 2**53 + 1) == "9007199254740992"
        assert repr(run("default", -0.0, 1)) == "0"
        assert repr(run("abs", 2.0)) == "2"
        assert fault("to_string", float("inf")) is codes.NUMBER_RANGE
        assert fault("abs", "1e400") is codes.NUMBER_RANGE
