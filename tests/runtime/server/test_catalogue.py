"""Which routes are served, and what a new set of them changes."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bytecode.program import Import, ImportKind
from compiler.language.values import Value
from runtime.loader import LinkedProgram
from runtime.server.catalogue import (
    BrokenRoute,
    Catalogue,
    Condition,
    RouteEntry,
    Served,
    entries_of,
)
from tests.runtime.parts import entry, owner, route

Routes = Catalogue[Any]


def serving(*entries: RouteEntry | BrokenRoute) -> Routes:
    catalogue: Routes = Catalogue()
    catalogue.swap(entries)
    return catalogue


def at(catalogue: Routes, path: str) -> Served[Any]:
    found = catalogue.find(path)
    assert found is not None
    return found.target


def test_a_route_is_served_at_both_addresses() -> None:
    catalogue = serving(entry(route("/ws/a")))
    assert at(catalogue, "/ws/a") is at(catalogue, "/api/ws/a")
    assert at(catalogue, "/ws/a").condition is Condition.OK


def test_all_routes_of_a_program() -> None:
    one = route("/ws/a")
    linked = LinkedProgram(owner(one), (one,))
    assert entries_of(linked, stale=True) == [RouteEntry(linked.program, one, True)]
    assert at(serving(*entries_of(linked, stale=True)), "/ws/a").condition is Condition.STALE


def test_a_broken_route_says_why() -> None:
    catalogue = serving(BrokenRoute("/ws/a", "error[x]: no", "a"))
    served = at(catalogue, "/ws/a")
    assert (served.condition, served.reason, served.name, served.is_serving) == (
        Condition.BROKEN,
        "error[x]: no",
        "a",
        False,
    )


def test_a_broken_route_without_a_readable_path_is_left_out() -> None:
    assert list(serving(BrokenRoute("no path", "error"))) == []


def test_a_disabled_route_keeps_its_address() -> None:
    catalogue = serving(entry(route("/ws/admin", options={"enabled": False})), entry(route("/ws/:room")))
    assert at(catalogue, "/ws/admin").condition is Condition.DISABLED
    assert at(catalogue, "/ws/other").condition is Condition.OK


def test_of_two_routes_the_first_that_is_enabled_counts() -> None:
    off = entry(route("/ws/:a", name="off", options={"enabled": False}))
    first, second = entry(route("/ws/:b", name="first")), entry(route("/ws/:c", name="second"))
    assert at(serving(off, first, second), "/ws/x").name == "first"


def test_a_route_whose_key_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Value] = {"auth": {"jwt": {"secret_env": "WORPEN_TEST_KEY"}}}
    made = entry(route("/ws/a", options=options))
    monkeypatch.delenv("WORPEN_TEST_KEY", raising=False)
    catalogue = serving(made)
    served = at(catalogue, "/ws/a")
    assert (served.condition, served.is_serving, served.verifier) == (Condition.KEYLESS, False, None)
    assert "WORPEN_TEST_KEY is not set" in served.reason
    monkeypatch.setenv("WORPEN_TEST_KEY", "k" * 32)
    catalogue.swap([made])
    assert served.is_serving
    assert served.verifier is not None


def test_the_first_swap_adds() -> None:
    catalogue: Routes = Catalogue()
    changes = catalogue.swap([entry(route("/ws/a")), BrokenRoute("/ws/b", "no")])
    assert [str(served.pattern) for served in changes.added] == ["/ws/a"]
    assert [str(served.pattern) for served in changes.refused] == ["/ws/b"]
    assert at(catalogue, "/ws/a").generation == 1


def test_the_same_routes_change_nothing() -> None:
    same = entry(route("/ws/a"))
    catalogue = serving(same)
    served = at(catalogue, "/ws/a")
    changes = catalogue.swap([same])
    assert (changes.unchanged, changes.renewed, changes.relinked, changes.added) == ([served], [], [], [])


def test_an_equal_program_is_linked_anew_and_nothing_else() -> None:
    catalogue = serving(entry(route("/ws/a")))
    again = route("/ws/a", options={})
    changes = catalogue.swap([entry(again)])
    ((served, renewal),) = changes.relinked
    assert (served.generation, renewal.changed, renewal.version.route, renewal.renames) == (1, False, again, {})


@pytest.mark.parametrize("tables", [{"constants": (1,)}, {"imports": (Import(ImportKind.EFFECT, "send", 2),)}])
def test_equal_code_over_other_tables_is_another_program(tables: Any) -> None:
    catalogue = serving(entry(route("/ws/a")))
    changes = catalogue.swap([entry(route("/ws/a"), **tables)])
    assert len(changes.renewed) == 1


def test_another_program_is_a_new_generation() -> None:
    catalogue = serving(entry(route("/ws/a")))
    changes = catalogue.swap([entry(route("/ws/a", slots=("x",), options={"on_reload": {"old": "x"}}))])
    ((served, renewal),) = changes.renewed
    assert (served.generation, renewal.version.generation) == (2, 2)
    assert (renewal.renames, renewal.changed) == ({"old": "x"}, True)


def test_a_route_is_known_by_its_address_not_by_its_name_or_file() -> None:
    catalogue = serving(entry(route("/ws/:a", name="before")))
    changes = catalogue.swap([entry(route("/ws/:b", name="after"))])
    assert (len(changes.renewed), changes.ended) == (1, [])


def test_a_route_that_is_gone_has_ended() -> None:
    catalogue = serving(entry(route("/ws/a")), entry(route("/ws/b")))
    served = at(catalogue, "/ws/b")
    assert catalogue.swap([entry(route("/ws/a"))]).ended == [served]
    assert catalogue.find("/ws/b") is None
    assert not served.is_serving


BAD: list[RouteEntry | BrokenRoute] = [
    entry(route("/ws/a", options={"enabled": False})),
    entry(route("/ws/a", options={"auth": {"jwt": {"secret_env": "WORPEN_TEST_UNSET"}}})),
    BrokenRoute("/ws/a", "no"),
]


@pytest.mark.parametrize("then", BAD, ids=["disabled", "keyless", "broken"])
def test_a_route_that_is_served_no_more_has_ended_and_may_come_back(then: RouteEntry | BrokenRoute) -> None:
    catalogue = serving(entry(route("/ws/a")))
    served = at(catalogue, "/ws/a")
    assert catalogue.swap([then]).ended == [served]
    changes = catalogue.swap([entry(route("/ws/a"))])
    assert (changes.added, served.generation, served.is_serving) == ([served], 2, True)
