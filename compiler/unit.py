"""One expression or template by itself, as the repl and tests evaluate it: parse, check, lower.

Its variables are given by name and may be of any kind; nothing that a hook would provide exists.
"""

from __future__ import annotations

from collections.abc import Collection

from compiler.analysis.expressions import Checker
from compiler.analysis.known import ANYTHING, Known
from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import nearest
from compiler.language.functions import SPELLINGS
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.syntax.findings import Findings, Locate
from compiler.syntax.nodes import Expression, Member, Name, Template
from compiler.syntax.parser import parse_condition, parse_expression, parse_template

Unit = tuple[str, Template | Expression]
"""Its kind (`expression`, `value`, `text`, `condition`) and its tree."""


def _same(span: Span) -> Span:
    return span


_SAME: Locate = _same


def parse_unit(kind: str, text: str, findings: Findings) -> Unit | None:
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


def check_unit(unit: Unit, findings: Findings, names: Collection[str], environment: frozenset[str]) -> None:
    """Names, functions, kinds and constants."""
    kind, tree = unit
    checker = Checker(findings, _SAME, _GivenNames(names), environment)
    if isinstance(tree, Template):
        checker.template(tree, text=kind == "text")
    else:
        checker.check(tree)


def lower_unit(unit: Unit, asm: Assembler) -> None:
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
