"""The translator does what the interpreter does: in value, effects, variables, faults, places and fuel.

`make fuzz` looks at a million expressions, ten thousand hooks and a hundred thousand changed programs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.language.faults import Fault, Uncatchable
from compiler.language.values import UNSET
from compiler.unit import HOOK, compile_unit
from runtime.seam import Context, Engine
from tests.assembly import Quiet, program
from tests.property.engines import ENGINES, MAKERS, divergence

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "conformance"

COUNTS = {"expressions": 500, "hooks": 250, "mutants": 120}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_engines_agree(kind: str) -> None:
    looked = seed = 0
    while looked < COUNTS[kind]:
        made = MAKERS[kind](seed)
        if made is not None:
            looked += 1
            assert divergence(made, seed) is None
        seed += 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loop_without_a_round_asks_for_its_condition(engine: Engine) -> None:
    """Also where what follows would ask for the variable again."""
    made = program("LOOP 0 ; SLOT room ; WHILE ; CONTINUE ; END ; CONCAT 0 ; IF 0 ; ELSE ; END", slots=["room"])
    route = made.routes[0]
    run = engine(made, route, route.hooks[HOOK], Context(Quiet()))
    with pytest.raises(Fault, match="`room` is not set"):
        run([None] * 20, [UNSET], lambda *_: None)


def vectors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in ("expr_vectors.json", "template_vectors.json"):
        if (VECTORS / name).is_file():
            loaded = json.loads((VECTORS / name).read_text(encoding="utf-8"))
            found += loaded["vectors"] if isinstance(loaded, dict) else loaded
    return found


def outcome(vector: dict[str, Any], engine: Engine) -> Any:
    """What an engine makes of a vector: its value with its type, or its fault with its place."""
    names = list(vector.get("vars", {}))
    kind = "expression" if "expr" in vector else vector.get("mode", "value")
    unit = compile_unit(kind, vector.get("expr", vector.get("template", "")), names)
    if unit.program is None:
        return None
    route = unit.program.routes[0]
    run = engine(unit.program, route, route.hooks[HOOK], Context(Quiet()))
    slots = [vector["vars"].get(name, UNSET) for name in names]
    try:
        value = run([None] * 20, slots, lambda *_: None)
    except (Fault, Uncatchable) as fault:
        return type(fault).__name__, fault.code, fault.message, fault.mark
    return repr(value)


def test_the_engines_agree_on_the_conformance_vectors() -> None:
    if not (found := vectors()):
        pytest.skip(f"no conformance vectors at {VECTORS}")
    looked = 0
    for vector in found:
        expected, translated = (outcome(vector, engine) for engine in ENGINES)
        assert translated == expected, vector
        looked += expected is not None
    assert looked > len(found) / 2
