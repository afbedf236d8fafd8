"""What a reload changed, a line for each route.

chat.yaml: on_message changed; 12 connections go on at generation 7
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from compiler.bytecode.opcodes import Opcode, Operand
from compiler.bytecode.program import Chunk, Program, RouteProgram
from compiler.records import dataclass
from runtime.events import Swapped
from runtime.server.catalogue import Served
from runtime.session import Version
from worpen_cli.findings import plural

Meaning: TypeAlias = tuple[Any, ...]
"""Code without the numbers that depend on the rest of the program."""


@dataclass(frozen=True, slots=True)
class Before:
    """A route as it was served before a reload."""

    version: Version
    connections: int


def remember(routes: Iterable[Served[Any]]) -> dict[str, Before]:
    """What is served now, by path."""
    return {
        str(served.pattern): Before(served.version, len(served.links))
        for served in routes
        if served.version is not None
    }


def summary(
    before: Mapping[str, Before], told: Swapped, routes: Iterable[Served[Any]], *, restart: bool
) -> Iterator[str]:
    """A line for each route that is new, changed or gone."""
    served = {str(route.pattern): route for route in routes}
    for path in told.changed:
        yield _changed(path, _old(before, path, served[path]), served[path], restart=restart)
    for path in told.added:
        version = served[path].version
        if version is not None:
            yield f"{version.owner.source_name}: {path} is served, generation {version.generation}"
    for path in told.removed:
        was = before.get(path)
        ended = f"; {plural(was.connections, 'connection')} closed (1001)" if was and was.connections else ""
        yield f"{was.version.owner.source_name if was else path}: {path} is not served any more{ended}"


def _old(before: Mapping[str, Before], path: str, served: Served[Any]) -> Before | None:
    """The same route, also where its parameters have other names now."""
    if path in before:
        return before[path]
    return next((was for was in before.values() if was.version.route.pattern.shape == served.pattern.shape), None)


def _changed(path: str, was: Before | None, served: Served[Any], *, restart: bool) -> str:
    version = served.version
    assert version is not None
    parts = changed_parts(was.version, version) if was is not None else []
    number = was.connections if was is not None else 0
    go_on = "goes on" if number == 1 else "go on"
    if restart:
        end = f"{plural(number, 'connection')} closed (1012), generation {version.generation}"
    else:
        end = f"{plural(number, 'connection')} {go_on} at generation {version.generation}"
    return f"{version.owner.source_name}: {', '.join(parts) or path} changed; {end}"


def changed_parts(old: Version, new: Version) -> list[str]:
    """What differs between two versions of a route, as its author calls it: hooks, then keys of the route."""
    one, other = old.route.program, new.route.program
    hooks = dict.fromkeys([*other.hooks, *one.hooks])
    parts = [hook for hook in hooks if _hook_meaning(old.owner, one, hook) != _hook_meaning(new.owner, other, hook)]
    parts += [key for key in ("name", "path") if getattr(one, key) != getattr(other, key)]
    options = dict.fromkeys([*other.options, *one.options])
    parts += [key for key in options if one.options.get(key) != other.options.get(key)]
    if _membership(old.owner, one) != _membership(new.owner, other):
        parts.append("subscribe" if not (one.membership.automatic and other.membership.automatic) else "channels")
    return parts


def _hook_meaning(owner: Program, route: RouteProgram, hook: str) -> Meaning | None:
    chunk = route.hooks.get(hook)
    return _meaning(owner, route, chunk) if chunk is not None else None


def _membership(owner: Program, route: RouteProgram) -> Meaning:
    templates = tuple(_meaning(owner, route, chunk) for chunk in route.membership.templates)
    return (route.membership.automatic, route.membership.literals, templates)


def _meaning(owner: Program, route: RouteProgram, chunk: Chunk) -> Meaning:
    code: Sequence[Any] = [(step.opcode, _operand(owner, route, step.opcode, step.operand)) for step in chunk.code]
    return (*code, *(_meaning(owner, route, inner) for inner in chunk.inner))


def _operand(owner: Program, route: RouteProgram, opcode: Opcode, number: int) -> Any:
    """What an instruction's number stands for."""
    match opcode.operand:
        case Operand.CONSTANT:
            value = owner.constants[number]
            return (type(value), repr(value))
        case Operand.IMPORT:
            return owner.imports[number]
        case Operand.SLOT:
            return route.slots[number].name
        case _:
            return number
