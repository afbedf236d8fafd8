"""The papers around the code say what is true."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, text_files

METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAPERS = ["README.md", "CONTRIBUTING.md", *(str(path) for path in text_files() if path.parts[:1] == ("docs",))]
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
MACHINE_PATH = re.compile("|".join(("/" + "home/[a-z]", "/" + "root/", "/" + "Users/[A-Za-z]", "/" + "work/[a-z]")))
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)")


def read(path: str | Path) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper.endswith(".md")])
def test_make_commands_exist(paper: str) -> None:
    targets = set(TARGET.findall(read("Makefile")))
    named = set(re.findall(r"(?:`|^|\$ )make ([a-z-]+)", read(paper), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper.endswith(".md")])
def test_links_lead_somewhere(paper: str) -> None:
    folder = (PROJECT / paper).parent
    missing = [link for link in LINK.findall(read(paper)) if not (folder / link).exists()]
    assert not missing


def test_every_target_is_described_in_help() -> None:
    listing = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    described = set(re.findall(r"^  make ([a-z-]+)\s+\S", listing.stdout, re.MULTILINE))
    assert described == set(TARGET.findall(read("Makefile")))


@pytest.mark.parametrize("path", text_files(), ids=str)
def test_no_file_knows_the_machine_it_was_written_on(path: Path) -> None:
    assert not MACHINE_PATH.findall(read(path))


def test_what_continuous_integration_runs() -> None:
    script = PROJECT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in read(script.relative_to(PROJECT))
    assert "make check" in read(script.relative_to(PROJECT))


def test_decisions_fit_on_a_screen_and_are_numbered() -> None:
    decisions = sorted((PROJECT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 40, path.name
        assert {"## Context", "## Decision", "## Consequences"} <= set(lines), path.name


def test_the_license_is_the_one_that_is_declared() -> None:
    assert METADATA["license"] == "MIT"
    assert read("LICENSE").startswith("MIT License")
    assert "worpen contributors" in read("LICENSE")


def test_the_change_log_has_a_place_for_the_next_change() -> None:
    assert "\n## Unreleased\n" in read("CHANGELOG.md")


def test_every_dependency_says_how_old_it_may_be() -> None:
    extras = [dependency for extra in METADATA["optional-dependencies"].values() for dependency in extra]
    for dependency in METADATA["dependencies"] + extras:
        assert ">=" in dependency or dependency.startswith("worpen["), dependency
