"""Which fixes are made together, and what they make of a text."""

from __future__ import annotations

from compiler.diagnostics.codes import UNKNOWN_KEY
from compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix
from compiler.diagnostics.repair import apply_edits, apply_fixes, compatible, offered_fixes
from compiler.diagnostics.source import SourceFile, Span

SOURCE = SourceFile("a.yaml", "one two three")


def fix(start: int, end: int, text: str, safe: bool = True) -> Fix:
    return Fix(text, (Edit(Span(start, end), text),), safe)


def finding(*fixes: Fix) -> Diagnostic:
    return Diagnostic(UNKNOWN_KEY, "", SOURCE, Span(0, 1), UNKNOWN_KEY.severity, fixes=fixes)


def test_edits_are_made_in_the_order_of_their_places() -> None:
    edits = [Edit(Span(8, 13), "3"), Edit(Span(0, 3), "1"), Edit(Span(4, 4), ">"), Edit(Span(7, 7), "<")]
    assert apply_edits(SOURCE.text, edits) == "1 >two< 3"


def test_insertions_at_one_place_stay_in_order() -> None:
    assert apply_edits("x", [Edit(Span(0, 0), "a"), Edit(Span(0, 0), "b")]) == "abx"


def test_each_finding_offers_its_first_fix_and_only_safe_ones_unasked() -> None:
    guess, sure = fix(0, 3, "guess", safe=False), fix(0, 3, "sure")
    assert offered_fixes([finding(guess, sure), finding(sure), finding(guess), finding()]) == [sure]
    assert offered_fixes([finding(guess, sure)], unsafe=True) == [guess]


def test_what_overlaps_or_touches_waits() -> None:
    first, touching, inside, apart = fix(0, 3, "a"), fix(3, 4, "b"), fix(1, 2, "c"), fix(4, 7, "d")
    assert compatible([apart, inside, touching, first]) == [first, apart]
    assert apply_fixes(SOURCE.text, [first, apart]) == "a d three"


def test_a_fix_is_made_whole_or_not_at_all() -> None:
    around = Fix("brackets", (Edit(Span(0, 0), "("), Edit(Span(7, 7), ")")))
    inside, behind = fix(4, 7, "2"), fix(8, 13, "3")
    assert compatible([inside, around, behind]) == [around, behind]
