"""The translator does what the interpreter does: in value, effects, variables, faults, places and fuel.

`make fuzz` looks at a million expressions, ten thousand hooks and a hundred thousand changed programs.
"""

from __future__ import annotations

import pytest

from tests.property.engines import MAKERS, divergence

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
