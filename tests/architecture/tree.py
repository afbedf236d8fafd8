"""What the architecture tests know of the project's tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

PACKAGES = ("compiler", "runtime", "worpen_cli")


_NOT_OURS = (".git", "worpen.db")
"""Beginnings of names at the top that are not the project's text: git's own, and what `make dev` leaves."""


def module_files() -> list[Path]:
    """All modules of the packages, relative to the project."""
    return sorted(
        file.relative_to(PROJECT) for package in PACKAGES for file in (PROJECT / package).rglob("*.py") if _counts(file)
    )


def mirrored_files() -> list[Path]:
    """All test modules that mirror a package, relative to the project."""
    return sorted(
        file.relative_to(PROJECT)
        for package in PACKAGES
        for file in (PROJECT / "tests" / package).rglob("test_*.py")
        if _counts(file)
    )


def text_files() -> list[Path]:
    """All text that belongs to the project, relative to it."""
    folders = (*PACKAGES, "tests", "examples", "docs", ".ci")
    files = [file for folder in folders for file in (PROJECT / folder).rglob("*") if file.is_file() and _counts(file)]
    files += [file for file in PROJECT.glob("*.*") if file.is_file() and not file.name.startswith(_NOT_OURS)]
    files += [PROJECT / "Makefile", PROJECT / "LICENSE"]
    return sorted(file.relative_to(PROJECT) for file in files if file.suffix not in {".wbc", ".png", ".svg", ".ico"})


def names(tree: ast.Module) -> Iterator[str]:
    """The names of the functions and classes that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _counts(file: Path) -> bool:
    return "__pycache__" not in file.parts and "node_modules" not in file.parts
