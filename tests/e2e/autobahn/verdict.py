"""Writes the suite's specification, reads its report: `verdict.py spec FOLDER URL CASES`, `verdict.py judge FOLDER`."""

from __future__ import annotations

import collections
import json
import pathlib
import sys

GOOD = {"OK", "INFORMATIONAL", "NON-STRICT"}
EXCUSED = {"7.1.5"}
"""A close frame between fragments: the suite wants what common libraries do not do."""


def write_specification(folder: pathlib.Path, url: str, cases: str) -> None:
    specification = {
        "outdir": str(folder / "reports"),
        "servers": [{"agent": "worpen", "url": url}],
        "cases": cases.split(),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(specification))


def judge(folder: pathlib.Path) -> int:
    report = folder / "reports" / "index.json"
    results = json.loads(report.read_text()).get("worpen", {}) if report.exists() else {}
    counted = collections.Counter(result["behavior"] for result in results.values())
    print(f"{len(results)} cases:", ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items())))
    failed = [
        (case, result["behavior"], result["behaviorClose"])
        for case, result in results.items()
        if not {result["behavior"], result["behaviorClose"]} <= GOOD and case not in EXCUSED
    ]
    for failure in failed:
        print("failed:", *failure)
    return 1 if failed or not results else 0


def main(arguments: list[str]) -> int:
    command, folder, *rest = arguments
    if command == "spec":
        write_specification(pathlib.Path(folder), *rest)
        return 0
    return judge(pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
