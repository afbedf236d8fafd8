from __future__ import annotations

import pytest

from compiler.syntax.templates import split_text


def pieces(value: str) -> list[tuple[str, str | None]]:
    """Each piece with its content, `!` for a problem, None for text."""
    found = []
    for piece in split_text(value):
        content = value[piece.content.start : piece.content.end] if piece.content else "!" if piece.problem else None
        found.append((value[piece.span.start : piece.span.end], content))
    assert "".join(text for text, _ in found) == value
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        ("text", [("text", None)]),
        ("{{x}}", [("{{x}}", "x")]),
        ("a{{ b }}{{ c }}d", [("a", None), ("{{ b }}", " b "), ("{{ c }}", " c "), ("d", None)]),
        ("{{ {a: {b: 1}} }}", [("{{ {a: {b: 1}} }}", " {a: {b: 1}} ")]),
        ("{{ {a: {b: 1}}}}", [("{{ {a: {b: 1}}}}", " {a: {b: 1}}")]),
        ("{{ '}}' }}", [("{{ '}}' }}", " '}}' ")]),
        ('{{ "a}}\\"b" }}', [('{{ "a}}\\"b" }}', ' "a}}\\"b" ')]),
        ("{{ '{{' }}", [("{{ '{{' }}", " '{{' ")]),
        ("{{ x }}}", [("{{ x }}", " x "), ("}", None)]),
        ("{ x }", [("{ x }", None)]),
        ('{"a": {{ x }}}', [('{"a": ', None), ("{{ x }}", " x "), ("}", None)]),
        ("{{ x", [("{{", "!"), (" x", None)]),
        ("{{ x {{ y }} z", [("{{", "!"), (" x ", None), ("{{ y }}", " y "), (" z", None)]),
        ("{{ x {{ y }} }} z", [("{{ x {{ y }} }}", "!"), (" z", None)]),
        ("{{{ x }}} z", [("{{{ x }}}", "!"), (" z", None)]),
    ],
)
def test_pieces(value: str, expected: list[tuple[str, str | None]]) -> None:
    assert pieces(value) == expected


def test_only_templates_are_templates() -> None:
    assert [piece.is_template for piece in split_text("a{{ b }}{{ c")] == [False, True, True, False]
    assert [piece.is_unclosed for piece in split_text("a{{ }}{{ c")] == [False, False, True, False]


def test_unclosed_templates_are_given_up_after_some() -> None:
    found = list(split_text("{{ " * 20_000 + "}}"))
    assert sum(piece.is_unclosed for piece in found) == 8
    assert found[-1].span.end == 60_002
