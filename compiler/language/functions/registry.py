"""How a function is declared: one Python function with annotations, docstring and examples.

    @function("text", examples=[("'ab' | upper", "AB")])
    def upper(text: str) -> str:
        \"\"\"Upper case.\"\"\"

The declaration is everything: arity and kinds come from the annotations (`str` text, `Number` number,
`bool` boolean, `list[Value]` list, `dict[str, Value]` object, `Value` anything, unions of these),
documentation from the docstring, and each example is run by the tests. A parameter with a default is
optional; `*items` takes any number. The first parameter is the one that a pipe fills.

Arguments are checked before the call: a number parameter takes numeric strings as well (C3), nothing
else is converted, and a wrong kind is Fault type-error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_args, get_type_hints

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import Kind, Number, Value, describe, describe_kind, kind_of, parse_number

Evaluate = Callable[[Value], Value]
"""An inner expression (`map('price * 2')`), made ready to be called with one item; costs one fuel a call."""


class Moment(Protocol):
    """What a program can learn of the world around it, provided by whoever runs it."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""

    def random_bytes(self, count: int) -> bytes:
        """So many unpredictable bytes."""

    def environment(self, name: str) -> str | None:
        """An environment variable that the settings allow; None where it is not set."""

    def connections(self) -> int:
        """How many connections are open on the server."""

    def members(self, channel: str) -> Sequence[str]:
        """The ids of the connections in a channel."""

    def channel_size(self, channel: str) -> int:
        """How many connections are in a channel."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name, the kinds it takes, and what it is when left out.

    `literal` marks arguments that must be text literals: `pattern` (a regular expression),
    `expression` (an inner expression, compiled with the rest), `environment` (a name).
    """

    name: str
    kinds: Kind
    required: bool
    literal: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A row of the function table."""

    name: str
    aliases: tuple[str, ...]
    group: str
    parameters: tuple[Parameter, ...]
    variadic: bool
    result: Kind
    doc: str
    examples: tuple[tuple[str, Value], ...]
    needs_moment: bool
    constant: bool
    implementation: Callable[..., Value]

    @property
    def minimum(self) -> int:
        """The fewest arguments it takes."""
        return sum(parameter.required for parameter in self.parameters)

    @property
    def maximum(self) -> int | None:
        """The most arguments it takes; None without bound."""
        return None if self.variadic else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """The parameter that the argument at `position` fills; the last one of a variadic function repeats."""
        return self.parameters[min(position, len(self.parameters) - 1)]

    @property
    def signature(self) -> str:
        """For people: `replace(text, old, new)`, `round(number, digits?)`, `max(*items)`."""
        shown = [p.name if p.required else f"{p.name}?" for p in self.parameters]
        if self.variadic:
            shown[-1] = f"*{self.parameters[-1].name}"
        return f"{self.name}({', '.join(shown)})"


FUNCTIONS: Final[dict[str, Function]] = {}
"""THE functions, by canonical name."""

SPELLINGS: Final[dict[str, Function]] = {}
"""Every accepted spelling: canonical names, aliases, and the camelCase of each."""

_ANNOTATED_KINDS: Final[dict[object, Kind]] = {
    str: Kind.TEXT,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    type(None): Kind.NULL,
    list: Kind.LIST,
    dict: Kind.OBJECT,
}


def camel_case(name: str) -> str:
    """`starts_with` → `startsWith`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _kinds(annotation: object) -> Kind:
    if annotation is Any or annotation is object:
        return Kind.ANY
    origin = getattr(annotation, "__origin__", annotation)
    if (kind := _ANNOTATED_KINDS.get(origin)) is not None:
        return kind
    kinds = Kind(0)
    for part in get_args(annotation):
        kinds |= _kinds(part)
    return kinds


def _is_value(annotation: object) -> bool:
    return annotation == "Value" or annotation is Value


def function(
    group: str,
    *,
    examples: Iterable[tuple[str, Value]],
    aliases: Iterable[str] = (),
    literal: dict[str, str] | None = None,
    constant: bool = True,
    name: str | None = None,
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Declare a function of the language; see the module's docstring.

    `literal` maps parameter names to `pattern`, `expression` or `environment`. `constant` is False for
    functions whose result changes from call to call. A first parameter called `moment` receives the
    `Moment` and is no argument. Raises ValueError where docstring or examples are missing, or a name is taken.
    """

    def declare(implementation: Callable[..., Value]) -> Callable[..., Value]:
        row = _row(implementation, group, tuple(examples), tuple(aliases), literal or {}, constant, name)
        for spelling in {row.name, *row.aliases, *map(camel_case, (row.name, *row.aliases))}:
            if SPELLINGS.setdefault(spelling, row) is not row:
                raise ValueError(f"two functions are called {spelling}")
        FUNCTIONS[row.name] = row
        return implementation

    return declare


def _row(
    implementation: Callable[..., Value],
    group: str,
    examples: tuple[tuple[str, Value], ...],
    aliases: tuple[str, ...],
    literal: dict[str, str],
    constant: bool,
    name: str | None,
) -> Function:
    shown = name or implementation.__name__.rstrip("_")
    doc = inspect.getdoc(implementation)
    if not doc or not examples:
        raise ValueError(f"the function {shown} needs a docstring and examples")
    hints = _hints(implementation)
    declared = list(inspect.signature(implementation).parameters.values())
    needs_moment = bool(declared) and declared[0].name == "moment"
    parameters = tuple(
        Parameter(
            p.name.rstrip("_"),
            Kind.TEXT if p.name.rstrip("_") in literal else hints[p.name],
            p.default is p.empty and p.kind is not p.VAR_POSITIONAL,
            literal.get(p.name.rstrip("_"), ""),
        )
        for p in declared[needs_moment:]
    )
    variadic = any(p.kind is p.VAR_POSITIONAL for p in declared)
    return Function(
        shown, aliases, group, parameters, variadic, hints["return"], doc, examples, needs_moment, constant, implementation
    )


def _hints(implementation: Callable[..., Value]) -> dict[str, Kind]:
    names = {"Value": object, "Number": Number, "Evaluate": str, "Moment": Moment}
    annotations = get_type_hints(implementation, globalns={**implementation.__globals__, **names})
    return {name: _kinds(annotation) for name, annotation in annotations.items() if name != "moment"}


def check_argument(row: Function, position: int, argument: Value) -> Value:
    """The argument as the implementation takes it. Raises Fault type-error for a wrong kind."""
    wanted = row.parameter(position).kinds
    kind = kind_of(argument)
    if kind & wanted:
        return argument
    if wanted & Kind.NUMBER and isinstance(argument, str):
        number = parse_number(argument)
        if number is not None:
            return number
    raise Fault(codes.TYPE_ERROR, f"`{row.name}` takes {describe_kind(wanted)}, this is {describe(argument)}", argument)


def call(row: Function, arguments: Sequence[Value | Evaluate], moment: Moment) -> Value:
    """Call a function with checked arguments. Inner expressions are passed as they are.

    Raises Fault as the function does; the number of arguments was checked by the compiler.
    """
    checked = [
        argument if callable(argument) else check_argument(row, position, argument)
        for position, argument in enumerate(arguments)
    ]
    if row.needs_moment:
        return row.implementation(moment, *checked)
    return row.implementation(*checked)
