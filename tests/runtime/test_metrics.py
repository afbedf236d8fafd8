"""Counters, and their text form."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics import (
    Sample,
    ServerCounters,
    WireCounters,
    count,
    exposition,
    percentile,
    samples,
    tally_of,
)


def test_counting_by_labels() -> None:
    counters = ServerCounters()
    count(counters.refusals, "404")
    count(counters.refusals, "404", by=2)
    assert counters.refusals == {("404",): 3}


def test_tallies_are_kept_by_labels() -> None:
    counters = ServerCounters()
    tally = tally_of(counters.hook, "chat", "on_message", "ok")
    tally.runs += 2
    tally.seconds += 0.5
    assert tally_of(counters.hook, "chat", "on_message", "ok") is tally
    labels = (("route", "chat"), ("hook", "on_message"), ("result", "ok"))
    assert [sample for sample in samples(counters) if sample.labels == labels] == [
        Sample("worpen_hook_runs_total", labels, 2),
        Sample("worpen_hook_seconds_total", labels, 0.5),
    ]


def test_samples_name_every_number() -> None:
    counters = ServerCounters(troubles=4)
    count(counters.disconnects, "1000")
    found = list(samples(counters))
    assert Sample("worpen_disconnects_total", (("code", "1000"),), 1) in found
    assert Sample("worpen_troubles_total", (), 4) in found


def test_the_text_form() -> None:
    wire = WireCounters(connections=2)
    wire.answered("404")
    counters = ServerCounters()
    tally_of(counters.hook, 'a"\\\n', "on_message", "ok").runs += 1
    text = exposition(samples(wire, counters))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert (families["worpen_connections"].type, families["worpen_handshakes"].type) == ("gauge", "counter")
    found = {
        (sample.name, *sample.labels.items()): sample.value for family in families.values() for sample in family.samples
    }
    assert found["worpen_connections",] == 2
    assert found["worpen_handshakes_total", ("result", "404")] == 1
    labels = (("hook", "on_message"), ("result", "ok"), ("route", 'a"\\\n'))
    assert found[("worpen_hook_runs_total", *labels)] == 1


def test_samples_of_one_name_are_one_family_wherever_they_stand() -> None:
    found = [Sample("worpen_a", (("worker", n),), 1) for n in "12"]
    text = exposition([found[0], Sample("worpen_b_total", (), 2), found[1]])
    assert text.count("# TYPE worpen_a gauge") == 1
    assert 'worpen_a{worker="1"} 1.0\nworpen_a{worker="2"} 1.0\n' in text


def test_what_falls_as_well_is_a_gauge() -> None:
    names = {sample.name for sample in samples(WireCounters(), ServerCounters()) if not sample.name.endswith("_total")}
    assert names == {
        "worpen_connections", "worpen_queued_bytes", "worpen_tasks",
        "worpen_bus_is_down", "worpen_bus_lag_seconds", "worpen_bus_queued_bytes",
    }  # fmt: skip


def test_every_labelled_counter_of_the_wire_has_its_label() -> None:
    wire = WireCounters()
    wire.answered("x")
    wire.dropped("y")
    wire.reached("z")
    found = {sample.labels for sample in samples(wire) if sample.labels}
    assert found == {(("result", "x"),), (("reason", "y"),), (("limit", "z"),)}


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.5, 50), (0.99, 99), (1, 100)])
def test_percentiles(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected
    assert percentile([], share) is None
