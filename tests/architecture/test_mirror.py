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
    """Whether a module has a function that does something; promises of a Protocol and classes of fields do not."""
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(not is_promise(function) for function in functions)


def is_promise(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is only described: its body is a docstring, or `...`."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in function.body)


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
