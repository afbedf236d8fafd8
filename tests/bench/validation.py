"""What it costs to check many files: CPU time, as a multiple of reading them with PyYAML's C loader.

    python tests/bench/validation.py [FILES] [ROUNDS]

The routes are of 50 lines each and all different. Both sides take turns: in one process, and as processes of
their own, from start to end.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

PIECES = (
    '    - SetVar:\n        name: v{n}\n        value: "{{{{ message | upper }}}}"\n',
    "    - If:\n        condition: \"message == 'x{n}' && (message | length) > {n}\"\n        then:\n"
    '          - WsOp: {{command: send, message: "got {{{{ message }}}} {n}"}}\n        else:\n'
    "          - Log: {{message: 'no {n}', level: debug}}\n",
    "    - WsOp:\n        command: broadcast\n        message: >-\n"
    "          {{{{ message | trim | truncate({n}) }}}} said\n          something\n",
    '    - Switch:\n        value: "{{{{ message }}}}"\n        cases:\n          - value: a{n}\n'
    "            operations:\n              - Log: {{message: a}}\n        default:\n"
    '          - Log: {{message: "other {n}"}}\n',
    "    - Loop:\n        collection: \"message | split(',')\"\n        var: part{n}\n        body:\n"
    '          - Log:\n              message: "{{{{ loop.index }}}}: {{{{ part{n} }}}}"\n',
)
LOADER = "import sys, yaml\nfor name in sys.argv[1:]:\n    yaml.load(open(name, 'rb').read(), Loader=yaml.CSafeLoader)"


def route(number: int, chance: random.Random) -> str:
    """A route of about 50 lines."""
    text = f"# route {number}\nname: Route {number}\npath: /ws/r{number}/:room\nroute_type: WebSocket\n"
    text += f'description: "number {number}"\nws_hooks:\n  on_message:\n'
    while text.count("\n") < 48:
        text += chance.choice(PIECES).format(n=chance.randrange(100))
    return text + "  on_disconnect:\n    - Log: {message: bye}\n"


def cpu_of(call: Callable[[], object]) -> float:
    """CPU time of a call in this process."""
    started = time.process_time()
    call()
    return time.process_time() - started


def cpu_of_process(*command: str) -> float:
    """CPU time of a process, that of the system included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(files: int, rounds: int) -> None:
    """Write the files, let both sides take turns, and print the middle ratios."""
    import yaml

    from compiler.pipeline import Settings, check_source
    from worpen_cli.files import read_inputs
    from worpen_cli.findings import examine

    chance = random.Random(5)
    within: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, f"r{number}.yaml") for number in range(files)]
        for number, name in enumerate(names):
            Path(name).write_text(route(number, chance))
        inputs = read_inputs([folder])

        def load() -> None:
            for file in inputs:
                yaml.load(file.raw, Loader=yaml.CSafeLoader)

        validate = ("from worpen_cli.main import run; run()", "validate", folder)
        for _ in range(rounds):
            within.append(cpu_of(lambda: examine(inputs, Settings(), check_source)) / cpu_of(load))
            ours = cpu_of_process(sys.executable, "-c", *validate)
            whole.append(ours / cpu_of_process(sys.executable, "-c", LOADER, *names))
    print(f"{files} files in one process: {statistics.median(within):.2f} times CSafeLoader")
    print(f"{files} files, processes from start to end: {statistics.median(whole):.2f} times")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
