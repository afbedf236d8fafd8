"""The measurements that compare two states of a server: their arithmetic, and a short run of each."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.architecture.tree import PROJECT
from tests.bench.pairs import Spent, estimate, mirrored, spent
from tests.e2e.cli import TIMEOUT

if sys.platform != "linux":
    pytest.skip("the scheduler's clock is Linux's", allow_module_level=True)


def test_turns_are_mirrored_in_each_block_and_from_block_to_block() -> None:
    assert list(mirrored(2)) == [(0, on) for on in (0, 1, 1, 0)] + [(1, on) for on in (1, 0, 0, 1)]


def test_the_interval_holds_the_median_and_narrows_with_more_values() -> None:
    draws = random.Random(1)
    values = [draws.gauss(1.02, 0.05) for _ in range(400)]
    few, many = estimate(values[:12]), estimate(values)
    for found in (few, many):
        assert found.low < found.middle < found.high
    assert many.high - many.low < few.high - few.low
    assert many.low < 1.02 < many.high
    assert str(estimate([1.0])) == "1.000 (1.000 to 1.000)"


def test_time_is_counted_that_a_process_works_and_not_that_it_sleeps() -> None:
    before = spent(os.getpid())
    while (found := spent(os.getpid()) - before).ran < 0.05:
        sum(range(10_000))
    assert found.ran < 1
    assert Spent(3.0, 2.0) - Spent(1.0, 0.5) == Spent(2.0, 1.5)


def test_two_checkouts_are_compared_by_all_loads() -> None:
    few = ("--servers", "1", "--blocks", "1", "--seconds", "0.1")
    command = [sys.executable, "-m", "tests.bench.unused", str(PROJECT), *few, "echo", "pipe", "rooms8"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=3 * TIMEOUT)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["echo", "pipe", "rooms8"], done.stderr
    for _, base, _, own, *_ in rows:
        assert 0.1 < float(base) < 1_000
        assert 0.1 < float(own) < 1_000


def test_what_looking_costs_is_measured_while_somebody_looks_and_while_nobody_does() -> None:
    few = ("--blocks", "1", "--seconds", "0.8", "--connections", "20", "--rate", "200")
    command = [sys.executable, "-m", "tests.bench.board_cost", *few, "connection", "console"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=3 * TIMEOUT)
    # How the process ends tells the cost, of which so short a run says nothing.
    assert done.stdout.count("CPU per message, with / without") == 2, done.stderr
    assert done.stdout.count("20 connections") == 2
