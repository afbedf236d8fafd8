"""Watching route files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from worpen_cli.watching import concerns_routes, watched, watched_folders


def test_a_save_is_announced(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: a")
    changed = threading.Event()
    complaints: list[str] = []
    with watched([str(tmp_path)], changed.set, complaints.append):
        for number in range(100):  # the watcher may not be there yet
            file.write_text(f"name: {number}")
            if changed.wait(0.1):
                break
    assert changed.is_set()
    assert not complaints


def test_what_was_saved_before_watching_began_is_announced(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a")
    begun = threading.Event()
    with watched([str(tmp_path)], begun.set, lambda _: None):
        assert begun.wait(10)


def test_a_folder_that_is_gone_is_complained_about(tmp_path: Path) -> None:
    complained = threading.Event()
    with watched([str(tmp_path / "no" / "a.yaml")], lambda: None, lambda _: complained.set()):
        assert complained.wait(10)


def test_what_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes").mkdir()
    assert watched_folders(["routes"]) == [(["routes"], True)]
    assert watched_folders(["routes", "a.yaml", "x/b.yaml"]) == [
        (["routes"], True),
        ([str(tmp_path), str(tmp_path / "x")], False),
    ]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("a.yaml", True),
        ("sub/a.json", True),
        ("old.v1", True),
        ("a.txt", True),  # it is not there any more, and may have been a folder
        (".git/a.yaml", False),
        ("node_modules/x/a.yaml", False),
        ("../a.yaml", False),
        (".a.yaml.swp", False),
    ],
)
def test_which_changes_matter(place: str, expected: bool, tmp_path: Path) -> None:
    assert concerns_routes(os.path.normpath(tmp_path / "routes" / place), [str(tmp_path / "routes")]) is expected


def test_a_text_file_that_is_there_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert not concerns_routes(str(tmp_path / "a.txt"), [str(tmp_path)])
