"""`make bench`: worpen beside peers, by `../shared/bench/compare.py`; tables and a plot into docs/performance.md.

First each bar with its ratio, then all that was measured, then what grows with connections, members and channels.

Options are handed on: `python -m tests.bench.wire --repeats 3 --budget 120`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.bench import growth
from tests.bench.bars import FLOOR, OWN, verdicts
from tests.bench.serving import command_line, routes_file

PROJECT: Final = Path(__file__).parents[2]
COMPARE: Final = PROJECT.parent / "shared" / "bench" / "compare.py"
PAGE: Final = PROJECT / "docs" / "performance.md"
PLOT: Final = PROJECT / "docs" / "images" / "wire.svg"
PEERS: Final = f"picows,websockets,ws,nchan,{FLOOR}"
METRICS: Final = "echo100,pipe32,cast1000,cast100w8,connect,mem10k"
BEGIN, END = "<!-- wire: made by make bench -->", "<!-- /wire -->"
BAR, ROW, LABEL = 420, 18, 130
"""Pixels of the longest bar, of a row and of its label."""


def main(arguments: list[str]) -> int:
    """Measure, write; the exit code."""
    if not COMPARE.is_file():
        print("skipped: ../shared/bench is not there")
        return 0
    with routes_file() as file, tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        own = ["--server", f"{OWN}={command_line(file)}", "--echo", "/ws/echo", "--broadcast", "/ws/room"]
        chosen = ["--peers", PEERS, "--metrics", METRICS, "--json", str(result), *arguments]
        done = subprocess.run(
            [sys.executable, str(COMPARE), *own, *chosen], stdout=subprocess.PIPE, text=True, cwd=PROJECT
        )
        print(done.stdout)
        if done.returncode:
            return done.returncode
        medians = json.loads(result.read_text())["medians"]
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(plot(medians), encoding="utf-8")
    judged, grown = verdicts(medians), growth.report()
    print(judged, grown, sep="\n")
    table = f"```text\n{done.stdout.strip()}\n```\n\n![CPU time beside peers](images/wire.svg)\n"
    write_section(f"{judged}\n{table}\n{grown}")
    return 0


def write_section(text: str) -> None:
    """Put a text between the two marks of the page, which has its section already."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


def plot(medians: dict[str, dict[str, Any]]) -> str:
    """Bars: for each metric the first column of each server, shorter is better."""
    lines: list[str] = []
    y = 10
    for metric, servers in medians.items():
        values = {name: first_number(found) for name, found in servers.items()}
        most = max(values.values(), default=0) or 1
        y += ROW + 6
        lines.append(f'<text x="4" y="{y - 6}" font-weight="bold">{metric}</text>')
        for name, value in values.items():
            color = "#c2410c" if name == OWN else "#94a3b8"
            lines.append(f'<text x="4" y="{y + 13}">{name}</text>')
            lines.append(f'<rect x="{LABEL}" y="{y + 2}" width="{value / most * BAR:.1f}" height="13" fill="{color}"/>')
            lines.append(f'<text x="{LABEL + value / most * BAR + 6:.1f}" y="{y + 13}">{value:.2f}</text>')
            y += ROW
    size = f'width="{LABEL + BAR + 70}" height="{y + 10}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', *lines, "</svg>", ""))


def first_number(found: Any) -> float:
    """CPU time, or memory; 0 where the run failed."""
    for key in ("cpu_us", "kb_per_conn"):
        if isinstance(found, dict) and isinstance(found.get(key), int | float):
            return float(found[key])
    return 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
