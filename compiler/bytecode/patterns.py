"""Patterns of texts in a manifest: `*` stands for what is computed, `\\*` and `\\\\` for the characters themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

ANY: Final = "*"
"""The pattern of all texts."""
_SPECIAL: Final = re.compile(r"[*\\]")
_NO_CHARACTER: Final = "\ud800"
"""Half a surrogate pair: texts are well formed and have none."""
_PIECE: Final = re.compile(r"\\(.)|(\*)|([^*\\]+)", re.DOTALL)


def literal(text: str) -> str:
    """The pattern of one text."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def joined(parts: Iterable[str | None]) -> str:
    """The pattern of texts one behind the other; None for a computed one."""
    pattern = ""
    for part in parts:
        if part is None:
            pattern += "" if _ends_open(pattern) else "*"
        else:
            pattern += literal(part)
    return pattern


def _ends_open(pattern: str) -> bool:
    before = pattern[:-1]
    escaped = (len(before) - len(before.rstrip("\\"))) % 2 == 1
    return pattern.endswith("*") and not escaped


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[str | None, ...]:
    """The pattern's literal pieces, None for `*`."""
    pieces: list[str | None] = []
    for escaped, star, plain in _PIECE.findall(pattern):
        if star:
            pieces.append(None)
        elif pieces and (last := pieces[-1]) is not None:
            pieces[-1] = last + escaped + plain
        else:
            pieces.append(escaped + plain)
    return tuple(pieces)


def only_text(pattern: str) -> str | None:
    """The one text that a pattern covers; None where it covers more."""
    pieces = _compiled(pattern)
    return None if None in pieces else "".join(piece for piece in pieces if piece is not None)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern covers a text: each `*` stands for any characters, also for none. Linear in the text."""
    pieces = _compiled(pattern)
    if None not in pieces:
        return text == only_text(pattern)
    first, last = pieces[0] or "", pieces[-1] or ""
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    end = len(text) - len(last)
    place = len(first)
    for piece in pieces[1:-1]:
        if piece is not None:
            place = text.find(piece, place, end)
            if place < 0:
                return False
            place += len(piece)
    return True


def covers(wide: str, narrow: str) -> bool:
    """Whether every text of one pattern is one of the other too.

    Asked with the gaps of `narrow` filled by a character that no text has: what covers that covers all there is.
    """
    pieces = _compiled(narrow)
    return matches(wide, "".join(_NO_CHARACTER if piece is None else piece for piece in pieces))
