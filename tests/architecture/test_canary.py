"""The canary is found wherever a test lets it out: this runs tests that do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import CANARY
from tests.conftest import PROJECT

TESTS = """
import asyncio, logging, os, subprocess, sys
import pytest
from runtime.events import Events, LogLine
from tests import canary
from tests.canary import CANARY, plant

SAY = [sys.executable, "-c", "import sys; print(sys.argv[1]); print(sys.argv[1], file=sys.stderr)", CANARY]

def test_print(): print("x", CANARY)
def test_error(): print(CANARY, file=sys.stderr)
def test_descriptor(capfd): os.write(1, CANARY.encode())
def test_log(caplog): logging.getLogger("x").warning("%s", CANARY)
def test_taken(capsys):
    print(CANARY)
    assert CANARY in capsys.readouterr().out
def test_taken_bytes(capfdbinary):
    os.write(2, CANARY.encode())
    assert CANARY.encode() in capfdbinary.readouterr().err
def test_run(): subprocess.run(SAY, capture_output=True)
def test_run_text(): subprocess.run(SAY, capture_output=True, text=True)
def test_inherited(): subprocess.run(SAY)
def test_lines():
    with subprocess.Popen(SAY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert [line.strip() for line in process.stdout] == [CANARY]
def test_bytes():
    with subprocess.Popen(SAY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert CANARY.encode() in process.stderr.read()
def test_event(): Events().publish(LogLine("id", "route", "on_message", "info", CANARY))
def test_planted():
    print("a" + plant("token-of-mine"))
@pytest.fixture
def careless():
    yield
    print(CANARY)
def test_fixture(careless): pass

def test_quiet_print(): print("canary token-of-mine")
def test_quiet_process(): assert subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout == "hi\\n"
def test_quiet_input(): assert subprocess.run(["cat"], input=b"hi", capture_output=True).stdout == b"hi"
def test_quiet_taken(capsys):
    print("hi")
    assert capsys.readouterr() == ("hi\\n", "")
def test_quiet_event(): Events().publish(LogLine("id", "route", "on_message", "info", "hi"))
def test_quiet_secret(): assert CANARY

canary.watch()
"""


@pytest.mark.skipif(os.name != "posix", reason="echo and cat")
def test_what_lets_it_out_fails_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "test_careless.py").write_text(TESTS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.canary", "-p", "no:cacheprovider", "-c", os.devnull,
         "--rootdir", str(tmp_path), "--show-capture=no", "--tb=no", str(tmp_path)],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    outcomes: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        outcome, _, test = line.partition(" ")
        if "::test_" in test:
            outcomes.setdefault(test.rpartition("::")[2].partition(" ")[0], set()).add(outcome)
    assert len(outcomes) == TESTS.count("def test_"), done.stdout
    for name, found in outcomes.items():
        assert (found == {"PASSED"}) is name.startswith("test_quiet_"), (name, found)
    assert CANARY not in done.stdout
