"""`worpen schema`."""

from __future__ import annotations

import json
from pathlib import Path

from compiler.derive.schema import json_schema
from tests.worpen_cli.commands.conftest import Run


def test_the_schema_is_printed(run: Run, folder: Path) -> None:
    done = run("schema")
    assert done.code == 0
    assert done.err == ""
    assert json.loads(done.out) == json_schema()
