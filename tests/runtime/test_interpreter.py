"""The interpreter: each opcode, blocks, ways out, fuel, effects, positions."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Chunk
from compiler.diagnostics import codes
from compiler.language.faults import Fault, HookTimeout, OutOfFuel
from compiler.language.values import UNSET, ErrorValue
from runtime.loader import link
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs, program, run

SAFE = 2**53

EXPRESSIONS = [
    ("CONST 5", 5),
    ("CONST [1, {'a': None}]", [1, {"a": None}]),
    ("NULL", None),
    ("TRUE", True),
    ("FALSE", False),
    ("INPUT message", "hi"),
    ("INPUT user", None),
    ("CONST 1 ; CONST 2 ; ADD", 3),
    ("CONST '0' ; CONST 1 ; ADD", 1),
    ("CONST 5 ; CONST 2 ; SUB", 3),
    ("CONST 5 ; CONST 2 ; MUL", 10),
    ("CONST 10 ; CONST 4 ; DIV", 2.5),
    ("CONST -7 ; CONST 3 ; MOD", -1),
    ("CONST 2 ; CONST 10 ; POW", 1024),
    ("CONST 1 ; CONST '1' ; EQ", True),
    ("CONST 1 ; TRUE ; EQ", False),
    ("CONST 1 ; CONST 2 ; NE", True),
    ("CONST 1 ; CONST 2 ; LT", True),
    ("CONST 2 ; CONST 2 ; LE", True),
    ("CONST 1 ; CONST 2 ; GT", False),
    ("CONST 2 ; CONST 2 ; GE", True),
    ("CONST 3 ; NEG", -3),
    ("CONST '' ; NOT", True),
    ("CONST [] ; NOT", False),
    ("CONST [1, 'a'] ; TEXT", '[1,"a"]'),
    ("CONST 7 ; CHANNEL", "7"),
    ("CONST {'a': 1} ; MEMBER 'a'", 1),
    ("NULL ; MEMBER_SAFE 'a'", None),
    ("CONST [1, 2] ; CONST -1 ; INDEX", 2),
    ("NULL ; CONST 0 ; INDEX_SAFE", None),
    ("CONST 'a' ; NULL ; CONST 1.5 ; CONCAT 3", "anull1.5"),
    ("CONST 1 ; CONST 2 ; LIST 2", [1, 2]),
    ("LIST 0", []),
    ("CONST 'a' ; CONST 1 ; CONST 'b' ; CONST 2 ; OBJECT 4", {"a": 1, "b": 2}),
    ("CONST 'ab' ; CALL upper/1", "AB"),
    ("CONST [1, 2] ; INNER {LOCAL 0 ; CONST 2 ; MUL ; RETURN} ; CALL map/2", [2, 4]),
    ("TRUE ; IF 1 ; CONST 'yes' ; ELSE ; CONST 'no' ; END", "yes"),
    ("FALSE ; IF 1 ; CONST 'yes' ; ELSE ; CONST 'no' ; END", "no"),
    ("CONST 0 ; AND ; CONST 1 ; END", 0),
    ("CONST 2 ; AND ; CONST 1 ; END", 1),
    ("CONST 2 ; OR ; CONST 1 ; END", 2),
    ("CONST '' ; OR ; CONST 1 ; END", 1),
    ("FALSE ; COALESCE ; CONST 1 ; END", False),
    ("NULL ; COALESCE ; CONST 1 ; END", 1),
    ("CONST 1 ; TRUE ; AND ; CONST 2 ; END ; ADD", 3),
]


@pytest.mark.parametrize(("text", "value"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_expression(text: str, value: Any) -> None:
    result = run(program(f"{text} ; RETURN"), message="hi")
    assert (result, type(result)) == (value, type(value))


def test_every_opcode_is_run_here() -> None:
    texts = " ".join(text for text, _ in EXPRESSIONS) + " ".join(STATEMENTS) + " ".join(LEAVES)
    words = set(texts.replace("{", " ").split())
    assert {opcode.name for opcode in Opcode} - words == set()


STATEMENTS = {
    "CONST 1 ; SET_LOCAL 0 ; LOCAL 0 ; RETURN": 1,
    "SLOT_SAFE n ; RETURN": None,
    "CONST 4 ; SET_SLOT n ; SLOT n ; RETURN": 4,
    "CONST 1 ; DROP": None,
    "FALSE ; IF ; CONST 1 ; RETURN ; END ; CONST 2 ; RETURN": 2,
    "TRUE ; IF ; CONST 1 ; RETURN ; ELSE ; CONST 3 ; RETURN ; END": 1,
    "CONST 0 ; SET_SLOT n ; LOOP 10 ; SLOT n ; CONST 5 ; LT ; WHILE ; SLOT n ; CONST 1 ; ADD ; "
    "SET_SLOT n ; END ; SLOT n ; RETURN": 5,
    "CONST 0 ; SET_SLOT n ; LOOP 10 ; TRUE ; WHILE ; SLOT n ; CONST 1 ; ADD ; SET_SLOT n ; "
    "SLOT n ; CONST 3 ; EQ ; IF ; BREAK ; END ; END ; SLOT n ; RETURN": 3,
    "CONST '' ; SET_SLOT n ; CONST ['a', 'b', 'c'] ; EACH 0 ; LOCAL 1 ; CONST 1 ; EQ ; IF ; "
    "CONTINUE ; END ; SLOT n ; LOCAL 0 ; LOCAL 1 ; LOCAL 2 ; CONCAT 4 ; SET_SLOT n ; END ; "
    "SLOT n ; RETURN": "a03c23",
    "NULL ; EACH 0 ; CONST 1 ; RETURN ; END ; CONST 2 ; RETURN": 2,
    "CONST [1] ; EACH 0 ; CONST 9 ; SET_LOCAL 1 ; CONST 8 ; SET_LOCAL 0 ; END ; CONST 2 ; RETURN": 2,
    "LOOP 3 ; FALSE ; WHILE ; CONTINUE ; END ; CONST 2 ; RETURN": 2,
    "CONST [[1, 2], [3]] ; EACH 0 ; LOCAL 0 ; EACH 3 ; LOCAL 3 ; CONST 2 ; EQ ; IF ; BREAK ; "
    "END ; LOCAL 3 ; SET_SLOT n ; END ; END ; SLOT n ; RETURN": 3,
}
LEAVES = ["CONST 'no' ; CONST 'mine' ; THROW", "TRY ; CATCH 0 ; FINALLY ; END", "CONST 'a' ; FALSE ; EMIT send ; DROP"]


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text: str) -> None:
    assert run(program(text, slots=["n"])) == STATEMENTS[text]


FAULTS = [
    ("SLOT n ; RETURN", codes.UNDEFINED_VARIABLE, "the variable `n` is not set"),
    ("CONST 1 ; CONST 0 ; DIV ; RETURN", codes.DIVISION_BY_ZERO, "division by zero"),
    ("CONST 1 ; EACH 0 ; END", codes.TYPE_ERROR, "a loop goes over a list, not over a number"),
    ("LOOP 3 ; TRUE ; WHILE ; END", codes.LOOP_LIMIT, "the condition was still true after 3 rounds"),
    ("CONST 'no' ; NULL ; THROW", codes.THROWN, "no"),
    ("CONST ' ' ; CHANNEL ; RETURN", codes.EMPTY_CHANNEL, "the channel has no name"),
    ("CONST 'x' ; CONST 5 ; MUL ; RETURN", codes.TYPE_ERROR, "`*` takes numbers, and this text is not numeric"),
]


@pytest.mark.parametrize(("text", "kind", "message"), FAULTS)
def test_a_fault_leaves_the_hook(text: str, kind: codes.Code, message: str) -> None:
    with pytest.raises(Fault) as caught:
        run(program(text, slots=["n"]))
    assert caught.value.kind is kind
    assert caught.value.message == message


def test_variables_set_before_a_fault_stay() -> None:
    slots: list[Any] = [UNSET]
    with pytest.raises(Fault):
        run(program("CONST 3 ; SET_SLOT n ; NULL ; NEG ; RETURN", slots=["n"]), slots=slots)
    assert slots == [3]


# Try. Each part writes a letter, so that the order can be read.

NOTE = "SLOT n ; CONST '{}' ; ADD ; SET_SLOT n"
THROW = "CONST 'oh' ; CONST 'mine' ; THROW"
WAYS = {
    "falls": NOTE.format("-"),
    "faults": THROW,
    "returns": "CONST 'r' ; RETURN",
    "breaks": "BREAK",
    "continues": "CONTINUE",
}


def try_in_loop(body: str, catch: str | None, finally_: str | None) -> str:
    """A TRY in a loop of two rounds; behind it t, behind the loop a full stop."""
    parts = ["CONST '' ; SET_SLOT n ; CONST [1, 2] ; EACH 0 ; TRY", NOTE.format("b"), body]
    if catch is not None:
        parts += ["CATCH 3", NOTE.format("c"), catch]
    if finally_ is not None:
        parts += ["FINALLY", NOTE.format("f"), finally_]
    falls = "-" in (body if catch is None else body + catch) and (finally_ is None or "-" in finally_)
    parts += ["END", *([NOTE.format("t")] if falls else []), "END", NOTE.format("."), "SLOT n ; RETURN"]
    return " ; ".join(parts)


def expected(body: str, catch: str | None, finally_: str | None) -> tuple[str, str]:
    """What the words of Python do in the same place: the oracle of this test."""
    note: list[str] = []

    def leave(way: str, rounds: str) -> None:
        if way == "falls":
            note.append("-")
        elif way == "faults":
            raise ArithmeticError
        elif way != "none":
            raise {"returns": KeyError, "breaks": StopIteration, "continues": IndexError}[way]

    def one_round() -> None:
        try:
            try:
                note.append("b")
                leave(body, "b")
            except ArithmeticError:
                if catch is None:
                    raise
                note.append("c")
                leave(catch, "c")
        finally:
            if finally_ is not None:
                note.append("f")
                leave(finally_, "f")
        note.append("t")

    try:
        for _ in range(2):
            try:
                one_round()
            except IndexError:
                continue
            except StopIteration:
                break
    except KeyError:
        return "r", "".join(note)
    except ArithmeticError:
        return "fault", "".join(note)
    return "".join(note) + ".", "".join(note) + "."


@pytest.mark.parametrize("finally_", [None, *WAYS])
@pytest.mark.parametrize("catch", [None, *WAYS])
@pytest.mark.parametrize("body", WAYS)
def test_every_way_out_of_a_try(body: str, catch: str | None, finally_: str | None) -> None:
    if catch is None and finally_ is None:
        return
    text = try_in_loop(WAYS[body], catch and WAYS[catch], finally_ and WAYS[finally_])
    slots: list[Any] = [UNSET]
    try:
        result = run(program(text, slots=["n"]), slots=slots)
    except Fault as fault:
        result = "fault" if fault.code == "mine" else fault
    assert (result, slots[0]) == expected(body, catch, finally_)


def test_the_error_value() -> None:
    made = program("TRY ; CONST 'oh' ; CONST 'mine' ; THROW ; CATCH 0 ; LOCAL 0 ; RETURN ; END", marked=True)
    error = run(made)
    assert isinstance(error, ErrorValue)
    assert dict(error) == {"message": "oh", "code": "mine", "source": "Op", "line": 2}


@pytest.mark.parametrize(("code", "shown"), [("NULL", "thrown"), ("CONST 7", "7")])
def test_the_code_of_a_throw(code: str, shown: str) -> None:
    made = program(f"TRY ; CONST 'oh' ; {code} ; THROW ; CATCH 0 ; LOCAL 0 ; MEMBER 'code' ; RETURN ; END")
    assert run(made) == shown


def test_without_a_source_map_the_error_has_no_place() -> None:
    error = run(program("TRY ; NULL ; NEG ; DROP ; CATCH 0 ; LOCAL 0 ; RETURN ; END"))
    assert error["source"] is None
    assert error["line"] is None
    assert error["code"] == "type_error"


# Fuel and time.


def test_fuel_is_for_exactly_so_many_rounds() -> None:
    made = program("CONST [1, 2, 3] ; EACH 0 ; END ; LOOP 9 ; TRUE ; WHILE ; BREAK ; END ; CONST 1 ; RETURN")
    assert run(made, fuel=4) == 1
    with pytest.raises(OutOfFuel):
        run(made, fuel=3)


def test_a_loop_that_is_left_early_pays_for_its_rounds_only() -> None:
    made = program("CONST [1, 2, 3] ; EACH 0 ; BREAK ; END ; CONST 1 ; RETURN")
    assert run(made, fuel=1) == 1


def test_the_loop_limit_comes_before_fuel() -> None:
    with pytest.raises(Fault) as caught:
        run(program("LOOP 5 ; TRUE ; WHILE ; END"), fuel=5)
    assert caught.value.kind is codes.LOOP_LIMIT


def test_inner_expressions_cost_fuel() -> None:
    made = program("CONST [1, 2, 3] ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; RETURN")
    assert run(made, fuel=3) == [1, 2, 3]
    with pytest.raises(OutOfFuel):
        run(made, fuel=2)


def test_out_of_fuel_passes_catch_and_finally() -> None:
    slots: list[Any] = [0]
    text = "TRY ; CONST [1, 2] ; EACH 0 ; END ; CATCH 3 ; CONST 1 ; SET_SLOT n ; FINALLY ; CONST 2 ; SET_SLOT n ; END"
    with pytest.raises(OutOfFuel):
        run(program(text, slots=["n"]), fuel=1, slots=slots)
    assert slots == [0]


def test_a_timeout_of_the_host_passes_catch_and_finally() -> None:
    slots: list[Any] = [0]
    text = (
        "TRY ; CONST 'a' ; FALSE ; EMIT send ; DROP ; CATCH 0 ; CONST 1 ; SET_SLOT n ; FINALLY ; "
        "CONST 2 ; SET_SLOT n ; END"
    )
    with pytest.raises(HookTimeout) as caught:
        run(program(text, slots=["n"], marked=True), Performed({"send": HookTimeout("too long")}), slots=slots)
    assert slots == [0]
    assert caught.value.mark is not None


def test_each_run_has_its_own_fuel() -> None:
    hook = (
        link(program("CONST [1, 2] ; EACH 0 ; END ; CONST 1 ; RETURN"), Context(Quiet(), 2))
        .routes[0]
        .hooks["on_message"]
    )
    assert [hook(inputs(), [], Performed().emit) for _ in range(3)] == [1, 1, 1]


# Effects.


def test_effects_in_their_order_with_their_replies() -> None:
    host = Performed({"send": 5})
    text = (
        "CONST 'a' ; FALSE ; EMIT send ; SET_LOCAL 0 ; CONST 'info' ; LOCAL 0 ; TEXT ; EMIT log ; "
        "DROP ; LOCAL 0 ; RETURN"
    )
    assert run(program(text), host) == 5
    assert host.asked == [("send", "a", False), ("log", "info", "5")]


def test_a_reply_can_be_returned_at_once() -> None:
    assert run(program("CONST 'a' ; FALSE ; EMIT send ; RETURN"), Performed({"send": 7})) == 7


def test_a_fault_of_an_effect_can_be_caught() -> None:
    host = Performed({"send": Fault(codes.SEND_REFUSED, "too large")})
    text = "TRY ; CONST 'a' ; FALSE ; EMIT send ; DROP ; CATCH 0 ; LOCAL 0 ; MEMBER 'code' ; RETURN ; END"
    assert run(program(text), host) == "send_refused"


def test_another_exception_of_the_host_is_no_fault() -> None:
    text = "TRY ; CONST 'a' ; FALSE ; EMIT send ; DROP ; CATCH 0 ; END"
    with pytest.raises(LookupError):
        run(program(text), Performed({"send": LookupError()}))


async def test_waiting_effects() -> None:
    async def rows(name: str) -> list[Any]:
        return [{"name": name}]

    host = Performed({"sql": rows("Ann"), "send": 3})
    text = (
        "CONST 'a' ; FALSE ; EMIT send ; SET_LOCAL 0 ; "
        "CONST 'SELECT 1' ; NULL ; CONST 'query' ; CONST 'all' ; EMIT sql ; SET_LOCAL 1 ; "
        "LOCAL 0 ; LOCAL 1 ; LIST 2 ; RETURN"
    )
    assert await run(program(text), host) == [3, [{"name": "Ann"}]]


async def test_a_fault_of_a_waiting_effect_can_be_caught() -> None:
    async def refuse() -> None:
        raise Fault(codes.TYPE_ERROR, "no duration")

    text = "TRY ; CONST 'x' ; EMIT sleep ; DROP ; CATCH 0 ; LOCAL 0 ; MEMBER 'message' ; RETURN ; END"
    assert await run(program(text), Performed({"sleep": refuse()})) == "no duration"


async def test_a_timeout_of_a_waiting_effect_cannot() -> None:
    async def refuse() -> None:
        raise HookTimeout("too long")

    text = "TRY ; CONST 'x' ; EMIT sleep ; DROP ; CATCH 0 ; END"
    with pytest.raises(HookTimeout):
        await run(program(text), Performed({"sleep": refuse()}))


# Numbers in normal form.

TOO_MUCH = f"CONST {SAFE} ; CONST 1 ; ADD"


def test_sums_are_exact_until_they_are_kept() -> None:
    assert run(program(f"{TOO_MUCH} ; CONST {SAFE} ; SUB ; RETURN")) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"{TOO_MUCH} ; RETURN",
        f"{TOO_MUCH} ; SET_SLOT n ; SLOT n ; RETURN",
        f"{TOO_MUCH} ; LIST 1 ; CONST 0 ; INDEX ; RETURN",
        f"CONST [] ; {TOO_MUCH} ; CALL append/2 ; CONST 0 ; INDEX ; RETURN",
        f"CONST [1] ; INNER {{LOCAL 0 ; CONST {SAFE} ; ADD ; RETURN}} ; CALL map/2 ; CONST 0 ; INDEX ; RETURN",
    ],
)
def test_numbers_that_are_kept_are_doubles(text: str) -> None:
    assert run(program(text, slots=["n"])) == SAFE


def test_arguments_of_effects_are_in_normal_form() -> None:
    host = Performed()
    run(program(f"{TOO_MUCH} ; FALSE ; EMIT send ; DROP"), host)
    assert host.asked == [("send", SAFE, False)]


def test_nesting_beyond_measure_is_a_fault() -> None:
    text = (
        "CONST [] ; SET_SLOT n ; LOOP 3000 ; TRUE ; WHILE ; SLOT n ; LIST 1 ; SET_SLOT n ; SLOT n ; TEXT ; DROP ; END"
    )
    with pytest.raises(Fault) as caught:
        run(program(text, slots=["n"]), fuel=100_000)
    assert caught.value.kind is codes.TOO_LARGE


# Positions and stepping.


def test_a_fault_has_its_place() -> None:
    with pytest.raises(Fault) as caught:
        run(program("CONST 1 ; DROP ; NULL ; NEG ; RETURN", marked=True))
    mark = caught.value.mark
    assert mark is not None
    assert (mark.line, mark.column, mark.field) == (2, 4, "Op.f1")


def test_the_innermost_place_counts() -> None:
    text = "TRY ; CONST 'oh' ; NULL ; THROW ; FINALLY ; CONST 1 ; DROP ; END"
    with pytest.raises(Fault) as caught:
        run(program(text, marked=True))
    assert caught.value.mark is not None
    assert caught.value.mark.column == 4


def test_every_instruction_can_be_watched() -> None:
    seen: list[tuple[str, list[Any]]] = []

    def observe(chunk: Chunk, pc: int, stack: Any) -> None:
        seen.append((chunk.code[pc].opcode.name, list(stack)))

    made = program("CONST 1 ; CONST 2 ; ADD ; RETURN")
    link(made, Context(Quiet(), observe=observe)).routes[0].hooks["on_message"](inputs(), [], Performed().emit)
    assert seen == [("CONST", []), ("CONST", [1]), ("ADD", [1, 2]), ("RETURN", [3])]
