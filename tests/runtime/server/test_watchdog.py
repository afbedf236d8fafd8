"""Hooks that compute for too long: what may be left and what may not. How a server ends them: `tests/e2e`."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import threading
from collections.abc import Callable
from time import process_time
from types import FrameType
from typing import Any

import pytest

from compiler.bytecode.codec import encode
from compiler.diagnostics import codes
from compiler.language.faults import Fault, HookTimeout
from compiler.language.values import UNSET
from compiler.pipeline import Settings, compile_source
from runtime.interpreter import build_hook as interpreted
from runtime.limits import ServerLimits
from runtime.loader import LinkedRoute, load
from runtime.seam import Context, Engine
from runtime.server.watchdog import _Watchdog, hook_around, watching
from runtime.translator import build_hook as translated
from runtime.translator import prepare
from tests.assembly import Quiet

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers of POSIX")

ENDLESS = """\
name: Endless
path: /ws/endless
route_type: WebSocket
ws_hooks:
  on_message:
    - SetVar: {name: items, value: "{{ range(0, 20000) }}"}
    - Log: {message: begun}
    - Try:
        body:
          - While:
              condition: true
              max_iterations: 100000
              body: [{SetVar: {name: last, value: "{{ items | sort | sum }}"}}]
        catch: [{Log: {message: caught}}]
        finally: [{Log: {message: finally}}]
"""


def linked(engine: Engine, limits: str = "", hook: str = "on_message") -> LinkedRoute:
    text = ENDLESS.replace("on_message", hook) + limits
    program = compile_source("endless.yaml", text.encode(), Settings()).program
    assert program is not None
    return load(encode(program), Context(Quiet()), engine).routes[0]


def run(route: LinkedRoute, emit: Callable[..., Any]) -> object:
    (hook,) = route.hooks.values()
    return hook([None] * 20, [UNSET] * len(route.program.slots), emit)


@pytest.mark.parametrize("engine", [translated, interpreted])
async def test_a_hook_that_computes_for_too_long_ends_in_its_place(engine: Engine) -> None:
    reached: list[str] = []
    told: list[object] = []
    gc.disable()  # others have callbacks in the collector, and what is raised into those is lost, with a warning
    try:
        with watching(ServerLimits(hook_seconds=0.2), reached.append):
            await asyncio.sleep(0)
            with pytest.raises(HookTimeout) as ended:
                run(linked(engine), lambda *arguments: told.append(arguments[0]))
    finally:
        gc.enable()
    assert reached == ["hook_seconds"]
    assert told == ["log"], "neither `catch` nor `finally` runs"
    assert str(ended.value.message) == "the hook ran longer than 0.2 s"
    if engine is translated:
        assert ended.value.mark is not None
        assert ended.value.mark.line == 13


@pytest.mark.parametrize("engine", [translated, interpreted])
@pytest.mark.parametrize(("server", "route", "seconds"), [(5, 0.05, 0.05), (0.05, 5, 0.05), (5, 0.001, 0.001)])
async def test_the_shorter_time_of_server_and_route_counts(
    engine: Engine, server: float, route: float, seconds: float
) -> None:
    reached: list[str] = []
    gc.disable()  # as above
    try:
        with watching(ServerLimits(hook_seconds=server), reached.append):
            await asyncio.sleep(0)
            with pytest.raises(HookTimeout) as ended:
                run(linked(engine, f"limits: {{hook_timeout: {route}}}\n"), lambda *_: None)
    finally:
        gc.enable()
    assert str(ended.value.message) == f"the hook ran longer than {seconds:g} s"
    assert reached == ["hook_seconds"]


@pytest.mark.parametrize("engine", [translated, interpreted])
@pytest.mark.parametrize(
    ("auth", "server", "route", "seconds", "limit"),
    [
        (0.05, 5, 5, 0.05, "auth_seconds"),
        (5, 0.05, 5, 0.05, "hook_seconds"),
        (4, 5, 0.05, 0.05, "auth_seconds"),
    ],
)
async def test_the_shortest_time_counts_for_on_auth(
    engine: Engine, auth: float, server: float, route: float, seconds: float, limit: str
) -> None:
    reached: list[str] = []
    gc.disable()  # as above
    try:
        with watching(ServerLimits(auth_seconds=auth, hook_seconds=server), reached.append):
            await asyncio.sleep(0)
            with pytest.raises(HookTimeout) as ended:
                run(linked(engine, f"limits: {{hook_timeout: {route}}}\n", "on_auth"), lambda *_: None)
    finally:
        gc.enable()
    assert str(ended.value.message) == f"the hook ran longer than {seconds:g} s"
    assert reached == [limit]


async def test_each_of_two_hooks_in_one_turn_of_the_loop_has_its_own_time() -> None:
    hasty, patient = linked(translated, "limits: {hook_timeout: 0.05}\n"), linked(translated)
    messages: list[str] = []
    gc.disable()  # as above
    try:
        with watching(ServerLimits(hook_seconds=0.4), lambda _: None):
            await asyncio.sleep(0)
            for route in (hasty, patient, hasty):
                with pytest.raises(HookTimeout) as ended:
                    run(route, lambda *_: None)
                messages.append(str(ended.value.message))
    finally:
        gc.enable()
    assert messages == [f"the hook ran longer than {seconds} s" for seconds in (0.05, 0.4, 0.05)]


def test_a_hook_that_did_not_hear_it_is_told_again_and_counted_once() -> None:
    reached: list[str] = []
    frames: list[FrameType] = []

    def emit(*_: object) -> None:
        frames.append(sys._getframe(1))
        raise Fault(codes.THROWN, "enough")

    with pytest.raises(Fault):
        run(linked(translated), emit)
    watchdog = _Watchdog(ServerLimits(hook_seconds=0.0), reached.append)
    watchdog.look(0, frames[0])
    for _ in range(3):
        with pytest.raises(HookTimeout):
            watchdog.look(0, frames[0])
    assert reached == ["hook_seconds"]


async def test_many_short_hooks_in_one_turn_of_the_loop_are_no_long_one() -> None:
    route, reached = linked(translated), list[str]()

    def emit(effect: str, *_: object) -> None:
        if effect == "log":
            raise Fault(codes.THROWN, "enough")

    with watching(ServerLimits(hook_seconds=0.2), reached.append):
        began = process_time()
        while process_time() - began < 0.8:
            with pytest.raises(Fault):
                run(route, emit)
    assert reached == []


async def test_what_computes_and_is_no_hook_goes_on() -> None:
    reached: list[str] = []
    with watching(ServerLimits(hook_seconds=0.1), reached.append):
        began = process_time()
        while process_time() - began < 0.4:
            json.dumps(list(range(1000)))
    assert reached == []


def test_a_hook_may_be_left_in_its_own_code_and_in_functions_but_not_amid_an_effect() -> None:
    seen: list[FrameType | None] = []
    route = linked(translated)
    prepare(route.hooks["on_message"])

    def emit(*_: object) -> None:
        seen.append(hook_around(sys._getframe()))
        raise HookTimeout("enough")

    # A test's function is no code of the server: to the watchdog it is one of the language's.
    with pytest.raises(HookTimeout):
        run(route, emit)
    assert seen[0] is not None
    assert seen[0].f_code.co_filename == "endless.yaml"
    emit.__globals__["__name__"] = "runtime.host"
    try:
        with pytest.raises(HookTimeout):
            run(route, emit)
    finally:
        emit.__globals__["__name__"] = __name__
    assert seen[1] is None
    assert hook_around(None) is None


async def test_nothing_is_left_of_it() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with watching(ServerLimits(hook_seconds=1), print):
        assert signal.getsignal(signal.SIGVTALRM) is not before
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)


def test_other_threads_can_have_none() -> None:
    entered: list[bool] = []

    async def main() -> None:
        with watching(ServerLimits(hook_seconds=1), print):
            entered.append(signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()
    assert entered == [True]
