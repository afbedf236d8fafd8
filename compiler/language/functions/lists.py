"""Functions on lists and objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from compiler.language.functions.arguments import refuse, whole
from compiler.language.functions.registry import Evaluate, function
from compiler.language.functions.text import text_part
from compiler.language.values import Number, Value, add, check_items, divide, equal, normalised, to_operand, truthy

_EXPRESSION: Final = {"expression": "expression"}


@function("lists", examples=[("['a', 'b'] | first", "a"), ("[] | first", None)])
def first(list_: list[Value]) -> Value:
    """The first element; null of an empty list."""
    return list_[0] if list_ else None


@function("lists", examples=[("['a', 'b'] | last", "b"), ("[] | last", None)])
def last(list_: list[Value]) -> Value:
    """The last element; null of an empty list."""
    return list_[-1] if list_ else None


@function(
    "lists",
    literal={"key": "expression"},
    examples=[
        ("[3, 'a', 1] | sort", [1, 3, "a"]),
        ("[{n: 2}, {n: 1}] | sort('n')", [{"n": 1}, {"n": 2}]),
    ],
)
def sort(list_: list[Value], key: Evaluate | None = None) -> list[Value]:
    """The elements in order: numbers, then texts by code point, then the rest as it stood.

    With a key, by what that expression gives for each element. Equal ones keep their order.
    """
    keys = list_ if key is None else [key(element) for element in list_]
    ranks = [_rank(each) for each in keys]
    return [list_[place] for place in sorted(range(len(list_)), key=ranks.__getitem__)]


def _rank(key: Value) -> tuple[int, Number, str]:
    if isinstance(key, str):
        return (1, 0, key)
    if isinstance(key, (int, float)) and not isinstance(key, bool):
        return (0, key, "")
    return (2, 0, "")


@function("lists", examples=[("[1, 2, 2, '1'] | unique", [1, 2, "1"])])
def unique(list_: list[Value]) -> list[Value]:
    """The elements, each content once, in the order of first appearance; a text is never equal to a number."""
    contents = Contents()
    kept: dict[object, Value] = {}
    for element in list_:
        kept.setdefault(contents.key(element), element)
    return list(kept.values())


class Contents:
    """Gives every value a key, equal ones for equal type and content.

    Each list or object is looked at once, however often it occurs, and without recursion: shared or deep
    values cost no more than others. Lists and objects have to live as long as this does.
    """

    __slots__ = ("_numbers", "_shapes")

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._shapes: dict[object, int] = {}

    def key(self, value: Value) -> object:
        """Something hashable that is equal for values of the same type and content."""
        pending = [value]
        while pending:
            unknown = [] if self._is_known(pending[-1]) else [i for i in _inner(pending[-1]) if not self._is_known(i)]
            if unknown:
                pending += unknown
            else:
                self._learn(pending.pop())
        return self._known_key(value)

    def _is_known(self, value: Value) -> bool:
        return not isinstance(value, (list, dict)) or id(value) in self._numbers

    def _learn(self, value: Value) -> None:
        """Give a list or object its number; all that is in it has a key by now."""
        if self._is_known(value):
            return
        if isinstance(value, dict):
            shape: object = frozenset((key, self._known_key(item)) for key, item in value.items())
        else:
            shape = tuple(map(self._known_key, _inner(value)))
        self._numbers[id(value)] = self._shapes.setdefault(shape, len(self._shapes))

    def _known_key(self, value: Value) -> object:
        if isinstance(value, (list, dict)):
            return (list, self._numbers[id(value)])
        return (bool, value) if isinstance(value, bool) else value


def _inner(value: Value) -> Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


@function(
    "lists",
    literal=_EXPRESSION,
    examples=[("[1, 2, 3] | map('item * 2')", [2, 4, 6]), ("[{name: 'Ann'}] | map('name')", ["Ann"])],
)
def map_(list_: list[Value], expression: Evaluate) -> list[Value]:
    """What an expression gives for each element: its names are the element's keys, and `item`."""
    return [normalised(expression(element)) for element in list_]


@function(
    "lists",
    literal=_EXPRESSION,
    examples=[("[1, 2, 3] | filter('item > 1')", [2, 3]), ("[{on: true}, {on: false}] | filter('on')", [{"on": True}])],
)
def filter_(list_: list[Value], expression: Evaluate) -> list[Value]:
    """The elements for which an expression is truthy: its names are the element's keys, and `item`."""
    return [element for element in list_ if truthy(expression(element))]


@function(
    "lists",
    literal=_EXPRESSION,
    examples=[("[1, 2, 3] | sum", 6), ("[{price: 10}, {price: 20}] | sum('price')", 30), ("[] | sum", 0)],
)
def sum_(list_: list[Value], expression: Evaluate | None = None) -> Number:
    """The sum of the numbers, or of what an expression gives for each element; 0 of an empty list."""
    return _total(list_, expression, "sum")


@function("lists", literal=_EXPRESSION, examples=[("[1, 2, 3] | avg", 2), ("[{n: 1}, {n: 2}] | avg('n')", 1.5)])
def avg(list_: list[Value], expression: Evaluate | None = None) -> Number:
    """The mean of the numbers, or of what an expression gives for each element. An empty list is an error."""
    if not list_:
        raise refuse("an empty list has no avg", list_)
    return to_operand(divide(_total(list_, expression, "avg"), len(list_)), "avg")


def _total(list_: list[Value], expression: Evaluate | None, name: str) -> Number:
    """From the first element to the last, as `a + b + c` adds."""
    total: Number = 0
    for element in list_:
        number = to_operand(element if expression is None else expression(element), name)
        total = to_operand(add(total, number), name)
    return total


@function("lists", examples=[("['a'] | append('b')", ["a", "b"])])
def append(list_: list[Value], element: Value) -> list[Value]:
    """The list with one more element at its end."""
    check_items(len(list_) + 1)
    return [*list_, element]


@function("lists", examples=[("{a: 1} | has('a')", True), ("[1, 2] | has(3)", False)])
def has(value: dict[str, Value] | list[Value], part: Value) -> bool:
    """Whether an object has a key, or a list an element that is equal as with `==`."""
    if isinstance(value, list):
        return any(equal(element, part) for element in value)
    return text_part(part, "has") in value


@function("lists", examples=[("{b: 2, a: 1} | keys", ["b", "a"])])
def keys(object_: dict[str, Value]) -> list[Value]:
    """The keys of an object, in their order."""
    return list(object_)


@function("lists", examples=[("{b: 2, a: 1} | values", [2, 1])])
def values(object_: dict[str, Value]) -> list[Value]:
    """The values of an object, in the order of its keys."""
    return list(object_.values())


@function("lists", examples=[("{a: 1} | get('a')", 1), ("{a: 1} | get('b', 'none')", "none")])
def get(object_: dict[str, Value], key: str, default: Value = None) -> Value:
    """The value of a key; for a missing key the default, or null without one."""
    return object_.get(key, default)


@function("lists", examples=[("{a: 1, b: 2} | merge({b: 3})", {"a": 1, "b": 3})])
def merge(object_: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """The keys of both objects; where both have one, the other's value counts. Inner objects are not merged."""
    return {**object_, **other}


@function("lists", examples=[("range(1, 5)", [1, 2, 3, 4]), ("range(5, 0, -2)", [5, 3, 1])])
def range_(start: Number, end: Number, step: Number = 1) -> list[Value]:
    """Whole numbers from the start to before the end."""
    by = whole(step, "`range`'s step")
    if by == 0:
        raise refuse("`range` needs a step that is not 0", step)
    numbers = range(whole(start, "`range`'s start"), whole(end, "`range`'s end"), by)
    check_items(len(numbers))
    return list(numbers)
