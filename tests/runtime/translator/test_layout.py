"""Where blocks begin and end, and what is in them."""

from __future__ import annotations

from compiler.bytecode.opcodes import Opcode
from runtime.translator.layout import Layout
from tests.assembly import program

TEXT = (
    "TRY ; CONST [1] ; EACH 0 ; LOCAL 1 ; SET_SLOT n ; END ; CATCH 3 ; CONST 1 ; SET_LOCAL 4 ; END ; "
    "LOOP 5 ; TRUE ; WHILE ; NULL ; EACH 5 ; BREAK ; END ; END"
)


def layout() -> Layout:
    return Layout(program(TEXT, slots=["n"]).routes[0].hooks["on_message"])


def test_blocks_have_their_parts() -> None:
    found = layout()
    assert {pc: extent.parts for pc, extent in found.extents.items()} == {
        0: {Opcode.CATCH: 6, Opcode.END: 9},
        2: {Opcode.END: 5},
        10: {Opcode.WHILE: 12, Opcode.END: 17},
        14: {Opcode.END: 16},
    }


def test_what_is_around_and_inside() -> None:
    found = layout()
    assert {pc for pc, extent in found.extents.items() if extent.in_try} == {2}
    assert {pc for pc, extent in found.extents.items() if extent.has_rounds} == {0, 10}
    assert found.burners == 3


def test_what_is_set() -> None:
    assert layout().assigned(0, 10) == {"l0", "l1", "l2", "s0", "l3", "l4"}


def test_what_is_read() -> None:
    assert [layout().reads_local(number) for number in (0, 1)] == [False, True]
