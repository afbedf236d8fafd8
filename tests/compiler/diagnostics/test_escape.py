"""Untrusted text never reaches a terminal as commands."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.escape import escape, escape_json

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

HOSTILE = {
    "set the clipboard (OSC 52)": ("\x1b]52;c;cm0gLXJmIC8=\x07", r"\x1b]52;c;cm0gLXJmIC8=\x07"),
    "disguise a link (OSC 8)": ("\x1b]8;;http://a\x1b\\b\x1b]8;;\x1b\\", r"\x1b]8;;http://a\x1b\b\x1b]8;;\x1b" + "\\"),
    "clear the screen (CSI 2J)": ("\x1b[2Jgone", r"\x1b[2Jgone"),
    "the same in C1": ("\x9b2J", r"\x9b2J"),
    "markup of a printing library": ("[link=http://a]b[/link]", "[link=http://a]b[/link]"),
    "right to left override": ("user\u202enimda", r"user\u202enimda"),
    "a second log line": ("ok\r\n12:00 error fake", r"ok\r\n12:00 error fake"),
    "rub out": ("abc\x7f\x08", r"abc\x7f\x08"),
    "a lone surrogate": ("\ud83d", r"\ud83d"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize("text", ["", "hello", "سلام‌دنیا", "日本 👨‍👩‍👧 é", "a\\nb", "[bold]x[/bold]"])
def test_other_text_is_left_alone(text: str) -> None:
    assert escape(text) == text


@given(st.text(st.characters()))
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    for shown in (escape(text), escape_json(text)):
        assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
        assert not set(shown) & set(BIDI)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_stays_the_same_document(value: object) -> None:
    assert json.loads(escape_json(json.dumps(value, ensure_ascii=False))) == value
