"""Completion scripts."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from worpen_cli.commands.completion import COMPLETE_VARIABLE, SHELLS, completion_script


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_asks_worpen(shell: str) -> None:
    script = completion_script(shell)
    assert COMPLETE_VARIABLE in script
    assert "worpen" in script


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "zsh", "fish") if shutil.which(shell)])
def test_a_script_is_well_formed(shell: str) -> None:
    done = subprocess.run([shell, "-n"], input=completion_script(shell).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
