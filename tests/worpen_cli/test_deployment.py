"""What is deployed: all of it is good, or nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.app import App
from tests.worpen_cli.commands.conftest import BROKEN, GOOD
from worpen_cli.console import Stop
from worpen_cli.deployment import Deployment, NotGood
from worpen_cli.main import main
from worpen_cli.project import Project


def deployment(folder: Path, *names: str) -> Deployment:
    paths = tuple(str(folder / name) for name in names)
    return Deployment(paths, Project(str(folder)), None, App().context, eager=True)


def test_program_files_and_route_files_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("/ws/echo", "/ws/a"))
    (tmp_path / "b.yaml").write_text(GOOD.replace("/ws/echo", "/ws/b"))
    assert main(["compile", str(tmp_path / "a.yaml")]) == 0
    entries = deployment(tmp_path, "a.wbc", "b.yaml").load()
    assert [entry.route.program.path for entry in entries] == ["/ws/a", "/ws/b"]


def test_one_bad_file_keeps_all_from_being_served(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(BROKEN)
    with pytest.raises(NotGood) as bad:
        deployment(tmp_path, "a.yaml", "b.yaml").load()
    assert [found.code.name for found in bad.value.examined.diagnostics] == ["unknown-variable"]


def test_two_at_one_address_are_refused_unless_one_is_disabled(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert main(["compile", str(tmp_path / "a.yaml")]) == 0
    with pytest.raises(Stop, match="same address"):
        deployment(tmp_path, "a.wbc", "a.yaml").load()
    (tmp_path / "a.yaml").write_text(GOOD + "enabled: false\n")
    assert len(deployment(tmp_path, "a.wbc", "a.yaml").load()) == 2


def test_a_folder_of_program_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert main(["compile", str(tmp_path / "a.yaml"), "-o", str(tmp_path / "build")]) == 0
    assert [entry.route.program.path for entry in deployment(tmp_path, "build").load()] == ["/ws/echo"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Stop):
        deployment(tmp_path, "empty").load()
