"""Every conformance vector, as one line of `worpen repl --json`, in one run of the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.e2e.cli import worpen

CONFORMANCE = PROJECT.parent / "shared" / "conformance"
TOLERANCE = 1e-12


def read_vectors() -> list[dict[str, Any]]:
    if not CONFORMANCE.is_dir():
        return []
    files: tuple[Path, ...] = (CONFORMANCE / "expr_vectors.json", CONFORMANCE / "template_vectors.json")
    return [vector for file in files for vector in json.loads(file.read_text(encoding="utf-8"))]


VECTORS = read_vectors()


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    requests = (
        {key: vector[key] for key in ("expr", "template", "mode", "vars") if key in vector} for vector in VECTORS
    )
    done = worpen("repl", "--json", stdin="".join(json.dumps(request) + "\n" for request in requests))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def agree(wanted: Any, found: Any) -> bool:
    """Numbers within the tolerance, `1` is not `true`, the order of keys counts."""
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None:
        return wanted is found
    if isinstance(wanted, int | float):
        return isinstance(found, int | float) and abs(wanted - found) <= TOLERANCE * max(1, abs(wanted))
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(agree, wanted, found))
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict) and list(wanted) == list(found) and all(map(agree, wanted.values(), found.values()))
        )
    return type(found) is str and wanted == found


@pytest.mark.skipif(not VECTORS, reason=f"no conformance files at {CONFORMANCE}")
def test_each_line_has_its_answer(answers: list[dict[str, Any]]) -> None:
    assert len(answers) == len(VECTORS)


@pytest.mark.parametrize(
    "number", range(len(VECTORS)), ids=lambda n: str(VECTORS[n].get("expr", VECTORS[n].get("template")))[:60]
)
def test_vector(number: int, answers: list[dict[str, Any]]) -> None:
    vector, answer = VECTORS[number], answers[number]
    if vector.get("error"):
        assert answer.keys() == {"error"}, vector
        assert answer["error"].keys() == {"name", "code", "message", "line", "column"}
    else:
        assert answer.keys() == {"value"}, (vector, answer)
        assert agree(vector["expect"], answer["value"]), (vector, answer)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(1, True), (True, 1), (None, False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("1", 1), ([1], [1, 1])],
)
def test_the_comparison_is_strict(wanted: Any, found: Any) -> None:
    assert not agree(wanted, found)
    assert agree(wanted, wanted)
