"""The numbers of several processes in one folder: real processes, which end in every way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime import siblings
from runtime.metrics import Sample
from runtime.siblings import Siblings
from tests.conftest import PROJECT

OTHER = """
import sys, time
from pathlib import Path
from runtime.metrics import Sample
from runtime.siblings import Siblings
connections, messages, again = map(int, sys.argv[3:])
numbers = [Sample("worpen_connections", (), connections), Sample("worpen_messages_in_total", (), messages)]
one = Siblings(Path(sys.argv[1]), sys.argv[2], lambda: numbers)
one.write()
print("written", flush=True)
while again:
    one.write()
time.sleep(60)
"""


@contextmanager
def other(
    folder: Path, place: str, connections: int, messages: int, *, again: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Another process that has written its numbers; `again` and again."""
    command = [sys.executable, "-c", OTHER, str(folder), place, *(str(int(n)) for n in (connections, messages, again))]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()


def found(one: Siblings, name: str) -> dict[str, float]:
    """Of one metric: the number of each worker."""
    return {dict(sample.labels)["worker"]: sample.value for sample in one.samples() if sample.name == name}


def own(folder: Path, place: str, *numbers: Sample) -> Siblings:
    return Siblings(folder, place, lambda: numbers)


def test_one_tells_the_numbers_of_all(tmp_path: Path) -> None:
    with other(tmp_path, "2", 5, 50):
        one = own(tmp_path, "1", Sample("worpen_connections", (), 3))
        assert found(one, "worpen_connections") == {"1": 3, "2": 5}
        assert found(one, "worpen_messages_in_total") == {"2": 50}
        assert found(one, "worpen_worker_up") == {"1": 1, "2": 1}


def test_what_a_dead_process_had_open_is_gone_and_what_it_counted_is_not(tmp_path: Path) -> None:
    one = own(tmp_path, "1")
    with other(tmp_path, "2", 5, 50):
        pass
    assert found(one, "worpen_connections") == {}
    assert found(one, "worpen_messages_in_total") == {"2": 50}
    assert found(one, "worpen_worker_up") == {"1": 1, "2": 0}


def test_a_successor_goes_on_counting(tmp_path: Path) -> None:
    one = own(tmp_path, "1")
    for starts, messages in ((1, 50), (2, 57), (3, 64)):
        with other(tmp_path, "2", 1, 50 if starts == 1 else 7):
            assert found(one, "worpen_messages_in_total") == {"2": messages}
            assert found(one, "worpen_worker_starts_total") == {"1": 1, "2": starts}


def test_labels_are_kept_and_counters_that_a_successor_has_not_yet_too(tmp_path: Path) -> None:
    labels = (("route", 'chat "1"'), ("hook", "on_message"))
    own(tmp_path, "1", Sample("worpen_hook_runs_total", labels, 4)).write()
    successor = own(tmp_path, "1")
    assert Sample("worpen_hook_runs_total", (("worker", "1"), *labels), 4) in list(successor.samples())


def test_what_was_told_is_written_first(tmp_path: Path) -> None:
    """So that a process that is killed then has a successor that begins with no less."""
    numbers = [Sample("worpen_messages_in_total", (), 1)]
    one = Siblings(tmp_path, "1", lambda: numbers)
    one.write()
    numbers[:] = [Sample("worpen_messages_in_total", (), 9)]
    assert found(one, "worpen_messages_in_total") == {"1": 9}
    assert found(own(tmp_path, "1"), "worpen_messages_in_total") == {"1": 9}


def test_who_has_not_written_for_long_is_not_up_but_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = own(tmp_path, "1")
    with other(tmp_path, "2", 5, 50):
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + siblings.STALE_SECONDS)
        assert found(one, "worpen_worker_up") == {"1": 1, "2": 0}
        assert found(one, "worpen_connections") == {"2": 5}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"process": 1}', b'{"process": 1, "time": 0, "samples": [[1]]}', b"\xff"]
)
def test_a_file_that_is_none_of_ours_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "2.json").write_bytes(content)
    (tmp_path / "1.json").write_bytes(content)
    assert found(own(tmp_path, "1"), "worpen_worker_up") == {"1": 1}


def test_places_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for place in ("10", "9", "1"):
        own(tmp_path, place).write()
    assert list(found(own(tmp_path, "1"), "worpen_worker_up")) == ["1", "9", "10"]


def test_without_the_folder_a_process_tells_its_own(tmp_path: Path) -> None:
    one = own(tmp_path / "gone", "1", Sample("worpen_connections", (), 3))
    assert found(one, "worpen_connections") == {"1": 3}


def test_what_is_written_is_whole_at_any_time(tmp_path: Path) -> None:
    with other(tmp_path, "1", 1, 1, again=True):
        for _ in range(300):
            assert len(json.loads((tmp_path / "1.json").read_bytes())["samples"]) == 3
