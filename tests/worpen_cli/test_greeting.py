"""What is said at the start."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from runtime.server.catalogue import BrokenRoute
from tests.runtime.parts import route
from tests.runtime.server.harness import port, started
from worpen_cli.greeting import greeting, open_page, server_address

TOKEN = "0123456789abcdef"


async def test_everything_that_is_to_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes").mkdir()
    broken = BrokenRoute("/ws/broken", "error: it is broken\n --> a.yaml:1:1")
    async with started(route("/ws/fine", name="fine"), broken, console_token=TOKEN, host="localhost") as app:
        address = f"ws://localhost:{port(app)}"
        assert server_address(app) == address
        lines = list(greeting(app, watched=[".", "routes", "a.yaml"], broken=["a.yaml"]))
    assert lines == [
        (f"  ok          {address}/ws/fine  fine", "info"),
        (f"  broken      {address}/ws/broken  : error: it is broken", "error"),
        ("broken    1 file: a.yaml; mend and save, it is tried again", "error"),
        (f"watching  this folder, routes{os.sep}, a.yaml; saving a file reloads it", "info"),
        (f"console   http://localhost:{port(app)}/#token={TOKEN}", "info"),
        (f"worpen dev is ready, {address}; Ctrl-C stops", "info"),
    ]


async def test_nothing_is_said_of_what_there_is_not() -> None:
    async with started(host="127.0.0.1") as app:
        ready = f"worpen dev is ready, ws://127.0.0.1:{port(app)}; Ctrl-C stops"
        assert list(greeting(app, watched=(), broken=())) == [(ready, "info")]


def wait_for_browser() -> None:
    for thread in threading.enumerate():
        if thread.name == "browser":
            thread.join(30)


@pytest.mark.skipif(os.name != "posix", reason="a script as a browser")
def test_the_page_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, seen = tmp_path / "browser", tmp_path / "seen"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(seen)!r}, 'w').write(sys.argv[1])\n", encoding="utf-8"
    )
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    monkeypatch.setattr("webbrowser._tryorder", None)  # what was found before is forgotten
    monkeypatch.setattr("webbrowser._browsers", {})
    complaints: list[str] = []
    open_page("http://localhost:3000/#token=abc", complaints.append)
    wait_for_browser()
    assert seen.read_text(encoding="utf-8") == "http://localhost:3000/#token=abc"
    assert complaints == []


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "")
    monkeypatch.setattr("webbrowser._tryorder", [])
    monkeypatch.setattr("webbrowser._browsers", {})
    complaints: list[str] = []
    open_page("http://localhost:3000/", complaints.append)
    wait_for_browser()
    assert len(complaints) == 1
