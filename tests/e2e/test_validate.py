"""`worpen validate` at a terminal and in a pipe: watching, repairing what comes on stdin, colours."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cli import TIMEOUT, command_line, environment, worpen
from tests.e2e.terminal import Terminal

GOOD = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message }}"}
"""
BROKEN = GOOD.replace("command: send", "comand: send")
CLEAR = b"\x1b[2J"


def test_watching_at_a_terminal(tmp_path: Path) -> None:
    route = tmp_path / "echo.yaml"
    route.write_text(BROKEN)
    terminal = Terminal("validate", "--watch", "echo.yaml", cwd=tmp_path)
    terminal.wait_for("did you mean `command`?")
    terminal.wait_for("watching; Ctrl-C stops")
    route.write_text(GOOD)
    terminal.wait_for("no findings")
    assert "did you mean" not in terminal.text, "the screen was not cleared"
    route.unlink()
    terminal.wait_for("no such file")
    route.write_text(BROKEN)
    terminal.wait_for("did you mean `command`?")
    terminal.type("\x03")
    assert terminal.end() == 130


def test_watching_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(BROKEN)
    with subprocess.Popen(
        command_line("validate", "-w"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, talk = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert first.startswith(b"echo.yaml:6:14: error[unknown-key] W203")
    assert CLEAR not in first + rest + talk
    assert b"Traceback" not in talk


def test_stdin_is_repaired_to_stdout() -> None:
    done = worpen("validate", "--fix", "-", stdin=BROKEN)
    assert (done.returncode, done.stdout) == (0, GOOD)
    assert done.stderr.startswith("mended 1 mistake in 1 file\n")
    again = worpen("validate", "--fix", "-", stdin=GOOD)
    assert (again.returncode, again.stdout) == (0, GOOD)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
def test_a_diff_can_be_applied(tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_bytes(BROKEN.replace("\n", "\r\n").encode())
    diff = subprocess.run(
        command_line("validate", "--diff"), cwd=tmp_path, env=environment(), capture_output=True, check=False
    ).stdout
    subprocess.run(["patch", "--binary", "-p0"], input=diff, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "echo.yaml").read_bytes() == GOOD.replace("\n", "\r\n").encode()


def test_no_color_at_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(BROKEN)
    plain = Terminal("validate", cwd=tmp_path, NO_COLOR="1")
    plain.end()
    assert {character.fg for character in plain.style_of("error[unknown-key]")} == {"default"}
    colored = Terminal("validate", cwd=tmp_path)
    colored.end()
    assert {character.fg for character in colored.style_of("error[unknown-key]")} == {"red"}
    assert plain.text.splitlines()[:6] == colored.text.splitlines()[:6]


def test_a_narrow_terminal(tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(BROKEN.replace("message }}", f"message }} {'日' * 60}"))
    narrow = Terminal("validate", cwd=tmp_path, columns=48)
    narrow.end()
    source, marks = narrow.line_with("6 |"), narrow.line_with("^^^^^^")
    assert source[marks.index("^^^^^^") :].startswith("comand")
