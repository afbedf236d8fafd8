"""Hooks become functions when they are first called, or when they are prepared."""

from __future__ import annotations

import asyncio
from typing import Any

from runtime import translator
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs, program
from tests.runtime.translator.test_function import DEEP


def hook_of(text: str, **context: Any) -> Any:
    made = program(text)
    route = made.routes[0]
    return translator.build_hook(made, route, route.hooks["on_message"], Context(Quiet(), **context))


def test_a_hook_is_translated_by_its_first_call() -> None:
    hook = hook_of("INPUT message ; CONST '!' ; ADD ; RETURN")
    before = hook.__code__
    assert hook(inputs(message="hi"), [], None) == "hi!"
    assert hook.__code__ is not before
    assert hook(inputs(message="ho"), [], None) == "ho!"
    assert hook.__name__


def test_a_hook_is_translated_when_it_is_prepared() -> None:
    hook = hook_of("INPUT message ; RETURN")
    before = hook.__code__
    translator.prepare(hook)
    assert hook.__code__ is not before
    after = hook.__code__
    translator.prepare(hook)
    assert hook.__code__ is after


def test_a_hook_that_waits_is_a_coroutine_before_and_after() -> None:
    async def perform(effect: str, *arguments: Any) -> int:
        return len(arguments)

    hook = hook_of("CONST 5 ; EMIT sleep ; RETURN")
    for _ in range(2):
        assert asyncio.run(hook(inputs(), [], perform)) == 1


def test_what_python_cannot_nest_is_interpreted() -> None:
    hook = hook_of(f"{DEEP} ; CONST 'else'{' ; END' * 150} ; RETURN")
    for number, expected in ((-1, 0), (7, 8), (200, "else")):
        assert hook(inputs(params=number), [], None) == expected


def test_who_observes_sees_instructions() -> None:
    seen: list[int] = []
    hook = hook_of("CONST 1 ; RETURN", observe=lambda chunk, pc, stack: seen.append(pc))
    assert hook(inputs(), [], Performed().emit) == 1
    assert seen == [0, 1]
