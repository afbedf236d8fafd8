"""The reference pages, as Markdown by file name: every table of the language in words. `make docs` writes them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from types import ModuleType
from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.derive.explanations import (
    Explanation,
    explain_code,
    explain_function,
    explain_key,
    explain_operation,
)
from compiler.diagnostics.codes import CODES
from compiler.language import limits
from compiler.language.functions import FUNCTIONS
from compiler.language.functions import GROUPS as FUNCTION_GROUPS
from compiler.language.hooks import HOOKS, INPUTS
from compiler.operations import GROUPS as OPERATION_GROUPS
from compiler.operations import OPERATIONS
from compiler.operations.route import ROUTE_KEYS

_FAMILIES: Final = {
    1: "Reading the file",
    2: "Shape",
    3: "Syntax of expressions",
    4: "Names, kinds and flow",
    5: "Channels, and routes together",
    6: "Faults",
    7: "Program files",
}
_NOTE: Final = "<!-- Made from the tables of the compiler by `make docs`. Change the tables, not this page. -->"


def reference_pages() -> dict[str, str]:
    """The text of each page by its file name, the index among them."""
    pages = {name: _page(title, make()) for name, (title, make) in _PAGES.items()}
    links = (f"- [{title}]({name})" for name, (title, _) in _PAGES.items())
    return {"README.md": _page("Reference", [*links]), **pages}


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", _NOTE, "", *lines]).rstrip() + "\n"


def _explained(explanation: Explanation, language: str) -> Iterator[str]:
    """One entry of a page."""
    yield f"### {explanation.name}"
    yield ""
    if explanation.head != explanation.name:
        yield from (f"`{explanation.head}`", "")
    yield from (explanation.text, "")
    for section in explanation.sections:
        yield from (f"{section.title}:", "")
        if section.is_code:
            yield from (f"```{language}", *map(_visible, section.lines), "```", "")
        else:
            yield from (f"{_bullet(line)}" for line in section.lines)
            yield ""


def _visible(line: str) -> str:
    """The line with control characters as escapes."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in line)


def _bullet(line: str) -> str:
    indent = len(line) - len(line.lstrip())
    name, colon, rest = line.strip().partition(":")
    marked = f"`{name}`:{rest}" if colon else name
    return f"{' ' * (indent // 2)}- {marked}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(tuple("---" for _ in head))
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _heading(module: ModuleType) -> str:
    """A group's heading: the first sentence of its module's docstring."""
    return (inspect.getdoc(module) or "").split("\n", 1)[0].rstrip(".")


def _route_lines() -> Iterator[str]:
    yield "A route is a mapping with these keys. Keys that start with `x-` are yours; any other key is an error."
    yield ""
    for name, row in ROUTE_KEYS.items():
        yield from _explained(explain_key(name, row), "yaml")


def _operation_lines() -> Iterator[str]:
    yield "An operation is a list item: a mapping with one key, its name, over a mapping of its fields."
    yield ""
    for module in OPERATION_GROUPS:
        yield from (f"## {_heading(module)}", "")
        for cls in OPERATIONS.values():
            if cls.__module__ == module.__name__:
                yield from _explained(explain_operation(cls), "yaml")


def _function_lines() -> Iterator[str]:
    yield "Every function is a filter as well: `x | f(a)` is `f(x, a)`. `startsWith` and `starts_with` are the same."
    yield ""
    for module in FUNCTION_GROUPS:
        yield from (f"## {_heading(module)}", "")
        for row in FUNCTIONS.values():
            if row.implementation.__module__ == module.__name__:
                yield from _explained(explain_function(row), "text")


def _hook_lines() -> Iterator[str]:
    yield from _table(("hook", "when"), ((f"`{hook.name}`", hook.doc) for hook in HOOKS.values()))
    yield from ("", "## Variables", "")
    rows = (
        (f"`{row.name}`", *("yes" if name in row.hooks else "" for name in HOOKS), row.doc) for row in INPUTS.values()
    )
    yield from _table(("variable", *(f"`{name}`" for name in HOOKS), "meaning"), rows)


def _finding_lines() -> Iterator[str]:
    yield "`worpen explain NAME` shows the same at the command line. A number is never used twice."
    for family, title in _FAMILIES.items():
        yield from ("", f"## W{family}xx: {title}", "")
        for code in CODES.values():
            if code.number // 100 == family:
                yield from _explained(explain_code(code), "yaml" if family < 7 else "text")


def _opcode_lines() -> Iterator[str]:
    yield "Blocks are structured: every opener has its END, and there are no jumps. The picture shows the top of the"
    yield "stack before and after; `*items` stands for as many values as the operand says."
    yield ""
    rows = (
        (f"`{opcode.number:02x}`", f"`{opcode.name}`", opcode.operand.value, _picture(opcode), opcode.value.doc)
        for opcode in Opcode
    )
    yield from _table(("byte", "opcode", "operand", "stack", "meaning"), rows)


def _picture(opcode: Opcode) -> str:
    return f"`{opcode.value.picture.strip()}`" if opcode.value.picture.strip() else ""


def _limit_lines() -> Iterator[str]:
    yield "Each is an error with a place, never a crash or a hang. The limits of the server are"
    yield "[a page of their own](../limits.md)."
    yield ""
    rows = ((f"`{name.lower()}`", f"{getattr(limits, name):,}".replace(",", " "), doc) for name, doc in limit_docs())
    yield from _table(("limit", "value", "meaning"), rows)


def limit_docs() -> Iterator[tuple[str, str]]:
    """The language's limits by name, with the text that stands under each in its module."""
    body = ast.parse(inspect.getsource(limits)).body
    for statement, after in pairwise(body):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                yield name, " ".join(doc.split())
            case _:
                pass


_PAGES: Final[dict[str, tuple[str, Callable[[], Iterator[str]]]]] = {
    "route.md": ("Routes", _route_lines),
    "operations.md": ("Operations", _operation_lines),
    "functions.md": ("Functions and filters", _function_lines),
    "hooks.md": ("Hooks and variables", _hook_lines),
    "findings.md": ("Findings", _finding_lines),
    "opcodes.md": ("Opcodes", _opcode_lines),
    "limits.md": ("Limits of the language", _limit_lines),
}
"""The pages, in the order of the index."""
