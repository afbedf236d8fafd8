"""The conformance routes: broken ones are refused at their place, good ones are clean, twins give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT
from worpen_cli.main import main

ROUTES = PROJECT.parent / "shared" / "conformance" / "routes"
RANKS = ["info", "warning", "error"]
NAMES = {
    "ambiguous-op": {"two-operations"},
    "bad-argument": {"argument-count"},
    "bad-context": {"misplaced-operation"},
    "bad-expression": {"bad-expression", "empty-template", "unclosed-template", "unclosed-text", "unknown-operator"},
    "bad-value": {"bad-value", "sql-parameter"},
    "empty-branch": {"empty-block"},
    "limit": {"limit", "recursive-alias"},
    "maybe-undefined": {"maybe-unset"},
    "type-error": {"type-error", "wrong-kind"},
    "undefined-variable": {"set-too-late", "unknown-parameter", "unknown-variable", "wrong-hook"},
    "unknown-filter": {"unknown-function"},
    "unknown-op": {"unknown-operation", "unknown-tag"},
}
"""What we call the codes that the expectations name otherwise."""


def read(name: str) -> list[dict[str, Any]]:
    return json.loads((ROUTES / name).read_text(encoding="utf-8")) if ROUTES.is_dir() else []


BAD = read("bad_expect.json")
GOOD = read("manifest.json")
TWINS = [row for row in GOOD if "equivalent_to" in row]

pytestmark = pytest.mark.skipif(not ROUTES.is_dir(), reason=f"no conformance files at {ROUTES}")


Validate = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def validate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Validate:
    """Runs `worpen validate` on files of the folder, in this process for speed: the exit code, and the findings."""
    monkeypatch.chdir(ROUTES)

    def run(*files: str) -> tuple[int, list[dict[str, Any]]]:
        code = main(["validate", "--format", "json", *files])
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == "worpen.diagnostics/1"
        return code, document["diagnostics"]

    return run


def is_in_place(finding: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a finding stands where the expectation says."""
    if row.get("any_position"):
        return True
    start = finding["range"]["start"]
    if "line_tolerance" in row and abs(start["line"] - row["line"]) <= row["line_tolerance"]:
        return True
    places = [[row["line"], row["column"]], *row.get("or_at", [])]
    return [start["line"], start["column"]] in places


def words_of(finding: dict[str, Any]) -> str:
    texts = [finding["message"], finding["help"], *(label["text"] for label in finding["labels"])]
    return " ".join([*texts, *(fix["title"] for fix in finding["fixes"])]).lower()


@pytest.mark.parametrize("row", BAD, ids=lambda row: Path(row["file"]).stem)
def test_a_broken_route_is_refused_at_its_place(row: dict[str, Any], validate: Validate) -> None:
    code, findings = validate(*row.get("load_with", []), row["file"])
    assert code == (1 if row["severity"] == "error" else 0), findings
    placed = [f for f in findings if f["severity"] == row["severity"] and is_in_place(f, row)]
    assert placed, [(f["name"], f["range"]["start"], f["message"]) for f in findings]
    assert any(f["name"] in NAMES.get(row["code"], {row["code"]}) for f in placed), placed
    assert any(all(word.lower() in words_of(f) for word in row["mention"]) for f in placed), placed


@pytest.mark.parametrize("row", BAD, ids=lambda row: Path(row["file"]).stem)
def test_one_mistake_is_one_error(row: dict[str, Any], validate: Validate) -> None:
    _, findings = validate(*row.get("load_with", []), row["file"])
    others = [f for f in findings if f["severity"] == "error" and not is_in_place(f, row) and f["file"] == row["file"]]
    assert others == []


@pytest.mark.parametrize("row", GOOD, ids=lambda row: Path(row["file"]).name)
def test_a_good_route_is_clean(row: dict[str, Any], validate: Validate) -> None:
    code, findings = validate(row["file"])
    warned = {finding["name"] for finding in findings if finding["severity"] != "info"}
    assert code == 0, findings
    assert warned <= set(row["warnings"]), findings


@pytest.mark.parametrize("row", TWINS, ids=lambda row: Path(row["file"]).name)
def test_twins_compile_to_the_same_bytes(row: dict[str, Any], tmp_path: Path) -> None:
    programs = []
    for number, file in enumerate((row["file"], row["equivalent_to"])):
        assert main(["compile", "--strip", "-o", str(tmp_path / str(number)), str(ROUTES / file)]) == 0
        programs += [path.read_bytes() for path in (tmp_path / str(number)).rglob("*.wbc")]
    assert len(programs) == 2
    assert programs[0] == programs[1]
