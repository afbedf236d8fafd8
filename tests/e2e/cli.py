"""Run worpen as a program of its own, as users do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conftest import PROJECT

WORPEN = (sys.executable, "-m", "worpen_cli")
TIMEOUT = 30.0


def environment(**variables: str) -> dict[str, str]:
    """The environment of a run: ours, without what would change its output, and with these variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WORPEN_")}
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        kept.pop(name, None)
    return {**kept, "PYTHONPATH": str(PROJECT), "TERM": "xterm-256color", **variables}


def worpen(
    *arguments: str | Path,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Output is decoded as UTF-8, exactly."""
    raw = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        command_line(*arguments), input=raw, capture_output=True, cwd=cwd, timeout=TIMEOUT, check=False,
        env=environment(**(variables or {})),
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def project(folder: Path, **routes: str) -> Path:
    """Write a project of these routes, each by the name of its file; its folder."""
    (folder / "worpen.toml").touch()
    for name, text in routes.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def command_line(*arguments: str | Path) -> Sequence[str]:
    """The command line of a run."""
    return [*WORPEN, *map(str, arguments)]
