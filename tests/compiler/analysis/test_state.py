"""States: sets of variables as numbers, and where paths meet."""

from __future__ import annotations

from compiler.analysis.state import State, merged

A, B, C = 1, 2, 4
FIRST = State(sure=A, normal=A | B, maybe=A | B | C)


def test_setting_a_variable() -> None:
    assert State().after_setting(A) == State(A, A, A)
    assert FIRST.after_setting(B) == State(A | B, A | B, A | B | C)
    assert FIRST.after_setting(A) is FIRST


def test_a_finding_is_said_once() -> None:
    assert State().excused(A) == State(0, A, A)


def test_possibly() -> None:
    assert State().possibly(A | C) == State(0, 0, A | C)


def test_dead_states_remember() -> None:
    assert FIRST.ended().dead
    assert FIRST.ended().revived() == FIRST
    assert FIRST.revived() is FIRST


def test_live_paths_meet() -> None:
    second = State(sure=A | C, normal=A | C, maybe=A | C)
    assert merged([FIRST, second]) == State(A, A, A | B | C)


def test_dead_paths_do_not_count_beside_live_ones() -> None:
    assert merged([FIRST, State().ended()]) == FIRST
    assert merged([State(A, A, A).ended(), State(A | B, A | B, A | B).ended()]) == State(A, A, A | B, dead=True)
