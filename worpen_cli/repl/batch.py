"""`worpen repl` where nobody sits at a terminal: one line in, one line out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from compiler.diagnostics import codes
from compiler.diagnostics.codes import Code
from compiler.language.faults import Fault
from compiler.language.values import Number, Value, normalise, to_json
from worpen_cli.console import Console
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.statements import Position, read_statement

MODES: Final = ("value", "text", "condition")
_KEYS: Final = frozenset({"expr", "template", "mode", "vars"})


class Refusal(Exception):
    """A line that is no request: what is wrong with it, and in which column."""

    def __init__(self, code: Code, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.column = column


def _number(text: str) -> Number:
    return normalise(float(text))


def _whole_number(text: str) -> Number:
    return normalise(int(text)) if len(text) < 400 else normalise(float(text))


def _no_constant(name: str) -> Value:
    raise Refusal(codes.JSON_SYNTAX, f"{name} is no JSON value")


_DECODER: Final = json.JSONDecoder(parse_float=_number, parse_int=_whole_number, parse_constant=_no_constant)


def answer_json(lines: Iterable[bytes], evaluator: Evaluator, console: Console) -> None:
    """Answer each request with a line, errors too, and go on. Blank lines are passed over."""
    for line in lines:
        if line.strip():
            console.print_document(answer(line, evaluator))
            console.flush()


def answer(line: bytes, evaluator: Evaluator) -> str:
    """The answer to one request, as JSON: its value, or its error."""
    try:
        position, text, variables = read_request(line)
        return '{"value": ' + to_json(evaluator.evaluate(position, text, variables)) + "}"
    except Mistake as mistake:
        return _error(mistake.code, mistake.message, mistake.line, mistake.column)
    except Refusal as refusal:
        return _error(refusal.code, refusal.message, 1, refusal.column)
    except Fault as fault:
        return _error(fault.kind, fault.message, 1, 1)


def _error(code: Code, message: str, line: int, column: int) -> str:
    error = {"name": code.name, "code": code.label, "message": message, "line": line, "column": column}
    return json.dumps({"error": error}, ensure_ascii=False)


def read_request(line: bytes) -> tuple[Position, str, dict[str, Value]]:
    """What a line asks for: how to read which text, with which variables. Raises Refusal, Fault number-range."""
    request = _decode(line)
    if not isinstance(request, dict):
        raise Refusal(codes.WRONG_TYPE, "a request is a JSON object")
    if unknown := sorted(request.keys() - _KEYS):
        raise Refusal(codes.UNKNOWN_KEY, f"a request has no key `{unknown[0]}`")
    if ("expr" in request) == ("template" in request):
        raise Refusal(codes.MISSING_KEY, "a request has either `expr` or `template`")
    text = request["expr"] if "expr" in request else request["template"]
    if not isinstance(text, str):
        raise Refusal(codes.WRONG_TYPE, "`expr` and `template` are texts")
    variables = request.get("vars", {})
    if not isinstance(variables, dict):
        raise Refusal(codes.WRONG_TYPE, "`vars` is an object")
    return _position(request), text, variables


def _decode(line: bytes) -> Any:
    try:
        return _DECODER.decode(line.decode("utf-8-sig").strip())
    except UnicodeDecodeError:
        raise Refusal(codes.ENCODING, "the line is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Refusal(codes.JSON_SYNTAX, f"the line is not JSON: {error.msg}", error.pos + 1) from None
    except RecursionError:
        raise Refusal(codes.LIMIT, "the line is nested too deep") from None


def _position(request: dict[str, Any]) -> Position:
    if "expr" in request:
        if "mode" in request:
            raise Refusal(codes.USELESS_KEY, "`mode` belongs to `template`")
        return "expression"
    mode = request.get("mode", "value")
    if mode not in MODES:
        raise Refusal(codes.BAD_VALUE, f"`mode` is one of {', '.join(MODES)}")
    return cast(Position, mode)


def answer_lines(
    lines: Iterable[str], evaluator: Evaluator, console: Console, scope: Mapping[str, Value] = MappingProxyType({})
) -> None:
    """The value of each line as JSON; an assignment prints nothing. Raises Mistake, Fault at the first error.

    `scope`: the variables that there are before the first line.
    """
    variables = dict(scope)
    for line in lines:
        if not line.strip():
            continue
        statement = read_statement(line)
        value = evaluator.evaluate(statement.position, statement.text, variables)
        if statement.name is not None:
            variables[statement.name] = value
        else:
            console.print_document(to_json(value))
            console.flush()
