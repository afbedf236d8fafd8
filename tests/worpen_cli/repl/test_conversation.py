"""What a prompt does with each input."""

from __future__ import annotations

import pytest

from tests.worpen_cli.repl.conftest import Say
from worpen_cli.console import Console
from worpen_cli.repl.conversation import Conversation, Leave
from worpen_cli.repl.scene import Scene


def test_values_and_variables(say: Say) -> None:
    assert say("a = [1,\n2]", "a | sum", "{{ a }}!", "  ") == ('[1,2]\n3\n"[1,2]!"\n', "")


def test_mistakes_are_shown_and_it_goes_on(conversation: Conversation, say: Say) -> None:
    out, err = say("x = {b: null}", "nope", "x.b.c", "1")
    assert out == '{"b":null}\n1\n'
    assert "unknown-variable" in err
    assert "type-error" in err
    assert [(entry.typed, entry.failed) for entry in conversation.entered] == [
        ("x = {b: null}", False), ("nope", True), ("x.b.c", True), ("1", False),
    ]  # fmt: skip


def test_a_command_that_does_not_exist(say: Say) -> None:
    assert "did you mean `help`?" in say(":hepl")[1]
    assert ":help lists them" in say(":xyzzy")[1]


def test_leaving(conversation: Conversation) -> None:
    with pytest.raises(Leave):
        conversation.take(":quit")


def test_what_a_route_sets_hides_nothing_that_was_set_here(conversation: Conversation, scene: Scene, say: Say) -> None:
    conversation.scene = scene
    assert say("visitor", "count = 41", "count + 1", "mine = 1", "mine")[0] == '"Ann"\n41\n42\n1\n1\n'
    assert scene.rehearsal.variables()["count"] == 41
    assert conversation.variables == {"mine": 1}
    assert say("message = '7'", "message")[0] == '"7"\n"7"\n'


def test_a_variable_that_is_not_set_yet(conversation: Conversation, scene: Scene, say: Say) -> None:
    conversation.scene = scene
    assert "the route sets `last_words`, but has not yet" in say("last_words")[1]


def test_hostile_values_are_shown_and_not_obeyed(say: Say) -> None:
    out, _ = say("'\\u001b]52;c;aGk=\\u0007'", "x = '\\u202e'", ":vars", ":type '\\u001b'")
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert '"\\u001b]52;c;aGk=\\u0007"' in out


def test_values_are_coloured_where_there_are_colours(conversation: Conversation, say: Say) -> None:
    conversation.console = Console("always", environment={})
    assert "\x1b[" in say("'a'")[0]
