"""Where the server's limits come from: flag > environment > project file > default.

    worpen dev --limit message_rate=0              WORPEN_LIMITS_MESSAGE_RATE=0
    [limits]                                       # in worpen.toml
    message_rate = 0
    max_message_bytes = "256KiB"

Names and meanings are those of `runtime.limits.LIMITS`; a `-` in a name is as good as a `_`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from compiler.diagnostics.suggest import did_you_mean
from compiler.language.limits import LIST_ITEMS, TEXT_BYTES
from compiler.records import dataclass
from worpen_cli.console import Stop
from worpen_cli.project import Project

if TYPE_CHECKING:
    from runtime.limits import Amount, Limit, ServerLimits, WireLimits

TABLE: Final = "limits"
"""The table of the project file."""
_OF_THE_LANGUAGE: Final = (
    ("text_bytes", f"{TEXT_BYTES >> 20} MiB", "a text that an operation makes"),
    ("list_items", str(LIST_ITEMS), "elements of a list, or keys of an object, that an operation makes"),
)
"""What cannot be set: programs are checked with it."""
VARIABLE: Final = "WORPEN_LIMITS_"
"""What names of environment variables begin with."""


class Source(Enum):
    """Who set a limit."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A limit's value and who set it; `place` says where: a file, a variable, the flag."""

    limit: Limit
    amount: Amount
    source: Source = Source.DEFAULT
    place: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit, chosen."""

    chosen: Mapping[str, Chosen]

    def wire(self) -> WireLimits:
        """Those of the wire, for the server's settings."""
        from runtime.limits import WireLimits

        return WireLimits(**self._of(WireLimits))

    def server(self) -> ServerLimits:
        """Those of the server, for its settings."""
        from runtime.limits import ServerLimits

        return ServerLimits(**self._of(ServerLimits))

    def _of(self, owner: type) -> dict[str, Any]:
        return {name: chosen.amount for name, chosen in self.chosen.items() if chosen.limit.owner is owner}


def choose_limits(project: Project, flags: Sequence[str], environment: Mapping[str, str] = os.environ) -> Limits:
    """Every limit with its value. `flags`: `NAME=VALUE` each. Raises Stop for unknown names and bad values."""
    from runtime.limits import LIMITS

    chosen = {name: Chosen(limit, limit.default) for name, limit in LIMITS.items()}
    for source, place, written_name, written in _settings(project, flags, environment):
        name = written_name.lower().replace("-", "_")
        if name not in LIMITS:
            raise Stop(f"{place}: there is no limit `{written_name}`", help=did_you_mean(name, list(LIMITS)))
        try:
            chosen[name] = Chosen(LIMITS[name], LIMITS[name].read(written), source, place)
        except ValueError as error:
            raise Stop(f"{place}: limit `{name}`: {error}") from None
    return Limits(chosen)


def _settings(
    project: Project, flags: Sequence[str], environment: Mapping[str, str]
) -> Iterator[tuple[Source, str, str, object]]:
    """All that was set, the weakest first: who, where, name and value."""
    for name, written in project.section(TABLE).items():
        yield Source.FILE, project.shown_path, name, written
    for variable in sorted(environment):
        if variable.startswith(VARIABLE):
            yield Source.ENVIRONMENT, variable, variable.removeprefix(VARIABLE).lower(), environment[variable]
    for flag in flags:
        name, equals, value = flag.partition("=")
        if not equals:
            raise Stop(f"--limit {flag}: a limit is set by `--limit name=value`")
        yield Source.FLAG, "--limit", name.strip(), value


def limit_lines(limits: Limits) -> Iterator[str]:
    """A table for people: name, value, source, meaning. At its end, what values may hold: the language sets that."""
    rows = [
        (chosen.limit.name, chosen.limit.show(chosen.amount), _shown_source(chosen), _sentence(chosen.limit))
        for chosen in limits.chosen.values()
    ]
    rows += ((name, value, "language", f"{meaning} (error in the hook)") for name, value, meaning in _OF_THE_LANGUAGE)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, value, source, sentence in rows:
        yield f"{name:<{widths[0]}}  {value:>{widths[1]}}  {source:<{widths[2]}}  {sentence}".rstrip()


def _shown_source(chosen: Chosen) -> str:
    if chosen.source is Source.FILE:
        return chosen.place
    return str(chosen.source.value)


def _sentence(limit: Limit) -> str:
    return f"{limit.meaning} ({limit.over})" if limit.over else limit.meaning


def limit_rows(limits: Limits) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "name": chosen.limit.name,
            "value": chosen.amount,
            "unit": chosen.limit.unit.value,
            "default": chosen.limit.default,
            "source": chosen.source.value,
            "place": chosen.place,
            "meaning": chosen.limit.meaning,
            "over": chosen.limit.over,
        }
        for chosen in limits.chosen.values()
    ]


_PAGE_HEAD: Final = """\
# Limits

Every limit of the server has a finite default. `worpen dev --print-limits` lists the values of a project and who set
each. A limit is set, the strongest first, by

- a flag: `worpen dev --limit message_rate=0`
- the environment: `WORPEN_LIMITS_MESSAGE_RATE=0`
- the project file, `worpen.toml`: a table `[limits]` with `message_rate = 0`

Values are numbers in the limit's unit, or texts with a unit of their own: `256KiB`, `1.5MiB`, `250ms`, `2m`. A limit
that was reached is counted: `worpen_limits_reached_total{limit="NAME"}` on `/metrics`; a burst counts under its rate.
Load generators send more than clients do: give them rates of 0, which is no limit. Those of the language cannot be set
and are [a page of their own](reference/limits.md).

| limit | default | what is limited | over it |
| --- | --- | --- | --- |
"""


def limits_page() -> str:
    """docs/limits.md: every limit with its default."""
    from runtime.limits import LIMITS

    return _PAGE_HEAD + "".join(
        f"| `{limit.name}` | {limit.show(limit.default)} | {limit.meaning}{_zero(limit)} | {limit.over or '–'} |\n"
        for limit in LIMITS.values()
    )


def _zero(limit: Limit) -> str:
    return f"; 0: {limit.zero}" if limit.zero else ""
