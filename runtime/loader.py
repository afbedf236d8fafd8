"""The trust boundary: bytes → decode → verify → link. There is no other way from a program to a hook.

Programs that were compiled in memory are verified as well: it costs little, and a mistake of the compiler ends
here with a sentence instead of somewhere in a hook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler.bytecode.codec import decode
from compiler.bytecode.needs import Need, route_needs
from compiler.bytecode.program import Chunk, Program, RouteProgram
from compiler.bytecode.verifier import verify
from compiler.language.paths import PathPattern, parse_path
from compiler.language.values import Unset, Value, channel_name
from runtime.bounds import Bounds, bounds_of, within
from runtime.seam import Context, Emit, Engine, Hook, Template
from runtime.translator import build_hook, prepare


@dataclass(frozen=True, slots=True)
class LinkedRoute:
    """A route that is ready to run: its hooks by name, the templates of the channels that it joins, what its program
    may ask for, and what its hook needs of messages that are decoded."""

    program: RouteProgram
    pattern: PathPattern
    hooks: Mapping[str, Hook]
    templates: tuple[Template, ...]
    bounds: Bounds
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class LinkedProgram:
    """A verified program that is ready to run."""

    program: Program
    routes: tuple[LinkedRoute, ...]

    def prepare(self) -> None:
        """Translate all hooks now, so that no first message waits for it."""
        for route in self.routes:
            for hook in route.hooks.values():
                prepare(hook)


def load(raw: bytes, context: Context, engine: Engine = build_hook) -> LinkedProgram:
    """The program in a file's bytes. Raises LoadError, and nothing else, whatever the bytes are."""
    return link(decode(raw), context, engine)


def link(program: Program, context: Context, engine: Engine = build_hook) -> LinkedProgram:
    """A program, ready to run. Raises LoadError where it does not pass verification."""
    verify(program)
    bounds = bounds_of(program.manifest)
    around = within(program, bounds, context)
    routes = tuple(_link_route(program, route, bounds, around, engine) for route in program.routes)
    return LinkedProgram(program, routes)


def _link_route(program: Program, route: RouteProgram, bounds: Bounds, context: Context, engine: Engine) -> LinkedRoute:
    return LinkedRoute(
        program=route,
        pattern=parse_path(route.path),
        hooks={name: engine(program, route, chunk, context) for name, chunk in route.hooks.items()},
        templates=tuple(_link_template(program, route, chunk, context, engine) for chunk in route.membership.templates),
        bounds=bounds,
        needs=route_needs(program, route),
    )


def _link_template(program: Program, route: RouteProgram, chunk: Chunk, context: Context, engine: Engine) -> Template:
    evaluate = engine(program, route, chunk, context)

    def template(inputs: Sequence[Value], slots: list[Value | Unset], emit: Emit) -> str:
        # An expression never waits: what it returns is a value.
        return channel_name(evaluate(inputs, slots, emit))  # type: ignore[arg-type]

    return template
