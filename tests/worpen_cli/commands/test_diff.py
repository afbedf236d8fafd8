"""`worpen diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.canary import CANARY
from tests.worpen_cli.commands.conftest import GOOD, Run


def test_nothing_new(run: Run, folder: Path) -> None:
    run("compile", "good.yaml")
    done = run("diff", "good.wbc", "good.yaml")
    assert (done.code, done.out, done.err) == (0, "", "no route reaches or lets in anything else than before\n")


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


TERMS = "auth: {jwt: {secret_env: KEY_A}}\nrate_limit: 60\nlimits: {max_connections: 100}\nws_hooks:"


def test_options_are_shown_before_and_after_and_no_key_is(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEY_A", "KEY_B"):
        monkeypatch.setenv(name, f"{CANARY}-{name}-{CANARY}-{name}")
    (folder / "before.yaml").write_text(GOOD.replace("ws_hooks:", TERMS))
    after = TERMS.replace("KEY_A}", "KEY_B, algorithms: [HS512]}").replace("60", "600").replace("100", "50")
    (folder / "after.yaml").write_text(GOOD.replace("ws_hooks:", after))
    done = run("diff", "before.yaml", "after.yaml")
    assert done.code == 1
    assert done.out.splitlines() == [
        "/ws/echo",
        "  + options     auth.jwt: secret_env KEY_A → secret_env KEY_B",
        "  + options     auth.jwt.algorithms: HS256 → HS512",
        "  + options     rate_limit.messages_per_minute: 60 → 600",
        "  - options     limits.max_connections: 100 → 50",
    ]
    document = json.loads(run("diff", "--json", "before.yaml", "after.yaml").out)
    assert document["widens"] is True
    assert document["routes"][0]["options"][1:3] == [
        {"key": "auth.jwt.algorithms", "before": ["HS256"], "after": ["HS512"], "widens": True},
        {"key": "rate_limit.messages_per_minute", "before": 60, "after": 600, "widens": True},
    ]


def test_tighter_options_do_not_widen(run: Run, folder: Path) -> None:
    (folder / "after.yaml").write_text(GOOD.replace("ws_hooks:", "rate_limit: 60\nws_hooks:"))
    done = run("diff", "good.yaml", "after.yaml")
    assert (done.code, done.err) == (0, "1 route changed; the reach does not widen\n")
    assert "  - options     rate_limit.messages_per_minute: any number → 60\n" in done.out


def test_options_of_a_route_that_came_or_went(run: Run, folder: Path) -> None:
    (folder / "new.yaml").write_text(GOOD.replace("/ws/echo", "/ws/new").replace("ws_hooks:", TERMS))
    lines = run("diff", "good.yaml", "new.yaml").out.splitlines()
    assert "/ws/new  (added)" in lines
    assert "  + options     auth.jwt: secret_env KEY_A" in lines
    assert "  - options     auth.jwt: secret_env KEY_A" in run("diff", "new.yaml", "good.yaml").out.splitlines()


def test_what_a_program_file_names_cannot_steer_the_terminal(run: Run, folder: Path) -> None:
    evil = GOOD.replace("command: send", 'command: broadcast\n        channel: "a\\e[2J\\r\\nb"')
    (folder / "evil.yaml").write_text(evil)
    done = run("diff", "good.yaml", "evil.yaml")
    assert "channels    a" in done.out
    assert "\x1b" not in done.out
    assert "\r" not in done.out


SQL = 'name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - SqlOp: {query: "QUERY"}\n'


def test_a_new_column_widens(run: Run, folder: Path) -> None:
    (folder / "before.yaml").write_text(SQL.replace("QUERY", "SELECT name, mail FROM users"))
    (folder / "wider.yaml").write_text(SQL.replace("QUERY", "SELECT name, secret FROM users"))
    assert run("compile", "before.yaml").code == 0
    done = run("diff", "before.wbc", "wider.yaml")
    assert done.code == 1
    assert "  + columns     read users.secret\n" in done.out
    assert "  - columns     read users.mail\n" in done.out
