"""What is known of other nodes, against what they are."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from runtime.bus.presence import Changes, Presence


def test_changes_are_told_once_and_numbered() -> None:
    changes = Changes()
    assert changes.take(0) is None
    changes.note(True, "room", "a")
    assert (changes.take(1), changes.version) == ([(True, "room", "a")], 2)
    assert changes.take(1) is None
    assert (changes.take(2), changes.version) == ([], 3)
    changes.note(False, "room", "a")
    changes.skip()
    assert (changes.take(2), changes.version) == (None, 4)


def test_a_change_is_taken_where_the_one_before_it_is_known() -> None:
    presence = Presence()
    assert not presence.change("n", 2, 1, [(True, "room", "a")])
    presence.replace("n", 2, 1, {"room": ["a"]})
    assert presence.change("n", 2, 9, [(True, "room", "z")])
    assert presence.change("n", 3, 2, [(True, "room", "b"), (False, "room", "nobody"), (False, "hall", "a")])
    assert not presence.change("n", 5, 3, [])
    assert (presence.members("room"), presence.size("room"), presence.connections()) == (["a", "b"], 2, 2)
    assert (presence.version("n"), presence.version("m")) == (3, 0)


def test_a_node_that_is_gone_takes_its_connections_along() -> None:
    presence = Presence()
    presence.replace("n", 1, 1, {"room": ["a"], "hall": ["a"]})
    presence.replace("m", 1, 1, {"room": ["b"]})
    presence.forget("n")
    presence.forget("n")
    assert (presence.members("room"), presence.members("hall"), presence.connections()) == (["b"], [], 1)
    presence.clear()
    assert (presence.members("room"), presence.connections()) == ([], 0)


@given(st.integers(0, 2**32))
def test_what_is_missed_heals(seed: int) -> None:
    chance = Random(seed)
    presence, changes = Presence(), Changes()
    there: dict[str, list[str]] = {}
    for _ in range(60):
        channel, connection_id = chance.choice("xyz"), chance.choice("abcd")
        ids = there.setdefault(channel, [])
        if connection_id in ids:
            ids.remove(connection_id)
        else:
            ids.append(connection_id)
        changes.note(connection_id in ids, channel, connection_id)
        if chance.random() < 0.1:
            changes.skip()
        elif chance.random() < 0.5 and (told := changes.take(0)) is not None and chance.random() < 0.8:
            presence.change("n", changes.version, 0, told)
    if (told := changes.take(0)) is not None:
        presence.change("n", changes.version, 0, told)
    if presence.version("n") != changes.version:
        presence.replace("n", changes.version, 0, there)
    for channel in "xyz":
        assert sorted(presence.members(channel)) == sorted(there.get(channel, []))
