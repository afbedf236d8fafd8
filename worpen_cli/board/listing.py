"""Which rows of a long list are in the picture: around the marked one, moved as little as possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar

from worpen_cli.board.exchange import Listing, Look

Item = TypeVar("Item")


def window(count: int, at: int, first: int, room: int) -> int:
    """The top row of a picture with `room` rows that shows the row `at`, and `first` as the top row if it can."""
    first = min(first, at, max(0, count - room))
    return max(first, at - room + 1, 0)


def list_rows(
    items: Sequence[Item],
    look: Look,
    key: Callable[[Item], str],
    row: Callable[[Item], Any],
    text: Callable[[Item], str],
) -> Listing[Any]:
    """The part of a list that a look is for. `text`: what a row is searched by. Rows are made for the picture only."""
    total = len(items)
    if look.search:
        wanted = look.search.casefold()
        items = [item for item in items if wanted in text(item).casefold()]
    if not items:
        return Listing(total=total)
    at = max(0, min(len(items) - 1, _marked(items, look, key) + look.step))
    first = window(len(items), at, look.first, max(1, look.room))
    rows = tuple(row(item) for item in items[first : first + look.room])
    return Listing(rows, first, at, len(items), total)


def _marked(items: Sequence[Item], look: Look, key: Callable[[Item], str]) -> int:
    """Where the marked row is now; where it is gone, the row that took its place in the picture."""
    if look.tail:
        return len(items) - 1
    if look.mark:
        # It is nearly always where it was, so the others are asked only where it is not.
        pictured = range(min(look.first, len(items)), min(look.first + look.room, len(items)))
        for at in chain(pictured, range(len(items))):
            if key(items[at]) == look.mark:
                return at
    return min(look.first, len(items) - 1)
