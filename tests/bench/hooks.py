"""Hooks against Python by hand, side by side in one run: `python -m tests.bench.hooks`."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from typing import Any

from compiler.language.values import UNSET
from compiler.pipeline import Settings, compile_source
from runtime import interpreter, translator
from runtime.seam import Context, Engine
from tests.assembly import Quiet, inputs
from tests.bench.clock import ratio, rounds_of
from tests.bench.workloads import FLOORS, MESSAGE, NAIVE, ROUTES, source_of


def sink() -> Callable[..., Any]:
    """A host that does next to nothing: the last message is kept."""
    last: deque[Any] = deque(maxlen=1)

    def emit(effect: str, *arguments: Any) -> int:
        last.append(arguments)
        return 1

    return emit


def prepared(name: str, engine: Engine) -> tuple[Any, tuple[Any, ...]]:
    """A workload's hook, and what it is called with: its variables as `on_connect` left them."""
    program = compile_source(f"{name}.yaml", source_of(name).encode(), Settings()).program
    assert program is not None
    route = program.routes[0]
    context = Context(Quiet())
    slots: list[Any] = [UNSET] * len(route.slots)
    if "on_connect" in route.hooks:
        connect = engine(program, route, route.hooks["on_connect"], context)
        connect(inputs(connection_id="p-7"), slots, sink())
    hook = engine(program, route, route.hooks["on_message"], context)
    given = (inputs(message=MESSAGE[name], connection_id="p-7"), slots, sink())
    hook(*given)
    return hook, given


def measure(name: str, rounds: int = 61) -> dict[str, list[float]]:
    """Nanoseconds of one message in a workload, for each way to run it."""
    hook, given = prepared(name, translator.build_hook)
    return rounds_of(
        {
            "by hand": (FLOORS[name], given),
            "by hand, naive": (NAIVE[name], given),
            "translated": (hook, given),
            "interpreted": prepared(name, interpreter.build_hook),
        },
        rounds=rounds,
    )


def main() -> None:
    """Print a table."""
    ratios = []
    print(f"{'workload':<20} {'by hand':>9} {'translated':>11} {'ratio':>6} {'naive':>9} {'interpreted':>12}")
    for name in ROUTES:
        found = measure(name)
        times = {contestant: statistics.median(values) for contestant, values in found.items()}
        ratios.append(ratio(found, "translated", "by hand"))
        print(
            f"{name:<20} {times['by hand']:>6.0f} ns {times['translated']:>8.0f} ns {ratios[-1]:>6.2f}"
            f" {times['by hand, naive']:>6.0f} ns {times['interpreted']:>9.0f} ns"
        )
    print(f"geometric mean {statistics.geometric_mean(ratios):.3f}")


if __name__ == "__main__":
    main()
