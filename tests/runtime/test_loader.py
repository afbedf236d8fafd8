"""The trust boundary: bytes in, hooks or a LoadError out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.bytecode.codec import encode
from compiler.bytecode.program import LoadError
from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import UNSET
from runtime.loader import link, load
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs, program

MADE = program(
    "INPUT message ; CALL upper/1 ; RETURN",
    on_connect="CONST 1 ; EMIT sleep ; DROP",
    slots=["room"],
    templates=["SLOT room ; RETURN"],
)
CONTEXT = Context(Quiet())


def test_a_file_becomes_hooks() -> None:
    route = load(encode(MADE), CONTEXT).routes[0]
    assert route.program == MADE.routes[0]
    assert route.pattern.parameters == ("room",)
    assert list(route.hooks) == ["on_connect", "on_message"]
    assert route.hooks["on_message"](inputs(message="hi"), [UNSET], Performed().emit) == "HI"


async def test_waiting_hooks_are_awaited() -> None:
    async def nothing() -> None:
        return None

    hook = load(encode(MADE), CONTEXT).routes[0].hooks["on_connect"]
    outcome = hook(inputs(), [UNSET], Performed({"sleep": nothing()}).emit)
    assert await outcome is None  # type: ignore[misc]


def test_templates_give_names() -> None:
    (template,) = link(MADE, CONTEXT).routes[0].templates
    assert template(inputs(), ["lobby"], Performed().emit) == "lobby"
    assert template(inputs(), [5], Performed().emit) == "5"
    for blank in (UNSET, None, " "):
        with pytest.raises(Fault):
            template(inputs(), [blank], Performed().emit)


def test_programs_in_memory_are_verified_too() -> None:
    with pytest.raises(LoadError) as caught:
        link(program("ADD ; RETURN"), CONTEXT)
    assert caught.value.code is codes.INVALID_PROGRAM


def test_a_file_is_verified() -> None:
    with pytest.raises(LoadError) as caught:
        load(encode(replace(MADE, manifest=replace(MADE.manifest, effects=()))), CONTEXT)
    assert caught.value.code is codes.FALSE_MANIFEST


def test_another_engine_can_make_the_hooks() -> None:
    route = link(MADE, CONTEXT, lambda program, route, chunk, context: lambda inputs, slots, emit: "made").routes[0]
    assert route.hooks["on_message"](inputs(), [UNSET], Performed().emit) == "made"
