"""What is installed: one top-level name, and packages of ours that no other `compiler` or `runtime` can replace."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, module_files

ROUTE = """\
name: "Echo"
path: "/ws/echo"
route_type: "WebSocket"
ws_hooks:
  on_message:
    - WsOp:
        command: "send"
        message: "Echo: {{ message }}"
"""

HOSTILE = 'raise SystemExit("a foreign package was imported")\n'


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would who knows nothing of this tree; `path` is put on PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution, both built from the tree, without network."""
    folder = tmp_path_factory.mktemp("dist")
    for kind in ("--wheel", "--sdist"):
        result = run(sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", folder, PROJECT, cwd=folder)
        assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (built,) = distributions.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a clean environment that has the wheel, and this environment's packages for the rest."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    interpreter = scripts / Path(sys.executable).name
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", interpreter)
    result = run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    purelib = run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout
    Path(purelib.strip(), "rest.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return interpreter


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with a route, where packages called `compiler` and `runtime` end every program that imports them."""
    for name in ("compiler", "runtime"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE, encoding="utf-8")
    (tmp_path / "echo.yaml").write_text(ROUTE, encoding="utf-8")
    return tmp_path


def test_the_wheel_has_one_top_level_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"worpen_cli"}
    assert len(tops) == 2


def test_the_wheel_holds_every_module_and_nothing_that_was_made_from_them(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.as_posix() if path.parts[0] == "worpen_cli" else f"worpen_cli/_lib/{path.as_posix()}"
        for path in module_files()
    }
    assert {name for name in names if name.endswith(".py")} == expected
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_holds_the_page_and_the_templates_as_they_are(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    for folder in ("runtime/console", "examples"):
        for file in (path for path in (PROJECT / folder).rglob("*") if path.is_file()):
            place = f"worpen_cli/_lib/{file.relative_to(PROJECT).as_posix()}"
            assert archive.read(place) == file.read_bytes()


def test_the_source_distribution_can_be_tested(distributions: Path) -> None:
    (built,) = distributions.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "Makefile", "README.md", "LICENSE", "tests/conftest.py"} <= names
    assert {path.as_posix() for path in module_files()} <= names
    assert {"runtime/console/index.html", "examples/chat.yaml", "examples/chat.test.yaml"} <= names
    assert not [name for name in names if ".venv/" in name or name.endswith(".pyc")]


def test_the_installed_packages_are_ours(python: Path, hostile: Path) -> None:
    script = "import worpen_cli, compiler, runtime; print(worpen_cli.__file__, compiler.__file__, runtime.__file__)"
    result = run(python, "-c", script, cwd=hostile)
    assert result.returncode == 0, result.stdout + result.stderr
    home = Path(python).parent.parent
    package, *bundled = (Path(file) for file in result.stdout.split())
    assert package.is_relative_to(home)
    assert [file.parent.parent for file in bundled] == [package.parent / "_lib"] * 2


@pytest.mark.parametrize("on_path", [False, True], ids=["working-folder", "pythonpath"])
@pytest.mark.parametrize("as_module", [False, True], ids=["script", "module"])
def test_validate_runs_beside_hostile_packages(python: Path, hostile: Path, as_module: bool, on_path: bool) -> None:
    command = [python, "-m", "worpen_cli"] if as_module else [python.with_name("worpen")]
    result = run(*command, "validate", "echo.yaml", cwd=hostile, path=hostile if on_path else None)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "foreign" not in result.stdout + result.stderr


def test_new_projects_start_from_the_installed_templates(python: Path, tmp_path: Path) -> None:
    result = run(python.with_name("worpen"), "new", "talk", "--template", "chat", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    made = (tmp_path / "talk" / "chat.yaml").read_bytes()
    assert made == (PROJECT / "examples" / "chat.yaml").read_bytes()


@pytest.mark.parametrize("name", ["compiler", "runtime"])
def test_a_foreign_package_that_was_imported_before_is_refused(python: Path, hostile: Path, name: str) -> None:
    (hostile / name / "__init__.py").write_text("", encoding="utf-8")
    result = run(python, "-c", f"import {name}; import worpen_cli", cwd=hostile)
    assert result.returncode == 1
    assert f"ImportError: worpen needs its own `{name}`" in result.stderr
    assert str(hostile) in result.stderr
