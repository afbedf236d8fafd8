"""Writes the suite's specification, reads its report.

`verdict.py spec FOLDER URL CASES`, `verdict.py judge FOLDER CASES [PAGE]`: PAGE is where the table goes, between the
comments that mark its place.
"""

from __future__ import annotations

import collections
import datetime
import json
import pathlib
import sys
from typing import Any

GOOD = {"OK", "INFORMATIONAL", "NON-STRICT"}
EXCUSED = {"7.1.5"}
"""A close frame between fragments: the suite wants what common libraries do not do."""
SECTIONS = {
    "1": "framing: lengths",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "9": "messages up to 16 MiB, many fragments",
    "10": "automatic fragmentation",
    "12": "compression: payloads and sizes",
    "13": "compression: parameters",
}
BEGIN, END = "<!-- autobahn: made by make autobahn -->", "<!-- /autobahn -->"
Results = dict[str, dict[str, Any]]


def write_specification(folder: pathlib.Path, url: str, cases: str) -> None:
    specification = {
        "outdir": str(folder / "reports"),
        "servers": [{"agent": "worpen", "url": url}],
        "cases": cases.split(),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(specification))


def failures(results: Results) -> list[str]:
    """The cases that failed, the excused one left out."""
    return [
        f"{case}: {result['behavior']}, close {result['behaviorClose']}"
        for case, result in results.items()
        if not {result["behavior"], result["behaviorClose"]} <= GOOD and case not in EXCUSED
    ]


def missing(results: Results, cases: str) -> list[str]:
    """The sections that were asked for and of which nothing came."""
    came = {case.partition(".")[0] for case in results}
    return sorted({case.partition(".")[0] for case in cases.split()} - came)


def table(results: Results) -> str:
    """The counts of each section, as Markdown."""
    counted: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for case, result in results.items():
        counted[case.partition(".")[0]][result["behavior"]] += 1
    verdicts = [*sorted(GOOD, reverse=True), *sorted({each for one in counted.values() for each in one} - GOOD)]
    lines = [f"| section | about | {' | '.join(verdicts)} |", "| --: | --- |" + " --: |" * len(verdicts)]
    for section in sorted(counted, key=int):
        numbers = " | ".join(str(counted[section][verdict] or "") for verdict in verdicts)
        lines.append(f"| {section} | {SECTIONS.get(section, '')} | {numbers} |")
    return "\n".join(lines)


def write_page(page: pathlib.Path, results: Results, failed: list[str]) -> None:
    """Put the table into its place."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    verdict = f"{len(failed)} failed: {'; '.join(failed)}" if failed else "none failed"
    day = datetime.datetime.now(datetime.UTC).date()
    made = f"\n{len(results)} cases on {day}, {verdict}.\n\n{table(results)}\n"
    page.write_text(f"{before}{BEGIN}{made}{END}{after}", encoding="utf-8")


def judge(folder: pathlib.Path, cases: str, page: str = "") -> int:
    report = folder / "reports" / "index.json"
    results: Results = json.loads(report.read_text()).get("worpen", {}) if report.exists() else {}
    failed = failures(results)
    absent = missing(results, cases)
    print(table(results))
    for failure in failed:
        print("failed:", failure)
    for section in absent:
        print(f"section {section}: no case ran")
    if page and results and not absent:
        write_page(pathlib.Path(page), results, failed)
    return 1 if failed or absent or not results else 0


def main(arguments: list[str]) -> int:
    command, folder, *rest = arguments
    if command == "spec":
        write_specification(pathlib.Path(folder), *rest)
        return 0
    return judge(pathlib.Path(folder), *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
