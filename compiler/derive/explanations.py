"""Explanations: what `worpen explain NAME` says, and the lists of `worpen list KIND`, from the tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from compiler.diagnostics.codes import CODES, Code, find_code
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.functions import FUNCTIONS, SPELLINGS, Function
from compiler.language.hooks import HOOK_SYNONYMS, HOOKS, INPUTS, Hook, Input
from compiler.language.values import Value, describe_kind, to_json
from compiler.operations import OPERATIONS, Operation
from compiler.operations import SPELLINGS as OPERATION_SPELLINGS
from compiler.operations.elsewhere import EXPRESSIONS, OPERATIONS_INSTEAD
from compiler.operations.model import Record, snake_case
from compiler.operations.route import ROUTE_KEYS, Key
from compiler.operations.rows import FieldRow, Position, Variant
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an explanation: a heading, and lines of text or of code."""

    title: str
    lines: tuple[str, ...]
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say of one name: its kind (`operation`, `function`, …), a head line, text, sections."""

    kind: str
    name: str
    head: str
    text: str
    sections: tuple[Section, ...] = ()


def explain(name: str) -> Explanation | None:
    """The explanation of a finding (name or number), operation, function, hook, variable or key of a route."""
    found = (explanation for find in _FINDERS if (explanation := find(name)) is not None)
    return next(found, None)


def explained_names() -> list[str]:
    """All canonical names that `explain` knows."""
    return [*CODES, *OPERATIONS, *FUNCTIONS, *HOOKS, *INPUTS, *ROUTE_KEYS]


def suggest_name(name: str) -> str:
    """A sentence of help for a name that `explain` does not know; empty where nothing is near."""
    synonyms = {s: cls.__name__ for cls in OPERATIONS.values() for s in (*cls.synonyms, *map(str.lower, cls.synonyms))}
    return did_you_mean(name, explained_names(), {**synonyms, **HOOK_SYNONYMS})


# Findings.


def _explain_code(name: str) -> Explanation | None:
    code = find_code(name)
    return None if code is None else explain_code(code)


def explain_code(code: Code) -> Explanation:
    """Cause, an example that has the finding, and one that has not."""
    return Explanation(
        "finding",
        code.name,
        f"{code.severity.value}[{code.name}] {code.label}: {code.title}",
        code.why,
        (_code("This has it", code.bad), _code("This has not", code.good)),
    )


def _code(title: str, text: str) -> Section:
    return Section(title, tuple(text.splitlines()), is_code=True)


# Operations.


def _explain_operation(name: str) -> Explanation | None:
    cls = OPERATION_SPELLINGS.get(name)
    return None if cls is None else explain_operation(cls)


def explain_operation(cls: type[Operation]) -> Explanation:
    """What an operation does, its fields, where it may stand, an example."""
    sections = [Section("Fields", tuple(_field_lines(cls)))]
    if cls.variants is not None:
        decider, variants = cls.variants
        lines = tuple(f"{word}: {_describe_variant(variant)}" for word, variant in variants.items())
        sections.append(Section(f"By {decider}", lines))
    if len(cls.hooks) < len(HOOKS):
        sections.append(Section("Only in", (", ".join(cls.hooks),)))
    return Explanation(
        "operation",
        cls.__name__,
        f"{cls.__name__}{_also([snake_case(cls.__name__), *cls.aliases])}",
        inspect.getdoc(cls) or "",
        (*sections, _code("Example", cls.example)),
    )


def _also(names: Sequence[str]) -> str:
    return f" (also {', '.join(names)})" if names else ""


def _describe_variant(variant: Variant) -> str:
    needs = f"; needs {', '.join(variant.required)}" if variant.required else ""
    return variant.doc + needs + (f"; may have {', '.join(variant.allowed)}" if variant.allowed else "")


def _field_lines(cls: type[Record]) -> Iterator[str]:
    if not cls.rows:
        yield "none"
    for row in cls.rows.values():
        yield f"{row.name}{_also(row.aliases)}: {describe_field(row)}"
        if row.part is not None and issubclass(row.part, Record):
            yield from (f"    {line}" for line in _field_lines(row.part))


def describe_field(row: FieldRow) -> str:
    """A field in a line: its meaning, what it takes, whether it must be there."""
    must = "required" if row.required else f"default {row.default}" if row.default else "optional"
    return f"{row.doc} ({taken_by(row)}; {must})"


def taken_by(row: FieldRow) -> str:
    """What a field takes, in words."""
    if row.position is Position.WORD:
        return " or ".join(row.words)
    if row.minimum is not None and row.maximum is not None:
        return f"{row.position.value} from {row.minimum} to {row.maximum}"
    return str(row.position.value)


def _explain_elsewhere(name: str) -> Explanation | None:
    for row, example in EXPRESSIONS.items():
        if name in (row, snake_case(row)):
            text = "Not an operation of this language: an expression does it better."
            return Explanation("other", row, row, text, (_code("Write", example),))
    for row, example in OPERATIONS_INSTEAD.items():
        if name in (row, snake_case(row)):
            text = "Not an operation of this language: another one does it."
            return Explanation("other", row, row, text, (_code("Write", example),))
    return None


# Functions, hooks, variables, keys.


def _explain_function(name: str) -> Explanation | None:
    row = SPELLINGS.get(name)
    return None if row is None else explain_function(row)


def explain_function(row: Function) -> Explanation:
    """Signature, other names, what it does, examples with their values."""
    examples = tuple(f"{text}  →  {to_json(value)}" for text, value in row.examples)
    text = row.doc if row.needs_moment or not row.parameters else f"{row.doc}\n\nAs a filter: `{filter_form(row)}`."
    head = f"{row.signature}{_also(row.aliases)}"
    return Explanation("function", row.name, head, text, (Section("Examples", examples, is_code=True),))


def filter_form(row: Function) -> str:
    """How a function is written as a filter: `text | replace(old, new)`."""
    inside = row.signature.partition("(")[2].rstrip(")")
    first, _, others = inside.partition(", ")
    return f"{first.strip('*?')} | {row.name}" + (f"({others})" if others else "")


def _explain_hook(name: str) -> Explanation | None:
    row = HOOKS.get(name)
    return None if row is None else explain_hook(row)


def explain_hook(hook: Hook) -> Explanation:
    """When a hook runs, and the variables that it sees."""
    variables = tuple(f"{row.name}: {row.doc}" for row in INPUTS.values() if hook.name in row.hooks)
    often = "Runs any number of times in a connection's life." if hook.repeats else "Runs once in a connection's life."
    return Explanation("hook", hook.name, hook.name, f"{hook.doc}\n\n{often}", (Section("Variables", variables),))


def _explain_variable(name: str) -> Explanation | None:
    row = INPUTS.get(name)
    return None if row is None else explain_variable(row)


def explain_variable(row: Input) -> Explanation:
    """What a variable of the server holds, and the hooks that see it."""
    hooks = tuple(name for name in HOOKS if name in row.hooks)
    text = f"{row.doc}\n\nIt is {describe_kind(row.kinds)}."
    return Explanation("variable", row.name, row.name, text, (Section("Exists in", (", ".join(hooks),)),))


def _explain_key(name: str) -> Explanation | None:
    row = ROUTE_KEYS.get(name)
    return None if row is None else explain_key(name, row)


def explain_key(name: str, row: Key) -> Explanation:
    """What a key of a route means."""
    must = "Required." if row.required else "Optional." if row.default is None else f"Default: {to_json(row.default)}."
    return Explanation("key", name, f"{name}:", f"{row.doc} {must}", (_code("Example", f"{name}: {row.example}"),))


_FINDERS: Final[tuple[Callable[[str], Explanation | None], ...]] = (
    _explain_code,
    _explain_operation,
    _explain_function,
    _explain_hook,
    _explain_variable,
    _explain_key,
    _explain_elsewhere,
)


# Lists.


def _operation_row(cls: type[Operation]) -> dict[str, Value]:
    doc = (inspect.getdoc(cls) or "").split("\n\n")[0]
    return {
        "name": cls.__name__,
        "aliases": [*dict.fromkeys((snake_case(cls.__name__), *cls.aliases))],
        "doc": " ".join(doc.split()),
        "hooks": [*cls.hooks],
        "fields": [_field_row(row) for row in cls.rows.values()],
    }


def _field_row(row: FieldRow) -> Value:
    return {
        "name": row.name,
        "aliases": [*row.aliases],
        "takes": taken_by(row),
        "required": row.required,
        "default": row.default or None,
        "doc": row.doc,
    }


def _function_row(row: Function) -> dict[str, Value]:
    doc = " ".join(row.doc.split("\n\n")[0].split())
    return {"name": row.name, "aliases": [*row.aliases], "group": row.group, "signature": row.signature, "doc": doc}


def _code_row(code: Code) -> dict[str, Value]:
    return {"name": code.name, "code": code.label, "severity": code.severity.value, "doc": code.title}


def _hook_row(hook: Hook) -> dict[str, Value]:
    variables: list[Value] = [row.name for row in INPUTS.values() if hook.name in row.hooks]
    return {"name": hook.name, "variables": variables, "doc": hook.doc}


def _variable_row(row: Input) -> dict[str, Value]:
    return {"name": row.name, "hooks": [name for name in HOOKS if name in row.hooks], "doc": row.doc}


def _key_row(name: str, row: Key) -> dict[str, Value]:
    return {"name": name, "required": row.required, "default": row.default, "doc": row.doc}


_LISTINGS: Final[dict[str, Callable[[], list[dict[str, Value]]]]] = {
    "operations": lambda: [_operation_row(cls) for cls in OPERATIONS.values()],
    "functions": lambda: [_function_row(row) for row in FUNCTIONS.values()],
    "codes": lambda: [_code_row(code) for code in CODES.values()],
    "hooks": lambda: [_hook_row(hook) for hook in HOOKS.values()],
    "variables": lambda: [_variable_row(row) for row in INPUTS.values()],
    "keys": lambda: [_key_row(name, row) for name, row in ROUTE_KEYS.items()],
}
LISTED_KINDS: Final = tuple(_LISTINGS)
"""What `listing` can list."""


def listing(kind: str) -> list[dict[str, Value]]:
    """The rows of a table as plain values, each with `name` and `doc`. Raises KeyError for another kind."""
    return _LISTINGS[kind]()
