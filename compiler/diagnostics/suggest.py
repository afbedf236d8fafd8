"""Did you mean: names of the same kind that are near to a misspelt one (cli.md, `worpen validate`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import islice
from typing import Final

COMPARED: Final = 300
"""So many candidates are looked at: a file with more names than that was not written by hand."""
SHOWN_WHOLE = 8
"""Of a set of at most so many names, all are named."""
_CERTAIN_LENGTH = 3
"""Of shorter names too little is left when a letter is wrong."""


def nearest(name: str, candidates: Collection[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The candidate that was probably meant: a synonym, the same letters, or one at edit distance ≤ max(1, length/3).

    None where no candidate is that near.
    """
    meant = (synonyms or {}).get(name) or (synonyms or {}).get(name.lower())
    if meant in candidates:
        return meant
    return _closest(name, tuple(islice(candidates, COMPARED)))


@lru_cache(maxsize=1024)
def _closest(name: str, compared: tuple[str, ...]) -> str | None:
    folded = _fold(name)
    for candidate in compared:
        if _fold(candidate) == folded:
            return candidate
    limit = max(1, len(name) // 3)
    scored = ((edit_distance(name, candidate, limit), candidate) for candidate in compared)
    best = min(((distance, c) for distance, c in scored if distance <= limit), default=None)
    return best[1] if best else None


def certain(name: str, candidates: Collection[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The candidate that was meant beyond doubt: a synonym, the same letters, or the only one near a name of some
    length. What a repair may write unasked."""
    meant = nearest(name, candidates, synonyms)
    listed = synonyms or {}
    if meant is None or meant in (listed.get(name), listed.get(name.lower())) or _fold(meant) == _fold(name):
        return meant
    limit = max(1, len(name) // 3)
    compared = islice(candidates, COMPARED)
    near = [candidate for candidate in compared if edit_distance(name, candidate, limit) <= limit]
    return meant if near == [meant] and min(len(name), len(meant)) >= _CERTAIN_LENGTH else None


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def edit_distance(a: str, b: str, limit: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between two names; `limit + 1` where it is more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(before) >= limit:  # and a swap adds one to what is two rows above
            return limit + 1
    return min(row[-1], limit + 1)


def did_you_mean(name: str, candidates: Collection[str], synonyms: Mapping[str, str] | None = None) -> str:
    """A sentence of help: the probable name, or all of a small set; empty where neither helps."""
    meant = nearest(name, candidates, synonyms)
    if meant is not None:
        return f"did you mean `{meant}`?"
    if 0 < len(candidates) <= SHOWN_WHOLE:
        return "known: " + ", ".join(f"`{candidate}`" for candidate in candidates)
    return ""
