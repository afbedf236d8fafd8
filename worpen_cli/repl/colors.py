"""Text of the language in its colours, for a terminal's output."""

from __future__ import annotations

import sys

from worpen_cli.console import Console


def paint(shown: str, console: Console) -> str:
    """The text with colours where stdout has them; it must be safe to show already."""
    if not console.colors(sys.stdout):
        return shown
    from pygments import format as pygments_format
    from pygments.formatters.terminal import TerminalFormatter

    from worpen_cli.highlight import ExpressionLexer

    lexer = ExpressionLexer(ensurenl=False, stripnl=False)
    return str(pygments_format(lexer.get_tokens(shown), TerminalFormatter(bg="dark"))).rstrip("\n")
