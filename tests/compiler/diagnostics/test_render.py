"""What people read when a route is wrong."""

from __future__ import annotations

import re
from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.codes import UNKNOWN_VARIABLE, Severity
from compiler.diagnostics.diagnostic import Diagnostic, Label
from compiler.diagnostics.render import render_concise, render_full
from compiler.diagnostics.source import SourceFile, Span

ROUTE = """\
name: Chat
path: /ws/chat
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar:
        name: player
        value: "{{ query.name }}"
  on_message:
    - Log: {message: hi}
    - WsOp:
        command: send
        message: "{{ plyer.name }}: {{ message }}"
"""


def span_of(text: str, part: str) -> Span:
    start = text.index(part)
    return Span(start, start + len(part))


def finding(
    text: str,
    part: str,
    *,
    message: str = "it is wrong",
    label: str = "",
    others: tuple[tuple[str, str], ...] = (),
    help: str = "look again",
    name: str = "routes/chat.yaml",
) -> Diagnostic:
    """A finding at `part` of `text`, with labels at other parts."""
    source = SourceFile(name, text)
    labels = tuple(Label(source, span_of(text, other), words) for other, words in others)
    return Diagnostic(UNKNOWN_VARIABLE, message, source, span_of(text, part), Severity.ERROR, label, labels, help)


def picture(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_two_lines_in_one_snippet() -> None:
    found = finding(
        ROUTE,
        "plyer",
        message="`plyer` is not set in any hook of this route",
        label="did you mean `player`?",
        others=(("player", "a similar name is set here, in on_connect"),),
        help="",
    )
    assert render_full([found]) == picture("""
        error[unknown-variable] W401: `plyer` is not set in any hook of this route
          --> routes/chat.yaml:13:22
           |
         7 |         name: player
           |               ------ a similar name is set here, in on_connect
        13 |         message: "{{ plyer.name }}: {{ message }}"
           |                      ^^^^^ did you mean `player`?
           = help: worpen explain unknown-variable
        """)


def test_several_labels_on_one_line_hang_below_each_other() -> None:
    found = finding("{{ a + bb * c }}\n", "bb", label="second", others=(("a", "first"), ("c", "third")))
    assert render_full([found]) == picture("""
        error[unknown-variable] W401: it is wrong
         --> routes/chat.yaml:1:8
          |
        1 | {{ a + bb * c }}
          |    -   ^^   - third
          |    |   |
          |    |   second
          |    first
          = help: look again
        """)


def test_the_main_mark_covers_a_second_one() -> None:
    found = finding("key: value\n", "alu", label="main", others=(("value", "all"),))
    assert "-^^^-" in render_full([found])


def test_wide_characters_combining_marks_tabs_and_emoji() -> None:
    for before in ("日本", "e\u0301e\u0301 ", "a\tb ", "👨\u200d👩\u200d👧 ", "سلام "):
        rows = render_full([finding(f"{before}HERE\n", "HERE")]).splitlines()
        source, marks = rows[3], rows[4]
        from wcwidth import wcswidth

        assert wcswidth(source[: source.index("HERE")]) == marks.index("^^^^"), before


def test_a_span_over_several_lines_is_marked_to_the_end_of_its_first() -> None:
    found = finding("a: [1,\n  2,\n  3]\n", "[1,\n  2,\n  3]", label="this list")
    assert render_full([found]).splitlines()[3:5] == ["1 | a: [1,", "  |    ^^^ this list"]


def test_an_empty_span_at_the_end_of_a_file() -> None:
    source = SourceFile("a.yaml", "name: A\n")
    found = Diagnostic(UNKNOWN_VARIABLE, "m", source, Span(8, 8), Severity.WARNING)
    assert render_full([found]).splitlines()[1:5] == [" --> a.yaml:2:1", "  |", "2 |", "  | ^"]


def test_a_label_in_another_file() -> None:
    other = SourceFile("b.yaml", "path: /ws/a\n")
    source = SourceFile("a.yaml", "path: /ws/a\n")
    found = Diagnostic(
        UNKNOWN_VARIABLE, "m", source, Span(6, 11), Severity.ERROR, "", (Label(other, Span(6, 11), "the first"),)
    )
    assert render_full([found]) == picture("""
        error[unknown-variable] W401: m
         --> a.yaml:1:7
          |
        1 | path: /ws/a
          |       ^^^^^
         ::: b.yaml:1:7
          |
        1 | path: /ws/a
          |       ----- the first
          = help: worpen explain unknown-variable
        """)


def test_advice_of_several_lines_is_indented() -> None:
    shown = render_full([finding("a\n", "a", help="write\n- Log:\n    message: a")])
    assert shown.endswith("  = help: write\n          - Log:\n              message: a\n")


def test_a_long_line_is_cut_around_the_mark() -> None:
    text = "x" * 300 + "HERE" + "y" * 300
    rows = render_full([finding(text, "HERE", label="there")], width=60).splitlines()
    assert len(rows[3]) <= 60
    assert "…xxx" in rows[3]
    assert rows[3].endswith("yyy…")
    assert rows[4].index("^^^^") == rows[3].index("HERE")


def test_a_line_of_a_million_characters_is_rendered_at_once() -> None:
    text = "日" * 300_000 + "HERE" + "é" * 300_000
    rows = render_full([finding(text, "HERE")], width=60).splitlines()
    assert len(rows[3]) <= 60
    assert "HERE" in rows[3]


def test_two_findings_have_a_blank_line_between() -> None:
    found = finding("a\n", "a")
    assert "look again\n\nerror[" in render_full([found, found])


def test_nothing_to_say() -> None:
    assert render_full([]) == ""
    assert render_concise([]) == ""


def test_one_line_each() -> None:
    found = finding(ROUTE, "plyer", message="`plyer` is not set")
    assert render_concise([found]) == "routes/chat.yaml:13:22: error[unknown-variable] W401 `plyer` is not set\n"


HOSTILE = "\x1b]52;c;AAAA\x07\x1b[2J\u202e\x9b"


def test_hostile_text_is_escaped_wherever_it_stands() -> None:
    found = finding(
        f"a: {HOSTILE}x\n", "x", message=HOSTILE, label=HOSTILE, others=(("a", HOSTILE),), help=HOSTILE, name=HOSTILE
    )
    for shown in (render_full([found]), render_concise([found])):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
        assert r"\x1b[2J" in shown


def test_colours_add_nothing_but_colours() -> None:
    found = finding(ROUTE, "plyer", label="did you mean `player`?", others=(("player", "here"),))
    for render in (render_full, render_concise):
        colored = render([found], color=True)
        assert "\x1b[1;31m" in colored
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([found])


@given(st.text(), st.data(), st.integers(1, 200))
def test_any_place_of_any_text_can_be_shown(text: str, draw: st.DataObject, width: int) -> None:
    start = draw.draw(st.integers(0, len(text)))
    end = draw.draw(st.integers(start, len(text)))
    source = SourceFile("a", text)
    label = Label(source, Span(0, start), "label")
    found = Diagnostic(UNKNOWN_VARIABLE, "m", source, Span(start, end), Severity.INFO, "main", (label,))
    shown = render_full([found], width=width)
    assert "^" in shown
    assert "main" in shown
