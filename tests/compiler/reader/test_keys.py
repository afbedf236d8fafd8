"""Unknown keys and missing keys: one mistake, one finding."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.reader.keys import LeftOutKeys, report_unknown_key, unexplained
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Scalar, Style

KNOWN = {"name": "name", "var": "name", "value": "value", "channel": "channel"}
SYNONYMS = {"variable": "name", "room": "channel"}


@pytest.mark.parametrize(
    ("missing", "unknown", "left"),
    [
        (["name", "value"], [], ["name", "value"]),
        (["name"], ["nam"], []),
        (["name"], ["vra"], []),
        (["name"], ["variable"], []),
        (["name"], ["room"], ["name"]),
        (["name"], ["chanel"], ["name"]),
        (["name"], ["qqqq"], []),
        (["name", "value"], ["qqqq"], ["value"]),
        (["name", "value"], ["nam", "qqqq"], []),
        (["name"], ["nam", "nmae"], []),
        ([], ["nam", "qqqq"], []),
    ],
)
def test_an_unknown_key_stands_for_a_missing_one(missing: list[str], unknown: list[str], left: list[str]) -> None:
    assert unexplained(missing, unknown, KNOWN, SYNONYMS) == left


def report_of(name: str, known: tuple[str, ...], **more: str) -> tuple[str, str, str]:
    report = Report()
    key = Scalar(name, name, Style.PLAIN, Span(0, len(name)))
    report_unknown_key(Findings(SourceFile("a.yaml", f"{name}: 1"), report), key, " in `X`", known, SYNONYMS, **more)
    (found,) = report.diagnostics
    assert found.code is codes.UNKNOWN_KEY
    assert found.span == key.span
    return found.message, found.label, found.help


def test_the_probable_name() -> None:
    message, label, _ = report_of("chanel", ("channel", "value"), note="it would go to everybody")
    assert message == "unknown key `chanel` in `X`: it would go to everybody"
    assert label == "did you mean `channel`?"


def test_few_names_are_all_named_and_many_in_the_help() -> None:
    assert report_of("qqqq", ("a1", "b1"))[1] == "known: `a1`, `b1`"
    many = tuple(f"key{n}x{n}y{n}" for n in range(9))
    assert report_of("qqqq", many)[1:] == ("", "known: " + ", ".join(f"`{name}`" for name in many))
    assert report_of("qqqq", many, help="write this")[2] == "write this"


def test_keys_that_reading_left_out() -> None:
    report = Report()
    source = SourceFile("a.yaml", " " * 50)
    for code, start in ((codes.DUPLICATE_KEY, 10), (codes.MERGE_KEY, 20), (codes.UNKNOWN_TAG, 30)):
        report.add(code, source, Span(start, start + 2), "")
    left_out = LeftOutKeys(report)
    inside = [left_out.within(Span(start, start + 5)) for start in (0, 8, 10, 12, 18, 28)]
    assert inside == [False, True, True, False, True, False]
