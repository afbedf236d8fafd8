"""What one program may ask for: its manifest, asked name by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compiler.bytecode.program import Manifest
from compiler.diagnostics import codes
from compiler.language.faults import Fault, OutsideManifest
from compiler.language.functions import Moment
from runtime.bounds import LONGEST_KEPT, NAMES_KEPT, UNBOUNDED, BoundMoment, Bounds, Names, bounds_of, within
from runtime.seam import Context
from tests.assembly import NO_MANIFEST, Quiet, program


@pytest.mark.parametrize(
    ("covered", "name", "allowed"),
    [
        (["room"], "room", True),
        (["room"], "rooms", False),
        ([r"a\*"], "a*", True),
        ([r"a\*"], "ab", False),
        (["room-*"], "room-7", True),
        (["room-*"], "hall-7", False),
        (["room-*", "*-hall"], "a-hall", True),
        ([], "", False),
        (["5"], 5, False),
        (["*x"], None, False),
    ],
)
def test_names(covered: list[str], name: Any, allowed: bool) -> None:
    names = Names(covered)
    assert [names[name], names[name]] == [allowed, allowed]


def test_of_computed_names_so_many_are_kept() -> None:
    names = Names(["fixed", "a-*"])
    for number in range(3 * NAMES_KEPT):
        assert names[f"a-{number}"]
        assert not names[f"b-{number}"]
        assert names["fixed"]
        assert len(names) <= NAMES_KEPT + 1
    assert names["a-" + "x" * LONGEST_KEPT]
    assert not any(len(name) > LONGEST_KEPT for name in names)


def test_names_that_cannot_be_covered_are_not_kept() -> None:
    names = Names(["fixed"])
    assert not names["other"]
    assert len(names) == 1


def test_the_bounds_of_a_manifest() -> None:
    manifest = replace(
        NO_MANIFEST, channels=("*", "a"), keys=("k-*",), hosts=(), statements=("SELECT *",), environment=("A",)
    )
    found = bounds_of(manifest)
    assert found.channels is None
    assert found.keys is not None
    assert found.keys["k-1"]
    assert found.hosts == {}
    assert (found.statements, found.environment) == (frozenset({"SELECT *"}), frozenset({"A"}))


def test_every_kind_of_name_has_its_bound() -> None:
    """A field of names that is added to the manifest must be enforced too."""
    names = set(Manifest.__slots__) - {"effects", "functions", "cost"}
    assert names == set(Bounds.__slots__)


@pytest.fixture
def moment() -> BoundMoment:
    return BoundMoment(Quiet(), bounds_of(replace(NO_MANIFEST, channels=("r-*",), environment=("A",))))


def test_functions_see_what_the_manifest_names(moment: BoundMoment) -> None:
    assert moment.environment("A") == "value of A"
    assert (moment.members("r-1"), moment.channel_size("r-1")) == (("a", "b"), 2)
    assert (moment.now(), moment.random_bytes(2), moment.connections()) == (1_700_000_000.0, b"\0\0", 2)


@pytest.mark.parametrize("ask", [
    lambda moment: moment.environment("B"),
    lambda moment: moment.members("s-1"),
    lambda moment: moment.channel_size("s-1"),
])  # fmt: skip
def test_functions_see_nothing_else(moment: BoundMoment, ask: Any) -> None:
    with pytest.raises(OutsideManifest) as caught:
        ask(moment)
    assert caught.value.kind is codes.OUTSIDE_MANIFEST
    assert not isinstance(caught.value, Fault | Exception)


def test_who_is_not_bound_sees_everything() -> None:
    free: Moment = BoundMoment(Quiet(), UNBOUNDED)
    assert (free.environment("B"), free.members("x"), free.channel_size("x")) == ("value of B", ("a", "b"), 2)


def test_only_functions_that_name_something_are_bound() -> None:
    context = Context(Quiet())
    assert within(program("CALL now/0 ; RETURN"), UNBOUNDED, context) is context
    bound = within(program("CONST 'A' ; CALL env/1 ; RETURN"), UNBOUNDED, context)
    assert isinstance(bound.moment, BoundMoment)
