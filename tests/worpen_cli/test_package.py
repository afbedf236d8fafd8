"""The guard of the packages that travel with the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import worpen_cli


@pytest.fixture(autouse=True)
def unchanged_path() -> Iterator[None]:
    """Leave the path and the imported modules as they were."""
    path, modules = list(sys.path), {name: sys.modules.get(name) for name in worpen_cli.PACKAGES}
    yield
    sys.path[:] = path
    for name, module in modules.items():
        if module is not None:
            sys.modules[name] = module
        else:
            sys.modules.pop(name, None)


def home() -> str:
    return str(Path(worpen_cli.__file__).resolve().parent.parent)


def test_our_packages_are_adopted_and_come_first() -> None:
    sys.path.append(sys.path.pop(0))
    worpen_cli.adopt_packages(home())
    assert sys.path[0] == home()


def test_adopting_twice_adds_nothing() -> None:
    worpen_cli.adopt_packages(home())
    before = list(sys.path)
    worpen_cli.adopt_packages(home())
    assert sys.path == before


def test_a_folder_without_the_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="its own `compiler`"):
        worpen_cli.adopt_packages(str(tmp_path))


@pytest.mark.parametrize("name", worpen_cli.PACKAGES)
def test_a_foreign_module_is_refused_and_named(name: str) -> None:
    foreign = ModuleType(name)
    foreign.__file__ = "/elsewhere/foreign.py"
    sys.modules[name] = foreign
    with pytest.raises(ImportError, match=f"its own `{name}`.*/elsewhere/foreign.py") as caught:
        worpen_cli.adopt_packages(home())
    assert caught.value.name == name
    assert caught.value.path == "/elsewhere/foreign.py"


@pytest.mark.parametrize("name", worpen_cli.PACKAGES)
def test_a_module_without_a_file_is_refused(name: str) -> None:
    sys.modules[name] = ModuleType(name)
    with pytest.raises(ImportError, match="another one"):
        worpen_cli.adopt_packages(home())
