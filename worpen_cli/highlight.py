"""The language's colours: Pygments lexers for expressions, for texts with templates, and for whole routes.

The prompt, snippets and documentation use the same ones. They know nothing of the compiler: what is no valid
expression is coloured all the same, since it is being typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from pygments.lexer import RegexLexer, include, words
from pygments.token import (
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
    _TokenType,
)

_WORD: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_EXPRESSION: Final = [
    (r"\s+", Whitespace),
    (words(("true", "false", "null"), suffix=r"\b"), Keyword.Constant),
    (words(("loop", "error", "item"), suffix=r"\b"), Name.Builtin.Pseudo),
    (rf"(?<=\.){_WORD}", Name.Attribute),
    (rf"{_WORD}(?=\s*\()", Name.Function),
    (_WORD, Name.Variable),
    (r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", Number),
    (r"'(?:[^'\\]|\\.)*'?", String.Single),
    (r'"(?:[^"\\]|\\.)*"?', String.Double),
    (rf"\|(?!\|)\s*(?={_WORD})", Operator, "filter"),
    (r"\*\*|&&|\|\||\?\?|\?\.|==|!=|<=|>=|[-+*/%<>!|?:=]", Operator),
    (r"[()\[\]{}.,]", Punctuation),
    (r".", Error),
]


class ExpressionLexer(RegexLexer):
    """One expression."""

    name = "worpen expression"
    aliases: ClassVar[list[str]] = ["worpen-expression"]
    filenames: ClassVar[list[str]] = []
    url = ""
    tokens: ClassVar = {
        "root": [include("expression")],
        "expression": _EXPRESSION,
        "filter": [(_WORD, Name.Function, "#pop")],
    }


class TemplateLexer(RegexLexer):
    """A text with `{{ }}` in it."""

    name = "worpen template"
    aliases: ClassVar[list[str]] = ["worpen-template"]
    filenames: ClassVar[list[str]] = []
    url = ""
    tokens: ClassVar = {
        "root": [(r"\{\{", String.Interpol, "template"), (r"[^{]+|\{", String)],
        "template": [(r"\}\}", String.Interpol, "#pop"), (r"\{", Punctuation, "object"), include("expression")],
        "object": [(r"\}", Punctuation, "#pop"), (r"\{", Punctuation, "object"), include("expression")],
        "expression": _EXPRESSION,
        "filter": ExpressionLexer.tokens["filter"],
    }


class RouteLexer(RegexLexer):
    """A route file: YAML, with the templates in its texts."""

    name = "worpen route"
    aliases: ClassVar[list[str]] = ["worpen"]
    filenames: ClassVar[list[str]] = []
    url = ""
    tokens: ClassVar = {"root": [(r".+", Text)]}

    def get_tokens_unprocessed(
        self, text: str, stack: Iterable[str] = ("root",)
    ) -> Iterator[tuple[int, _TokenType, str]]:
        """The tokens of YAML, and those of templates where there are some."""
        from pygments.lexers.data import YamlLexer

        templates = [token for token in TemplateLexer().get_tokens_unprocessed(text) if token[1] is not String]
        place = 0
        for start, kind, value in YamlLexer().get_tokens_unprocessed(text):  # type: ignore[no-untyped-call]
            end = start + len(value)
            while templates and templates[0][0] < end:
                opener, _, part = templates[0]
                if place < opener and start < opener:
                    yield max(place, start), kind, text[max(place, start) : opener]
                yield templates.pop(0)
                place = opener + len(part)
            if place < end:
                yield max(place, start), kind, text[max(place, start) : end]
                place = end


def lexer_for(text: str) -> RegexLexer:
    """The lexer for what is typed at a prompt: a text with a `{{` is a template."""
    return TemplateLexer() if "{{" in text else ExpressionLexer()
