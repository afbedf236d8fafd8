"""What stands on the screen: its size, its words, and that it obeys nobody's text."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.worpen_cli.board.parts import DETAIL, FIRST, LISTS, SECOND, TOTALS, board, detailed, listing, pressed, reply
from worpen_cli.board.exchange import FrameRow, LogRow, Panel
from worpen_cli.board.model import ACTIONS, Board, question, take
from worpen_cli.board.view import brief_time, clock, draw, duration, fit, fit_place, rooms, with_unit

SIZES = [(80, 24), (200, 60), (40, 12), (97, 31)]
HOSTILE = "\x1b[2J\x1b]52;c;aGk=\x07 \x7f \r\n \u2028 "
HOSTILE += "\x1b]8;;http://x\x1b\\ [link=http://x]a[/link] [bold]b \u202egnp\u2066 \x9b31m"


def screen(on: Board, width: int, height: int, *, color: bool = True) -> str:
    """What is written to a terminal."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=width, height=height, no_color=not color, color_system="truecolor",
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    console.print(draw(on, width, height), end="")
    return out.getvalue()


def lines(on: Board, width: int = 80, height: int = 24) -> list[str]:
    """The lines of a screen, plain."""
    return [line.rstrip() for line in draw(on, width, height).plain.split("\n")]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    "on", [Board(), board(), detailed(), pressed(board(), "?"), pressed(board(), "m", "h"), pressed(board(), "/", "x")]
)
def test_a_screen_has_its_size_exactly(on: Board, width: int, height: int) -> None:
    shown = draw(on, width, height).plain.split("\n")
    assert len(shown) == height
    assert max(map(cell_len, shown)) <= width


def test_home_at_80_by_24() -> None:
    shown = lines(board())
    assert shown[0] == "worpen dev  ws://localhost:3000  up 1:02:05"
    assert shown[1] == "1,234 connections · in 5,000/s · out 12/s"
    assert shown[2].startswith(" 1 routes (3) ──")
    assert "3 channels (2) ──" in shown[2]
    assert shown[3].split() == ["path", "gen", "state", "conns", "channel", "members", "msg/s"]
    assert shown[4].split() == ["›", "/ws/chat/:room", "7", "ok", "12", "›", "lobby", "12", "41"]
    assert shown[5].split() == ["/ws/old", "2", "stale", "0", "garden", "3", "0"]
    assert shown[6].split() == ["/ws/bad", "–", "broken", "0"]
    assert shown[8].startswith("▶2 connections (2) ──")
    titles = ["id", "route@gen", "peer/user", "age", "idle", "in", "out", "queued", "p99", "last"]
    assert shown[9].split() == titles
    assert shown[10].split() == ["›", "1a2b3c4d", "Chat@7", "127.0.0.1", "1m", "3s", "1.5k", "22", "0", "0.31ms", "ok"]
    assert shown[11].split() == ["5e6f7a8b", "Chat@6→7", "Ann", "1d", "0s", "3", "1.2M", "66k", "1.2s", "type_err…"]
    assert shown[17].startswith(" 4 log (2) ──")
    assert [line.split()[:2] for line in shown[19:21]] == [["12:00:01", "info"], ["12:00:02", "error"]]
    assert shown[23] == " Enter look  / filter  m send  b broadcast  x close  r reload  ? help  q quit"


def test_home_at_200_by_60_has_room_for_more() -> None:
    big, small = rooms(board(), 200, 60), rooms(board(), 80, 24)
    assert all(big[panel] > 2 * small[panel] for panel in small)
    shown = lines(board(200, 60), 200, 60)
    assert any("type_error" in line and "5e6f7a8b" in line for line in shown)
    assert "p pause" in shown[-1]
    assert "o browser" in shown[-1]


def test_the_page_of_a_connection() -> None:
    shown = lines(detailed())
    assert shown[2] == f"▶{FIRST}  Chat@7  open for 1m, idle 3s"
    assert shown[3] == "  in 1,500 · out 22 · 0 bytes queued · hooks p99 0.31ms · last: ok"
    assert [line.split() for line in shown[4:7]] == [
        ["path", "/ws/chat/lobby", "channels", "lobby"],
        ["param", "room", "lobby", "variable", "count", "3"],
        ["query", "name", "Ann"],
    ]
    assert shown[11].split() == ["12:00:03.001", "→", "in", "hi", "on_message", "#3"]
    assert shown[12].split() == [
        "›", "12:00:03.002", "←", "out", "you", "said", "hi", "on_message", "#3", "chat.yaml:14",
    ]  # fmt: skip
    bottom = shown.index("  ← out, sent by on_message #3 of 1a2b3c4d · ok in 0.3 ms · chat.yaml:14")
    assert shown[bottom - 1].startswith(" frame 2 (11 bytes) ──")
    assert shown[bottom + 1] == "  you said hi"


def test_a_connection_that_has_ended_says_how() -> None:
    ended = take(detailed(), reply(replace(DETAIL, ended="1000 bye")))
    assert "closed: 1000 bye" in lines(ended)[2]


def test_a_long_frame_is_wrapped_and_much_to_say_is_counted() -> None:
    frame = FrameRow("1", "12:00:00.000", False, "word " * 100, 500)
    pairs = tuple((f"header h{number}", "x") for number in range(20))
    shown = lines(take(detailed(), reply(replace(DETAIL, handshake=pairs), frames=[frame])))
    assert sum("word word" in line for line in shown) == 4
    assert any(line.startswith("  … 16 more") for line in shown)


@pytest.mark.parametrize("text", [HOSTILE, *HOSTILE.split()])
@pytest.mark.parametrize("size", SIZES)
def test_hostile_texts_are_shown_and_not_obeyed(text: str, size: tuple[int, int]) -> None:
    route, connection, channel, log, frame = (LISTS[panel][0] for panel in Panel)
    everything = reply(
        replace(DETAIL, handshake=((text, text),), variables=((text, text),), channels=(text,), ended=text),
        routes=[replace(route, key=text, name=text, reason=text)],
        connections=[replace(connection, key=text, route=text, who=text, result=text)],
        channels=[replace(channel, key=text)],
        log=[replace(log, text=text)],
        frames=[replace(frame, text=text, place=text, outcome=text, sender=text)],
    )
    everything = replace(everything, totals=replace(TOTALS, address=text), notice=text)
    for on in (take(board(), everything), take(detailed(), everything), pressed(take(board(), everything), "b", *text)):
        written = screen(replace(on, looks={p: replace(k, search=text) for p, k in on.looks.items()}), *size)
        without_styles = re.sub(r"\x1b\[[0-9;]*m", "", written)
        assert not set(without_styles) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160), 0x202E, 0x2066]))
        assert len(without_styles.split("\n")) == size[1]
        assert all(cell_len(line) <= size[0] for line in without_styles.split("\n"))


def test_wide_characters_keep_the_columns() -> None:
    rows = [
        replace(row, who=who, route="部屋")
        for row in LISTS[Panel.CONNECTIONS]
        for who in ("山田太郎花子様", "سارا", "👩‍👩‍👧 fam")
    ]
    shown = lines(take(board(), reply(connections=rows)))[9:16]
    at = cell_len(shown[0][: shown[0].index("queued")])
    for line in shown[1:7]:
        cells = "".join(character + "\0" * (cell_len(character) - 1) for character in line)
        assert cells[at : at + 6].strip() in ("0", "66k")


def test_without_colours_nothing_is_lost() -> None:
    plain = screen(board(), 80, 24, color=False)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", plain)
    assert "stale" in plain
    assert "error" in plain


def test_what_is_empty_says_so() -> None:
    empty = take(board(), reply(None, **{panel.name.lower(): () for panel in Panel}))
    text = "\n".join(lines(empty))
    for words in ("no routes", "nobody is connected", "no channels", "nothing happened yet"):
        assert words in text
    searching = pressed(empty, "/", "z")
    assert "nothing has “z” in it" in "\n".join(lines(searching))


def test_a_part_of_a_list_says_which() -> None:
    part = replace(listing(LISTS[Panel.CONNECTIONS]), first=10, at=10, matching=200, total=1000)
    on = pressed(replace(board(), reply=replace(reply(), lists={Panel.CONNECTIONS: part})), "/", "c")
    assert any("2 connections (200 of 1,000, filter: c, 11–12 shown)" in line for line in lines(on))


def test_states_prompts_notices_and_help() -> None:
    assert "PAUSED" in lines(pressed(board(), "p"))[0]
    stopping = take(board(), replace(reply(), totals=replace(TOTALS, state="stopping"), notice="bye"))
    assert "STOPPING" in lines(stopping)[0]
    assert lines(stopping)[-1] == " bye"
    assert lines(pressed(board(), "m", "h", "i"))[-1] == " send to 1a2b3c4d: hi"
    assert lines(pressed(board(), "b", "h"))[-1] == " broadcast to lobby: h"
    assert lines(pressed(board(), *"/", *"x" * 200))[-1].endswith("x" * 60)
    help_page = "\n".join(lines(pressed(board(), "?")))
    assert all(action.help in help_page for action in ACTIONS)


def test_a_terminal_that_is_too_small_says_so() -> None:
    assert "at least 40×12" in lines(board(), 39, 24)[0]
    assert len(lines(board(), 10, 3)) == 3


@given(st.text(max_size=30), st.integers(1, 40), st.booleans())
def test_texts_fit(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right=right)) == width


def test_numbers_are_short() -> None:
    assert [with_unit(n) for n in (0, 7, 999, 1000, 1234, 12_345, 999_499, 5e6, 3e12, 1e30)] == [
        "0", "7", "999", "1.0k", "1.2k", "12k", "999k", "5.0M", "3.0T", "many",
    ]  # fmt: skip
    assert [duration(s) for s in (0, 59.9, 60, 3600, 86_400 * 9)] == ["0s", "59s", "1m", "1h", "9d"]
    assert [clock(s) for s in (5, 65, 3725)] == ["0:05", "1:05", "1:02:05"]
    assert [brief_time(s) for s in (None, 0.00001, 0.0042, 0.0123, 0.9, 2.5)] == [
        "–", "0.01ms", "4.20ms", "12ms", "900ms", "2.5s",
    ]  # fmt: skip
    assert fit_place("routes/a/chat.yaml:14", 18) == "chat.yaml:14"
    assert fit_place("a-very-long-file-name.yaml:14", 10) == "…e.yaml:14"


def test_the_marked_row_of_a_list_without_focus_is_marked_by_a_sign_only() -> None:
    (channel,) = [line for line in lines(board()) if "lobby" in line]
    assert "› lobby" in channel
    assert SECOND[:8] in "\n".join(lines(board()))


def test_a_question_asks_for_what_finds_room() -> None:
    _, ask = question(board(), rooms(board(), 80, 24))
    assert {panel.name: look.room for panel, look in ask.looks.items()} == {
        "ROUTES": 4, "CONNECTIONS": 7, "CHANNELS": 4, "LOG": 4,
    }  # fmt: skip


def test_log_lines_of_several_levels() -> None:
    rows = [LogRow(str(n), "12:00:00", level, "x") for n, level in enumerate(("debug", "info", "warn", "error"))]
    shown = lines(take(board(), reply(log=rows)))
    assert [line.split()[1] for line in shown[19:23] if line.startswith("  12:")] == ["debug", "info", "warn", "error"]
