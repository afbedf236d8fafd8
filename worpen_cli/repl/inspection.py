"""How an expression is made and how it runs: tree, instructions, Python, steps, time. Lines of text, unescaped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from compiler.bytecode.disassembler import disassemble, to_json_form
from compiler.bytecode.program import Chunk, Program
from compiler.diagnostics.diagnostic import Report
from compiler.language.values import Value, to_json
from compiler.syntax.findings import Findings
from compiler.unit import HOOK, parse_unit
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.shown import cut
from worpen_cli.repl.statements import Statement
from worpen_cli.repl.trees import INDENT, outline

STEPS: Final = 200
"""A trace shows so many steps."""
ROUNDS: Final = 101
"""Samples of `:time`; their median counts."""
_SAMPLE_NS: Final = 1_000_000
_LONGEST_NS: Final = 500_000_000
_VALUE_WIDTH: Final = 60
_OPERAND_WIDTH: Final = 18
_STACK_SHOWN: Final = 4


def tree(evaluator: Evaluator, statement: Statement, names: Sequence[str]) -> Iterator[str]:
    """The tree, a node a line. Raises Mistake where the text cannot be compiled."""
    unit = evaluator.compile(statement.position, statement.text, tuple(names))
    parsed = parse_unit(statement.position, statement.text, Findings(unit.source, Report()))
    assert parsed is not None, "what compiles can be read"
    return outline(parsed[1])


def listing(evaluator: Evaluator, statement: Statement, names: Sequence[str]) -> str:
    """The instructions. Raises Mistake."""
    unit = evaluator.compile(statement.position, statement.text, tuple(names))
    assert unit.program is not None
    return disassemble(unit.program, unit.source.text, None)


def python(evaluator: Evaluator, statement: Statement, names: Sequence[str]) -> str:
    """The Python function that a server would run. Raises Mistake."""
    from runtime.translator import NotTranslatable, translate

    program = evaluator.compile(statement.position, statement.text, tuple(names)).program
    assert program is not None
    route = program.routes[0]
    try:
        return translate(program, route, route.hooks[HOOK], evaluator.context, "expression").text
    except (NotTranslatable, RecursionError):
        return "# nested too deep for one Python function: the interpreter runs it\n"


def trace(evaluator: Evaluator, statement: Statement, variables: Mapping[str, Value]) -> Iterator[str]:
    """The steps: each instruction with the stack before it, and how it ended. Raises Mistake for a broken text."""
    unit = evaluator.compile(statement.position, statement.text, tuple(variables))
    assert unit.program is not None
    steps = _Steps(unit.program)
    try:
        ending = f"= {cut(to_json(evaluator.observe(unit, variables, steps.note)), _VALUE_WIDTH)}"
    except Mistake as mistake:
        ending = f"error[{mistake.code.name}] {mistake.message}"
    yield from steps.rows
    if steps.count > STEPS:
        yield f"… {steps.count - STEPS} more steps"
    yield ending


class _Steps:
    """Collects the rows of a trace: place, instruction, what its operand stands for, the stack before it."""

    def __init__(self, program: Program) -> None:
        form = to_json_form(program)["routes"][0]["hooks"][HOOK]
        self._forms = {id(chunk): found for chunk, *found in _forms(program.routes[0].hooks[HOOK], form, 0)}
        self.rows: list[str] = []
        self.count = 0

    def note(self, chunk: Chunk, pc: int, stack: Sequence[Any]) -> None:
        """One step is about to be made."""
        self.count += 1
        if self.count <= STEPS:
            form, depth = self._forms[id(chunk)]
            self.rows.append(f"{INDENT * depth}{_instruction(form['code'][pc])}  [{_stack(stack)}]")


def _forms(chunk: Chunk, form: Any, depth: int) -> Iterator[tuple[Chunk, Any, int]]:
    """Each chunk with its JSON form, and how deep it stands in others."""
    yield chunk, form, depth
    for inner, inner_form in zip(chunk.inner, form["inner"], strict=True):
        yield from _forms(inner, inner_form, depth + 1)


def _instruction(form: Mapping[str, Any]) -> str:
    named = str(form.get("meaning", form.get("operand", "")))
    operand = to_json(form["value"]) if "value" in form else named
    return f"{form['pc']:04}  {form['opcode']:<11} {cut(operand, _OPERAND_WIDTH):<{_OPERAND_WIDTH}}"


def _stack(stack: Sequence[Any]) -> str:
    shown = [cut(_shown(value), _VALUE_WIDTH // 2) for value in stack[-_STACK_SHOWN:]]
    return "  ".join([*(["…"] if len(stack) > _STACK_SHOWN else []), *shown])


def _shown(value: Any) -> str:
    return "expression" if callable(value) else to_json(value)


def measure(run: Callable[[], object], clock: Callable[[], int] = time.process_time_ns) -> tuple[float, int, int]:
    """The median of repeated runs in nanoseconds of CPU, how many samples there were, and runs in each."""
    run()
    each = 1
    while (spent := _spent(run, each, clock)) < _SAMPLE_NS and each < 1 << 20:
        each = each * 2 if spent < _SAMPLE_NS // 8 else max(each + 1, each * _SAMPLE_NS // max(spent, 1))
    samples: list[float] = []
    limit = clock() + _LONGEST_NS
    while len(samples) < ROUNDS and (clock() < limit or not samples):
        samples.append(_spent(run, each, clock) / each)
    return sorted(samples)[len(samples) // 2], len(samples), each


def _spent(run: Callable[[], object], times: int, clock: Callable[[], int]) -> int:
    start = clock()
    for _ in range(times):
        run()
    return clock() - start
