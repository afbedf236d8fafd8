"""One hook alone."""

from __future__ import annotations

import pytest

from compiler.bytecode.program import LoadError
from compiler.unit import HOOK, compile_unit
from runtime.seam import Context
from runtime.single import link_hook
from tests.assembly import program
from worpen_cli.repl.evaluation import NO_INPUTS, Alone

CONTEXT = Context(Alone())


def test_it_runs() -> None:
    unit = compile_unit("expression", "a + 1", ("a",))
    assert unit.program is not None
    assert link_hook(unit.program, HOOK, CONTEXT)(NO_INPUTS, [1], print) == 2


@pytest.mark.parametrize("code", ["ADD ; RETURN", "CONST #7 ; RETURN", "SLOT #3 ; RETURN", "LOCAL #0 ; RETURN", "NULL"])
def test_what_is_not_safe_is_refused(code: str) -> None:
    with pytest.raises(LoadError):
        link_hook(program(code), HOOK, CONTEXT)
