"""The rules for instructions: for each rule a chunk that breaks it, and what may look odd and is fine."""

from __future__ import annotations

import pytest

from compiler.bytecode.flow import BLOCK_DEPTH, EXPRESSION_DEPTH, LOOP_DEPTH
from compiler.bytecode.program import Chunk, LoadError
from compiler.bytecode.verifier import measure, verify
from compiler.diagnostics import codes
from tests.assembly import Assembly, program

BROKEN = [
    # operands
    ("CONST #9 ; DROP", "operand 9, but there are 0 constants"),
    ("SLOT #5 ; DROP", "operand 5, but there are 1 variables"),
    ("CONST 1 ; SET_SLOT #1", "operand 1, but there are 1 variables"),
    ("INPUT close_code ; DROP", "the hook does not see this input"),
    ("INPUT #99 ; DROP", "the hook does not see this input"),
    ("CALL #3 ; DROP", "operand 3, but there are 0 imports"),
    ("CONST 'a' ; CALL upper/1 ; EMIT #0 ; DROP", "`upper` is not a known effect"),
    ("CONST 5 ; DROP ; CONST {} ; MEMBER #0 ; DROP", "the name of a member is a text"),
    ("CONST 'a' ; OBJECT 1 ; DROP", "an object has a value for each key"),
    ("TRUE ; IF 2 ; END", "a block leaves one value or none"),
    ("LOOP 100001 ; TRUE ; WHILE ; END", "a loop has at most 100000 rounds"),
    ("INNER #0 ; DROP", "operand 0, but there are 0 inner expressions"),
    # the stack
    ("ADD ; DROP", "the stack has too few values"),
    ("CONST 1 ; ADD ; DROP", "the stack has too few values"),
    ("CONST 1 ; LIST 2 ; DROP", "the stack has too few values"),
    ("FALSE ; EMIT send ; DROP", "the stack has too few values"),
    ("CONST 1", "a value is left on the stack"),
    ("CONST 1 ; CONST 2 ; AND ; ADD ; END ; DROP", "the stack has too few values"),
    ("CONST 1 ; TRUE ; IF ; DROP ; END", "a statement inside of an expression"),
    ("CONST 1 ; CONST 2 ; DROP ; DROP", "a statement inside of an expression"),
    ("CONST 1 ; CONST 'a' ; FALSE ; EMIT send ; ADD ; DROP", "a statement inside of an expression"),
    ("TRUE ; IF 1 ; CONST 1 ; DROP ; CONST 1 ; ELSE ; CONST 2 ; END ; DROP", "a statement inside of an expression"),
    ("TRUE ; AND ; CONST 'a' ; FALSE ; EMIT send ; END ; DROP", "a statement inside of an expression"),
    # replies
    ("CONST 'a' ; FALSE ; EMIT send ; NOT ; DROP", "the reply of an effect is taken at once"),
    ("CONST 'a' ; FALSE ; EMIT send", "a value is left on the stack"),
    # blocks
    ("TRUE ; IF", "IF has no END"),
    ("END", "there is no block for END"),
    ("ELSE", "there is no block for ELSE"),
    ("TRUE ; IF ; CATCH 0 ; END", "CATCH does not divide IF"),
    ("TRY ; ELSE ; END", "ELSE does not divide TRY"),
    ("TRUE ; IF ; ELSE ; ELSE ; END", "ELSE does not divide ELSE"),
    ("TRY ; END", "a TRY has a CATCH or a FINALLY"),
    ("TRY ; CATCH 0 ; CATCH 0 ; END", "CATCH does not divide CATCH"),
    ("TRY ; FINALLY ; CATCH 0 ; END", "CATCH does not divide FINALLY"),
    ("TRY ; FINALLY ; FINALLY ; END", "FINALLY does not divide FINALLY"),
    ("LOOP 5 ; END", "a LOOP has a WHILE"),
    ("LOOP 5 ; TRUE ; WHILE ; TRUE ; WHILE ; END", "WHILE stands once in a LOOP"),
    ("TRUE ; WHILE", "WHILE stands once in a LOOP"),
    ("LOOP 5 ; TRUE ; IF ; TRUE ; WHILE ; END ; END", "a statement in the condition of a LOOP"),
    ("LOOP 5 ; CONST 1 ; DROP ; TRUE ; WHILE ; END", "a statement in the condition of a LOOP"),
    ("LOOP 5 ; BREAK ; END", "a statement in the condition of a LOOP"),
    ("TRUE ; IF 1 ; CONST 1 ; END ; DROP", "an IF with a result has an ELSE"),
    ("TRUE ; IF 1 ; CONST 1 ; ELSE ; END ; DROP", "the block leaves 0 values, not 1"),
    ("TRUE ; AND ; END ; DROP", "the block leaves 0 values, not 1"),
    ("TRUE ; AND ; CONST 1 ; CONST 2 ; END ; DROP", "the block leaves 2 values, not 1"),
    ("TRUE ; IF ; CONST 1 ; END", "the block leaves 1 values, not 0"),
    ("BREAK", "there is no loop around it"),
    ("TRY ; CONTINUE ; CATCH 0 ; END", "there is no loop around it"),
    # reachability
    ("NULL ; RETURN ; NULL ; RETURN", "it can never be reached"),
    ("CONST [] ; EACH 0 ; BREAK ; NULL ; DROP ; END", "it can never be reached"),
    ("TRUE ; IF ; NULL ; RETURN ; ELSE ; NULL ; RETURN ; END ; NULL ; DROP", "it can never be reached"),
    ("TRY ; NULL ; RETURN ; CATCH 0 ; NULL ; RETURN ; END ; NULL ; DROP", "it can never be reached"),
    ("TRY ; NULL ; RETURN ; FINALLY ; END ; NULL ; DROP", "it can never be reached"),
    ("TRY ; FINALLY ; NULL ; RETURN ; END ; NULL ; DROP", "it can never be reached"),
    # locals
    ("LOCAL 0 ; DROP", "a local is read that is not set on every path"),
    ("TRUE ; IF ; NULL ; SET_LOCAL 0 ; END ; LOCAL 0 ; DROP", "a local is read that is not set on every path"),
    (
        "TRUE ; IF ; NULL ; SET_LOCAL 0 ; ELSE ; NULL ; SET_LOCAL 1 ; END ; LOCAL 0 ; DROP",
        "a local is read that is not set on every path",
    ),
    ("CONST [] ; EACH 0 ; END ; LOCAL 0 ; DROP", "a local is read that is not set on every path"),
    ("CONST [] ; EACH 0 ; NULL ; SET_LOCAL 3 ; END ; LOCAL 3 ; DROP", "a local is read that is not set on every path"),
    (
        "LOOP 1 ; TRUE ; WHILE ; NULL ; SET_LOCAL 0 ; END ; LOCAL 0 ; DROP",
        "a local is read that is not set on every path",
    ),
    ("TRY ; NULL ; SET_LOCAL 0 ; CATCH 1 ; LOCAL 0 ; DROP ; END", "a local is read that is not set on every path"),
    ("TRY ; NULL ; SET_LOCAL 0 ; CATCH 1 ; END ; LOCAL 0 ; DROP", "a local is read that is not set on every path"),
    ("TRY ; NULL ; SET_LOCAL 0 ; FINALLY ; LOCAL 0 ; DROP ; END", "a local is read that is not set on every path"),
    ("TRY ; CATCH 0 ; END ; LOCAL 0 ; DROP", "a local is read that is not set on every path"),
    # inner expressions and literals
    ("INNER {LOCAL 0 ; RETURN} ; DROP", "an inner expression is only for the function that is called with it"),
    ("INNER {LOCAL 0 ; RETURN} ; NOT ; DROP", "an inner expression is only for the function that is called with it"),
    ("INNER {LOCAL 0 ; RETURN} ; LIST 1 ; DROP", "an inner expression is only for the function that is called with it"),
    ("CONST 1 ; INNER {LOCAL 0 ; RETURN} ; ADD ; DROP", "an inner expression is only for the function"),
    ("INNER {LOCAL 0 ; RETURN} ; FALSE ; EMIT send ; DROP", "an inner expression is only for the function"),
    ("INNER {LOCAL 0 ; RETURN} ; CALL upper/1 ; DROP", "an inner expression is only for the function"),
    ("TRUE ; AND ; INNER {LOCAL 0 ; RETURN} ; END ; DROP", "an inner expression is only for the function"),
    ("CONST [] ; CONST 'x' ; CALL map/2 ; DROP", "`map` takes an inner expression here"),
    ("CONST 'a' ; INPUT message ; CALL matches/2 ; DROP", "`matches` takes a literal text here"),
    ("INPUT message ; CALL env/1 ; DROP", "`env` takes a literal text here"),
    ("CONST 5 ; CALL env/1 ; DROP", "`env` takes a literal text here"),
    ("TRUE ; AND ; CONST 'HOME' ; END ; CALL env/1 ; DROP", "`env` takes a literal text here"),
    ("CONST [] ; INNER {INPUT message ; RETURN} ; CALL map/2 ; DROP", "the hook does not see this input"),
    ("CONST [] ; INNER {SLOT n ; RETURN} ; CALL map/2 ; DROP", "operand 0, but there are 0 variables"),
    ("CONST [] ; INNER {LOCAL 1 ; RETURN} ; CALL map/2 ; DROP", "operand 1, but there are 1 locals"),
    ("CONST [] ; INNER {LOCAL 0} ; CALL map/2 ; DROP", "a value is left on the stack"),
    ("CONST [] ; INNER {} ; CALL map/2 ; DROP", "an expression ends with RETURN"),
    (
        "CONST [] ; INNER {NULL ; SET_LOCAL 0 ; NULL ; RETURN} ; CALL map/2 ; DROP",
        "a statement where only an expression",
    ),
    (
        "CONST [] ; INNER {CONST 'a' ; FALSE ; EMIT send ; RETURN} ; CALL map/2 ; DROP",
        "a statement where only an expression",
    ),
    # effects
    ("CONST 403 ; CONST '' ; EMIT reject ; DROP", "`reject` is not allowed in on_message"),
    # depth
    (" ; ".join(["TRY"] * 17 + ["CATCH 0 ; END"] * 17), f"nested more than {LOOP_DEPTH} deep"),
    (" ; ".join(["TRUE ; IF"] * 513 + ["END"] * 513), f"blocks are nested more than {BLOCK_DEPTH} deep"),
    (
        " ; ".join(["CONST 1"] * (EXPRESSION_DEPTH + 2) + ["ADD"] * (EXPRESSION_DEPTH + 1) + ["DROP"]),
        f"nested more than {EXPRESSION_DEPTH} deep",
    ),
]


@pytest.mark.parametrize(("text", "reason"), BROKEN, ids=[f"{text[:60]}" for text, _ in BROKEN])
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(LoadError) as caught:
        verify(program(text, slots=["n"]))
    assert caught.value.code is codes.INVALID_PROGRAM
    assert reason in caught.value.message
    assert caught.value.message.startswith("route 'Test', on_message")


FINE = [
    "",
    "NULL ; RETURN",
    "TRUE ; IF ; END",
    "TRUE ; IF ; NULL ; SET_LOCAL 0 ; ELSE ; NULL ; RETURN ; END ; LOCAL 0 ; DROP",
    "TRY ; NULL ; SET_LOCAL 0 ; CATCH 1 ; NULL ; RETURN ; END ; LOCAL 0 ; DROP",
    "TRY ; NULL ; SET_LOCAL 0 ; FINALLY ; NULL ; SET_LOCAL 1 ; END ; LOCAL 0 ; LOCAL 1 ; ADD ; DROP",
    "CONST [] ; EACH 0 ; TRY ; FINALLY ; BREAK ; END ; END",
    "LOOP 1 ; TRUE ; AND ; FALSE ; END ; WHILE ; BREAK ; END",
    "CONST [] ; INNER {LOCAL 0 ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; RETURN} ; CALL map/2 ; DROP",
    "CONST 'a' ; CONST 'b+' ; CALL matches/2 ; DROP",
    " ; ".join(["CONST 1"] + ["CONST 1 ; ADD"] * 1000 + ["DROP"]),
    " ; ".join(["CONST 'a'"] + ["CALL trim/1"] * 200 + ["DROP"]),
    " ; ".join(["CONST 1"] * 5000 + ["LIST 5000 ; DROP"]),
    " ; ".join(["CONST 1"] * 201 + ["ADD"] * 200 + ["DROP"]),
    " ; ".join(["TRUE ; IF 1 ; CONST 1 ; ELSE"] * 200 + ["CONST 2"] + ["END"] * 200 + ["DROP"]),
]


@pytest.mark.parametrize("text", FINE, ids=[f"{text[:60]}" for text in FINE])
def test_accepted(text: str) -> None:
    verify(program(text, on_connect="NULL ; DROP"))


def test_effects_of_the_handshake() -> None:
    verify(program(on_auth="CONST 403 ; CONST '' ; EMIT reject ; RETURN"))
    with pytest.raises(LoadError, match="`send` is not allowed in on_auth"):
        verify(program(on_auth="CONST 'a' ; FALSE ; EMIT send ; DROP"))


def assembled(text: str) -> Chunk:
    return Assembly(("n",)).chunk(text)


@pytest.mark.parametrize(
    ("text", "stack", "cost", "waits"),
    [
        ("", 0, 0, False),
        ("CONST 1 ; CONST 2 ; ADD ; RETURN", 2, 4, False),
        ("TRUE ; IF ; NULL ; DROP ; NULL ; DROP ; ELSE ; NULL ; DROP ; END", 1, 8, False),
        ("TRUE ; IF ; NULL ; DROP ; ELSE ; NULL ; DROP ; NULL ; DROP ; END", 1, 7, False),
        ("TRUE ; IF ; NULL ; DROP ; END", 1, 5, False),
        ("CONST 1 ; TRUE ; AND ; CONST 1 ; CONST 2 ; ADD ; END ; ADD ; DROP", 3, 9, False),
        ("CONST [] ; EACH 0 ; END", 1, None, False),
        ("LOOP 5 ; FALSE ; WHILE ; END", 1, None, False),
        ("CONST [] ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; DROP", 2, None, False),
        ("CONST 5 ; EMIT sleep ; DROP", 1, 3, True),
        ("CONST 1 ; CONST 2 ; CONST 3 ; LIST 3 ; DROP", 3, 5, False),
    ],
)
def test_measures(text: str, stack: int, cost: int | None, waits: bool) -> None:
    chunk = assembled(text)
    assert (chunk.stack, chunk.cost, chunk.waits) == (stack, cost, waits)


def test_measure_says_what_is_wrong() -> None:
    code = assembled("TRUE ; IF").code
    with pytest.raises(LoadError, match="instruction 2: IF has no END"):
        measure(code, ())
