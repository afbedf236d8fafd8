"""Repairs: which of the fixes that come with findings can be made at once, and the text that comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix


def offered_fixes(diagnostics: Iterable[Diagnostic], *, unsafe: bool = False) -> list[Fix]:
    """The fix of each finding that has one, each edit of the text once; `unsafe` takes also those that may change
    what a route does."""
    first = (next((fix for fix in found.fixes if fix.safe or unsafe), None) for found in diagnostics)
    return list({fix.edits: fix for fix in first if fix is not None}.values())


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """Those of the fixes, in order of their places, that touch nothing an earlier one touches."""
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for fix in sorted(fixes, key=lambda fix: min(edit.span for edit in fix.edits)):
        edits = sorted(fix.edits, key=lambda edit: edit.span)
        if not taken or _is_behind(edits[0], taken[-1]):
            chosen.append(fix)
            taken.extend(edits)
    return chosen


def _is_behind(edit: Edit, other: Edit) -> bool:
    """Whether an edit begins behind another; two that touch are left to different rounds."""
    return edit.span.start > other.span.end


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits made that do not overlap; insertions at one place in the order given."""
    parts: list[str] = []
    place = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        parts += (text[place : edit.span.start], edit.replacement)
        place = edit.span.end
    return "".join([*parts, text[place:]])


def apply_fixes(text: str, fixes: Sequence[Fix]) -> str:
    """The text with fixes made that are `compatible`."""
    return apply_edits(text, (edit for fix in fixes for edit in fix.edits))
