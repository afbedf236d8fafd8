"""`worpen inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worpen_cli.commands.conftest import Run


@pytest.fixture
def program(run: Run, folder: Path) -> Path:
    assert run("compile", "good.yaml").code == 0
    return folder / "good.wbc"


def test_what_a_program_is(run: Run, program: Path) -> None:
    out = run("inspect", "good.wbc").out
    assert out.startswith("good.wbc  verified  by worpen")
    assert "route Echo  /ws/echo  hooks: on_message" in out
    assert "\neffects     send\n" in out
    assert "CONCAT" in out
    assert "CONCAT" not in run("inspect", "good.wbc", "--hook", "on_connect").out


def test_what_its_messages_must_be(run: Run, folder: Path) -> None:
    text = (folder / "good.yaml").read_text(encoding="utf-8").replace("{{ message }}", "{{ message.text | upper }}")
    (folder / "json.yaml").write_text(text.replace("ws_hooks:", "codec: json\nws_hooks:"), encoding="utf-8")
    assert run("compile", "json.yaml").code == 0
    assert "\nneeds       message an object, message.text a text\n" in run("inspect", "json.wbc").out
    assert "needs" not in run("inspect", "good.wbc").out


def test_as_json(run: Run, program: Path) -> None:
    found = json.loads(run("inspect", "good.wbc", "--json").out)
    assert (found["schema"], found["file"]) == ("worpen.program/1", "good.wbc")


@pytest.mark.parametrize("length", [0, 3, 40, 100])
def test_a_truncated_file_is_refused(run: Run, program: Path, length: int) -> None:
    program.write_bytes(program.read_bytes()[:length])
    done = run("inspect", "good.wbc")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error[")


def test_another_file_is_refused(run: Run, program: Path) -> None:
    done = run("inspect", "good.yaml")
    assert done.code == 3
    assert "error[not-a-program] W701: good.yaml: " in done.err


def test_a_missing_file(run: Run, folder: Path) -> None:
    assert run("inspect", "no.wbc").code == 2
    assert run("inspect", ".").code == 2


def test_the_manifest_alone(run: Run, folder: Path) -> None:
    run("compile", "good.yaml")
    shown = run("inspect", "--manifest", "good.wbc").out
    assert "effects     send" in shown
    assert "CONST" not in shown
    document = json.loads(run("inspect", "--manifest", "--json", "good.wbc").out)
    assert document["manifest"]["effects"] == ["send"]
    assert "routes" not in document


ASKING = """\
name: Asking
path: /ws/asking
route_type: WebSocket
ws_hooks:
  on_message:
    - SqlOp: {query: "SELECT name FROM users WHERE id = :id", params: {id: "{{ message }}"}}
    - SqlOp: {query: "DELETE FROM notes WHERE id = ?", params: ["{{ message }}"]}
"""


def test_what_statements_touch(run: Run, folder: Path) -> None:
    (folder / "asking.yaml").write_text(ASKING, encoding="utf-8")
    assert run("compile", "asking.yaml").code == 0
    assert (
        "statement   DELETE FROM notes WHERE id = ?\n"
        "              read notes (id)\n"
        "              write notes (*)\n"
        "statement   SELECT name FROM users WHERE id = :id\n"
        "              read users (id, name)\n"
    ) in run("inspect", "--manifest", "asking.wbc").out
    manifest = json.loads(run("inspect", "--manifest", "--json", "asking.wbc").out)["manifest"]
    assert manifest["sql"][1] == {
        "statement": "SELECT name FROM users WHERE id = :id",
        "kind": "read",
        "read": {"tables": ["users"], "columns": ["users.id", "users.name"]},
        "write": {"tables": [], "columns": []},
    }
