"""Blocks as Python. That they do what the interpreter does is for tests/property/test_engines.py to say."""

from __future__ import annotations

import pytest

from tests.runtime.translator.translated import body, translated

SEND = "CONST 'a' ; FALSE ; EMIT send ; DROP"

TEXTS = {
    f"INPUT message ; IF ; {SEND} ; ELSE ; CONST 1 ; RETURN ; END": [
        "i1 = inputs[1]", "if i1:", " emit('send', 'a', False)", "else:", " return 1",
    ],
    "INPUT message ; CONST 'a' ; EQ ; IF ; CONST 1 ; RETURN ; ELSE ; INPUT message ; CONST 'b' ; EQ ; IF ; "
    "CONST 2 ; RETURN ; ELSE ; CONST 3 ; RETURN ; END ; END": [
        "i1 = inputs[1]", "if (i1 == 'a'):", " return 1", "elif (i1 == 'b'):", " return 2", "else:", " return 3",
    ],
    "CONST 0 ; SET_LOCAL 0 ; LOOP 10 ; LOCAL 0 ; CONST 5 ; LT ; WHILE ; LOCAL 0 ; CONST 1 ; ADD ; SET_LOCAL 0 ; END": [
        "l0 = 0", "r2 = repeat(None, 10)", "for _ in r2:", " if not (l0 < 5):", "  break", " l0 = (l0 + 1)",
        "else:", " if (l0 < 5): raise loop_limit(10)",
    ],
    f"CONST [1, 2] ; EACH 0 ; {SEND} ; END": [
        "c1 = K0", "for l0 in c1 if len(c1) <= 100 else c1[:100]:", " emit('send', 'a', False)", "else:",
        " if len(c1) > 100: raise out_of_fuel(100)",
    ],
    "CONST 1000 ; EMIT sleep ; DROP": [
        "await emit('sleep', 1000)",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_lines(text: str) -> None:
    assert body(text) == TEXTS[text]


def test_only_hooks_that_wait_are_coroutines() -> None:
    assert translated("CONST 1000 ; EMIT sleep ; DROP").text.startswith("async def")
    assert translated(SEND).text.startswith("def")


def test_loops_inside_of_others_pay_together() -> None:
    lines = body("CONST [1] ; EACH 0 ; CONST [2] ; EACH 3 ; END ; END")
    assert " if not fuel: raise out_of_fuel(100)" in lines
    assert any("enumerate(c3 if len(c3) <= fuel else c3[:fuel], 1)" in line for line in lines)
    assert "  fuel -= len(c3)" in lines


def test_finally_is_written_once() -> None:
    way = "INPUT message ; IF ; CONST 1 ; RETURN ; END ; INPUT route ; IF ; CONST 2 ; RETURN ; END"
    lines = body(f"TRY ; {way} ; FINALLY ; {SEND} ; END")
    assert sum("emit" in line for line in lines) == 1
    assert "finally:" not in lines
