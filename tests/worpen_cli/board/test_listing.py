"""The part of a list that is in the picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worpen_cli.board.exchange import Listing, Look
from worpen_cli.board.listing import list_rows, window

ROWS = [f"row {number}" for number in range(100)]


def listed(look: Look, rows: list[str] = ROWS) -> Listing[str]:
    return list_rows(rows, look, str, str, str)


@given(st.integers(1, 300), st.integers(0, 299), st.integers(0, 400), st.integers(1, 60))
def test_the_marked_row_is_in_the_picture_and_the_picture_in_the_list(
    count: int, at: int, first: int, room: int
) -> None:
    at = min(at, count - 1)
    top = window(count, at, first, room)
    assert top <= at < top + room
    assert 0 <= top <= max(0, count - room)
    if first <= at < first + room and first + room <= count:
        assert top == first


def test_steps_move_the_mark_and_stop_at_the_ends() -> None:
    assert listed(Look(mark="row 5", step=2, room=10)).at == 7
    assert listed(Look(mark="row 5", step=-50, room=10)).at == 0
    last = listed(Look(mark="row 5", step=1 << 30, room=10))
    assert (last.at, last.first, last.rows[-1]) == (99, 90, "row 99")


def test_the_mark_stays_on_its_row_when_others_come_and_go() -> None:
    found = listed(Look(mark="row 50", first=38, room=5), ROWS[10:])
    assert (found.at, found.first, found.rows[2]) == (40, 38, "row 50")


def test_the_marked_row_is_looked_for_in_the_picture_first() -> None:
    asked: list[str] = []

    def key(row: str) -> str:
        asked.append(row)
        return row

    look = Look(mark="row 62", first=60, room=5)
    assert list_rows(ROWS, look, key, str, str).at == 62
    assert asked == ["row 60", "row 61", "row 62"]
    assert list_rows(ROWS[50:], look, key, str, str).at == 12


def test_where_the_marked_row_is_gone_the_mark_stays_in_the_picture() -> None:
    found = listed(Look(mark="gone", first=40, room=5))
    assert (found.at, found.first) == (40, 40)
    assert listed(Look(mark="gone", first=400, room=5)).at == 99


def test_the_tail_follows_the_end() -> None:
    found = listed(Look(mark="row 3", tail=True, room=5))
    assert (found.at, found.rows) == (99, tuple(ROWS[-5:]))


def test_only_rows_that_hold_the_text_count() -> None:
    found = listed(Look(search="ROW 9", room=5))
    assert (found.matching, found.total, found.rows) == (11, 100, ("row 9", "row 90", "row 91", "row 92", "row 93"))
    assert listed(Look(search="nothing", room=5)) == Listing(total=100)


def test_rows_are_made_for_the_picture_only() -> None:
    made: list[str] = []
    list_rows(ROWS, Look(room=7), str, made.append, str)
    assert len(made) == 7
