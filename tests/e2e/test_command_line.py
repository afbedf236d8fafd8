"""The program as a process: exit codes, pipes, signals, terminals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cli import TIMEOUT, WORPEN, command_line, environment, project, worpen
from tests.e2e.terminal import Terminal

ROUTE = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "Echo: {{ message }}"}
"""

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, echo=ROUTE)


def test_exit_codes(folder: Path) -> None:
    (folder / "broken.yaml").write_text(ROUTE.replace("message }}", "mesage }}").replace("echo", "broken"))
    assert worpen("validate", "echo.yaml", cwd=folder).returncode == 0
    assert worpen("validate", "broken.yaml", cwd=folder).returncode == 1
    assert worpen("validate", "no.yaml", cwd=folder).returncode == 2
    assert worpen("inspect", "echo.yaml", cwd=folder).returncode == 3


def test_standard_input_and_output(folder: Path) -> None:
    done = worpen(
        "validate", "-", "--stdin-filename", "x.yaml", stdin=ROUTE.replace("message }}", "oops }}"), cwd=folder
    )
    assert done.returncode == 1
    assert done.stdout.startswith("x.yaml:6:48: error[unknown-variable] W401 ")
    done_raw = subprocess.run(
        command_line("compile", "-"),
        input=ROUTE.encode(),
        capture_output=True,
        cwd=folder,
        env=environment(),
        check=True,
    )
    assert done_raw.stdout.startswith(b"WBC\x01")
    (folder / "x.wbc").write_bytes(done_raw.stdout)
    assert worpen("inspect", "x.wbc", cwd=folder).returncode == 0


def test_colours_are_asked_for_by_the_environment(folder: Path) -> None:
    (folder / "echo.yaml").write_text("ws_hooks: [")
    assert "\x1b[" not in worpen("validate", cwd=folder).stdout
    assert "\x1b[" in worpen("validate", cwd=folder, variables={"FORCE_COLOR": "1"}).stdout


def test_bytes_do_not_depend_on_the_hash_seed(folder: Path) -> None:
    programs = []
    for seed in ("0", "1"):
        worpen("compile", "-o", seed, cwd=folder, variables={"PYTHONHASHSEED": seed})
        programs.append((folder / seed / "echo.wbc").read_bytes())
    assert programs[0] == programs[1]


def test_hostile_names_do_not_reach_the_terminal(folder: Path) -> None:
    done = worpen("validate", "a\x1b]52;c;AAAA\x07.yaml", "--color", "always", cwd=folder)
    assert done.returncode == 2
    assert "\x07" not in done.stderr
    assert "a\\x1b]52;c;AAAA\\x07.yaml" in done.stderr


@posix
def test_a_broken_pipe_ends_quietly(folder: Path) -> None:
    for number in range(300):
        (folder / f"r{number}.yaml").write_text("ws_hooks: \x01\n")
    run = subprocess.Popen(
        command_line("validate", "--format", "full"), cwd=folder, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()
    assert run.wait(TIMEOUT) == 130
    assert b"Traceback" not in run.stderr.read()
    run.stderr.close()


@posix
def test_an_interrupted_batch(folder: Path) -> None:
    run = subprocess.Popen(
        command_line("repl", "--json"), cwd=folder, env=environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(b'{"expr": "1"}\n')
    run.stdin.flush()
    assert json.loads(run.stdout.readline()) == {"value": 1}
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=TIMEOUT)
    assert run.returncode == 130
    assert b"Traceback" not in err


@posix
def test_the_prompt(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    terminal = Terminal("repl", cwd=folder, XDG_STATE_HOME=str(state), PROMPT_TOOLKIT_NO_CPR="1")
    terminal.wait_for("worpen>")
    terminal.type("a = [1,\r")
    terminal.wait_for("...>")
    terminal.type("20]\r")
    terminal.wait_for("\n[1,20]\nworpen>")
    terminal.type("a | sum\r")
    terminal.wait_for("\n21\nworpen>")
    terminal.type("nope\r")
    terminal.wait_for("error[unknown-variable]")
    terminal.type("half a line\x03")
    terminal.type(":quit\r")
    assert terminal.end() == 0
    history = (state / "worpen" / "repl-history").read_text(encoding="utf-8")
    assert "+a = [1,\n+20]\n" in history


@posix
def test_the_prompt_ends_at_the_end_of_its_input(folder: Path, tmp_path: Path) -> None:
    terminal = Terminal("repl", cwd=folder, XDG_STATE_HOME=str(tmp_path), PROMPT_TOOLKIT_NO_CPR="1")
    terminal.wait_for("worpen>")
    terminal.type("\x04")
    assert terminal.end() == 0


def test_the_version_is_quick() -> None:
    """Nothing of the compiler, the prompt or the event loop is loaded for it."""
    done = subprocess.run(
        [WORPEN[0], "-X", "importtime", *WORPEN[1:], "--version"], capture_output=True, env=environment(), check=True
    )
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert not loaded & {"yaml", "asyncio", "rich", "prompt_toolkit", "compiler.language", "runtime", "tomllib", "json"}


def test_time_is_not_spent_on_commands_that_do_not_run(folder: Path) -> None:
    done = subprocess.run(
        [WORPEN[0], "-X", "importtime", *WORPEN[1:], "validate", "echo.yaml"],
        capture_output=True, env=environment(), cwd=folder, check=True,
    )  # fmt: skip
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert not loaded & {"asyncio", "rich", "prompt_toolkit", "watchfiles", "websockets", "runtime", "wcwidth"}
