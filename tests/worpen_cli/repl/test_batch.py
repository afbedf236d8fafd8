"""Lines in, lines out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worpen_cli.console import Console
from worpen_cli.repl.batch import answer, answer_json, answer_lines
from worpen_cli.repl.evaluation import Evaluator, Mistake

EVALUATOR = Evaluator()


def ask(request: Any) -> Any:
    line = request if isinstance(request, bytes) else json.dumps(request).encode()
    return json.loads(answer(line, EVALUATOR))


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ({"expr": "a + 1", "vars": {"a": 2.0}}, "3"),
        ({"expr": "a", "vars": {"a": 1e21}}, "1e+21"),
        ({"expr": "a", "vars": {"a": -0.0}}, "0"),
        ({"expr": "a", "vars": {"a": [1.0, {"b": 2.50}]}}, '[1,{"b":2.5}]'),
        ({"expr": "{b: 1, a: 2}"}, '{"b":1,"a":2}'),
        ({"template": "{{ a }}", "vars": {"a": 5}}, "5"),
        ({"template": "{{ a }}", "mode": "text", "vars": {"a": 5}}, '"5"'),
        ({"template": "{{ a }} > 4", "mode": "condition", "vars": {"a": 5}}, "true"),
        (b'\xef\xbb\xbf  {"expr": "\'\xd8\xb3\'"} \r\n', '"س"'),
    ],
)
def test_values_are_written_as_the_language_writes_them(request_: Any, value: str) -> None:
    line = request_ if isinstance(request_, bytes) else json.dumps(request_).encode()
    assert answer(line, EVALUATOR) == f'{{"value": {value}}}'


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({"expr": "nope"}, "unknown-variable"),
        ({"expr": "a.b", "vars": {"a": None}}, "type-error"),
        ({"expr": "1", "mode": "text"}, "useless-key"),
        ({"expr": "1", "template": "1"}, "missing-key"),
        ({}, "missing-key"),
        ({"expr": 1}, "wrong-type"),
        ({"expr": "1", "vars": []}, "wrong-type"),
        ({"expr": "1", "extra": 1}, "unknown-key"),
        ({"template": "1", "mode": "html"}, "bad-value"),
        ({"template": "1", "mode": ["text"]}, "bad-value"),
        ([], "wrong-type"),
        (b"{", "json-syntax"),
        (b'{"expr": "1", "vars": {"a": NaN}}', "json-syntax"),
        (b'{"expr": "1", "vars": {"a": 1e999}}', "number-range"),
        (b'{"expr": "1", "vars": {"a": ' + b"9" * 5000 + b"}}", "number-range"),
        (b'{"expr": "\xff"}', "encoding"),
        (b"[" * 100_000, "limit"),
    ],
)
def test_errors_are_answers(request_: Any, name: str) -> None:
    error = ask(request_)["error"]
    assert list(error) == ["name", "code", "message", "line", "column"]
    assert error["name"] == name
    assert error["code"].startswith("W")
    assert error["message"]
    assert error["line"] >= 1
    assert error["column"] >= 1


def test_it_goes_on_after_errors_and_passes_blank_lines(capsys: pytest.CaptureFixture[str]) -> None:
    answer_json([b"zzz\n", b"\n", b'{"expr": "1"}'], EVALUATOR, Console(environment={}))
    first, second = capsys.readouterr().out.splitlines()
    assert "error" in json.loads(first)
    assert json.loads(second) == {"value": 1}


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["a = 2", "", "a * 3", "hi {{ a }}", "[a, null]"]
    answer_lines(lines, EVALUATOR, Console(environment={}))
    assert capsys.readouterr().out == '6\n"hi 2"\n[2,null]\n'


def test_plain_lines_end_at_the_first_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Mistake):
        answer_lines(["1", "nope", "2"], EVALUATOR, Console(environment={}))
    assert capsys.readouterr().out == "1\n"
