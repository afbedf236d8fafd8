"""Patterns of a manifest."""

from __future__ import annotations

import pytest

from compiler.bytecode.patterns import ANY, covers, joined, literal, matches, only_text


@pytest.mark.parametrize(
    ("parts", "pattern"),
    [
        (["room"], "room"),
        (["room-", None], "room-*"),
        ([None, "-x-", None], "*-x-*"),
        ([None, None], "*"),
        ([], ""),
        (["a*b\\c"], r"a\*b\\c"),
        (["a*", None], r"a\**"),
        (["a\\", None, None], r"a\\*"),
    ],
)
def test_joined(parts: list[str | None], pattern: str) -> None:
    assert joined(parts) == pattern


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("room", "room", True),
        ("room", "rooms", False),
        ("room-*", "room-", True),
        ("room-*", "room-1", True),
        ("room-*", "room", False),
        ("*", "", True),
        ("*-x-*", "a-x-b", True),
        ("*-x-*", "ab", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-c-b", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*bc*bc", "abc", False),
        ("", "", True),
        ("", "a", False),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"\\*", "\\x", True),
        ("a*", "a\nb", True),
    ],
)
def test_matches(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize("text", ["", "*", "\\", "\\*", "a*b\\", "**", "سن"])
def test_a_literal_covers_itself_alone(text: str) -> None:
    assert matches(literal(text), text)
    assert not matches(literal(text), text + "x")
    assert only_text(literal(text)) == text
    assert matches(joined([text, None, text]), text + "between" + text)


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("*", "a-*", True),
        ("a-*", "*", False),
        ("a-*", "a-b", True),
        ("a-*-z", "a-*-y-*-z", True),
        ("a-*-y-*-z", "a-*-z", False),
        (r"a\*", "a*", False),
        ("a*", r"a\*", True),
        ("*a", "a*", False),
    ],
)
def test_patterns_cover_patterns(wide: str, narrow: str, covered: bool) -> None:
    assert covers(wide, narrow) is covered


def test_a_pattern_with_a_gap_covers_more_than_one_text() -> None:
    assert only_text("a*") is None
    assert only_text(ANY) is None
    assert matches(ANY, "anything")
