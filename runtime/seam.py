"""What a linked hook is, whoever made it: the seam between programs and what runs them.

A hook is called with `hook(inputs, slots, emit)`:

- `inputs` has a value for each row of `hooks.INPUTS`, None for what there is not;
- `slots` has the connection's variables, UNSET at first; the hook changes it in place;
- `emit(effect, *arguments)` performs an effect of `effects.EFFECTS` and returns its reply, for a waiting effect an
  awaitable of it. It may raise a Fault, which the program can catch, or an Uncatchable.

It returns what RETURN returned, None without one. Hooks whose chunk `waits` are coroutine functions, all others
plain functions. Inputs and replies are in normal form: numbers as `values.normalise` makes them, also inside of
lists and objects, and nobody changes a list or object after handing it over.

Out come Fault, OutOfFuel and what `emit` raises, with their `mark` set where the program has a source map.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from compiler.bytecode.program import Chunk, Program, RouteProgram
from compiler.language import limits
from compiler.language.functions import Moment
from compiler.language.values import Unset, Value

Emit: TypeAlias = Callable[..., Any]
"""`emit(effect, *arguments)`: the effect's reply, or an awaitable of it."""
Hook: TypeAlias = Callable[[Sequence[Value], "list[Value | Unset]", Emit], "Value | Awaitable[Value]"]
"""A hook, ready to be called."""
Template: TypeAlias = Callable[[Sequence[Value], "list[Value | Unset]", Emit], str]
"""A channel template, ready to be called: the name, never blank, or a Fault."""
Observe: TypeAlias = Callable[[Chunk, int, Sequence[Any]], None]
"""Called before each instruction with its chunk, its place in it, and the stack, which is only to be looked at."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all runs of a program share: the world that its functions see, and how much fuel one run has.

    `observe` is for stepping through a program, and slows it down.
    """

    moment: Moment
    fuel: int = limits.FUEL
    observe: Observe | None = None


Engine: TypeAlias = Callable[[Program, RouteProgram, Chunk, Context], Hook]
"""What turns a chunk into a hook: the interpreter, or the translator."""
