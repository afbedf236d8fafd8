"""What translated code calls besides the helpers: rare ways that would only make it longer.

All of it follows the interpreter to the letter; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, Final

from compiler.bytecode.program import Import
from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault, OutOfFuel, Uncatchable
from compiler.language.functions import FUNCTIONS, Moment, call
from compiler.language.values import UNSET, ErrorValue, Value
from runtime.interpreter import error_value, thrown
from runtime.translator.places import Places

CATCHABLE: Final = (Fault, RecursionError, OverflowError)
"""What a TRY takes: RecursionError stands for the fault of a value nested too deep, OverflowError for one too large."""
LEAVING: Final = (*CATCHABLE, Uncatchable)
"""What leaves a hook with a mark."""


def unset_variable(name: str) -> Fault:
    """The fault of reading a variable that no operation has set."""
    return Fault(codes.UNDEFINED_VARIABLE, f"the variable `{name}` is not set")


def loop_limit(most: int) -> Fault:
    """The fault of a loop whose rounds are used up."""
    return Fault(codes.LOOP_LIMIT, f"the condition was still true after {most} rounds")


def out_of_fuel(fuel: int) -> OutOfFuel:
    """The end of a hook that ran too many rounds."""
    return OutOfFuel(f"the hook ran more than {fuel} rounds")


def items_of(collection: Value) -> Sequence[Value]:
    """What EACH goes over. Raises Fault type-error."""
    if collection is None:
        return ()
    if isinstance(collection, list):
        return collection
    raise Fault(codes.TYPE_ERROR, f"a loop goes over a list, not over {values.describe(collection)}", collection)


def caught(problem: Fault | RecursionError | OverflowError, places: Places) -> Fault:
    """The fault that a TRY takes, with its mark. Raises what is none."""
    fault = places.fault(problem)
    fault.mark = fault.mark or places.mark(problem)
    return fault


def leave(problem: Fault | RecursionError | OverflowError | Uncatchable, places: Places) -> None:
    """Give what a hook ends with its mark. Raises the fault that another exception stands for."""
    if isinstance(problem, (RecursionError, OverflowError)):
        raise caught(problem, places) from None
    problem.mark = problem.mark or places.mark(problem)


def caught_value(problem: Fault | RecursionError | OverflowError, places: Places) -> ErrorValue:
    """What a CATCH sets its local to."""
    return error_value(caught(problem, places))


def function_caller(row: Import, moment: Moment) -> Callable[..., Value]:
    """A function of the language as CALL calls it: arguments and result in normal form, checked, within limits."""
    function, normalised = FUNCTIONS[row.name], values.normalised

    def call_function(*arguments: Any) -> Value:
        given = [argument if callable(argument) else normalised(argument) for argument in arguments]
        return normalised(call(function, given, moment))

    return call_function


NAMES: Final[dict[str, Any]] = {
    "UNSET": UNSET,
    "CATCHABLE": CATCHABLE,
    "LEAVING": LEAVING,
    "ONCE": (None,),
    "repeat": repeat,
    "partial": partial,
    "unset_variable": unset_variable,
    "loop_limit": loop_limit,
    "out_of_fuel": out_of_fuel,
    "items_of": items_of,
    "caught": caught,
    "caught_value": caught_value,
    "leave": leave,
    "thrown": thrown,
    "normalised": values.normalised,
    "truthy": values.truthy,
    "bounded": values.bounded,
    "text": values.text,
}
"""What translated code can name, besides the helpers of the opcode table."""
