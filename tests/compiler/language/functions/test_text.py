"""Functions on text."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions.text import compile_pattern
from compiler.language.values import Value
from tests.compiler.language.functions.calls import fault, run


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("upper", ["straße"], "STRASSE"),
        ("lower", ["ÉCOLE"], "école"),
        ("trim", ["\u00a0\t a b \n"], "a b"),
        ("capitalize", [""], ""),
        ("title", ["the  quick\tBROWN fox's"], "The  Quick\tBrown Fox's"),
        ("length", ["👋🏽"], 2),
        ("length", [{"a": 1, "b": 2}], 2),
        ("reverse", ["añ👋"], "👋ña"),
        ("reverse", [[]], []),
        ("contains", ["abc", ""], True),
        ("contains", [[1, [2]], ["2"]], False),
        ("contains", [[1, [2]], "1"], True),
        ("contains", [[1, [2]], [2]], True),
        ("contains", [[None], None], True),
        ("starts_with", ["Subscribe:", "subscribe:"], False),
        ("ends_with", ["", ""], True),
        ("replace", ["a.c", ".", "\\1"], "a\\1c"),
        ("replace", ["aaa", "aa", "b"], "ba"),
        ("split", ["a--b", "-"], ["a", "", "b"]),
        ("split", ["a, b", ", "], ["a", "b"]),
        ("join", [["a", None, 1.5, [1], True]], "a,null,1.5,[1],true"),
        ("join", [[], ", "], ""),
        ("substring", ["hello", 9], ""),
        ("substring", ["hello", 1, 0], ""),
        ("substring", ["hello", 1, None], "ello"),
        ("slice", ["hello", -99, 99], "hello"),
        ("slice", [[1, 2, 3], -2], [2, 3]),
        ("slice", ["hello", 3, 1], ""),
        ("repeat", ["", 2**53], ""),
        ("repeat", ["ab", 0], ""),
        ("truncate", ["abcdef", 6], "abcdef"),
        ("truncate", ["abcdef", 4], "a..."),
        ("truncate", ["abcdef", 3], "abc"),
        ("truncate", ["abcdef", 0], ""),
        ("slugify", [" Äpfel & Birnen_2! "], "äpfel-birnen-2"),
        ("slugify", ["हिन्दी भाषा"], "हिन्दी-भाषा"),
        ("slugify", ["a \u0301 b"], "a-\u0301-b"),
        ("slugify", ["!?"], ""),
        ("initials", ["ada  lovelace"], "AL"),
        ("initials", [""], ""),
        ("word_count", ["a\u2003b\nc"], 3),
        ("matches", ["é!", "^.!$"], True),
        ("matches", ["a\nb", "^b"], False),
        ("matches", ["a\nb", "(?m)^b"], True),
        ("matches", ["ROOM", "(?i)room"], True),
        ("matches", ["", ""], True),
    ],
)
def test_results(name: str, arguments: list[Value], result: Value) -> None:
    found = run(name, *arguments)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("length", [5], codes.TYPE_ERROR),
        ("contains", ["abc", 1], codes.TYPE_ERROR),
        ("contains", [{"a": 1}, "a"], codes.TYPE_ERROR),
        ("replace", ["abc", "", "x"], codes.BAD_ARGUMENT),
        ("replace", ["x" * 1000, "x", "y" * 2000], codes.TOO_LARGE),
        ("split", ["abc", ""], codes.BAD_ARGUMENT),
        ("split", ["," * 100_000, ","], codes.TOO_LARGE),
        ("join", ["abc"], codes.TYPE_ERROR),
        ("join", [["x" * 1000] * 2000], codes.TOO_LARGE),
        ("substring", ["hello", -1], codes.BAD_ARGUMENT),
        ("substring", ["hello", 0, -1], codes.BAD_ARGUMENT),
        ("substring", ["hello", 0.5], codes.BAD_ARGUMENT),
        ("slice", ["hello", 0.5], codes.BAD_ARGUMENT),
        ("slice", [{"a": 1}, 0], codes.TYPE_ERROR),
        ("repeat", ["x", -1], codes.BAD_ARGUMENT),
        ("repeat", ["x", 1.5], codes.BAD_ARGUMENT),
        ("repeat", ["x", 10**7], codes.TOO_LARGE),
        ("repeat", ["é", 600_000], codes.TOO_LARGE),
        ("repeat", ["x", 1e300], codes.BAD_ARGUMENT),
        ("truncate", ["abc", -1], codes.BAD_ARGUMENT),
        ("upper", ["ß" * 600_000], codes.TOO_LARGE),
        ("matches", ["x", "(a"], codes.BAD_ARGUMENT),
        ("matches", ["x", "(?=a)"], codes.BAD_ARGUMENT),
        ("matches", ["x", "(\\pL{1000}){1000}"], codes.BAD_ARGUMENT),
    ],
)
def test_faults(name: str, arguments: list[Value], kind: object) -> None:
    assert fault(name, *arguments) is kind


def test_patterns_are_made_once() -> None:
    assert compile_pattern("[0-9]+x") is compile_pattern("[0-9]+x")


def test_a_bad_pattern_says_why() -> None:
    with pytest.raises(Fault, match=r"missing \)"):
        compile_pattern("(a")


def test_patterns_take_linear_time() -> None:
    """A backtracking engine would not come back from this one."""
    assert run("matches", "a" * 50_000 + "!", "^(a+)+$") is False
