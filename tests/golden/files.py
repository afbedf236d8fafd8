"""Golden files: a route, what the compiler says to it or makes of it, and a conversation, in one file.

    --- route [file name]
    the text of a route file; its name is `route.yaml` where none is given
    --- diagnostics
    what `worpen validate` prints
    --- disassembly
    what `worpen compile --disasm` prints
    --- conversation
    alice connects /ws/echo
    alice > hi
    alice < Echo: hi
    alice leaves

The sections that a file has are checked; the text of an expectation is what stands under its heading up to the next.
In a conversation the lines with `<` are the expectation, everything else happens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

EXPECTATIONS = ("diagnostics", "disassembly", "conversation")

_HEADING = re.compile(rf"--- (route|{'|'.join(EXPECTATIONS)})(?: (\S+))?\n")


@dataclass(frozen=True, slots=True)
class GoldenFile:
    """One golden file: where it is, its route, and its expectations by heading, in the order of the file."""

    path: Path
    route_name: str
    route: str
    expectations: dict[str, str]

    def updated(self, heading: str, text: str) -> GoldenFile:
        """The same file with one expectation replaced."""
        return replace(self, expectations=self.expectations | {heading: text})

    def write(self) -> None:
        """Write the file in its normal form."""
        name = "" if self.route_name == "route.yaml" else f" {self.route_name}"
        parts = [f"--- route{name}\n{self.route}"]
        parts += [f"--- {heading}\n{text}" for heading, text in self.expectations.items()]
        self.path.write_text("".join(part if part.endswith("\n") else f"{part}\n" for part in parts), encoding="utf-8")


def read_golden(path: Path) -> GoldenFile:
    """Read a golden file. Raises ValueError where it does not begin with a route or repeats a heading."""
    lead, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
    sections = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    headings = [heading for heading, _, _ in sections]
    if lead or headings[:1] != ["route"] or len(set(headings)) != len(headings):
        raise ValueError(f"{path.name}: a golden file is one route and what is expected of it, each once")
    (_, name, route), *expected = sections
    return GoldenFile(path, name or "route.yaml", route, {heading: text for heading, _, text in expected})
