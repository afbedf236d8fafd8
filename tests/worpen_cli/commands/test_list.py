"""`worpen list`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.derive.explanations import LISTED_KINDS, listing
from tests.worpen_cli.commands.conftest import Run


@pytest.mark.parametrize("kind", LISTED_KINDS)
def test_a_line_for_each(run: Run, folder: Path, kind: str) -> None:
    done = run("list", kind)
    assert done.code == 0
    assert len(done.out.splitlines()) == len(listing(kind))
    assert all(str(row["name"]) in line for row, line in zip(listing(kind), done.out.splitlines(), strict=True))


@pytest.mark.parametrize("kind", LISTED_KINDS)
def test_one_document(run: Run, folder: Path, kind: str) -> None:
    document = json.loads(run("list", kind, "--json").out)
    assert document == {"schema": "worpen.list/1", "kind": kind, "items": listing(kind)}


def test_no_such_kind(run: Run, folder: Path) -> None:
    done = run("list", "operation")
    assert done.code == 2
    assert "did you mean `operations`?" in done.err
