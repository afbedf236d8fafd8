"""Modules, classes and functions are called by words that say what they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, module_files, names

BANNED = frozenset(
    {"util", "utils", "helper", "helpers", "manager", "service", "data", "info", "process", "impl", "base"}
)
"""Words that fit everything and say nothing. `services/` is a folder of doors, and its plural says so."""

DICTATED = frozenset({"data_received"})
"""Names that a protocol of somebody else's prescribes."""

WORD = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])|\d+")


def words(name: str) -> set[str]:
    """`ConnectionManager` → `{connection, manager}`."""
    return {word.lower() for word in WORD.findall(name)}


@pytest.mark.parametrize("module", module_files(), ids=str)
def test_names_say_something(module: Path) -> None:
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    for name in {module.stem, *names(tree)} - DICTATED:
        assert not words(name) & BANNED, f"{module}: {name}"
        assert not name.lstrip("_").startswith(("do_", "handle_")), f"{module}: {name}"


def test_the_words_of_a_name() -> None:
    assert words("ConnectionManager") == {"connection", "manager"}
    assert words("_check_base64") == {"check", "base64"}
    assert words("HTTPServer") == {"http", "server"}
