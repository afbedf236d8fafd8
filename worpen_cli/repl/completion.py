"""What can stand where the cursor is: names of the scope, members of the actual values, filters that take what is
piped, commands. Knows no terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from compiler.language.functions import FUNCTIONS, SPELLINGS, Function
from compiler.language.values import Kind, Value, describe_kind, kind_of
from compiler.syntax.lexer import END, INDEX, NAME, NUMBER, OPEN_TEXT, TEXT, UNKNOWN, Token, tokenize
from worpen_cli.repl.shown import glance, type_name

Look: TypeAlias = Callable[[str], "tuple[Value] | None"]
"""The value of a part of what is typed, in a tuple, where it is to be had at once."""

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN: Final = 40
_CONSTANTS: Final = ("true", "false", "null")
_OPENERS: Final = frozenset("([{")
_CLOSERS: Final = frozenset(")]}")
_LOOSER: Final = frozenset({"<", "<=", ">", ">=", "==", "!=", "&&", "||", "??", "?", ":", ",", UNKNOWN})
"""What ends the left side of a pipe."""
_OPERANDS: Final = frozenset({NAME, NUMBER, INDEX, TEXT})


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` replaces what stands from `start` to the cursor; `shown` and `meta` are the menu's two columns."""

    text: str
    start: int
    shown: str
    meta: str


def complete(
    before: str, scope: Mapping[str, Value], look: Look, docs: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Candidate]:
    """What can follow an expression, or a text with templates, up to the cursor; the likeliest first.

    `docs`: what is to be said of names of the scope, beside their values.
    """
    begin = _expression_start(before)
    if begin is None:
        return
    word = match[0] if (match := _WORD.search(before, begin)) else ""
    start = len(before) - len(word)
    tokens = _tokens(before, begin, start)
    last = tokens[-1][0] if tokens else ""
    if last == OPEN_TEXT or _in_text(before, begin):
        yield from _item_names(before, begin, word, look)
    elif last in (".", "?."):
        yield from _members(before, tokens, word, start, look)
    elif last == "|":
        yield from _filters(before, tokens, word, start, look)
    elif last not in _OPERANDS and last not in _CLOSERS:
        yield from _names(word, start, scope, docs)


def _expression_start(before: str) -> int | None:
    """Where the expression begins that the cursor is in; None in a template's plain text."""
    opener = before.rfind("{{")
    if opener < 0:
        return 0
    return None if before.find("}}", opener) >= 0 else opener + 2


def _in_text(before: str, begin: int) -> bool:
    tokens = _tokens(before, begin, len(before))
    return bool(tokens) and tokens[-1][0] == OPEN_TEXT


def _tokens(text: str, start: int, end: int) -> list[Token]:
    return [token for token in tokenize(text, start, end) if token[0] != END]


def _names(word: str, start: int, scope: Mapping[str, Value], docs: Mapping[str, str]) -> Iterator[Candidate]:
    for name, value in scope.items():
        if name.startswith(word) and _NAME.fullmatch(name):
            meta = f"{type_name(value)}  {glance(value, _SHOWN)}  {docs.get(name, '')}"
            yield Candidate(name, start, name, meta.rstrip())
    for function in FUNCTIONS.values():
        if function.name.startswith(word):
            yield _function(function, f"{function.name}(", start)
    for constant in _CONSTANTS:
        if constant.startswith(word):
            yield Candidate(constant, start, constant, "constant")


def _function(function: Function, text: str, start: int, note: str = "") -> Candidate:
    return Candidate(text, start, function.name, f"{function.signature}  {note or function.summary}")


# After `|`: filters, those first that take what is piped.


def _filters(before: str, tokens: Sequence[Token], word: str, start: int, look: Look) -> Iterator[Candidate]:
    place = _pipe_operand(tokens, len(tokens) - 1)
    piped = look(before[place : tokens[-1][2]])
    kind = kind_of(piped[0]) if piped is not None else Kind.ANY
    rows = [row for row in FUNCTIONS.values() if row.parameters and row.name.startswith(word)]
    for row in sorted(rows, key=lambda row: _fit(row, kind)):
        text = f"{row.name}(" if row.minimum > 1 else row.name
        taken = row.parameters[0].kinds
        note = "" if _fit(row, kind) < _MISFIT else f"takes {describe_kind(taken)}, not this"
        yield _function(row, text, start, note)


_MISFIT: Final = len(Kind) + 1


def _fit(row: Function, kind: Kind) -> int:
    """How special a filter is for a kind: the fewer others it takes, the better; `_MISFIT`: it does not take it."""
    if kind == Kind.ANY:
        return 0
    taken = row.parameters[0].kinds
    return taken.bit_count() if taken & kind else _MISFIT


def _pipe_operand(tokens: Sequence[Token], pipe: int) -> int:
    """Where the left side of the pipe at this place begins."""
    depth = 0
    for place in range(pipe - 1, -1, -1):
        kind = tokens[place][0]
        if kind in _CLOSERS:
            depth += 1
        elif kind in _OPENERS:
            if not depth:
                return tokens[place + 1][2]
            depth -= 1
        elif kind in _LOOSER and not depth:
            return tokens[place + 1][2]
    return tokens[0][2]


# After `.`: keys of the actual value.


def _members(before: str, tokens: Sequence[Token], word: str, start: int, look: Look) -> Iterator[Candidate]:
    place = _chain_start(tokens, len(tokens) - 2)
    if place is None:
        return
    point = tokens[-1]
    found = look(before[tokens[place][2] : point[2]])
    if found is None:
        return
    owner = found[0]
    if isinstance(owner, str | list) and "length".startswith(word):
        yield Candidate("length", start, "length", f"number  {len(owner)}")
    if isinstance(owner, dict):
        for key, value in owner.items():
            if key.startswith(word):
                meta = f"{type_name(value)}  {glance(value, _SHOWN)}"
                yield _member(key, meta, start, point)


def _member(key: str, meta: str, start: int, point: Token) -> Candidate:
    """A key that is no name is written in brackets, in the point's place."""
    if _NAME.fullmatch(key):
        return Candidate(key, start, key, meta)
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return Candidate(f"{'?.' if point[0] == '?.' else ''}['{quoted}']", point[2], key, meta)


def _chain_start(tokens: Sequence[Token], place: int) -> int | None:
    """The first token of the operand that ends at `place`: `a.b[0].c`, `f(x)`, `(…)`; None where there is none."""
    while place >= 0:
        kind = tokens[place][0]
        if kind in _CLOSERS:
            opener = _opener(tokens, place)
            if opener is None:
                return None
            before = opener - 1
            if before < 0 or tokens[before][0] not in (NAME, *_CLOSERS):
                return opener
            place = before
        elif kind in _OPERANDS:
            if place == 0 or tokens[place - 1][0] not in (".", "?."):
                return place
            place -= 2
        else:
            return None
    return None


def _opener(tokens: Sequence[Token], closer: int) -> int | None:
    depth = 0
    for place in range(closer, -1, -1):
        depth += (tokens[place][0] in _CLOSERS) - (tokens[place][0] in _OPENERS)
        if not depth:
            return place
    return None


# Inside `map('…')`: what an item has.


def _item_names(before: str, begin: int, word: str, look: Look) -> Iterator[Candidate]:
    tokens = _tokens(before, begin, len(before))
    if len(tokens) < 4 or (tokens[-2][0], tokens[-3][0], tokens[-4][0]) != ("(", NAME, "|"):
        return
    row = SPELLINGS.get(tokens[-3][1])
    if row is None or len(row.parameters) < 2 or row.parameters[1].literal != "expression":
        return
    pipe = len(tokens) - 4
    found = look(before[_pipe_operand(tokens, pipe) : tokens[pipe][2]])
    if found is None or not isinstance(found[0], list) or not found[0]:
        return
    item = found[0][0]
    names = {"item": item, **(item if isinstance(item, dict) else {})}
    for name, value in names.items():
        if name.startswith(word) and _NAME.fullmatch(name):
            yield Candidate(name, len(before) - len(word), name, f"{type_name(value)}  {glance(value, _SHOWN)}")
