"""The translator: a verified chunk becomes one Python function, when it is first called (bytecode section 1).

    chunk → layout (blocks) → statements, expressions (one pass, lines of Python) → function (compiled) → places

The helpers of the opcode table are the semantics here as well: the lines call them wherever the operands are not
what a native template is for. Nothing is evaluated twice, so translated code and the interpreter agree in every
value, effect, fault and mark, and in when the fuel is used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FrameType, FunctionType
from typing import Any, cast

from compiler.bytecode.program import Chunk, Program, RouteProgram
from compiler.language.values import Unset, Value
from runtime import interpreter
from runtime.seam import Context, Emit, Hook
from runtime.translator.function import PLACES, NotTranslatable, Translation, translate

__all__ = ["NotTranslatable", "Translation", "build_hook", "hook_in", "is_translated", "prepare", "translate"]

_PREPARE = "PREPARE"
_HOOK = "HOOK"


def build_hook(program: Program, route: RouteProgram, chunk: Chunk, context: Context) -> Hook:
    """A chunk as a function to be called, see `runtime.seam`. It is translated by its first call, or by `prepare`.

    Where somebody observes, and where a chunk is nested deeper than a Python function can be, the interpreter runs
    it.
    """
    if context.observe is not None:
        return interpreter.build_hook(program, route, chunk, context)

    def become() -> Hook:
        """Let the function be what its chunk says; the function that was called goes on with what is returned."""
        try:
            made = translate(program, route, chunk, context, _name_of(route, chunk))
        except (NotTranslatable, RecursionError):
            made_by_interpreter = interpreter.build_hook(program, route, chunk, context)
            hook.__globals__[_PREPARE] = lambda: made_by_interpreter
            return made_by_interpreter
        hook.__globals__.update(made.names)
        # Not taken away: coroutines that were made before, and have not begun, still ask for it.
        hook.__globals__[_PREPARE] = lambda: hook
        hook.__code__ = made.code
        return cast("Hook", hook)

    pattern = cast("FunctionType", _untranslated_waiting if chunk.waits else _untranslated)
    hook = FunctionType(pattern.__code__, {_PREPARE: become, _HOOK: (route, chunk)})
    return cast("Hook", hook)


def prepare(hook: Hook) -> None:
    """Translate a hook now instead of when it is called; nothing happens to one that is translated."""
    become = getattr(hook, "__globals__", {}).get(_PREPARE)
    if become is not None:
        become()


def is_translated(frame: FrameType) -> bool:
    """Whether what runs in this frame was translated from a chunk."""
    return PLACES in frame.f_globals


def hook_in(frame: FrameType) -> tuple[RouteProgram, Chunk] | None:
    """The translated hook that runs in this frame, and whose it is; None for others, an inner expression's too."""
    return frame.f_globals.get(_HOOK)


def _name_of(route: RouteProgram, chunk: Chunk) -> str:
    """The name of a chunk's function, as tracebacks show it."""
    return next((name for name, other in route.hooks.items() if other is chunk), "channel")


def _untranslated(inputs: Sequence[Value], slots: list[Value | Unset], emit: Emit) -> Any:
    return PREPARE()(inputs, slots, emit)  # type: ignore[name-defined]  # noqa: F821


async def _untranslated_waiting(inputs: Sequence[Value], slots: list[Value | Unset], emit: Emit) -> Any:
    return await PREPARE()(inputs, slots, emit)  # type: ignore[name-defined]  # noqa: F821
