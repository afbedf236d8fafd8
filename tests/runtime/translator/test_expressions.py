"""Values as Python: what is native, what is guarded, what is a line of its own."""

from __future__ import annotations

import pytest

from tests.runtime.translator.translated import body

READ_N = ["s0 = slots[0]", "if s0 is UNSET: raise unset_variable('n')"]


def reading_n(test: str, native: str, helper: str) -> list[str]:
    """An operator that tests the class of n, and asks whether it is set only where the test fails."""
    return ["s0 = slots[0]", f"if {test}: {native}", "else:", f" {READ_N[1]}", f" {helper}"]


SAFE = 2**53

TEXTS = {
    "SLOT n ; DROP": READ_N,
    "SLOT n ; SLOT m ; SUB ; SET_LOCAL 0": [
        "s0 = slots[0]", "s1 = slots[1]", "if s0.__class__ is int and s1.__class__ is int: t1 = s0 - s1", "else:",
        " if s0 is UNSET: raise unset_variable('n')", " if s1 is UNSET: raise unset_variable('m')",
        " t1 = subtract(s0, s1)", "l0 = t1",
    ],
    "CONST 1 ; CONST 2 ; ADD ; SET_LOCAL 0": ["l0 = (1 + 2)"],
    "SLOT n ; CONST 1 ; ADD ; SET_LOCAL 0": [
        *reading_n("s0.__class__ is int", "t1 = s0 + 1", "t1 = add(s0, 1)"), "l0 = t1",
    ],
    "INPUT message ; CONST 'x' ; EQ ; SET_LOCAL 0": ["i1 = inputs[1]", "l0 = (i1 == 'x')"],
    "SLOT n ; CONST '7' ; EQ ; SET_LOCAL 0": [*READ_N, "l0 = s0 == '7' if s0.__class__ is str else equal(s0, '7')"],
    "SLOT n ; CONST 'x' ; EQ ; SET_LOCAL 0": [*READ_N, "l0 = (s0 == 'x')"],
    "SLOT n ; NULL ; NE ; SET_LOCAL 0": [*READ_N, "l0 = (s0 is not None)"],
    "SLOT n ; TRUE ; EQ ; SET_LOCAL 0": [*READ_N, "l0 = (s0 is True)"],
    "SLOT n ; CONST 3 ; MOD ; CONST 0 ; EQ ; SET_LOCAL 0": [
        *reading_n("s0.__class__ is int", "t1 = s0 % 3", "t1 = remainder(s0, 3)"), "l0 = (t1 == 0)",
    ],
    "SLOT n ; CONST 2 ; DIV ; CONST 10 ; GT ; SET_LOCAL 0": [
        *reading_n("s0.__class__ is int", "t1 = s0 / 2", "t1 = divide(s0, 2)"), "l0 = (t1 > 10)",
    ],
    "SLOT n ; CONST 2 ; DIV ; SET_LOCAL 0": [
        *reading_n("s0.__class__ is int", "t1 = s0 / 2", "t1 = divide(s0, 2)"),
        "if t1.__class__ is float and t1.is_integer(): t1 = int(t1)", "l0 = t1",
    ],
    "INPUT message ; CALL upper/1 ; SET_LOCAL 0": [
        "i1 = inputs[1]", f"if not (len((t1 := i1.upper())) <= {2**18}):", " t1 = call_upper(i1)", "l0 = t1",
    ],
    "INPUT message ; CONST ':' ; CALL split/2 ; CALL last/1 ; SET_LOCAL 0": [
        "i1 = inputs[1]", "l0 = i1.rpartition(':')[2] if len(i1) < 100000 else call_split_last(i1, ':')",
    ],
    "SLOT n ; NOT ; SET_LOCAL 0": [
        *READ_N, "l0 = (not (s0 or s0.__class__ is list or s0.__class__ is dict))",
    ],
    "CONST 'a' ; SLOT n ; MEMBER 'k' ; LIST 2 ; SET_LOCAL 0": [
        *reading_n("s0.__class__ is dict", "t1 = s0.get('k')", "t1 = member(s0, 'k')"),
        "l0 = ['a', (t1 if t1.__class__ is str or t1.__class__ is int and "
        f"-{SAFE} <= t1 <= {SAFE} else normalised(t1))]",
    ],
    "SLOT_SAFE n ; COALESCE ; CONST 1 ; END ; SET_LOCAL 0": [
        "t1 = slots[0]", "if t1 is UNSET: t1 = None", "l0 = (1 if t1 is None else t1)",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_lines(text: str) -> None:
    assert body(text) == TEXTS[text]


def test_the_text_of_a_variable_is_made_once() -> None:
    lines = body("SLOT n ; CONST '!' ; CONCAT 2 ; FALSE ; EMIT send ; DROP ; SLOT n ; CONST '?' ; CONCAT 2 ; RETURN")
    assert sum(line.startswith("xs0 =") for line in lines) == 1


def test_it_is_made_anew_when_the_variable_is_set() -> None:
    lines = body(
        "SLOT n ; CONST 'a' ; CONCAT 2 ; SET_SLOT n ; CONST 1 ; SET_SLOT n ; SLOT n ; CONST 'a' ; CONCAT 2 ; RETURN"
    )
    assert sum("xs0 =" in line for line in lines) == 2


def test_texts_are_quoted() -> None:
    lines = body("""INPUT message ; CONST "{x} it's\\\\ \\n" ; INPUT route ; CONCAT 3 ; RETURN""")
    assert lines[2] == "t1 = f'{i1}{{x}} it\\'s\\\\ \\n{i9}'"


def test_long_chains_are_cut_into_lines() -> None:
    lines = body("CONST 1 ; SET_LOCAL 0 ; LOCAL 0" + " ; LOCAL 0 ; ADD" * 1000 + " ; RETURN")
    assert max(map(len, lines)) < 200
