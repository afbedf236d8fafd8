"""Random routes, as plain lists and mappings, written from the table of operations: what it has, they use.

Drawn from a `random.Random`, so that a failure is repeated by its seed. Most of them make sense, some do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from compiler.language.hooks import HOOKS, INPUTS
from compiler.language.values import Kind
from compiler.operations.model import OPERATIONS, Operation, Record
from compiler.operations.rows import FieldRow, Position
from tests.property.random_expressions import ExpressionWriter

NAMES = ("a", "b", "total", "room")
VARIABLES = (*NAMES, "item", "index")
TEXTS = ("plain", "", "  ", "room-1", "aGk=", "{{ '{{' }}", "12", "سلام")
STATEMENTS = ("SELECT :a", "DELETE FROM t WHERE a = :a")
CODES = (1000, 3000, 4999, 1001)


@dataclass(slots=True)
class RouteWriter:
    """Writes one route. `careless`: how often something is left out, misspelt or of the wrong kind.

    `excluded` are operations that are not to be used; `loops` are those around the current place.
    """

    random: Random
    careless: float = 0.02
    excluded: Sequence[str] = ()
    loops: list[str] = field(default_factory=list)
    hook: str = ""

    def route(self) -> dict[str, Any]:
        """A whole route."""
        route: dict[str, Any] = {"name": "Random", "path": "/ws/random/:room", "route_type": "WebSocket"}
        if self.chance(0.3):
            route["codec"] = self.random.choice(("text", "json", "msgpack"))
        if self.chance(0.2):
            self.hook = "on_connect"
            route["subscribe"] = [self.text() for _ in range(self.random.randint(0, 2))]
        if self.chance(0.1):
            route["auth"] = {"jwt": {"secret_env": "SECRET", "algorithms": ["HS256"]}}
        hooks = [hook for hook in HOOKS if self.chance(0.2 if hook == "on_auth" else 0.7)] or ["on_message"]
        route["ws_hooks"] = {hook: self.block(hook, first=hook == hooks[0]) for hook in hooks}
        return route

    def block(self, hook: str, *, first: bool) -> list[Any]:
        """The operations of a hook; the first one to run mostly sets the variables that others read."""
        self.hook = hook
        settings = [self.setting(name) for name in NAMES if first and self.chance(0.95)]
        return settings + self.operations(3)

    def setting(self, name: str) -> dict[str, Any]:
        anything = "{{ params.room | json_parse }}"
        value = self.random.choice((anything, anything, anything, "{{ params.room | length }}", "{{ query.a }}"))
        return {"SetVar": {"name": name, "value": value}}

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Operations.

    def operations(self, depth: int) -> list[Any]:
        return [self.operation(depth) for _ in range(self.random.choice((0, 1, 1, 2, 2, 3)) or self.chance(0.9))]

    def operation(self, depth: int) -> dict[str, Any]:
        cls = self.random.choice(self.choices(depth))
        return {self.spelling(cls.label, cls.aliases): self.record(cls, depth)}

    def choices(self, depth: int) -> list[type[Operation]]:
        """What may stand here; SetVar more often, so that there are variables."""
        careless = self.chance(self.careless)
        fitting = [
            cls
            for name, cls in OPERATIONS.items()
            if name not in self.excluded
            and (careless or (self.hook in cls.hooks and (self.loops or not cls.needs_loop)))
            and (depth or not any(row.position in _NESTING for row in cls.rows.values()))
        ]
        return [*fitting, *([OPERATIONS["SetVar"]] * 3)]

    def record(self, cls: type[Record], depth: int) -> dict[str, Any]:
        decider = cls.variants[0] if cls.variants is not None else ""
        fields: dict[str, Any] = {}
        if decider:
            fields[decider] = self.random.choice(cls.rows[decider].words)
        variant = cls.variant(fields.get(decider))
        for row in cls.rows.values():
            needed = row.required or row.name in (*variant.required, *cls.one_of[:1], *_ALWAYS)
            useful = not decider or row.name in variant.allowed
            if row.name not in fields and (needed or (useful and self.chance(0.5)) or self.chance(self.careless)):
                fields[self.spelling(row.name, row.aliases)] = self.value(cls, row, depth)
        if fields and self.chance(self.careless / 4):
            fields.pop(self.random.choice(list(fields)))
        return fields

    def spelling(self, name: str, aliases: Sequence[str]) -> str:
        return self.random.choice((name, name, *aliases))

    # Fields.

    def value(self, cls: type[Record], row: FieldRow, depth: int) -> Any:
        if self.chance(self.careless / 2):
            return self.random.choice((None, 5, "{{ broken", [], {}, True, "{{ unknown_name }}"))
        match row.position:
            case Position.OPERATIONS:
                return self.inside(cls, depth - 1)
            case Position.PARTS:
                assert row.part is not None
                assert issubclass(row.part, Record)
                return [self.record(row.part, depth) for _ in range(self.random.choice((0, 1, 2, 5)))]
            case Position.VALUE:
                return {"a": self.any_value(1)} if row.name in ("params", "headers") else self.any_value(2)
            case Position.MESSAGE | Position.TEXT | Position.CHANNEL:
                return self.text()
            case Position.CONDITION | Position.COLLECTION:
                return self.condition(row.position)
            case Position.WORD:
                return self.random.choice(row.words)
            case Position.VARIABLE:
                return self.random.choice((*VARIABLES, "message") if self.hook == "on_message" else VARIABLES)
            case Position.FLAG:
                return self.chance(0.5)
            case Position.INTEGER | Position.WHOLE:
                return self.number(row)
            case Position.STATEMENT:
                return self.random.choice(STATEMENTS)
            case Position.LITERAL:
                return "some text"

    def inside(self, cls: type[Record], depth: int) -> list[Any]:
        repeats = issubclass(cls, Operation) and cls.repeats
        self.loops += [cls.label] * repeats
        operations = self.operations(depth)
        self.loops = self.loops[: len(self.loops) - repeats]
        return operations

    def number(self, row: FieldRow) -> Any:
        if row.position is Position.WHOLE and self.chance(0.3):
            return "{{ " + self.expression(1) + " }}"
        if row.name == "code":
            return self.random.choice(CODES)
        least = 0 if row.minimum is None else row.minimum
        return self.random.randint(least, min(least + 9, row.maximum or least + 9))

    def text(self) -> str:
        if self.chance(0.3):
            return self.random.choice(TEXTS)
        parts = [self.template() if self.chance(0.7) else " and " for _ in range(self.random.choice((1, 1, 2, 3)))]
        return "".join(parts)

    def template(self) -> str:
        return "{{ " + self.expression(self.random.choice((0, 1, 1, 2))) + " }}"

    def any_value(self, depth: int) -> Any:
        choice = self.random.random()
        if choice < 0.5 or depth == 0:
            return self.text()
        if choice < 0.7:
            return self.random.choice((None, True, 0, -1, 2.5, 10**20))
        if choice < 0.85:
            return [self.any_value(depth - 1) for _ in range(self.random.randint(0, 3))]
        return {self.random.choice("abc"): self.any_value(depth - 1) for _ in range(self.random.randint(0, 3))}

    def condition(self, position: Position) -> Any:
        if position is Position.COLLECTION:
            items = [self.any_value(1) for _ in range(self.random.randint(0, 3))]
            return self.random.choice((items, items, "range(0, 3)", *NAMES))
        if position is Position.CONDITION and self.chance(0.05):
            return self.chance(0.5)
        written = self.expression(self.random.choice((1, 2)))
        return self.random.choice((written, "{{ " + written + " }}"))

    def expression(self, depth: int) -> str:
        inputs = [name for name, row in INPUTS.items() if self.hook in row.hooks and row.kinds & Kind.TEXT]
        loops = ("loop.index", "loop.is_last") if "Loop" in self.loops else ()
        typed = (*inputs, "params.room", "query.a", "headers.host", *loops)
        names = (*NAMES * 4, *typed)
        return ExpressionWriter(self.random, names).expression(depth)


_ALWAYS = ("params",)
"""Fields that a statement asks for."""
_NESTING = (Position.OPERATIONS, Position.PARTS)
