"""The import contracts of pyproject.toml hold, and cover every package."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.architecture.tree import PACKAGES, PROJECT

CONFIGURATION = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIGURATION["contracts"]}


def lint_imports(*options: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the project."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", script, "--no-logo", "--no-cache", *options]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)


def test_the_contracts_are_kept() -> None:
    result = lint_imports()
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_an_exhaustive_staircase(package: str) -> None:
    staircases = [contract for contract in CONTRACTS.values() if contract.get("containers") == [package]]
    assert [contract["exhaustive"] for contract in staircases] == [True]


def test_the_runtime_is_kept_from_everything_it_may_not_see() -> None:
    seen = {"bytecode", "language", "diagnostics", "records"}
    modules = {path.stem for path in (PROJECT / "compiler").iterdir() if not path.name.startswith("__")}
    forbidden = {name.removeprefix("compiler.") for name in CONTRACTS["runtime-sees"]["forbidden_modules"]}
    assert forbidden == modules - seen


def test_the_pure_modules_are_all_named() -> None:
    pure = {"bounds", "codecs", "needs", "session", "channels", "router", "interpreter", "translator"}
    folder = PROJECT / "runtime"
    present = {f"runtime.{name}" for name in pure if (folder / f"{name}.py").is_file() or (folder / name).is_dir()}
    assert set(CONTRACTS["pure"]["source_modules"]) == {"compiler", *present}
