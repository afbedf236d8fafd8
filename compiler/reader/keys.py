"""Keys that nobody knows, and keys that are missing: one mistake, one finding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import Span
from compiler.diagnostics.suggest import SHOWN_WHOLE, certain, did_you_mean, nearest
from compiler.syntax.findings import Findings
from compiler.syntax.tree import Scalar

_LEFT_OUT: Final = (codes.DUPLICATE_KEY, codes.MERGE_KEY)


class LeftOutKeys:
    """Keys that are not in the tree, because reading the file refused them: repeated keys and `<<`."""

    def __init__(self, report: Report) -> None:
        self._starts = sorted(found.span.start for found in report.diagnostics if found.code in _LEFT_OUT)

    def within(self, span: Span) -> bool:
        """Whether one stood in this range: what seems to be missing or too many there may be its consequence."""
        return bisect_left(self._starts, span.start) < bisect_left(self._starts, span.end)


def report_unknown_key(
    found: Findings,
    key: Scalar,
    where: str,
    known: Collection[str],
    synonyms: Mapping[str, str],
    *,
    note: str = "",
    help: str = "",
) -> None:
    """A key that nobody reads, with the probable name; `note` is what would have come of it."""
    message = f"unknown key `{key.value}`{where}" + (f": {note}" if note else "")
    label = did_you_mean(key.value, known, synonyms)
    if not help and not label and len(known) > SHOWN_WHOLE:
        help = "known: " + ", ".join(f"`{name}`" for name in known)
    meant = certain(key.value, known, synonyms)
    fixes = (found.renaming(key, meant),) if meant else ()
    found.add(codes.UNKNOWN_KEY, key.span, message, label=label, help=help, fixes=fixes)


def unexplained(
    missing: Iterable[str], unknown: Iterable[str], known: Mapping[str, str], synonyms: Mapping[str, str]
) -> list[str]:
    """Those of the missing keys that no unknown key stands for. `known`: the key that each spelling means.

    An unknown key stands for the one that it resembles; one that resembles none stands for any that is missing.
    """
    lacking = list(missing)
    strays = 0
    for name in unknown:
        meant = known.get(nearest(name, known, synonyms) or "")
        if meant in lacking:
            lacking.remove(meant)
        strays += meant is None
    return lacking[strays:]
