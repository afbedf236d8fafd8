"""These dataclasses beside those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any, ClassVar, Generic, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.records import dataclass, metadata_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    kind: ClassVar[str] = "point"
    x: int
    y: int = 0

    @property
    def sum(self) -> int:
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Named(Point, Generic[T]):
    name: str = "none"
    seen: list[T] = field(default_factory=list, compare=False)
    rank: int = field(default=5, kw_only=True)


@dataclass(slots=True)
class Changing:
    items: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    pass


@dataclass(slots=True, eq=False)
class Same:
    x: int


def test_it_is_a_dataclass_to_everybody_else() -> None:
    assert dataclasses.is_dataclass(Point)
    assert [row.name for row in dataclasses.fields(Named)] == ["x", "y", "name", "seen", "rank"]
    assert replace(Named(1), name="a", y=2) == Named(1, 2, "a")
    assert dataclasses.asdict(Named(1)) == {"x": 1, "y": 0, "name": "none", "seen": [], "rank": 5}


def test_arguments_and_defaults() -> None:
    assert (Point(1).sum, Point(1, 2).sum, Point(y=3, x=1).sum, Point.kind) == (1, 3, 4, "point")
    assert Named(1).seen is not Named(1).seen
    assert Named.__init__ is not Point.__init__
    point, named = cast(Any, Point), cast(Any, Named)
    with pytest.raises(TypeError, match="__init__"):
        point()
    with pytest.raises(TypeError, match="__init__"):
        point(1, 2, 3)
    with pytest.raises(TypeError, match="__init__"):
        point(z=1)
    with pytest.raises(TypeError, match="__init__"):
        named(1, 2, "a", [], 6)


def test_the_first_instance_may_be_of_a_class_below() -> None:
    @dataclass(frozen=True, slots=True)
    class Above:
        x: int

    @dataclass(frozen=True, slots=True)
    class Below(Above):
        y: int

    class Further(Below):
        __slots__ = ()

    assert (Further(1, 2).x, Below(3, 4).y, Above(5).x) == (1, 4, 5)
    assert Further(1, 2) != Below(1, 2)


def test_slots_and_frozenness() -> None:
    for name in ("x", "new"):
        with pytest.raises(FrozenInstanceError):
            setattr(Point(1), name, 2)
    with pytest.raises(FrozenInstanceError):
        delattr(Point(1), "x")
    assert not hasattr(Point(1), "__dict__")
    assert Point.__slots__ == ("x", "y")
    changing = Changing()
    changing.items = [1]
    assert changing == Changing([1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(changing)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies(copied: Callable[[Any], Any]) -> None:
    assert copied(Named(1, seen=[2])) == Named(1, seen=[2])
    assert copied(Named(1, seen=[2])).seen == [2]


def test_identity_alone() -> None:
    one = Same(1)
    assert one != Same(1)
    assert len({one, Same(1)}) == 2


def test_patterns() -> None:
    match Named(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("not matched")


def test_how_it_is_shown() -> None:
    assert repr(Point(1)) == "Point(x=1, y=0)"
    assert repr(Empty()) == "Empty()"
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())
    assert Point.__doc__ == "A point."
    assert sys.getsizeof(Point(1)) == sys.getsizeof(Version(1, 2))


@given(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_order_and_equality_are_those_of_the_fields(first: tuple[int, int], second: tuple[int, int]) -> None:
    a, b = Version(*first), Version(*second)
    assert (a < b, a <= b, a > b, a >= b) == (first < second, first <= second, first > second, first >= second)
    assert (a == b, a != b, len({a, b})) == (first == second, first != second, len({first, second}))
    assert cast(Any, a) != Point(*first)
    with pytest.raises(TypeError):
        _ = Point(*first) < Point(*second)  # type: ignore[operator]


def test_metadata() -> None:
    @dataclass(frozen=True, slots=True)
    class Told:
        x: int = field(metadata={"doc": "told"})

    @dataclasses.dataclass
    class Standard:
        x: int = field(metadata={"doc": "told"})

    assert metadata_of(Told) == metadata_of(Standard) == {"x": {"doc": "told"}}
    assert dataclasses.fields(Told)[0].metadata == {"doc": "told"}


def test_what_is_not_known_is_refused() -> None:
    def declare(**namespace: Any) -> None:
        dataclass(frozen=True, slots=True)(type("Declared", (), namespace))

    with pytest.raises(TypeError, match="__post_init__"):
        declare(__post_init__=lambda self: None)
    with pytest.raises(TypeError, match="InitVar"):
        declare(__annotations__={"x": "InitVar[int]"})
    with pytest.raises(TypeError, match="init"):
        declare(__annotations__={"x": "int"}, x=field(init=False))

    @dataclasses.dataclass
    class Standard:
        x: int

    with pytest.raises(TypeError, match="another kind"):
        dataclass(frozen=True, slots=True)(type("Declared", (Standard,), {}))
