"""Calling functions directly, as a program would: with checked arguments, at a moment that stands still."""

from __future__ import annotations

import pytest

from compiler.diagnostics.codes import Code
from compiler.language.faults import Fault
from compiler.language.functions import SPELLINGS, Evaluate, Moment, call
from compiler.language.values import Value
from tests.compiler.language.functions.evaluator import StillMoment


def run(name: str, *arguments: Value | Evaluate, moment: Moment | None = None) -> Value:
    """The result of a function. Raises Fault as it does."""
    return call(SPELLINGS[name], arguments, moment or StillMoment())


def fault(name: str, *arguments: Value | Evaluate, moment: Moment | None = None) -> Code:
    """The kind of the fault that a call ends with."""
    with pytest.raises(Fault) as caught:
        run(name, *arguments, moment=moment)
    assert caught.value.message
    return caught.value.kind
