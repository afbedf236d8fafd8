"""`worpen diff`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.worpen_cli.commands.conftest import GOOD, Run


def test_nothing_new(run: Run, folder: Path) -> None:
    run("compile", "good.yaml")
    done = run("diff", "good.wbc", "good.yaml")
    assert (done.code, done.out, done.err) == (0, "", "no route reaches anything else than before\n")


def test_a_wider_reach_is_shown_and_ends_with_1(run: Run, folder: Path) -> None:
    wider = GOOD.replace("command: send", 'command: broadcast\n        channel: "{{ message }}"')
    (folder / "wider.yaml").write_text(wider)
    done = run("diff", "good.yaml", "wider.yaml")
    assert done.code == 1
    assert done.out == "/ws/echo\n  + effects     publish\n  + channels    *\n  - effects     send\n"
    assert done.err == "1 route changed; the reach widens\n"
    narrower = json.loads(run("diff", "--json", "wider.yaml", "wider.yaml").out)
    assert narrower == {"schema": "worpen.diff/1", "widens": False, "routes": []}


def test_a_folder_is_all_its_routes(run: Run, folder: Path) -> None:
    (folder / "released").mkdir()
    (folder / "released" / "good.yaml").write_text(GOOD)
    (folder / "next").mkdir()
    (folder / "next" / "good.yaml").write_text(GOOD)
    (folder / "next" / "more.yaml").write_text(GOOD.replace("/ws/echo", "/ws/more"))
    document = json.loads(run("diff", "--json", "released", "next").out)
    assert [(route["path"], route["status"], route["widens"]) for route in document["routes"]] == [
        ("/ws/more", "added", True)
    ]


def test_what_does_not_compile_or_is_no_program_is_refused(run: Run, folder: Path) -> None:
    done = run("diff", "good.yaml", "broken.yaml")
    assert done.code == 2
    assert "broken.yaml does not compile" in done.err
    (folder / "bad.wbc").write_bytes(b"no program")
    assert run("diff", "bad.wbc", "good.yaml").code == 3
    assert run("diff", "missing.yaml", "good.yaml").code == 2


SQL = 'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - SqlOp: {query: "QUERY"}\n'


def test_a_new_column_widens(run: Run, folder: Path) -> None:
    (folder / "before.yaml").write_text(SQL.replace("QUERY", "SELECT name, mail FROM users"))
    (folder / "wider.yaml").write_text(SQL.replace("QUERY", "SELECT name, secret FROM users"))
    assert run("compile", "before.yaml").code == 0
    done = run("diff", "before.wbc", "wider.yaml")
    assert done.code == 1
    assert "  + columns     read users.secret\n" in done.out
    assert "  - columns     read users.mail\n" in done.out
