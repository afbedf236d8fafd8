"""Findings for programs."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema

from compiler.diagnostics.codes import MAY_RENDER_NULL, UNKNOWN_VARIABLE, Code, Severity
from compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix, Label
from compiler.diagnostics.machine_formats import to_github, to_json, to_junit, to_sarif
from compiler.diagnostics.source import SourceFile, Span

TEXT = "name: é\npath: '{{ plyer }}'\n"
SOURCE = SourceFile("routes/a b.yaml", TEXT, bom_bytes=3)
PLACE = Span(TEXT.index("plyer"), TEXT.index("plyer") + 5)


def finding(code: Code = UNKNOWN_VARIABLE, message: str = "`plyer` is not set") -> Diagnostic:
    return Diagnostic(
        code,
        message,
        SOURCE,
        PLACE,
        code.severity,
        "did you mean `player`?",
        (Label(SOURCE, Span(0, 4), "set here"),),
        "write it so",
        (Fix("use `player`", (Edit(PLACE, "player"),)),),
    )


def test_the_document_of_json() -> None:
    place = {"start": {"line": 2, "column": 11, "offset": 22}, "end": {"line": 2, "column": 16, "offset": 27}}
    assert to_json([finding()], {"files": 1, "routes": 1, "errors": 1, "warnings": 0}) == {
        "schema": "worpen.diagnostics/1",
        "summary": {"files": 1, "routes": 1, "errors": 1, "warnings": 0},
        "routes": [],
        "diagnostics": [
            {
                "code": "W401",
                "name": "unknown-variable",
                "severity": "error",
                "message": "`plyer` is not set",
                "file": "routes/a b.yaml",
                "range": place,
                "labels": [
                    {"file": "routes/a b.yaml", "range": place, "text": "did you mean `player`?"},
                    {
                        "file": "routes/a b.yaml",
                        "range": {
                            "start": {"line": 1, "column": 1, "offset": 3},
                            "end": {"line": 1, "column": 5, "offset": 7},
                        },
                        "text": "set here",
                    },
                ],
                "help": "write it so",
                "fixes": [
                    {"title": "use `player`", "safe": True, "edits": [{"range": place, "replacement": "player"}]}
                ],
            }
        ],
    }


def test_offsets_are_bytes_of_the_file() -> None:
    start = to_json([finding()], {})["diagnostics"][0]["range"]["start"]["offset"]
    assert ("\ufeff" + TEXT).encode()[start : start + 5] == b"plyer"


def test_github_annotations() -> None:
    assert to_github([finding(message="50% off,\nnow: go")]) == (
        "::error file=routes/a b.yaml,line=2,endLine=2,title=unknown-variable W401,col=11,endColumn=16"
        "::50%25 off,%0Anow: go; did you mean `player`?\n"
    )
    assert to_github([finding(MAY_RENDER_NULL)]).startswith("::notice ")


def test_github_fields_cannot_be_broken_out_of() -> None:
    source = SourceFile("a,line=1::b.yaml", "x")
    shown = to_github([Diagnostic(UNKNOWN_VARIABLE, "m", source, Span(0, 1), Severity.ERROR)])
    assert shown.startswith("::error file=a%2Cline=1%3A%3Ab.yaml,line=1,")


def check_sarif(log: dict[str, Any]) -> None:
    """The official schema of SARIF 2.1.0 (as classes made from it), and what it cannot say."""
    StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate(log)
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for result in run["results"]:
            check_result(result, rules)


def check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert result["message"]["text"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    for location in [*result["locations"], *result.get("relatedLocations", [])]:
        physical = location["physicalLocation"]
        assert " " not in physical["artifactLocation"]["uri"]
        region = physical["region"]
        assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])


def test_sarif() -> None:
    log = to_sarif([finding(), finding(MAY_RENDER_NULL), finding()], "1.2.3")
    check_sarif(json.loads(json.dumps(log)))
    run = log["runs"][0]
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert [rule["name"] for rule in run["tool"]["driver"]["rules"]] == ["unknown-variable", "may-render-null"]
    assert [result["level"] for result in run["results"]] == ["error", "note", "error"]


def test_the_schema_of_sarif_is_looked_at() -> None:
    log = to_sarif([finding()], "1")
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(ValidationError):
        check_sarif(log)
    with pytest.raises(ValidationError):
        check_sarif({**to_sarif([], "1"), "more": 1})


def test_fixes_in_sarif() -> None:
    (fix,) = to_sarif([finding()], "1")["runs"][0]["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    assert fix["description"] == {"text": "use `player`"}
    assert change["artifactLocation"] == {"uri": "routes/a%20b.yaml"}
    assert replacement["deletedRegion"]["byteOffset"] == 22
    assert replacement["insertedContent"] == {"text": "player"}


def test_sarif_of_nothing() -> None:
    log = to_sarif([], "1.2.3")
    check_sarif(log)
    assert log["runs"][0]["results"] == []


def test_junit() -> None:
    report = ElementTree.fromstring(
        to_junit([finding(message="<a> & \x1b"), finding(MAY_RENDER_NULL)], ["routes/a b.yaml", "b.yaml"], 0.5)
    )
    assert report.attrib == {"tests": "2", "failures": "1", "errors": "0", "time": "0.500"}
    broken, fine = report.iter("testcase")
    failure = broken.find("failure")
    assert failure is not None
    assert failure.get("message") == "<a> & \\x1b"
    assert failure.text is not None
    assert failure.text.startswith("routes/a b.yaml:2:11: error[unknown-variable] <a> & \\x1b")
    assert fine.find("failure") is None
