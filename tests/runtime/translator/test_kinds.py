"""Facts: what they say of values, and what is left of them where paths meet."""

from __future__ import annotations

from compiler.language.values import Kind, Value
from runtime.translator import kinds
from runtime.translator.kinds import Facts, merged


def test_kinds_of_constants() -> None:
    values: list[Value] = [None, True, 0, 5, -1, 2.5, "", [], {}]
    assert [kinds.of_value(value) for value in values] == [
        kinds.NULL, kinds.BOOLEAN, kinds.NATURAL, kinds.NATURAL, kinds.NEGATIVE, kinds.FLOAT, kinds.TEXT, kinds.LIST,
        kinds.OBJECT,
    ]  # fmt: skip


def test_kinds_of_the_language() -> None:
    assert kinds.of_kinds(Kind.ANY) == kinds.ANY
    assert kinds.of_kinds(Kind.NUMBER | Kind.NULL) == kinds.NUMBER | kinds.NULL


def test_setting_a_variable_forgets_its_text() -> None:
    facts = Facts({"s0": kinds.TEXT}, {"s0"})
    facts.set("s0", kinds.NATURAL)
    assert facts == Facts({"s0": kinds.NATURAL}, set())


def test_forgetting_keeps_that_there_is_a_value() -> None:
    facts = Facts({"s0": kinds.TEXT, "l1": kinds.NATURAL}, {"s0"})
    facts.forget(["s0", "s9"])
    assert facts == Facts({"s0": kinds.ANY, "l1": kinds.NATURAL}, set())


def test_where_paths_meet_only_what_holds_on_all_is_left() -> None:
    one = Facts({"s0": kinds.TEXT, "l1": kinds.NATURAL}, {"s0", "l1"})
    other = Facts({"s0": kinds.NULL, "l2": kinds.TEXT}, {"s0"})
    assert merged([one, other]) == Facts({"s0": kinds.TEXT | kinds.NULL}, {"s0"})


def test_a_path_that_ends_says_nothing() -> None:
    living, dead = Facts({"s0": kinds.TEXT}), Facts({"s0": kinds.NULL}, reachable=False)
    assert merged([dead, living]) == living
    assert not merged([dead, dead]).reachable


def test_a_copy_is_its_own() -> None:
    facts = Facts({"s0": kinds.TEXT}, {"s0"})
    facts.copy().set("s0", kinds.NULL)
    assert facts == Facts({"s0": kinds.TEXT}, {"s0"})
