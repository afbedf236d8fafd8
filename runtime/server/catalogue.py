"""Which routes are served, in which condition, and what a new set of them changes (`worpen dev`, reload).

A route is known by the shape of its address: under the same address it is the same route, whatever its name or
file is called now. A route that cannot be served keeps its place and says why, so that clients get 503 and not
404, and so that another route does not catch its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from compiler.bytecode.program import Program
from compiler.language.paths import PathError, PathPattern, parse_path
from runtime.loader import LinkedProgram, LinkedRoute
from runtime.router import API_PREFIX, Match, Router
from runtime.session import Renewal, Version

if TYPE_CHECKING:
    from runtime.services.tokens import Verifier

Link = TypeVar("Link")


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route to be served, with the program it comes from. `stale`: its file does not compile any more, and this is
    its last good version."""

    owner: Program
    route: LinkedRoute
    stale: bool = False


def entries_of(linked: LinkedProgram, *, stale: bool = False) -> list[RouteEntry]:
    """All routes of a program, to be served."""
    return [RouteEntry(linked.program, route, stale) for route in linked.routes]


@dataclass(frozen=True, slots=True)
class BrokenRoute:
    """A route whose file does not compile: its address, and the diagnostics as text."""

    path: str
    reason: str
    name: str = ""


class Condition(Enum):
    """How a route is served."""

    OK = "ok"
    STALE = "stale"
    BROKEN = "broken"
    DISABLED = "disabled"
    KEYLESS = "no key"


@dataclass(slots=True, eq=False)
class Served(Generic[Link]):
    """An address with the route behind it. Mutable: it stays the same thing over reloads."""

    pattern: PathPattern
    name: str = ""
    version: Version | None = None
    """What it runs; None where it cannot be served."""
    generation: int = 0
    condition: Condition = Condition.BROKEN
    reason: str = ""
    links: set[Link] = field(default_factory=set)
    """Its open connections."""
    verifier: Verifier | None = None
    """What checks the tokens of its clients, where the route has `auth`."""

    @property
    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self.condition in (Condition.OK, Condition.STALE)


@dataclass(slots=True)
class Changes(Generic[Link]):
    """What a new set did to the routes. `renewed` have another program, `relinked` only another source map; `ended`
    are not served any more."""

    added: list[Served[Link]] = field(default_factory=list)
    renewed: list[tuple[Served[Link], Renewal]] = field(default_factory=list)
    relinked: list[tuple[Served[Link], Renewal]] = field(default_factory=list)
    unchanged: list[Served[Link]] = field(default_factory=list)
    ended: list[Served[Link]] = field(default_factory=list)
    refused: list[Served[Link]] = field(default_factory=list)


class Catalogue(Generic[Link]):
    """All routes of a server. `swap` is the only way to change it, and changes all of it at once."""

    def __init__(self, prefix: str = API_PREFIX) -> None:
        self._prefix = prefix
        self._served: dict[tuple[str, ...], Served[Link]] = {}
        self._router: Router[Served[Link]] = Router(())

    def __iter__(self) -> Iterator[Served[Link]]:
        return iter(self._served.values())

    def find(self, path: str) -> Match[Served[Link]] | None:
        """The route at an address, whatever its condition. Raises BadPath."""
        return self._router.find(path)

    def swap(self, entries: Iterable[RouteEntry | BrokenRoute]) -> Changes[Link]:
        """Serve exactly these. Of two with the same address the first that is enabled counts; a broken route without
        a readable path is left out."""
        changes: Changes[Link] = Changes()
        before, self._served = self._served, {}
        for shape, (pattern, entry) in _by_shape(entries).items():
            served = self._served[shape] = before.pop(shape) if shape in before else Served(pattern)
            _update(served, pattern, entry, changes)
        changes.ended += [served for served in before.values() if served.is_serving]
        for served in before.values():
            served.condition, served.version = Condition.DISABLED, None
        self._router = Router(((served.pattern, served) for served in self._served.values()), self._prefix)
        return changes


_Entries = dict[tuple[str, ...], tuple[PathPattern, RouteEntry | BrokenRoute]]


def _by_shape(entries: Iterable[RouteEntry | BrokenRoute]) -> _Entries:
    chosen: _Entries = {}
    for entry in entries:
        pattern = _pattern(entry)
        if pattern is None:
            continue
        other = chosen.get(pattern.shape)
        if other is None or (_is_disabled(other[1]) and not _is_disabled(entry)):
            chosen[pattern.shape] = (pattern, entry)
    return chosen


def _pattern(entry: RouteEntry | BrokenRoute) -> PathPattern | None:
    try:
        return parse_path(entry.path if isinstance(entry, BrokenRoute) else entry.route.program.path)
    except PathError:
        return None


def _is_disabled(entry: RouteEntry | BrokenRoute) -> bool:
    return isinstance(entry, RouteEntry) and entry.route.program.options.get("enabled") is False


def _update(
    served: Served[Link], pattern: PathPattern, entry: RouteEntry | BrokenRoute, changes: Changes[Link]
) -> None:
    """Put an entry into its place, and note what that changes."""
    was_serving, old = served.is_serving, served.version
    served.pattern = pattern
    served.condition, served.reason = _condition(entry)
    served.verifier = None
    if isinstance(entry, RouteEntry) and served.is_serving:
        _find_key(served, entry)
    served.name = entry.name if isinstance(entry, BrokenRoute) else entry.route.program.name
    if isinstance(entry, BrokenRoute) or not served.is_serving:
        served.version = None
        (changes.ended if was_serving else changes.refused).append(served)
        return
    if old is not None and old.route is entry.route:
        changes.unchanged.append(served)
        return
    changed = old is None or not _is_same_program(old, entry)
    served.generation += changed
    served.version = Version(entry.owner, entry.route, served.generation)
    if old is None:
        changes.added.append(served)
    elif changed:
        changes.renewed.append((served, Renewal(served.version, _renames(entry.route), changed=True)))
    else:
        changes.relinked.append((served, Renewal(served.version, {}, changed=False)))


def _find_key(served: Served[Link], entry: RouteEntry) -> None:
    """Read the key of a route with `auth`, each time anew: it may have been changed."""
    options = entry.route.program.options
    if "auth" not in options:
        return
    from runtime.services.tokens import KeyTrouble, verifier_of  # costs more than a start without it

    try:
        served.verifier = verifier_of(options)
    except KeyTrouble as trouble:
        served.condition, served.reason = Condition.KEYLESS, str(trouble)


def _condition(entry: RouteEntry | BrokenRoute) -> tuple[Condition, str]:
    if isinstance(entry, BrokenRoute):
        return Condition.BROKEN, entry.reason
    if _is_disabled(entry):
        return Condition.DISABLED, ""
    return (Condition.STALE if entry.stale else Condition.OK), ""


def _is_same_program(old: Version, new: RouteEntry) -> bool:
    """Whether two versions do the same: equal code over equal tables."""
    return (
        old.route.program == new.route.program
        and old.owner.constants == new.owner.constants
        and old.owner.imports == new.owner.imports
    )


def _renames(route: LinkedRoute) -> dict[str, str]:
    written = route.program.options.get("on_reload")
    return {old: str(new) for old, new in written.items()} if isinstance(written, dict) else {}
