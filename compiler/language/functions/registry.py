"""How a function is declared: one Python function with annotations, docstring and examples.

    @function("text", examples=[("'ab' | upper", "AB")])
    def upper(text: str) -> str:
        \"\"\"Upper case.\"\"\"

The declaration is everything: arity and kinds come from the annotations (`str` text, `Number` number,
`bool` boolean, `list[Value]` list, `dict[str, Value]` object, `Value` anything, unions of these),
documentation from the docstring, and each example is run by the tests. A parameter with a default is
optional; `*items` takes any number. The first parameter is the one that a pipe fills. A trailing `_`
keeps a name apart from Python's own and is not part of it.

`call` is the door: it checks arguments before the function sees them (a number parameter takes numeric
strings as well, C3; nothing else is converted; a wrong kind is Fault type-error), brings numbers to
their normal form on the way in and out, and holds results to the limits of the language. A function
that could build something far beyond those limits checks the size before it builds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Final, Protocol, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.values import (
    Kind,
    Value,
    bounded,
    check_items,
    classes_of,
    describe,
    describe_kind,
    normalised,
    parse_number,
)
from compiler.records import dataclass

Evaluate: TypeAlias = Callable[[Value], Value]
"""An inner expression (`map('price * 2')`), made ready to be called with one item; costs one fuel a call."""


Implementation = TypeVar("Implementation", bound=Callable[..., Value])


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
    `expression` (an inner expression, compiled with the rest), `environment` (a name). `classes` are the
    Python classes of the kinds, for a quick check. `reaches`: it names something outside of the connection, which
    stands in this field of a manifest; empty for all others.
    """

    name: str
    kinds: Kind
    required: bool
    literal: str
    classes: frozenset[type]
    reaches: str


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
    implementation: Callable[..., Value]

    @property
    def constant(self) -> bool:
        """Whether equal arguments always give equal results, so that it can be computed when compiled."""
        return not self.needs_moment

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.doc.partition("\n")[0]

    @property
    def minimum(self) -> int:
        """The fewest arguments it takes."""
        return sum(parameter.required for parameter in self.parameters)

    @property
    def maximum(self) -> int | None:
        """The most arguments it takes; None without bound."""
        return None if self.variadic else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """The parameter that the argument at `position` fills; the last one of a variadic function repeats.

        Raises IndexError for a function without parameters.
        """
        return self.parameters[position if position < len(self.parameters) else -1]

    @property
    def signature(self) -> str:
        """For people: `replace(text, old, new)`, `round(number, digits?)`, `max(numbers, *more)`."""
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
    if annotation is object:
        return Kind.ANY
    if (kind := _ANNOTATED_KINDS.get(get_origin(annotation) or annotation)) is not None:
        return kind
    return reduce(or_, map(_kinds, get_args(annotation)), Kind(0))


def function(
    group: str,
    *,
    examples: Iterable[tuple[str, Value]],
    aliases: Iterable[str] = (),
    literal: dict[str, str] | None = None,
    reaches: dict[str, str] | None = None,
) -> Callable[[Implementation], Implementation]:
    """Declare a function of the language; see the module's docstring.

    `literal` maps parameter names to `pattern`, `expression` or `environment`, `reaches` to a field of the manifest.
    A first parameter called
    `moment` receives the `Moment` and is no argument: such a function's result changes from call to call.
    Raises ValueError where docstring or examples are missing, or a name is taken.
    """

    def declare(implementation: Implementation) -> Implementation:
        row = _row(implementation, group, tuple(examples), tuple(aliases), literal or {}, reaches or {})
        names = (row.name, *row.aliases)
        for spelling in dict.fromkeys((*names, *map(camel_case, names))):
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
    reaches: dict[str, str],
) -> Function:
    name = implementation.__name__.rstrip("_")
    doc = inspect.getdoc(implementation)
    if not doc or not examples:
        raise ValueError(f"the function {name} needs a docstring and examples")
    kinds = _hints(implementation)
    declared = list(inspect.signature(implementation).parameters.values())
    needs_moment = bool(declared) and declared[0].name == "moment"
    return Function(
        name=name,
        aliases=aliases,
        group=group,
        parameters=tuple(_parameter(p, kinds, literal, reaches) for p in declared[needs_moment:]),
        variadic=any(p.kind is p.VAR_POSITIONAL for p in declared),
        result=kinds["return"],
        doc=doc,
        examples=examples,
        needs_moment=needs_moment,
        implementation=implementation,
    )


def _parameter(
    declared: inspect.Parameter, kinds: dict[str, Kind], literal: dict[str, str], reaches: dict[str, str]
) -> Parameter:
    name = declared.name.rstrip("_")
    required = declared.default is declared.empty and declared.kind is not declared.VAR_POSITIONAL
    taken = Kind.TEXT if name in literal else kinds[declared.name]
    return Parameter(name, taken, required, literal.get(name, ""), classes_of(taken), reaches.get(name, ""))


def _hints(implementation: Callable[..., Value]) -> dict[str, Kind]:
    """Kinds by parameter name. `Value` is any value here, and an inner expression is written as a text."""
    names = {**implementation.__globals__, "Value": object, "Evaluate": str}
    hints = get_type_hints(implementation, globalns=names)
    return {name: _kinds(annotation) for name, annotation in hints.items() if name != "moment"}


def check_argument(row: Function, position: int, argument: Value) -> Value:
    """The argument as the implementation takes it: of a kind it takes, numbers in normal form.

    Raises Fault type-error for a wrong kind, number-range for a number that is not finite.
    """
    parameter = row.parameter(position)
    if argument.__class__ in parameter.classes:
        return normalised(argument)
    if Kind.NUMBER in parameter.kinds and isinstance(argument, str):
        if (number := parse_number(argument)) is not None:
            return number
        raise Fault(codes.TYPE_ERROR, f"`{row.name}` takes numbers, and this text is not numeric", argument)
    wanted = describe_kind(parameter.kinds)
    place = f" as `{parameter.name}`" if position else ""
    raise Fault(codes.TYPE_ERROR, f"`{row.name}` takes {wanted}{place}, not {describe(argument)}", argument)


def call(row: Function, arguments: Sequence[Value | Evaluate], moment: Moment) -> Value:
    """Call a function with checked arguments. Inner expressions are passed as they are.

    Raises Fault as the function does, and too-large where its result is over the limits; the number of
    arguments was checked by the compiler.
    """
    checked = [
        argument if callable(argument) else check_argument(row, position, argument)
        for position, argument in enumerate(arguments)
    ]
    if row.needs_moment:
        return _within_limits(row.implementation(moment, *checked))
    return _within_limits(row.implementation(*checked))


def _within_limits(result: Value) -> Value:
    if isinstance(result, str):
        return bounded(result)
    if isinstance(result, (list, dict)):
        check_items(len(result))
        return result
    return normalised(result)
