"""Routes made by hand: hooks are Python functions, so that tests of the shell need no compiler."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from compiler.bytecode.program import Chunk, Import, Manifest, Membership, Program, RouteProgram, Slot
from compiler.language.paths import parse_path
from compiler.language.values import Kind, Value
from runtime.bounds import UNBOUNDED
from runtime.loader import LinkedRoute
from runtime.seam import Hook
from runtime.server.catalogue import RouteEntry
from runtime.session import Version
from runtime.transport import frames

AUTOMATIC = Membership(True, (), ())
EXPLICIT = Membership(False, (), ())


def chunk(waits: bool = False) -> Chunk:
    """A chunk that is only asked whether it waits."""
    return Chunk((), 0, 0, 0, waits)


def route(
    path: str = "/ws/test",
    *,
    name: str = "test",
    options: Mapping[str, Value] | None = None,
    membership: Membership = AUTOMATIC,
    slots: tuple[str, ...] = (),
    waiting: tuple[str, ...] = (),
    templates: tuple[Any, ...] = (),
    **hooks: Hook,
) -> LinkedRoute:
    """A linked route with these hooks; those named in `waiting` are coroutine functions."""
    program = RouteProgram(
        name,
        path,
        options or {},
        membership,
        tuple(Slot(slot, Kind.ANY) for slot in slots),
        {hook: chunk(hook in waiting) for hook in hooks},
    )
    return LinkedRoute(program, parse_path(path), hooks, templates, UNBOUNDED, ())


def owner(route: LinkedRoute, *, constants: tuple[Value, ...] = (), imports: tuple[Import, ...] = ()) -> Program:
    """A program with that one route."""
    manifest = Manifest((), (), (), (), (), (), (), {})
    return Program(constants, imports, (route.program,), manifest, "tests", source_name="test.yaml")


def version(route: LinkedRoute, generation: int = 1) -> Version:
    """The route as a session takes it."""
    return Version(owner(route), route, generation)


def entry(route: LinkedRoute, **tables: Any) -> RouteEntry:
    """The route as a server takes it."""
    return RouteEntry(owner(route, **tables), route)


class End:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.is_open, self.queued_bytes = True, 0
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)

    def send_all(self, frames: Iterable[bytes]) -> None:
        self.sent.extend(frames)

    def heard(self) -> list[Any]:
        """What was sent since the last time: objects, or the text of what is not wrapped."""
        sent, self.sent = self.sent, []
        texts = [str(frames.content_of(frame)) for frame in sent]
        return [json.loads(text) if text.startswith("{") else text for text in texts]
