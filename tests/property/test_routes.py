"""Random routes: the compiler never raises, and what it accepts runs and raises nothing but faults."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Coroutine
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.bytecode.codec import decode, encode
from compiler.bytecode.program import Program
from compiler.bytecode.verifier import verify
from compiler.diagnostics import codes
from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, OutOfFuel
from compiler.language.hooks import INPUT_NUMBERS, INPUTS
from compiler.language.values import UNSET, Kind, Unset, Value, kind_of
from compiler.pipeline import Compilation, Settings, check_source, compile_source
from runtime.interpreter import build_hook
from runtime.loader import LinkedRoute, link
from runtime.seam import Context
from tests.assembly import Quiet
from tests.property.random_routes import RouteWriter

SEEDS = st.integers(0, 2**32)
FUEL = 300
REPLIES: dict[Kind, tuple[Value, ...]] = {
    Kind.NULL: (None,),
    Kind.BOOLEAN: (True,),
    Kind.NUMBER: (0, 3),
    Kind.TEXT: ("reply",),
    Kind.LIST: ([], [{"a": 1}]),
    Kind.OBJECT: ({"status": 200, "body": {"a": [1]}},),
}
GIVEN: dict[str, tuple[Value, ...]] = {
    "connection_id": ("c-1",),
    "message": ("text", "12", "", "room-1"),
    "message_type": ("text", "binary"),
    "params": ({"room": "5"}, {"room": '[1, {"x": "a"}]'}, {"room": '{"x": {"y": 1}, "n": [2]}'}, {"room": '"text"'}),
    "query": ({}, {"a": "1"}),
    "headers": ({"host": "localhost"},),
    "user": (None, {"name": "ann"}),
    "close_code": (1000, 1006),
    "close_reason": ("", "bye"),
    "route": ("Random",),
    "remote_addr": ("127.0.0.1",),
}
DECODED: tuple[Value, ...] = ({"a": [1, 2], "x": 1}, [1, "2"], 5, None, "text")
"""Messages of routes with a codec."""


def written(seed: int, careless: float, excluded: tuple[str, ...] = ()) -> str:
    return json.dumps(RouteWriter(Random(seed), careless, excluded).route(), ensure_ascii=False)


def compiled(text: str, name: str = "route.json") -> Compilation:
    return compile_source(name, text.encode(), Settings())


def linked(program: Program) -> LinkedRoute:
    return link(program, Context(Quiet(), FUEL), build_hook).routes[0]


class Host:
    """Replies to every effect with something of its kinds, sometimes with a fault."""

    def __init__(self, random: Random, faults: float) -> None:
        self.random = random
        self.faults = faults

    def emit(self, effect: str, *arguments: Value) -> Any:
        row = EFFECTS[effect]
        assert len(arguments) == row.arity
        for (name, kinds), argument in zip(row.arguments, arguments, strict=True):
            assert kinds & kind_of(argument), (effect, name)
        if self.random.random() < self.faults:
            raise Fault(codes.SEND_REFUSED, "the host does not want to")
        single = self.random.choice([kind for kind in REPLIES if kind & row.reply])
        reply = self.random.choice(REPLIES[single])
        return _answer(reply) if row.waits else reply


async def _answer(reply: Value) -> Value:
    return reply


def run(hook: Any, given: list[Value], slots: list[Value | Unset], host: Host) -> None:
    """Run a hook to its end."""
    outcome: Coroutine[Any, Any, Value] | Value = hook(given, slots, host.emit)
    if not inspect.iscoroutine(outcome):
        return
    try:
        while True:
            outcome.send(None)
    except StopIteration:
        pass


def live(route: LinkedRoute, random: Random, host: Host) -> BaseException | None:
    """One connection, hook by hook; the first that a hook ended in."""
    slots: list[Value | Unset] = [UNSET] * len(route.program.slots)
    first: BaseException | None = None
    for name in ("on_auth", "on_connect", "", "on_message", "on_message", "on_message", "on_disconnect"):
        given = [random.choice(GIVEN[row]) if _sees(name, row) else None for row in INPUTS]
        if name == "on_message" and "codec" in route.program.options:
            given[INPUT_NUMBERS["message"]] = random.choice(DECODED)
        try:
            if name == "":
                _name_channels(route, given, slots, host)
            elif name in route.hooks:
                run(route.hooks[name], given, slots, host)
        except (Fault, OutOfFuel) as end:
            first = first or end
    return first


def _sees(hook: str, name: str) -> bool:
    return (hook or "on_connect") in INPUTS[name].hooks


def _name_channels(route: LinkedRoute, given: list[Value], slots: list[Value | Unset], host: Host) -> None:
    for template in route.templates:
        with contextlib.suppress(Fault):  # it is passed over in silence
            assert template(given, slots, host.emit).strip()


@given(SEEDS, st.sampled_from([0.0, 0.02, 0.2]))
def test_the_compiler_never_raises(seed: int, careless: float) -> None:
    text = written(seed, careless)
    compilation = compiled(text)
    for diagnostic in compilation.report.sorted():
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text), diagnostic
    assert (compilation.program is None) == compilation.report.has_errors
    checked = check_source("route.json", text.encode(), Settings())
    assert checked.report.sorted() == compilation.report.sorted()


@given(SEEDS)
@settings(max_examples=300)
def test_what_compiles_is_valid_and_raises_nothing_but_faults(seed: int) -> None:
    program = compiled(written(seed, 0.0)).program
    if program is None:
        return
    verify(program)
    raw = encode(program)
    assert decode(raw) == program
    assert encode(decode(raw)) == raw
    random = Random(seed)
    route = linked(program)
    for _ in range(3):
        live(route, random, Host(random, 0.1))


@given(SEEDS)
def test_json_and_yaml_are_the_same_route(seed: int) -> None:
    text = written(seed, 0.02)
    as_json, as_yaml = compiled(text), compiled(text, "route.yaml")
    found = [[(d.code, d.message) for d in c.report.sorted()] for c in (as_json, as_yaml)]
    assert found[0] == found[1]
    assert as_json.program == as_yaml.program


@given(SEEDS)
@settings(max_examples=300)
def test_a_variable_of_which_nothing_is_said_is_set(seed: int) -> None:
    """Without a Try, the first fault of a connection is never that a variable is not set: faults alone are no paths."""
    compilation = compiled(written(seed, 0.0, ("Try",)))
    said = {d.code for d in compilation.report.diagnostics}
    if compilation.program is None or said & {codes.MAYBE_UNSET, codes.SET_TOO_LATE}:
        return
    random = Random(seed)
    route = linked(compilation.program)
    for _ in range(3):
        first = live(route, random, Host(random, 0.0))
        assert not isinstance(first, Fault) or first.kind is not codes.UNDEFINED_VARIABLE
