"""Sessions as files."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from worpen_cli.repl.saving import Entry, Unsaved, names_read, written
from worpen_cli.repl.scene import Scene
from worpen_cli.repl.statements import read_statement


@pytest.mark.parametrize(
    ("text", "names"),
    [("a + b.c", ["a", "b"]), ("hi {{ a }} {{ b }}", ["a", "b"]), ("x = 'a'", []), ("a +", []), ("f(a)", ["a"])],
)
def test_what_a_statement_reads(text: str, names: list[str]) -> None:
    scope: dict[str, Value] = {"a": 1, "b": 2, "c": 3}
    assert sorted(names_read(read_statement(text), scope)) == names


def test_lines_without_those_that_failed() -> None:
    entries = [Entry(text, read_statement(text), {}, failed=text == "b") for text in ("a", "b", "[1,\n2]")]
    assert written("x.txt", entries, None) == "a\n[1,\n2]\n"


def test_a_conversation_has_what_was_sent_and_received(scene: Scene) -> None:
    for message in ("1", "bye"):
        scene.message = message
        scene.fire()
    assert (
        written("x.test.yaml", [], scene)
        == """\
routes: ["room.yaml"]
tests:
  - name: recorded
    steps:
      - connect: client
        to: "/ws/room/lobby?name=Ann"
      - expect: client
        text: "hi Ann"
      - send: client
        text: "1"
      - expect: client
        text: "Ann: 1"
      - send: client
        text: bye
"""
    )


def test_a_conversation_is_yaml(scene: Scene) -> None:
    from compiler.diagnostics.diagnostic import Report
    from compiler.syntax.events import decode_source, read_documents

    scene.message = '"\\u001b: \\" - {"'
    scene.fire()
    report = Report()
    source = decode_source("x", written("x.test.yaml", [], scene).encode(), report)
    assert source is not None
    assert read_documents(source, report)
    assert not report.diagnostics


def test_no_conversation_without_a_route() -> None:
    with pytest.raises(Unsaved, match="needs a route"):
        written("x.test.yaml", [], None)
