"""The first minutes: from an empty folder to a server, and what is said when something is in the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import TIMEOUT, command_line, environment, worpen

BROKEN = 'name: Bad\npath: /ws/bad\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - Log: {message: "{{ x"}\n'

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_an_empty_folder_suggests_a_project(tmp_path: Path) -> None:
    (tmp_path / "worpen.toml").touch()
    refused = worpen("dev", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no route files" in refused.stderr
    assert "worpen new chat --template chat" in refused.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_a_port_that_is_taken_is_said_and_another_one_offered(tmp_path: Path, as_json: bool) -> None:
    worpen("new", "talk", cwd=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ["--json"] if as_json else []
        refused = worpen("dev", "--port", str(port), *options, cwd=tmp_path / "talk")
    assert refused.returncode == 2
    assert f"port {port} is in use" in refused.stderr
    assert "worpen dev --port " in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token", "short"], "at least 16"),
        (["--token", "x" * 15 + " "], "at least 16"),
        (["--open", "--no-console"], "--open"),
    ],
)
def test_options_of_the_console(tmp_path: Path, arguments: list[str], said: str) -> None:
    worpen("new", "talk", cwd=tmp_path)
    refused = worpen("dev", "--port", "0", *arguments, cwd=tmp_path / "talk")
    assert refused.returncode == 2
    assert said in refused.stderr


class Run:
    """A `worpen dev` that is started, read until it is ready, and ended."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            command_line("dev", "--port", "0", *arguments), cwd=folder, env=environment(**variables),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def until(self, word: str) -> list[str]:
        """The lines up to and with the first that has this word."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if word in line:
                return lines
        raise AssertionError("\n".join(lines))

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode


@posix
def test_the_start_says_everything(tmp_path: Path) -> None:
    worpen("new", "talk", "--template", "rooms", cwd=tmp_path)
    (tmp_path / "talk" / "bad.yaml").write_text(BROKEN, encoding="utf-8")
    run = Run(tmp_path / "talk", "--no-tui")
    said = "\n".join(run.until("is ready"))
    assert run.end() == 0
    assert "/ws/chat/:room  Multi-Room Chat" in said
    assert "bad.yaml" in said
    assert "unclosed-template" in said or "error[" in said
    assert "watching  this folder" in said
    assert "console   http://localhost:" in said
    assert "/#token=" in said


@posix
def test_each_start_has_another_token_unless_one_is_given(tmp_path: Path) -> None:
    worpen("new", "talk", cwd=tmp_path)

    def address(*arguments: str, **variables: str) -> str:
        run = Run(tmp_path / "talk", "--json", *arguments, **variables)
        (ready,) = (e for line in run.until('"ready"') if (e := dict[str, Any](json.loads(line)))["event"] == "ready")
        assert run.end() == 0
        assert ready["watched"] == ["."]
        return str(ready["console"])

    first, second = address(), address()
    assert len(first.partition("#token=")[2]) >= 20
    assert first.partition("#")[2] != second.partition("#")[2]
    assert address(WORPEN_DEV_TOKEN="my-own-token-0123").endswith("/#token=my-own-token-0123")
    assert address("--no-console") == ""
