"""Every dependency has one door, and the terminal belongs to the command line alone."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, PROJECT, module_files

DOORS = {
    "yaml": ("compiler/syntax/events.py",),
    "wcwidth": ("compiler/diagnostics/layout.py",),
    "re2": ("compiler/language/functions/text.py",),
    "websockets": ("runtime/transport/", "runtime/clients/"),
    "uvloop": ("runtime/app.py", "runtime/server/"),
    "click": ("worpen_cli/",),
    "rich": ("worpen_cli/",),
    "prompt_toolkit": ("worpen_cli/",),
    "pygments": ("worpen_cli/",),
    "aiosqlite": ("runtime/services/",),
    "asyncpg": ("runtime/services/",),
    "httpcore": ("runtime/services/",),
    "httpx": ("runtime/services/",),
    "joserfc": ("runtime/services/",),
    "msgspec": ("runtime/",),
    "prometheus_client": ("runtime/",),
    "redis": ("runtime/services/", "runtime/bus/"),
    "sqlalchemy": ("runtime/services/",),
    "sqlglot": ("compiler/",),
    "watchfiles": ("worpen_cli/",),
}
"""Where each dependency may be imported: files, and folders with a slash."""

SINGLE = frozenset({"yaml", "re2", "watchfiles", "wcwidth", "uvloop"})
"""Dependencies that one module imports, wherever it stands behind the door."""

DISTRIBUTIONS = {
    "yaml": "pyyaml", "re2": "google-re2", "prompt_toolkit": "prompt-toolkit", "prometheus_client": "prometheus-client"
}  # fmt: skip
TERMINAL = re.compile(r"(?<![\w.])print\(|\bsys\.(?:exit|argv|stdout|stderr|stdin)\b|\bos\._exit\b|(?<![\w.])input\(")


def imported(module: Path) -> Iterator[str]:
    """The top-level names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse((PROJECT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


IMPORTS = {module: set(imported(module)) for module in module_files()}


@pytest.mark.parametrize("module", IMPORTS, ids=str)
def test_foreign_packages_come_in_by_their_doors(module: Path) -> None:
    foreign = IMPORTS[module] - set(PACKAGES) - set(sys.stdlib_module_names) - {"__future__"}
    for name in foreign:
        assert name in DOORS, f"{name} has no door"
        assert module.as_posix().startswith(DOORS[name]), f"{name} comes in by {DOORS[name]} only"


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_some_doors_are_one_module_wide(name: str) -> None:
    assert len([module for module, names in IMPORTS.items() if name in names]) <= 1


def test_every_dependency_is_declared() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=;\[ ]", dependency)[0] for dependency in project["dependencies"]}
    assert {DISTRIBUTIONS.get(name, name) for name in DOORS} == declared


@pytest.mark.parametrize("module", [path for path in IMPORTS if path.parts[0] != "worpen_cli"], ids=str)
def test_only_the_command_line_prints_reads_arguments_and_exits(module: Path) -> None:
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    code = "\n".join(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call | ast.Attribute))
    assert not TERMINAL.findall(code)
