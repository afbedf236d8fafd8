"""Colours: what is what, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexer import RegexLexer
from pygments.token import Error, Keyword, Name, Number, Operator, String

from worpen_cli.highlight import ExpressionLexer, RouteLexer, TemplateLexer, lexer_for

EXACT = {"ensurenl": False, "stripnl": False}


def kinds(lexer: RegexLexer, text: str) -> list[tuple[object, str]]:
    return [(kind, part.strip()) for kind, part in lexer.get_tokens(text) if part.strip()]


def test_expressions() -> None:
    found = kinds(ExpressionLexer(), "a.b | upper | f(2) ?? 'x' || true && item # 1.5e3")
    assert [kind for kind, part in found if part in ("upper", "f")] == [Name.Function] * 2
    by_part = {part: kind for kind, part in found}
    assert by_part["a"] is Name.Variable
    assert by_part["b"] is Name.Attribute
    assert by_part["'x'"] is String.Single
    assert by_part["true"] is Keyword.Constant
    assert by_part["item"] is Name.Builtin.Pseudo
    assert by_part["1.5e3"] is Number
    assert by_part["||"] is Operator
    assert by_part["#"] is Error


def test_templates_end_where_their_braces_do() -> None:
    found = kinds(TemplateLexer(), "hi {{ {a: {b: 1}}.a }} there")
    assert found[0] == (String, "hi")
    assert found[-1] == (String, "there")
    assert [part for kind, part in found if kind is String.Interpol] == ["{{", "}}"]


def test_routes_have_templates_in_their_texts() -> None:
    found = kinds(RouteLexer(), 'on_message:\n  - Log:\n      message: "got {{ message | trim }}"\n')
    assert (Name.Tag, "message") in found
    assert (Name.Variable, "message") in found
    assert (Name.Function, "trim") in found


@pytest.mark.parametrize(("text", "lexer"), [("a + 1", ExpressionLexer), ("hi {{ a }}", TemplateLexer)])
def test_what_is_typed_has_its_lexer(text: str, lexer: type[RegexLexer]) -> None:
    assert isinstance(lexer_for(text), lexer)


@pytest.mark.parametrize(
    "lexer", [ExpressionLexer(**EXACT), TemplateLexer(**EXACT), RouteLexer(**EXACT)], ids=lambda lexer: lexer.name
)
@given(text=st.text(alphabet="ab1 {}|'\"\\.:-\n#؟", max_size=60))
def test_nothing_is_lost(lexer: RegexLexer, text: str) -> None:
    assert "".join(part for _, _, part in lexer.get_tokens_unprocessed(text)) == text
