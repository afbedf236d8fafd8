"""A project folder with routes, and runs of the program in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from worpen_cli.main import main

GOOD = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp:
        command: send
        message: "Echo: {{ message }}"
"""
BROKEN = GOOD.replace("{{ message }}", "{{ mesage }}").replace("/ws/echo", "/ws/broken").replace("Echo\n", "Broken\n")
WARNED = GOOD.replace("{{ message }}", "${x}").replace("/ws/echo", "/ws/warned").replace("Echo\n", "Warned\n")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a run."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def run_now(*arguments: str | Path) -> Done:
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run_now


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with good.yaml, broken.yaml and warned.yaml, and an empty project file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worpen.toml").touch()
    for name, text in (("good", GOOD), ("broken", BROKEN), ("warned", WARNED)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path
