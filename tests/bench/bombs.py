"""Routes that want to run for ever or to fill the memory, and what each costs until it is ended.

`python -m tests.bench.bombs`: processor time of the translated hook, median of five runs, and the fault with its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Final

from compiler.bytecode.codec import encode
from compiler.language.faults import Fault, Uncatchable
from compiler.language.values import UNSET, Unset, Value
from compiler.pipeline import Settings, compile_source
from runtime.loader import LinkedRoute, load
from runtime.seam import Context
from tests.assembly import Quiet

_HEAD: Final = "name: Bomb\npath: /ws/bomb\nroute_type: WebSocket\nws_hooks:\n  on_message:\n"
_REPEAT: Final = """\
    - SetVar: {name: x, value: FIRST}
    - While: {condition: true, max_iterations: 100000, body: [{SetVar: {name: x, value: "{{ NEXT }}"}}]}
"""
_ONCE: Final = """\
    - SetVar: {name: n, value: FIRST}
    - SetVar: {name: x, value: "{{ NEXT }}"}
"""
_NESTED: Final = """\
    - While:
        condition: true
        max_iterations: 100000
        body:
          - While: {condition: true, max_iterations: 100000, body: [{SetVar: {name: x, value: 1}}]}
"""


def _of(shape: str, first: str, following: str) -> str:
    return shape.replace("FIRST", first).replace("NEXT", following)


BOMBS: Final[dict[str, tuple[str, str]]] = {
    "while true": (_of(_REPEAT, "1", "1"), "loop_limit"),
    "while true in while true": (_NESTED, "out_of_fuel"),
    "x *= x": (_of(_REPEAT, "3", "x * x"), "number_range"),
    "texts that double": (_of(_REPEAT, "ab", "x + x"), "too_large"),
    "lists that double": (_of(_REPEAT, "[1]", "x + x"), "too_large"),
    "a huge repeat": (_of(_ONCE, "1000000000", "'x' | repeat(n)"), "too_large"),
    "repeat, then replace": (_of(_ONCE, "1000000", "'x' | repeat(n) | replace('x', 'a longer text')"), "too_large"),
    "a huge range": (_of(_ONCE, "1000000000", "range(0, n)"), "too_large"),
    "a tower of powers": (_of(_ONCE, "9999", "n ** n ** n"), "number_range"),
}
"""Routes by name: what `on_message` does, and the code of the fault that ends it."""


def linked(operations: str) -> LinkedRoute:
    """The route of a bomb, ready to run."""
    compilation = compile_source("bomb.yaml", (_HEAD + operations).encode(), Settings())
    assert compilation.program is not None
    return load(encode(compilation.program), Context(Quiet())).routes[0]


def ended(route: LinkedRoute) -> Fault | Uncatchable:
    """The fault that ends one run of its hook."""
    slots: list[Value | Unset] = [UNSET] * len(route.program.slots)
    try:
        route.hooks["on_message"]([None] * 20, slots, lambda *_: None)
    except (Fault, Uncatchable) as fault:
        return fault
    raise AssertionError("nothing ended the hook")


def _timed(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def main() -> None:
    """Print the table."""
    print(f"{'bomb':<26}{'CPU ms':>8}  ended by")
    for name, (operations, _) in BOMBS.items():
        route = linked(operations)
        fault = ended(route)
        seconds = median(_timed(lambda route=route: ended(route)) for _ in range(5))  # type: ignore[misc]
        place = f"{fault.mark.line}:{fault.mark.column}" if fault.mark else "nowhere"
        print(f"{name:<26}{seconds * 1e3:>8.2f}  {fault.code} at {place}")


if __name__ == "__main__":
    main()
