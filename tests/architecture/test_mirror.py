"""Every module has its test module at the mirrored place, and every test module its module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, mirrored_files, module_files

ELSEWHERE = {
    Path("compiler/bytecode/opcodes.py"): "test_tables.py",
    Path("compiler/diagnostics/codes.py"): "test_tables.py",
    Path("compiler/language/effects.py"): "test_tables.py",
    Path("worpen_cli/__main__.py"): "test_wheel.py",
}
"""Tables, and what only a whole installation can run: tested beside this file."""


def mirror(module: Path) -> Path:
    """`compiler/syntax/lexer.py` → `tests/compiler/syntax/test_lexer.py`; a package's own code: `test_package.py`."""
    name = "package" if module.name == "__init__.py" else module.stem
    return Path("tests", *module.parent.parts, f"test_{name}.py")


def does_something(module: Path) -> bool:
    """Whether a module defines a function; names passed on, and classes of fields alone, have nothing to test."""
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


MODULES = [module for module in module_files() if does_something(module)]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_tests(module: Path) -> None:
    if module in ELSEWHERE:
        assert (PROJECT / "tests" / "architecture" / ELSEWHERE[module]).is_file()
    else:
        assert (PROJECT / mirror(module)).is_file(), f"write {mirror(module)}"


@pytest.mark.parametrize("tests", mirrored_files(), ids=str)
def test_tests_have_their_module(tests: Path) -> None:
    mirrored = {mirror(module) for module in module_files()}
    assert tests in mirrored, f"{tests} tests no module: tests of several belong in golden, property, e2e or regression"


@pytest.mark.parametrize("module", sorted(ELSEWHERE), ids=str)
def test_the_exceptions_exist(module: Path) -> None:
    assert (PROJECT / module).is_file()
