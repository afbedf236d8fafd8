"""Whether there is a terminal to draw on. The process itself is tested end to end, at one."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from worpen_cli.board.launch import is_possible


@contextmanager
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r+b", buffering=0) as raw, monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", raw)
        patched.setattr(sys, "stdout", raw)
        yield
    os.close(master)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm"}, True), ({"TERM": "xterm", "CI": ""}, True), ({"TERM": "xterm", "CI": "false"}, True),
        ({"TERM": "xterm", "CI": "1"}, False), ({"TERM": "dumb"}, False), ({}, False),
    ],
)  # fmt: skip
def test_at_a_terminal(environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_terminal(monkeypatch):
        found = is_possible(environment)
    assert found is expected


def test_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nowhere:
        monkeypatch.setattr(sys, "stdin", nowhere)
        assert not is_possible({"TERM": "xterm"})
