"""Check small routes: text in, findings out, as the tests of operations and of the reader compare them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from compiler.bytecode.program import Program
from compiler.diagnostics.codes import Severity
from compiler.pipeline import Settings, check_source, compile_source

HEAD = "name: Test\npath: /ws/test/:room\nroute_type: WebSocket\n"
HOOK = "ws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}\n"


@dataclass(frozen=True, slots=True)
class Found:
    """A finding: the name of its code, the text it points at, where that is, and what is said."""

    name: str
    at: str
    line: int
    severity: Severity
    message: str
    help: str

    def __str__(self) -> str:
        return f"{self.name} @ {self.at}"


def in_hook(operations: str, hook: str = "on_message", more: str = "") -> str:
    """A route whose hook holds a list of operations; `more` are further keys."""
    return f"{HEAD}{more}ws_hooks:\n  {hook}:\n{textwrap.indent(operations.strip(chr(10)), '    ')}\n"


def check(route: str, *, name: str = "route.yaml", info: bool = False) -> list[Found]:
    """What is found in a route, without what is only information unless it is asked for."""
    compilation = check_source(name, route.encode(), Settings())
    text = compilation.source.text
    return [
        Found(
            found.code.name,
            text[found.span.start : found.span.end],
            compilation.source.line_of(found.span.start),
            found.severity,
            found.message,
            " ".join(filter(None, (found.label, found.help))),
        )
        for found in compilation.report.sorted()
        if info or found.severity is not Severity.INFO
    ]


def shown(route: str, *, name: str = "route.yaml") -> list[str]:
    """The findings, each as `code @ text`."""
    return [str(found) for found in check(route, name=name)]


def compiled(route: str, *, name: str = "route.yaml") -> Program:
    """The program of a route without errors."""
    compilation = compile_source(name, route.encode(), Settings())
    assert compilation.program is not None, [found.message for found in compilation.report.sorted()]
    return compilation.program


def instructions(operations: str, hook: str = "on_message", more: str = "") -> list[str]:
    """The instructions of a hook: names of opcodes, with constants, functions and effects in words."""
    program = compiled(in_hook(operations, hook, more))
    chunk = program.routes[0].hooks[hook]
    lines = []
    for instruction in chunk.code:
        name, operand = instruction.opcode.name, instruction.operand
        if name in ("CONST", "MEMBER", "MEMBER_SAFE"):
            lines.append(f"{name} {program.constants[operand]!r}")
        elif name in ("CALL", "EMIT"):
            lines.append(f"{name} {program.imports[operand].name}")
        else:
            lines.append(name)
    return lines
