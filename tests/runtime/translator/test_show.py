"""Translated code to look at."""

from __future__ import annotations

from runtime.translator.show import Nowhere, show
from tests.assembly import program
from tests.runtime.translator.test_function import DEEP


def test_lines_stand_beside_their_places() -> None:
    ((name, text),) = show(program("INPUT message ; CONST '!' ; ADD ; RETURN", marked=True))
    lines = text.splitlines()
    assert name == "on_message"
    assert lines[0] == "def on_message(inputs, slots, emit):"
    assert [line.rpartition("#")[2].strip() for line in lines if "#" in line] == ["1:1", "2:3", "2:3", "2:4"]


def test_inner_expressions_are_shown_before_who_uses_them() -> None:
    ((_, text),) = show(program("CONST [1] ; INNER {LOCAL 0 ; RETURN} ; CALL map/2 ; RETURN"))
    assert text.index("def inner_0(tank, l0)") < text.index("def on_message")


def test_what_is_interpreted_is_said() -> None:
    ((_, text),) = show(program(f"{DEEP} ; CONST 5{' ; END' * 150} ; RETURN"))
    assert text.startswith("# on_message is interpreted")


def test_nothing_happens_in_its_moment() -> None:
    moment = Nowhere()
    assert (moment.now(), moment.random_bytes(2), moment.environment("A"), moment.connections()) == (
        0,
        b"\0\0",
        None,
        0,
    )
    assert (list(moment.members("a")), moment.channel_size("a")) == ([], 0)
