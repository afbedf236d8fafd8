"""What programs reach, route by route, and how that differs between two sets of them.

A route's reach is its manifest, what its SQL statements touch, and who may connect to it. It widens where something
can be reached that could not be before: a new channel, statement, table, column, key, host or variable, another kind of
effect, a hook without a bound where there was one, a route that was not there, a door that stands open now, an option
that lets in more. Patterns are compared by what they cover: `room-7` after `room-*` is nothing new. A route that is not
enabled is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from compiler.bytecode import patterns
from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.options import OptionChange, Options, compare_options
from compiler.bytecode.program import Program, RouteProgram
from compiler.language.effects import REJECT
from compiler.language.sql_reach import READ, WRITE, covers_column, covers_table, sql_reach
from compiler.records import dataclass

Reach: TypeAlias = "dict[str, tuple[str, ...]]"
"""What a route reaches, by kind."""
UNBOUNDED: Final = "bounded by fuel"
ANYBODY: Final = "anybody"
_THOSE: Final = "those "
_AND: Final = "; "
_Side: TypeAlias = "tuple[Reach, Options]"
_NOTHING: Final[_Side] = ({}, {})
_PATTERNS: Final = ("channels", "keys", "hosts")
_NAMES: Final = ("effects", "statements", "environment")


@dataclass(frozen=True, slots=True)
class RouteChange:
    """What became of a route's reach: by kind what is reached now and was not, what is not reached any more, and which
    options differ.

    `status` is `added`, `removed` or `changed`.
    """

    path: str
    status: str
    added: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, tuple[str, ...]]
    options: tuple[OptionChange, ...]

    @property
    def widens(self) -> bool:
        """Whether anything is reached that was not."""
        return self.status == "added" or bool(self.added) or any(option.widens for option in self.options)


def reach_of(program: Program, route: RouteProgram) -> Reach:
    """What one route of a program reaches, empty kinds left out."""
    manifest = compute_manifest(program.constants, program.imports, (route,))
    reach = {kind: tuple(getattr(manifest, kind)) for kind in (*_NAMES, *_PATTERNS)}
    # Who can refuse clients reaches nothing by that.
    reach["effects"] = tuple(name for name in reach["effects"] if name != REJECT.name)
    reach["tables"], reach["columns"] = _touched(manifest.statements)
    reach["cost"] = tuple(
        f"{name.rpartition('/')[2]} {UNBOUNDED}" for name, cost in manifest.cost.items() if cost is None
    )
    reach["clients"] = (_clients(route),)
    return {kind: found for kind, found in reach.items() if found}


def _touched(statements: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables and the columns of all statements, with what is done to them: `read users`, `write users.online`."""
    found = [sql_reach(statement) for statement in statements]
    tables = {f"{READ} {name}" for one in found for name in one.read_tables}
    tables |= {f"{WRITE} {name}" for one in found for name in one.written_tables}
    columns = {f"{READ} {name}" for one in found for name in one.read_columns}
    columns |= {f"{WRITE} {name}" for one in found for name in one.written_columns}
    return tuple(sorted(tables)), tuple(sorted(columns))


def _clients(route: RouteProgram) -> str:
    """Who gets in: anybody, or those that meet each of some conditions."""
    conditions: list[str] = []
    if isinstance(route.options.get("auth"), dict):
        conditions.append("with a valid token")
    if "on_auth" in route.hooks:
        conditions.append("let in by on_auth")
    return _THOSE + _AND.join(conditions) if conditions else ANYBODY


def compare(before: Iterable[Program], after: Iterable[Program]) -> list[RouteChange]:
    """How the reach of each route differs, by path; routes that reach the same are left out."""
    old, new = _by_path(before), _by_path(after)
    changes = (_change(path, old.get(path), new.get(path)) for path in sorted({*old, *new}))
    return [change for change in changes if change is not None]


def _by_path(programs: Iterable[Program]) -> dict[str, _Side]:
    return {
        route.path: (reach_of(program, route), route.options)
        for program in programs
        for route in program.routes
        if route.options.get("enabled") is not False
    }


def _change(path: str, before: _Side | None, after: _Side | None) -> RouteChange | None:
    status = "added" if before is None else "removed" if after is None else "changed"
    (old, old_options), (new, new_options) = before or _NOTHING, after or _NOTHING
    added, removed = dict(_gained(old, new)), dict(_gained(new, old))
    options = tuple(compare_options(old_options, new_options))
    return RouteChange(path, status, added, removed, options) if added or removed or options else None


def _gained(old: Reach, new: Reach) -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind, found in new.items():
        known, covers = old.get(kind, ()), _COVERS.get(kind, _equals)
        if fresh := tuple(text for text in found if not any(covers(other, text) for other in known)):
            yield kind, fresh


def _equals(wide: str, narrow: str) -> bool:
    return wide == narrow


def _covers_client(wide: str, narrow: str) -> bool:
    if ANYBODY in (wide, narrow):
        return wide == ANYBODY
    asked, met = (set(text.removeprefix(_THOSE).split(_AND)) for text in (wide, narrow))
    return asked <= met


def _covers_touched(covers: Callable[[str, str], bool], wide: str, narrow: str) -> bool:
    (act, wider), (other, narrower) = wide.split(" ", 1), narrow.split(" ", 1)
    return act == other and covers(wider, narrower)


_COVERS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    **dict.fromkeys(_PATTERNS, patterns.covers),
    "tables": partial(_covers_touched, covers_table),
    "columns": partial(_covers_touched, covers_column),
    "clients": _covers_client,
}
"""Where one entry can cover another that is not the same text."""


def widens(changes: Sequence[RouteChange]) -> bool:
    """Whether anything is reached that was not."""
    return any(change.widens for change in changes)
