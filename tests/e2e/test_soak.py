"""A small sample of `make soak`: a real server, clients of another process, everything compared. And its measures."""

from __future__ import annotations

import dataclasses
import random

import pytest

from tests.bench.soak.__main__ import Plan, soak
from tests.bench.soak.drift import drift
from tests.bench.soak.model import Known, Line, Metrics, compare

SAMPLE = Plan(seconds=6, clients=100, hostile=0.2, life=4, pause=0.5, reload_every=2, rest_every=6, drift_counts=False)


def test_clients_and_server_agree() -> None:
    report = soak(SAMPLE)
    assert not report.broken, [(line, report.notes) for line in report.broken]
    assert report.most_open > 0
    assert report.reloads >= 2
    told = report.tally
    assert told["accepted"] > SAMPLE.clients  # some came again
    assert min(told[key] for key in ("messages_in", "messages_out", "heard", "deliveries", "closed:1006")) > 0
    assert sum(line.wanted for line in report.rests[-1] if line.what.startswith("dropped for")) > 0


@pytest.mark.parametrize(("what", "field", "by"), [
    ("connections open", "open", 1),
    ("descriptors", "base_descriptors", -1),
    ("tasks", "sleeping", 1),
    ("routes changed by reloads", "reloads", 1),
])  # fmt: skip
def test_the_model_sees_what_is_wrong(what: str, field: str, by: int) -> None:
    known = Known(open=0, tally={}, reloads=0, scrapes=0, sleeping=0, base_tasks=1, base_descriptors=10)
    said = Metrics("worpen_connections 0.0\nworpen_tasks 1.0\n")
    assert all(line.holds for line in compare(known, said, 10))
    other = dataclasses.replace(known, **{field: getattr(known, field) + by})
    assert what in [line.what for line in compare(other, said, 10) if not line.holds]


def test_what_only_the_server_counted_is_seen() -> None:
    known = Known(open=0, tally={}, reloads=0, scrapes=0, sleeping=0, base_tasks=1, base_descriptors=10)
    said = Metrics('worpen_tasks 1.0\nworpen_drops_total{reason="heartbeat"} 1.0\n')
    assert [line for line in compare(known, said, 10) if not line.holds] == [Line("dropped for heartbeat", 0, 1)]


def test_a_drift_is_found_beneath_steps_and_spikes() -> None:
    chance = random.Random(5)
    noisy = [(float(at), 1_000 + 0.25 * at + chance.gauss(0, 5) + 400 * (at % 97 == 0)) for at in range(900)]
    found = drift(noisy)
    assert found.low < 0.25 < found.high
    assert abs(found.slope - 0.25) < 0.03
    flat = drift([(float(at), 500.0 + (900 if at == 300 else 0)) for at in range(900)])
    assert (flat.slope, flat.low, flat.high) == (0, 0, 0)
    with pytest.raises(ValueError, match="three"):
        drift([(0.0, 1.0), (1.0, 2.0)])
