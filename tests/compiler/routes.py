"""Small routes for tests: written as hooks alone, compiled, and run with a host that writes down what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import Any

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.language.values import UNSET, Unset, Value
from compiler.pipeline import Compilation, Settings, compile_source
from runtime.loader import LinkedRoute, link
from runtime.seam import Context
from tests.assembly import Performed, Quiet, inputs

HOOKS = ("on_auth", "on_connect", "on_message", "on_disconnect")


def route(on_message: str = "", *, path: str = "/ws/test/:room", keys: str = "", **hooks: str) -> str:
    """The text of a route: its hooks are given as lists of operations, `keys` as further lines."""
    texts = {"on_message": on_message, **hooks}
    lines = [f"name: Test\npath: {path}\nroute_type: WebSocket\n{keys}".rstrip(), "ws_hooks:"]
    for name in HOOKS:
        if texts.get(name):
            lines += [f"  {name}:", indent(dedent(texts[name]).strip("\n"), "    ")]
    return "\n".join(lines) + "\n"


def compiled(text: str, *, environment: Sequence[str] = ()) -> Compilation:
    """A route file that is called `route.yaml`."""
    return compile_source("route.yaml", text.encode(), Settings(environment=frozenset(environment)))


def shown(diagnostic: Diagnostic) -> str:
    """`W401 plyer`: the code, and the text that the finding points at."""
    span = diagnostic.span
    return f"{diagnostic.code.label} {diagnostic.source.text[span.start : span.end]}"


def found(text: str, *, environment: Sequence[str] = ()) -> list[str]:
    """All findings in a route file, in order."""
    return [shown(diagnostic) for diagnostic in compiled(text, environment=environment).report.sorted()]


def found_in(on_message: str = "", **hooks: str) -> list[str]:
    """All findings in a route with these hooks; never that a variable is not read, which most tests do not care for."""
    return [line for line in found(route(on_message, **hooks)) if not line.startswith("W412")]


@dataclass
class Connection:
    """One connection of a route without errors: its variables live from hook to hook."""

    route: LinkedRoute
    slots: list[Value | Unset] = field(default_factory=list)
    host: Performed = field(default_factory=Performed)

    def run(self, hook: str = "on_message", **given: Value) -> list[tuple[Any, ...]]:
        """Run a hook that does not wait. What it asked for, and last what it returned where that is not null."""
        self.host.asked.clear()
        returned = self.route.hooks[hook](inputs(**given), self.slots, self.host.emit)
        done = list(self.host.asked)
        return done if returned is None else [*done, ("return", returned)]

    def logged(self, hook: str = "on_message", **given: Value) -> list[Value]:
        """Run a hook; the messages of its Log operations."""
        return [asked[2] for asked in self.run(hook, **given) if asked[0] == "log"]

    def channels(self, **given: Value) -> list[str]:
        """The channels that the route's templates name at this point, in order."""
        return [template(inputs(**given), self.slots, self.host.emit) for template in self.route.templates]


def connect(text: str, *, fuel: int = 10_000, environment: Sequence[str] = ()) -> Connection:
    """Compile a route and link it. The route has no errors."""
    compilation = compiled(text, environment=environment)
    assert compilation.program is not None, [shown(diagnostic) for diagnostic in compilation.report.sorted()]
    linked = link(compilation.program, Context(Quiet(), fuel)).routes[0]
    return Connection(linked, [UNSET] * len(linked.program.slots))


def connect_hooks(on_message: str = "", **hooks: str) -> Connection:
    """A connection to a route with these hooks."""
    return connect(route(on_message, **hooks))


def slots_of(on_message: str = "", **hooks: str) -> list[str]:
    """The variables that outlive a hook."""
    return [slot.name for slot in connect_hooks(on_message, **hooks).route.program.slots]
