"""What `make autobahn` stands on: its route returns every frame, its verdict sees failures, no suite is no pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.e2e.serving import serving

FOLDER = Path(__file__).with_name("autobahn")
GOOD = {"behavior": "OK", "behaviorClose": "OK"}
BAD = {"behavior": "FAILED", "behaviorClose": "OK"}


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_every_frame_comes_back_as_it_came(compression: str | None) -> None:
    sent = (
        "",
        "text",
        "x" * 60_000,
        "é" * 1_000,
        b"",
        b"bytes that are text",
        b"letters4letters4",
        b"\x20\x7f",
        b"\xfe" * 300,
        bytes(range(256)) * 100,
    )
    async with (
        serving(FOLDER / "echo.yaml") as address,
        connect(f"{address}/ws/echo", compression=compression, max_size=None) as client,
    ):
        assert bool(client.protocol.extensions) is (compression is not None)
        for message in sent:
            await client.send(message)
            assert await client.recv() == message


@pytest.mark.parametrize(("results", "code", "said"), [
    ({"1.1.1": GOOD, "2.1": GOOD}, 0, ""),
    ({"1.1.1": GOOD, "2.1": BAD}, 1, "failed: 2.1"),
    ({"1.1.1": GOOD, "2.1": {**GOOD, "behaviorClose": "UNCLEAN"}}, 1, "failed: 2.1"),
    ({"1.1.1": GOOD, "2.1": GOOD, "7.1.5": BAD}, 0, ""),
    ({"1.1.1": GOOD}, 1, "section 2: no case ran"),
    ({}, 1, "section 1: no case ran"),
])  # fmt: skip
def test_the_verdict(results: dict[str, Any], code: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "index.json").write_text(json.dumps({"worpen": results}))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- autobahn: made by make autobahn -->\nold\n<!-- /autobahn -->\nafter\n")
    own = [sys.executable, str(FOLDER / "verdict.py"), "judge", str(tmp_path), "1.* 2.*", str(page)]
    done = subprocess.run(own, capture_output=True, text=True, check=False)
    assert (done.returncode, said in done.stdout) == (code, True)
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert ("old" in written) is ("no case ran" in said)


def test_without_the_suite_nothing_passes(tmp_path: Path) -> None:
    missing = {**os.environ, "WSTEST": str(tmp_path / "wstest"), "BIN": str(Path(sys.executable).parent)}
    done = subprocess.run(["sh", str(FOLDER / "run.sh")], env=missing, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Nothing was tested" in done.stderr
    assert done.stdout == ""
