"""The reference pages in docs/ are what the tables make of themselves today."""

from __future__ import annotations

import pytest

from compiler.derive.reference import reference_pages
from tests.architecture.tree import PROJECT

FOLDER = PROJECT / "docs" / "reference"
PAGES = reference_pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fresh(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run: make docs"


def test_there_are_no_other_pages() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
