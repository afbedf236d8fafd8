"""Colours of what is printed."""

from __future__ import annotations

import re

from worpen_cli.console import Console
from worpen_cli.repl.colors import paint


def test_text_is_the_same_under_its_colours() -> None:
    shown = 'x = {"a":[1,"b"]}'
    painted = paint(shown, Console("always", environment={}))
    assert painted != shown
    assert re.sub("\x1b\\[[0-9;]*m", "", painted) == shown


def test_no_colours_where_none_are_wanted() -> None:
    assert paint("1", Console("never", environment={})) == "1"
