"""One expression or template by itself, as the repl and tests evaluate it: parse, check, lower.

Its variables are given by name and may be of any kind; nothing that a hook would provide exists. A prompt compiles
thousands of these a second, so nothing is made here that only a file needs: no manifest, no hash.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

from compiler.analysis.expressions import Checker
from compiler.analysis.known import ANYTHING, Known
from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Manifest, Membership, Program, RouteProgram, Slot
from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.diagnostics.suggest import nearest
from compiler.language.functions import SPELLINGS
from compiler.language.values import Kind
from compiler.lower import Assembler, Pool, Variables
from compiler.records import dataclass
from compiler.syntax.findings import Findings, Locate
from compiler.syntax.nodes import Expression, Member, Name, Template
from compiler.syntax.parser import parse_condition, parse_expression, parse_template

HOOK: Final = "on_message"
"""The hook of a unit's one route."""
_MADE_UP: Final = "expression"
"""Its name, and its address."""
_NO_MEMBERSHIP: Final = Membership(True, (), ())
_NO_MANIFEST: Final = Manifest((), (), (), (), (), (), (), {})

UnitTree: TypeAlias = "tuple[str, Template | Expression]"
"""Its kind (`expression`, `value`, `text`, `condition`) and its tree."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One expression or template, compiled by itself: a program with one route, whose `on_message` returns its value.

    The variables are the route's slots, in the order in which they were named; unlike a route's they can have any
    name (`user`, `loop`). There is no manifest: such a program is never served. `kinds` is what the value can be.
    """

    source: SourceFile
    report: Report
    program: Program | None = None
    kinds: Kind = Kind.ANY


def compile_unit(kind: str, text: str, variables: Sequence[str], environment: frozenset[str] = frozenset()) -> Unit:
    """Compile an `expression`, or a template in position `value`, `text` or `condition`.

    `variables` are all the names there are, of any kind; `environment` what `env` may read. Spans count from the
    start of `text`.
    """
    source = SourceFile("<expression>", text)
    report = Report()
    findings = Findings(source, report)
    tree = parse_unit(kind, text, findings)
    if tree is None:
        return Unit(source, report)
    kinds = check_unit(tree, findings, variables, environment)
    if report.has_errors:
        return Unit(source, report)
    return Unit(source, report, _assemble(tree, findings, variables), kinds)


def _assemble(tree: UnitTree, findings: Findings, variables: Sequence[str]) -> Program:
    pool = Pool()
    numbers = {name: number for number, name in enumerate(variables)}
    asm = Assembler(pool, Variables(numbers, only=True), findings, HOOK)
    lower_unit(tree, asm)
    slots = tuple(Slot(name, Kind.ANY) for name in variables)
    route = RouteProgram(_MADE_UP, f"/{_MADE_UP}", {}, _NO_MEMBERSHIP, slots, {HOOK: asm.finish()})
    constants = tuple(value for _, value in pool.constants.values())
    return Program(constants, tuple(pool.imports), (route,), _NO_MANIFEST, _MADE_UP)


def _same(span: Span) -> Span:
    return span


_SAME: Locate = _same


def parse_unit(kind: str, text: str, findings: Findings) -> UnitTree | None:
    """Read the text; None where it is broken, and a finding says why."""
    if kind in ("value", "text"):
        template, problems = parse_template(text)
        findings.add_problems(_SAME, problems)
        return None if template.broken else (kind, template)
    expression, problems = (parse_condition if kind == "condition" else parse_expression)(text)
    findings.add_problems(_SAME, problems)
    return None if expression is None else (kind, expression)


class _GivenNames:
    """The names that were given, of any kind."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """Any value; an unknown name is a finding unless its place excuses it."""
        if node.name in self.names:
            return ANYTHING
        if lenient:
            return Known(Kind.NULL)
        meant = nearest(node.name, self.names)
        help = checker.bracket_hint(node)
        if not help and meant is None and node.name in SPELLINGS:
            help = f"`{node.name}` is a function: write `{node.name}(…)` or `… | {node.name}`"
        label = f"did you mean `{meant}`?" if meant else ""
        return checker.report(codes.UNKNOWN_VARIABLE, node.span, f"`{node.name}` is not set", label=label, help=help)

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """Nothing is known of any member."""
        return None


def check_unit(unit: UnitTree, findings: Findings, names: Collection[str], environment: frozenset[str]) -> Kind:
    """Names, functions, kinds and constants; what kinds the value can have."""
    kind, tree = unit
    checker = Checker(findings, _SAME, _GivenNames(names), environment)
    known = checker.template(tree, text=kind == "text") if isinstance(tree, Template) else checker.check(tree)
    return Kind.BOOLEAN if kind == "condition" else known.kinds


def lower_unit(unit: UnitTree, asm: Assembler) -> None:
    """The instructions that return the value; a condition returns a boolean."""
    kind, tree = unit
    if isinstance(tree, Template):
        asm.template(tree, _SAME, kind, text=kind == "text")
    else:
        asm.expression(tree, _SAME, kind)
    if kind == "condition":
        asm.emit(Opcode.NOT)
        asm.emit(Opcode.NOT)
    asm.give_back()
