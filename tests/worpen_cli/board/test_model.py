"""Keys and answers in, questions and orders out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.worpen_cli.board.parts import FIRST, LISTS, SECOND, board, detailed, listing, pressed, reply
from worpen_cli.board.exchange import Look, Order, Panel, Verb
from worpen_cli.board.keys import PASTE, Stroke
from worpen_cli.board.model import ACTIONS, Board, hints, press, question, take
from worpen_cli.board.view import rooms


def orders(on: Board, *keys: str) -> list[Order]:
    """All that some keys order."""
    made: list[Order] = []
    for key in keys:
        on, more = press(on, Stroke(key, key if len(key) == 1 else ""))
        made += more
    return made


def test_every_key_stands_once_in_the_table_and_help_tells_all() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert all(bool(action.shown) == bool(action.help) for action in ACTIONS)


@pytest.mark.parametrize("key", [key for action in ACTIONS for key in action.keys])
def test_every_key_works_everywhere(key: str) -> None:
    for on in (Board(), board(), detailed(), replace(board(), is_help=True), pressed(board(), "m")):
        after, _ = press(on, Stroke(key, key if len(key) == 1 else ""))
        assert isinstance(after, Board)


def test_tab_goes_around_and_numbers_go_straight() -> None:
    assert [pressed(board(), *["tab"] * times).panel for times in range(5)] == [
        Panel.CONNECTIONS, Panel.CHANNELS, Panel.LOG, Panel.ROUTES, Panel.CONNECTIONS,
    ]  # fmt: skip
    assert pressed(board(), "backtab").panel is Panel.ROUTES
    assert [pressed(board(), number).panel.value for number in "1234"] == [1, 2, 3, 4]
    assert pressed(detailed(), "3").detail == ""


def test_steps_are_asked_for_once() -> None:
    moved = pressed(board(), "down", "j", "down", "up")
    rows = rooms(moved, 80, 24)
    asked, ask = question(moved, rows)
    assert ask.looks[Panel.CONNECTIONS] == Look(mark=FIRST, step=2, room=rows[Panel.CONNECTIONS])
    assert question(asked, rows)[1].looks[Panel.CONNECTIONS].step == 0


def test_keys_between_a_question_and_its_answer_are_not_lost() -> None:
    asked, _ = question(board(), rooms(board(), 80, 24))
    answered = take(pressed(asked, "down"), reply())
    assert answered.looks[Panel.CONNECTIONS].step == 1


def test_the_mark_is_where_the_server_found_it() -> None:
    answered = take(board(), replace(reply(), lists={Panel.CONNECTIONS: listing(LISTS[Panel.CONNECTIONS], 1)}))
    assert answered.connection == SECOND
    assert answered.looks[Panel.CONNECTIONS].mark == SECOND


def test_the_log_stays_with_what_is_new_until_one_goes_up() -> None:
    log = pressed(board(), "4")
    assert log.looks[Panel.LOG].tail
    up = pressed(log, "up")
    assert not up.looks[Panel.LOG].tail
    assert not take(up, replace(reply(), lists={Panel.LOG: listing(LISTS[Panel.LOG], 0)})).looks[Panel.LOG].tail
    assert pressed(up, "end").looks[Panel.LOG].tail


def test_enter_looks_into_a_connection_and_escape_comes_back() -> None:
    looking = detailed()
    assert (looking.detail, looking.panel, looking.connection) == (FIRST, Panel.FRAMES, FIRST)
    assert question(looking, rooms(looking, 80, 24))[1].detail == FIRST
    assert list(question(looking, rooms(looking, 80, 24))[1].looks) == [Panel.FRAMES]
    back = pressed(looking, "escape")
    assert (back.detail, back.panel) == ("", Panel.CONNECTIONS)


def test_a_connection_that_is_gone_before_one_looks() -> None:
    gone = take(detailed(), reply(detail=None))
    assert (gone.detail, gone.notice) == ("", "that connection is gone")


def test_enter_on_a_route_lists_its_connections_or_says_why_it_is_broken() -> None:
    chosen = pressed(board(), "1", "enter")
    assert (chosen.panel, chosen.looks[Panel.CONNECTIONS].search) == (Panel.CONNECTIONS, "Chat")
    assert pressed(chosen, "escape").looks[Panel.CONNECTIONS].search == ""
    broken = take(pressed(board(), "1"), replace(reply(), lists={Panel.ROUTES: listing(LISTS[Panel.ROUTES], 2)}))
    assert pressed(broken, "enter").notice == "error[unknown-variable] W401: no"


def test_a_filter_works_while_it_is_typed() -> None:
    typing = pressed(board(), "/", "a", "n")
    assert typing.looks[Panel.CONNECTIONS].search == "an"
    assert pressed(typing, "enter").looks[Panel.CONNECTIONS].search == "an"
    assert pressed(typing, "escape").looks[Panel.CONNECTIONS].search == ""
    assert pressed(typing, "q").looks[Panel.CONNECTIONS].search == "anq"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["h", "i"], "hi"), (["h", "i", "backspace"], "h"), (["a", "b", "left", "x"], "axb"),
        (["a", "b", "home", "delete", "c"], "cb"), (["a", "b", "ctrl-u", "c"], "c"),
        (["a", "home", "b", "end", "c"], "bac"),
        (["backspace", "delete", "left", "right", "up", "tab"], ""),
    ],
)  # fmt: skip
def test_lines_are_edited(keys: list[str], text: str) -> None:
    assert orders(board(), "m", *keys, "enter") == [Order(Verb.SEND, FIRST, text)]


def test_messages_and_broadcasts() -> None:
    assert orders(board(), "m", "h", "escape") == []
    assert orders(board(), "b", "h", "enter") == [Order(Verb.BROADCAST, "lobby", "h")]
    assert orders(detailed(), "m", "h", "enter") == [Order(Verb.SEND, FIRST, "h")]
    assert orders(detailed(), "b", "h", "enter") == [Order(Verb.BROADCAST, "lobby", "h")]


def test_what_there_is_nothing_to_do_to() -> None:
    empty = take(board(), reply(connections=(), channels=(), routes=()))
    for key, notice in (("m", "no connection"), ("x", "no connection"), ("b", "no channel")):
        assert notice in pressed(empty, key).notice
    assert orders(empty, "x", "m", "b", "enter") == []
    assert pressed(empty, "m", "down").notice == ""


def test_orders_of_one_key() -> None:
    assert orders(board(), "x", "r", "o", "q", "ctrl-c") == [
        Order(Verb.CLOSE, FIRST), Order(Verb.RELOAD), Order(Verb.CONSOLE), Order(Verb.QUIT), Order(Verb.INTERRUPT),
    ]  # fmt: skip
    assert orders(detailed(), "x") == [Order(Verb.CLOSE, FIRST)]
    assert orders(board(), "m", "ctrl-c") == [Order(Verb.INTERRUPT)]


def test_what_is_pasted_is_text_and_orders_nothing() -> None:
    assert press(board(), Stroke(PASTE, "qx")) == (board(), ())
    typed, _ = press(pressed(board(), "m"), Stroke(PASTE, "qx"))
    assert orders(typed, "enter") == [Order(Verb.SEND, FIRST, "qx")]


def test_pause_and_help() -> None:
    assert question(pressed(board(), "p"), {})[1].held
    assert not question(pressed(board(), "p", "p"), {})[1].held
    assert pressed(board(), "?").is_help
    assert not pressed(board(), "?", "x").is_help
    assert orders(board(), "?", "x") == []
    assert orders(board(), "?", "q") == [Order(Verb.QUIT)]


def test_the_last_line_names_the_way_back_where_there_is_one() -> None:
    assert "look" in [action.short for action in hints(board())]
    assert "back" in [action.short for action in hints(detailed())]
