"""Did you mean: near names, and only near ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.suggest import COMPARED, certain, did_you_mean, edit_distance, nearest

NAMES = ("message", "message_type", "player", "room", "upper", "WsOp", "on_connect")
SYNONYMS = {"uppercase": "upper", "print": "nothing"}
WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mesage", "message"),
        ("messgae", "message"),
        ("plyer", "player"),
        ("palyer", "player"),
        ("rom", "room"),
        ("roam", "room"),
        ("ws_op", "WsOp"),
        ("wsop", "WsOp"),
        ("WSOP", "WsOp"),
        ("onConnect", "on_connect"),
        ("on-connect", "on_connect"),
        ("uppercase", "upper"),
        ("UpperCase", "upper"),
        ("print", None),
        ("rm", None),
        ("xyzzy", None),
        ("", None),
        ("messages_types", "message_type"),
        ("masage", "message"),
        ("mxsxexgx", None),
    ],
)
def test_the_nearest_name(name: str, meant: str | None) -> None:
    assert nearest(name, NAMES, SYNONYMS) == meant


def test_of_equally_near_names_the_first_in_the_alphabet() -> None:
    assert nearest("rooc", ("roof", "rook", "rood")) == "rood"
    assert nearest("rook", ("roof", "rook")) == "rook"


def test_no_names_at_all() -> None:
    assert nearest("a", ()) is None
    assert did_you_mean("a", ()) == ""


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("abc", "abc", 0),
        ("abc", "abd", 1),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abcd", "badc", 2),
        ("kitten", "sitting", 3),
        ("abcdef", "uvwxyz", 4),
        ("a", "abcdefgh", 4),
    ],
)
def test_distances(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b, 3) == distance


@given(WORDS, WORDS)
def test_distances_are_distances(a: str, b: str) -> None:
    distance = edit_distance(a, b, 10)
    assert distance == edit_distance(b, a, 10)
    assert (distance == 0) == (a == b)
    assert abs(len(a) - len(b)) <= distance <= max(len(a), len(b))


@given(WORDS, st.integers(0, 5), st.sampled_from("abcx"))
def test_one_letter_is_one_step(word: str, place: int, letter: str) -> None:
    place = min(place, len(word))
    assert edit_distance(word, word[:place] + letter + word[place:], 9) == 1
    assert edit_distance(word, word[:place] + word[place + 1 :], 9) == (place < len(word))


@pytest.mark.parametrize(
    ("name", "candidates", "sentence"),
    [
        ("debgu", ("debug", "info"), "did you mean `debug`?"),
        ("loud", ("debug", "info"), "known: `debug`, `info`"),
        ("loud", tuple(f"name{n}" for n in range(9)), ""),
    ],
)
def test_small_sets_are_named(name: str, candidates: tuple[str, ...], sentence: str) -> None:
    assert did_you_mean(name, candidates) == sentence


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mesage", "message"),
        ("uppercase", "upper"),
        ("ws_op", "WsOp"),
        ("roo", "room"),
        ("xyzzy", None),
    ],
)
def test_what_was_meant_for_certain(name: str, meant: str | None) -> None:
    assert certain(name, NAMES, SYNONYMS) == meant


def test_nothing_is_certain_of_several_or_of_a_letter() -> None:
    assert certain("rooc", ("roof", "rook")) is None
    assert certain("b", ("a",)) is None


def test_only_so_many_names_are_looked_at() -> None:
    names = [f"filler_{n}" for n in range(COMPARED)]
    assert nearest("mesage", ["message", *names]) == "message"
    assert nearest("mesage", [*names, "message"]) is None
