"""`worpen reference`."""

from __future__ import annotations

from pathlib import Path

from compiler.derive.reference import reference_pages
from tests.worpen_cli.commands.conftest import Run


def test_the_pages_are_written(run: Run, folder: Path) -> None:
    done = run("reference", folder / "docs" / "reference")
    assert done.code == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in (folder / "docs" / "reference").iterdir()}
    assert written == reference_pages()
    assert sorted(Path(line).name for line in done.out.splitlines()) == sorted(written)


def test_a_place_that_cannot_be_written(run: Run, folder: Path) -> None:
    (folder / "docs").write_text("a file", encoding="utf-8")
    done = run("reference", folder / "docs" / "reference")
    assert done.code == 2
    assert "docs" in done.err


def test_it_is_not_in_the_list_of_commands(run: Run, folder: Path) -> None:
    assert "  reference" not in run("--help").out
