"""How much a run of worpen costs before it does anything: CPU time, as a multiple of a process that imports click.

    python tests/bench/startup.py [ROUNDS]

The command line's manual allows `worpen --version` twice as much, and `worpen validate` of one file three times.
The commands take turns, so that a busy machine slows all of them; the least and the middle ratios are shown.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ECHO = PROJECT / "examples" / "echo.yaml"
WORPEN = [sys.executable, "-c", "from worpen_cli.main import run; run()"]
COMMANDS = {
    "import click": [sys.executable, "-c", "import click"],
    "worpen --version": [*WORPEN, "--version"],
    "worpen validate": [*WORPEN, "validate", str(ECHO)],
}


def environment(folder: str) -> dict[str, str]:
    """That of an installed program: modules are compiled once, whatever the caller's environment says."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(PROJECT), "PYTHONPYCACHEPREFIX": os.path.join(folder, "compiled")}


def cpu_seconds(command: list[str], folder: str) -> float:
    """CPU time of one run, that of the system included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment(folder), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> None:
    """Run the commands in turns, and print what they cost."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds + 1):  # the first round fills the caches
            for name, command in COMMANDS.items():
                times[name].append(cpu_seconds(command, folder))
    base = times.pop("import click")[1:]
    print(f"import click       {1000 * statistics.median(base):6.1f} ms")
    for name, all_times in times.items():
        ratios = [mine / theirs for mine, theirs in zip(all_times[1:], base, strict=True)]
        least = min(all_times[1:]) / min(base)
        print(f"{name:18} {1000 * statistics.median(all_times[1:]):6.1f} ms, "
              f"{statistics.median(ratios):.2f} times (least by least: {least:.2f})")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
