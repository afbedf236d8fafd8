"""The nearest project file, and what it may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from worpen_cli.console import Stop
from worpen_cli.project import find_project


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").write_text('prefix = "/far"\n')
    near = tmp_path / "a"
    (near / "b").mkdir(parents=True)
    (near / "pyproject.toml").write_text('[tool.worpen]\nprefix = "/near"\n')
    project = find_project(near / "b")
    assert (project.root, project.prefix) == (str(near), "/near")


def test_in_one_folder_the_own_file_counts(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").write_text('prefix = "/own"\n')
    (tmp_path / "pyproject.toml").write_text('[tool.worpen]\nprefix = "/shared"\n')
    assert find_project(tmp_path).prefix == "/own"


@pytest.mark.parametrize("text", ["[tool.other]\nx = 1\n", "not toml at all ]["])
def test_a_foreign_pyproject_is_none_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert find_project(tmp_path).path != str(tmp_path / "pyproject.toml")


def test_without_a_file(tmp_path: Path) -> None:
    project = find_project(tmp_path)
    settings = project.settings()
    assert (settings.prefix, settings.environment) == ("/api", frozenset())


def test_settings_of_the_compiler(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").write_text('prefix = "/v1"\n[env]\nallow = ["SITE", "HOST"]\n')
    project = find_project(tmp_path)
    assert project.settings().prefix == "/v1"
    assert project.settings("/flag").prefix == "/flag"
    assert project.settings("").prefix == ""
    assert project.settings().environment == {"SITE", "HOST"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prefix = [", "not valid TOML"),
        ("prefix = 5", "`prefix` is a text"),
        ("env = 5", "`env` is a table"),
        ("[env]\nallow = 'SITE'", "`env.allow` is a list of names"),
        ("[env]\nallow = [1]", "`env.allow` is a list of names"),
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "worpen.toml").write_text(text)
    with pytest.raises(Stop, match=complaint):
        find_project(tmp_path).settings()


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Stop, match="not UTF-8"):
        find_project(tmp_path)
