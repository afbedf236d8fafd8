"""How an operation is declared: one class, whose fields are its keys.

    @operation(aliases=("set",), example="- SetVar: {name: score, value: 0}")
    class SetVar(Operation):
        \"\"\"Sets a variable of this connection.\"\"\"

        name: Written[str] = fields.variable("The variable's name.", aliases=("var",))
        value: ValueField = fields.value("What it is set to.")

The reader fills the fields by their `Position`; analysis follows `flow()`, which says in a few words what
the operation reads, sets and runs; `lower()` appends its instructions. Everything else (findings, schema,
documentation, completion) is derived from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import ClassVar, Final, TypeAlias, TypeVar, dataclass_transform

from compiler.diagnostics.source import Span
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.operations.rows import FieldRow, Variant, declared_rows
from compiler.records import dataclass
from compiler.syntax.fields import AnyField, Written
from compiler.syntax.findings import Findings


@dataclass(frozen=True, slots=True)
class Block:
    """A list of operations, and where it stands."""

    operations: tuple[Operation, ...]
    span: Span
    field: str


# What an operation does, for analysis. An operation is a sequence of these.


@dataclass(frozen=True, slots=True)
class Reads:
    """Evaluates a field."""

    field: AnyField


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets a variable: to a value of these kinds, or of the kinds of a field."""

    name: Written[str]
    kinds: Kind = Kind.ANY
    value: AnyField | None = None


@dataclass(frozen=True, slots=True)
class Chooses:
    """Runs exactly one of the alternatives. `test` decides between the first (true) and the second."""

    alternatives: tuple[Flow, ...]
    test: AnyField | None = None


@dataclass(frozen=True, slots=True)
class Repeats:
    """Runs a flow any number of times, with names that exist only there (`loop` among them); `test` before each round."""

    body: Flow
    binds: tuple[tuple[Written[str], Kind], ...] = ()
    test: AnyField | None = None
    has_loop: bool = False


@dataclass(frozen=True, slots=True)
class Attempts:
    """Runs `body`, on a fault `recovery` (None: the fault goes on), and in every case `cleanup`."""

    body: Flow
    recovery: Flow | None
    cleanup: Flow


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs a block."""

    block: Block


class Way(Enum):
    """Where an operation leaves to."""

    HOOK = "the hook ends"
    FAULT = "the nearest catch"
    LOOP = "the loop ends"
    ROUND = "the next round"


@dataclass(frozen=True, slots=True)
class Leaves:
    """What follows never runs."""

    way: Way


Step: TypeAlias = Reads | Sets | Chooses | Repeats | Attempts | Runs | Leaves
Flow: TypeAlias = tuple[Step, ...]


def names_set(flow: Flow) -> list[str]:
    """The variables that a flow sets, nested ones included."""
    names: list[str] = []
    for step in flow:
        if isinstance(step, Sets):
            names.append(step.name.value)
        for part in inside(step):
            names.extend(names_set(part))
    return names


def inside(step: Step) -> Iterator[Flow]:
    """The flows that a step holds."""
    match step:
        case Chooses():
            yield from step.alternatives
        case Repeats():
            yield step.body
        case Attempts():
            yield step.body
            yield step.recovery or ()
            yield step.cleanup
        case Runs():
            for operation in step.block.operations:
                yield operation.flow()
        case Reads() | Sets() | Leaves():
            return


def leaves_loop(flow: Flow) -> bool:
    """Whether something in a loop's body may leave the loop."""
    for step in flow:
        if isinstance(step, Leaves) and step.way is not Way.ROUND:
            return True
        if any(leaves_loop(part) for part in inside(step)):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapping with declared fields: an operation, or a part of one. `place` is where its name stands.

    `rows` are the fields by canonical name, `spellings` by every name; at least one of `one_of` must be there.
    """

    rows: ClassVar[Mapping[str, FieldRow]] = {}
    spellings: ClassVar[Mapping[str, FieldRow]] = {}
    label: ClassVar[str] = ""
    one_of: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[tuple[str, Mapping[str, Variant]] | None] = None

    place: Span

    @classmethod
    def variant(cls, word: object) -> Variant:
        """What a word of the deciding field asks of the others; without such a field, or for no word of it, nothing."""
        if cls.variants is not None and isinstance(word, str) and word in cls.variants[1]:
            return cls.variants[1][word]
        return Variant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Record):
    """One operation of a hook."""

    aliases: ClassVar[tuple[str, ...]] = ()
    synonyms: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = ""
    hooks: ClassVar[tuple[str, ...]] = ("on_auth", "on_connect", "on_message", "on_disconnect")
    needs_loop: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    nests: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """The canonical name."""
        return type(self).__name__

    def check(self, found: Findings) -> None:
        """Report what no single field shows. The fields themselves are checked by the reader."""

    def flow(self) -> Flow:
        """What it does, for analysis: by default it evaluates its fields and sets nothing."""
        return self.reads()

    def reads(self) -> Flow:
        """Evaluates its fields, in order of declaration."""
        return tuple(Reads(field) for field in self.evaluated())

    def evaluated(self) -> Iterable[AnyField]:
        """The fields that hold templates, in order of declaration."""
        for row in self.rows.values():
            field = getattr(self, row.attribute)
            if isinstance(field, AnyField):
                yield field

    def lower(self, asm: Assembler) -> None:
        """Append the instructions."""
        raise NotImplementedError(f"{self.title} does not lower")


OPERATIONS: Final[dict[str, type[Operation]]] = {}
"""THE operations, by canonical name."""

SPELLINGS: Final[dict[str, type[Operation]]] = {}
"""Every accepted spelling: canonical, snake_case, aliases."""

RecordT = TypeVar("RecordT", bound=Record)
OperationT = TypeVar("OperationT", bound=Operation)


def snake_case(name: str) -> str:
    """`WsOp` → `ws_op`."""
    return "".join(f"_{c.lower()}" if c.isupper() and place else c.lower() for place, c in enumerate(name))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def operation(
    *,
    example: str,
    aliases: tuple[str, ...] = (),
    synonyms: str = "",
    hooks: tuple[str, ...] | None = None,
    needs_loop: bool = False,
    repeats: bool = False,
    nests: bool = False,
    one_of: tuple[str, ...] = (),
    variants: tuple[str, Mapping[str, Variant]] | None = None,
) -> Callable[[type[OperationT]], type[OperationT]]:
    """Make a class a frozen dataclass with slots, and register it as an operation.

    Raises ValueError where docstring, example or a field's doc is missing, or a name is taken.
    `synonyms` are names that other systems use, with blanks between, for suggestions only; `hooks` are those it may
    stand in. `repeats`: it is a loop; `nests`: it counts for the limit of `LOOP_DEPTH`, as loops do.
    """

    def register(declared: type[OperationT]) -> type[OperationT]:
        name = declared.__name__
        if not declared.__doc__ or not example.strip():  # before a dataclass writes a docstring of its own
            raise ValueError(f"the operation {name} needs a docstring and an example")
        cls = _with_rows(declared)
        cls.label = name
        cls.aliases, cls.synonyms, cls.example = aliases, tuple(synonyms.split()), example.strip("\n")
        cls.needs_loop, cls.repeats, cls.nests = needs_loop, repeats, nests or repeats
        cls.one_of, cls.variants = one_of, variants
        if hooks is not None:
            cls.hooks = hooks
        for spelling in dict.fromkeys((name, snake_case(name), *aliases)):
            if SPELLINGS.setdefault(spelling, cls) is not cls:
                raise ValueError(f"two operations are called {spelling}")
        OPERATIONS[name] = cls
        return cls

    return register


@dataclass_transform(frozen_default=True, kw_only_default=True)
def part(label: str) -> Callable[[type[RecordT]], type[RecordT]]:
    """Make a class a frozen dataclass with slots whose fields are read as an operation's are.

    `label` is its name for people and source maps, behind that of its operation: `Switch.case`.
    """

    def make(declared: type[RecordT]) -> type[RecordT]:
        cls = _with_rows(declared)
        cls.label = label
        return cls

    return make


def _with_rows(declared: type[RecordT]) -> type[RecordT]:
    cls = dataclass(frozen=True, slots=True, kw_only=True)(declared)
    cls.rows = declared_rows(cls)
    cls.spellings = {spelling: row for row in cls.rows.values() for spelling in row.spellings}
    return cls
