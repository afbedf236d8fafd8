"""Events as lines."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from compiler.diagnostics.escape import escape_json
from compiler.language.faults import Mark
from runtime import events
from runtime.events import Event, event_name, to_document
from worpen_cli.journal import AT_ONCE, ROOM, Journal, level_of, to_sentence

MARK = Mark(12, 9, 12, 20, "If.condition")
HAPPENED: list[Event] = [
    events.Listening(("127.0.0.1:3000", "[::1]:3000")),
    events.Connected("c1", "Chat", 2, "/ws/chat/a", "127.0.0.1"),
    events.Disconnected("c1", "Chat", 1000, "bye"),
    events.FrameIn("c1", "Chat", "x" * 500),
    events.FrameOut("c1", "Chat", "channel a", 3, b"\x00\x01"),
    events.HookFinished("c1", "Chat", "on_message", 0.002),
    events.HookFaulted("c1", "Chat", "on_message", "type_error", "no", "chat.yaml", MARK, ('"a"',), 0.1),
    events.HookFaulted("c1", "Chat", "on_message", "type_error", "no", "chat.yaml", None, (), 0.1),
    events.HookCancelled("c1", "Chat", "on_message"),
    events.LogLine("c1", "Chat", "on_message", "warn", "hello"),
    events.Swapped(("/a",), ("/b",), ("/c",), ("/d",), ("/e",)),
    events.Swapped((), (), ("/c",), (), ()),
    events.Refused("/ws/x", "127.0.0.1", 503, "first\nsecond"),
    events.Draining(3, 30.0),
    events.Stopped(0),
    events.Stopped(2),
    events.BusDown("n1", "connection refused"),
    events.BusUp("n1", 3),
    events.BusGap("n1", "", "", "reconnected", 0),
    events.BusGap("n1", "n2", "room", "a message is missing", 1),
    events.Trouble("id1", "hook", "Traceback\n  line"),
]


def test_every_event_is_tried_here() -> None:
    assert {type(event) for event in HAPPENED} == set(get_args(Event))


@pytest.mark.parametrize("event", HAPPENED, ids=lambda event: type(event).__name__)
def test_every_event_has_a_sentence_and_a_document(event: Event) -> None:
    assert to_sentence(event)
    assert level_of(event) in ("debug", "info", "warn", "error")
    document = json.loads(json.dumps(to_document(event)))
    assert document["event"] == event_name(event)


def test_a_fault_names_its_place() -> None:
    assert to_sentence(HAPPENED[6]) == 'c1 chat.yaml:12:9: Chat on_message If.condition: type_error: no ["a"]'
    assert level_of(HAPPENED[6]) == "error"
    assert to_document(HAPPENED[6])["mark"] == {"line": 12, "column": 9, "field": "If.condition"}


def test_long_and_binary_payloads_are_shortened() -> None:
    assert to_sentence(HAPPENED[3]).endswith("x…")
    assert "2 bytes" in to_sentence(HAPPENED[4])
    assert to_document(HAPPENED[4])["payload"] == {"base64": "AAE="}


class Paper:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def test_lines_for_people_are_escaped_and_stamped() -> None:
    paper = Paper()
    journal = Journal(paper.write)
    journal.open()
    journal.hear(events.LogLine("c", "r", "on_message", "info", "a\x1b[2J\nfake"))
    journal.show("rendered\nblock\n")
    journal.note({"event": "unseen"})
    journal.close()
    stamped, *rest = paper.lines
    assert stamped[2] == stamped[5] == ":"
    assert stamped.endswith("log info: a\\x1b[2J\\nfake")
    assert rest == ["rendered", "block"]


def test_lines_for_programs() -> None:
    paper = Paper()
    journal = Journal(paper.write, as_json=True)
    journal.open()
    journal.hear(events.LogLine("c", "r", "on_message", "info", "a\x9b\u202e"))
    journal.say("unseen")
    journal.show("unseen")
    journal.close()
    (line,) = paper.lines
    assert line.isascii()
    document = json.loads(line)
    assert document["message"] == "a\x9b\u202e"
    assert document["time"].endswith("+00:00")


def test_lines_for_programs_are_what_the_json_library_writes() -> None:
    paper = Paper()
    journal = Journal(paper.write, as_json=True)
    journal.open()
    told = [{"texts": ['a"\\é\x7f', 1, True], "half": 0.5, "none": None, "yes": True, "text": "\n\u2028"}]
    for document in told:
        journal.note(document)
    for event in HAPPENED:
        journal.hear(event)
    journal.close()
    told += [{**to_document(event), "level": level_of(event)} for event in HAPPENED]
    assert len(paper.lines) == len(told)
    for line, document in zip(paper.lines, told, strict=True):
        stamp = json.loads(line)["time"]
        assert line == escape_json(json.dumps({**document, "time": stamp}, ensure_ascii=False))
        assert abs(datetime.now(UTC) - datetime.fromisoformat(stamp)) < timedelta(minutes=5)


def test_a_journal_that_is_never_opened_writes_nothing() -> None:
    paper = Paper()
    journal = Journal(paper.write)
    journal.say("unseen")
    journal.close()
    assert paper.text == ""


def test_levels_are_coloured() -> None:
    paper = Paper()
    journal = Journal(paper.write, color=True)
    journal.open()
    journal.say("bad", "error")
    journal.close()
    assert "\x1b[31mbad\x1b[0m" in paper.text


def test_a_reader_who_does_not_read_stops_nobody_and_is_told_what_was_lost() -> None:
    paper, gate, reached = Paper(), threading.Event(), threading.Event()
    numbers = []

    def write(text: str) -> None:
        reached.set()
        gate.wait(30)
        paper.write(text)
        numbers.append(text.count("\n"))

    journal = Journal(write)
    journal.open()
    journal.say("first")
    assert reached.wait(30)
    for number in range(ROOM + 5):
        journal.say(str(number))
    gate.set()
    journal.close()
    assert paper.lines[-1] == "(5 lines were lost)"
    assert len(paper.lines) == ROOM + 2
    assert max(numbers) <= AT_ONCE + 1, "all that waited was copied at once"


def test_what_was_lost_is_told_in_its_place() -> None:
    paper = Paper()
    journal = Journal(paper.write)
    for number in range(ROOM + 5):
        journal.say(str(number))
    journal._lines.popleft()
    journal.say("after")
    journal.open()
    journal.close()
    assert paper.lines[-2] == "(5 lines were lost)"
    assert paper.lines[-1].endswith(" after")


def test_a_reader_who_went_away_is_no_failure() -> None:
    def write(_: str) -> None:
        raise BrokenPipeError

    journal = Journal(write)
    journal.open()
    journal.say("first")
    journal.close()
    journal.say("second")


def test_the_time_of_a_line_leaves_no_names_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # A time zone is asked by names that are made anew for it, and Python's cache of attributes keeps each of them where
    # it happens to lie: some dozens, made while many clients are there, hold the memory of all of them.
    journal = Journal(lambda _: None, as_json=True)
    milliseconds = itertools.count(1_700_000_000_000)
    monkeypatch.setattr("time.time_ns", lambda: next(milliseconds) * 1_000_000)
    forget = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    forget()
    beside = []
    for number in range(2_000):
        journal.note({})
        beside.append(f"{number:014}")  # of the size of such a name, so that the next one lies elsewhere
    kept = sys.getallocatedblocks()
    forget()
    assert kept - sys.getallocatedblocks() < 20


def test_lines_that_were_written_are_forgotten_before_the_next_ones() -> None:
    class Line(str):
        pass

    paper = Paper()
    journal = Journal(paper.write)
    journal._append(line := Line("last for long"))
    known = weakref.ref(line)
    del line
    journal.open()
    end = time.monotonic() + 30
    while known() is not None and time.monotonic() < end:
        time.sleep(0.005)
    assert known() is None
    assert paper.lines == ["last for long"]
    journal.close()
