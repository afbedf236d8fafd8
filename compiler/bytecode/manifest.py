"""What a program can reach, read off its instructions.

The same function runs in the compiler and in the loader, so that a manifest is true or the file is refused.
One pass over each chunk keeps what is known of the texts on the stack: the parts that stand in the program,
and gaps for those that are computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from compiler.bytecode import patterns
from compiler.bytecode.opcodes import OPENERS, Opcode
from compiler.bytecode.program import Chunk, Import, Instruction, Manifest, RouteProgram
from compiler.language.effects import EFFECTS
from compiler.language.functions import FUNCTIONS
from compiler.language.values import Value, text

Known: TypeAlias = "tuple[str | None, ...]"
"""A text as far as it is known: its parts one behind the other, None for a computed one."""

_UNKNOWN: Final[Known] = (None,)
_PARTS_LIMIT: Final = 64
"""Texts of more parts count as computed: a pattern of so many gaps would say nothing."""
_SPECIAL: Final = OPENERS | {Opcode.CONST, Opcode.CALL, Opcode.EMIT, Opcode.ELSE, Opcode.END}
_SAME_TEXT: Final = frozenset({Opcode.TEXT, Opcode.CHANNEL})
_PLAIN: Final[dict[int, tuple[int, list[Known]]]] = {
    opcode.number: (0, []) if opcode in _SAME_TEXT else (opcode.value.pops, [_UNKNOWN] * opcode.value.pushes)
    for opcode in Opcode
    if opcode.value.pops is not None and opcode not in _SPECIAL
}
"""What the opcodes that say nothing of texts take from the stack and leave there."""


def compute_manifest(
    constants: tuple[Value, ...], imports: tuple[Import, ...], routes: Iterable[RouteProgram]
) -> Manifest:
    """The manifest of a program with these parts, whose chunks `verify` accepts."""
    found = _Reaches(constants, imports)
    for route in routes:
        found.channels.update(map(patterns.literal, route.membership.literals))
        for template in route.membership.templates:
            found.channels.add(patterns.joined(found.read(template)))
        for hook, chunk in route.hooks.items():
            found.read(chunk)
            found.add_cost(f"{route.name}/{hook}", chunk.cost)
    return found.manifest()


class _Reaches:
    """Collects what all chunks reach."""

    def __init__(self, constants: tuple[Value, ...], imports: tuple[Import, ...]) -> None:
        self.constants: list[Known] = [
            _UNKNOWN if isinstance(constant, (list, dict)) else (text(constant),) for constant in constants
        ]
        self.imports = imports
        self.effects: set[str] = set()
        self.functions: set[str] = set()
        self.channels: set[str] = set()
        self.statements: set[str] = set()
        self.keys: set[str] = set()
        self.hosts: set[str] = set()
        self.environment: set[str] = set()
        self.cost: dict[str, int | None] = {}

    def manifest(self) -> Manifest:
        return Manifest(
            effects=tuple(sorted(self.effects)),
            functions=tuple(sorted(self.functions)),
            channels=tuple(sorted(self.channels)),
            statements=tuple(sorted(self.statements)),
            keys=tuple(sorted(self.keys)),
            hosts=tuple(sorted(self.hosts)),
            environment=tuple(sorted(self.environment)),
            cost=dict(sorted(self.cost.items())),
        )

    def add_cost(self, hook: str, cost: int | None) -> None:
        """Two routes of one name share a line, which holds for both."""
        before = self.cost.get(hook, 0)
        self.cost[hook] = None if cost is None or before is None else max(cost, before)

    def read(self, chunk: Chunk) -> Known:
        """Read a chunk and its inner expressions; what is known of the value it returned last."""
        for inner in chunk.inner:
            self.read(inner)
        stack: list[Known] = []
        heights: list[tuple[int, int]] = []
        returned = _UNKNOWN
        for instruction in chunk.code:
            opcode = instruction.opcode
            if opcode is Opcode.CONST:
                stack.append(self.constants[instruction.operand])
                continue
            if opcode is Opcode.RETURN:
                returned = stack[-1]
            plain = _PLAIN.get(opcode.number)
            if plain is None:
                _STEPS[opcode.number](self, instruction, stack, heights)
            else:
                pops, pushed = plain
                stack[len(stack) - pops :] = pushed
        return returned

    # One instruction on the stack; `heights` has the stack's height and the results of each open block.

    def concat(self, instruction: Instruction, stack: list[Known], _: list[tuple[int, int]]) -> None:
        parts = tuple(part for known in _pop(stack, instruction.operand) for part in known)
        stack.append(parts if len(parts) <= _PARTS_LIMIT else _UNKNOWN)

    def open_value(self, instruction: Instruction, stack: list[Known], heights: list[tuple[int, int]]) -> None:
        stack.pop()
        heights.append((len(stack), instruction.operand if instruction.opcode is Opcode.IF else 1))

    def open_block(self, instruction: Instruction, stack: list[Known], heights: list[tuple[int, int]]) -> None:
        if instruction.opcode is Opcode.EACH:
            stack.pop()
        heights.append((len(stack), 0))

    def divide(self, _: Instruction, stack: list[Known], heights: list[tuple[int, int]]) -> None:
        del stack[heights[-1][0] :]

    def end(self, _: Instruction, stack: list[Known], heights: list[tuple[int, int]]) -> None:
        height, results = heights.pop()
        stack[height:] = [_UNKNOWN] * results

    def make(self, instruction: Instruction, stack: list[Known], _: list[tuple[int, int]]) -> None:
        _pop(stack, instruction.operand)
        stack.append(_UNKNOWN)

    def call(self, instruction: Instruction, stack: list[Known], _: list[tuple[int, int]]) -> None:
        row = self.imports[instruction.operand]
        function = FUNCTIONS[row.name]
        self.functions.add(function.name)
        arguments = _pop(stack, row.arity)
        for position, known in enumerate(arguments):
            if kind := function.parameter(position).reaches:
                self.add(kind, known)
        stack.append(_UNKNOWN)

    def emit(self, instruction: Instruction, stack: list[Known], _: list[tuple[int, int]]) -> None:
        row = self.imports[instruction.operand]
        effect = EFFECTS[row.name]
        self.effects.add(effect.name)
        arguments = _pop(stack, row.arity)
        for (argument, _kinds), known in zip(effect.arguments, arguments, strict=True):
            if (kind := effect.reaches.get(argument)) is not None:
                self.add(kind, known)
        stack.append(_UNKNOWN)

    def add(self, kind: str, known: Known) -> None:
        """Something is reached: what is known of its name, and the field of the manifest."""
        reached: set[str] = getattr(self, kind)
        reached.add(_ENTRIES[kind](known))


def _pop(stack: list[Known], count: int) -> list[Known]:
    start = len(stack) - count
    taken = stack[start:]
    del stack[start:]
    return taken


def _statement(known: Known) -> str:
    return patterns.joined(known) if None in known else "".join(part or "" for part in known)


_AUTHORITY_ENDS: Final = re.compile(r"[/?#]")
_FULL_STOPS: Final = str.maketrans("\u3002\uff0e\uff61", "...")
"""Characters that names of hosts can have in place of a dot."""
_HOST: Final = re.compile(r"[a-z0-9._:-]+")
"""Names and addresses that are. What else stands there, nobody has to know how it would be read."""


def _host(url: Known) -> str:
    """The host of an address; `*` where a computed part stands before its end, and could change all of it.

    Read as the HTTP client reads it, not as browsers do: a backslash ends no host (RFC 3986, 3.2).
    """
    start = ""
    for part in url:
        if part is None:
            break
        start += part
    rest = start.partition("://")[2]
    end = _AUTHORITY_ENDS.search(rest)
    if None in url and end is None:
        return "*"
    try:
        host = urlsplit(f"//{rest[: end.start()] if end else rest}").hostname
    except ValueError:
        return "*"
    written = _in_ascii((host or "").translate(_FULL_STOPS))
    return written if _HOST.fullmatch(written) else "*"


def _in_ascii(host: str) -> str:
    """The name of a host as requests write it: other letters than ASCII's as punycode, so that none look alike."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in host.split(".")
    )


_ENTRIES: Final[dict[str, Callable[[Known], str]]] = {
    "channels": patterns.joined,
    "statements": _statement,
    "keys": patterns.joined,
    "hosts": _host,
    # The verifier lets nothing but literal texts name a variable of the environment.
    "environment": _statement,
}
"""How a name stands in each field of the manifest."""


_Step = Callable[[_Reaches, Instruction, "list[Known]", "list[tuple[int, int]]"], None]
_STEPS: Final[dict[int, _Step]] = {
    opcode.number: step
    for opcode, step in {
        Opcode.CONCAT: _Reaches.concat,
        Opcode.LIST: _Reaches.make,
        Opcode.OBJECT: _Reaches.make,
        Opcode.CALL: _Reaches.call,
        Opcode.EMIT: _Reaches.emit,
        Opcode.IF: _Reaches.open_value,
        Opcode.AND: _Reaches.open_value,
        Opcode.OR: _Reaches.open_value,
        Opcode.COALESCE: _Reaches.open_value,
        Opcode.LOOP: _Reaches.open_block,
        Opcode.EACH: _Reaches.open_block,
        Opcode.TRY: _Reaches.open_block,
        Opcode.ELSE: _Reaches.divide,
        Opcode.END: _Reaches.end,
    }.items()
}
"""What the other opcodes do, by number."""
