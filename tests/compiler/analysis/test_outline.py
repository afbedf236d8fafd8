"""Outlines: each operation is asked once what it does, however they are nested."""

from __future__ import annotations

from compiler.analysis.outline import Outline, outline
from compiler.operations.model import Attempts, Repeats, Step
from compiler.pipeline import Settings, check_source
from tests.compiler.routes import route


def outlined(on_message: str = "", **hooks: str) -> Outline:
    compilation = check_source("route.yaml", route(on_message, **hooks).encode(), Settings())
    return outline(compilation.routes[0].hooks)


def names(made: Outline, bits: int) -> set[str]:
    return {name for name, bit in made.bits.items() if bit & bits}


def steps(made: Outline, kind: type[Step]) -> list[Step]:
    return [step for _, operation in made.operations for step in made.flow(operation) if isinstance(step, kind)]


NESTED = """
- Loop:
    collection: [1]
    var: own
    body:
      - SetVar: {name: a, value: 1}
      - SetVar: {name: own, value: 1}
      - While:
          condition: "message"
          body: [{SetVar: {name: b, value: 1}}, {SetVar: {name: message, value: x}}, {Break: {}}]
- Try:
    operations: [{SetVar: {name: c, value: 1}}]
    catch: [{SetVar: {name: d, value: 1}}]
"""


def test_operations_come_in_order_outer_ones_first() -> None:
    made = outlined(NESTED, on_connect="- Log: {message: m}")
    titles = [(hook, operation.title) for hook, operation in made.operations]
    assert titles[0] == ("on_connect", "Log")
    assert [title for hook, title in titles if hook == "on_message"] == [
        "Loop", "SetVar", "SetVar", "While", "SetVar", "SetVar", "Break", "Try", "SetVar", "SetVar",
    ]  # fmt: skip


def test_settings_are_those_of_the_route() -> None:
    made = outlined(NESTED, on_connect="- SetVar: {name: b, value: 1}")
    assert list(made.settings) == ["b", "a", "c", "d"]
    assert [setting.hook.name for setting in made.settings["b"]] == ["on_connect", "on_message"]
    assert names(made, made.hook_sets["on_message"]) == {"a", "b", "c", "d"}
    assert made.assigned == {"message": {"on_message"}}


def test_what_loops_and_attempts_do() -> None:
    made = outlined(NESTED)
    loop, while_ = (made.inside(step) for step in steps(made, Repeats) if isinstance(step, Repeats))
    assert (names(made, loop.sets), loop.leaves, loop.rebinds) == ({"a", "b"}, False, frozenset({"own"}))
    assert (names(made, while_.sets), while_.leaves, while_.rebinds) == ({"b"}, True, frozenset())
    (attempt,) = (made.inside(step) for step in steps(made, Attempts) if isinstance(step, Attempts))
    assert names(made, attempt.sets) == {"c"}


def test_what_leaves_the_hook_leaves_all_loops() -> None:
    hook = '- Loop: {collection: [1], body: [{While: {condition: "message", body: [{Return: {}}]}}]}'
    made = outlined(hook)
    assert [made.inside(step).leaves for step in steps(made, Repeats) if isinstance(step, Repeats)] == [True, True]


def test_an_inner_loop_may_set_what_an_outer_one_binds() -> None:
    inner = "{Loop: {collection: [1], var: y, body: [{SetVar: {name: x, value: 1}}]}}"
    made = outlined(f"- Loop: {{collection: [1], var: x, body: [{inner}]}}")
    outer, nested = (made.inside(step) for step in steps(made, Repeats) if isinstance(step, Repeats))
    assert (outer.rebinds, nested.rebinds) == (frozenset({"x"}), frozenset())
    assert made.settings == {}


def test_a_loop_that_hides_a_variable_sets_its_own() -> None:
    inner = "{Loop: {collection: [1], var: x, body: [{SetVar: {name: x, value: 1}}]}}"
    made = outlined(f"- Loop: {{collection: [1], var: x, body: [{inner}]}}")
    outer, nested = (made.inside(step) for step in steps(made, Repeats) if isinstance(step, Repeats))
    assert (outer.rebinds, nested.rebinds) == (frozenset(), frozenset({"x"}))
    assert made.settings == {}
