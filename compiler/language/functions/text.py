"""Functions on text."""

from __future__ import annotations

from compiler.language.functions.registry import function


@function("text", examples=[("'hello' | upper", "HELLO")])
def upper(text: str) -> str:
    """The text in upper case."""
    return text.upper()
