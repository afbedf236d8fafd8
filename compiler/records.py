"""`dataclass`, at a fraction of its cost when a module is imported.

The standard library writes and compiles up to nine methods for each class as it is declared. The compiler declares
some 150 classes, of which one run uses a few: more than half of the time in which `worpen validate` starts. Here a
class gets its slots and methods that all classes share; its `__init__` is compiled when the first instance is made,
and what `dataclasses.fields` and `replace` want to know when they ask. For everybody else, type checkers included,
these are dataclasses.

What is known: `frozen`, `eq`, `order`, `kw_only`, defaults, and of `field` the arguments `default_factory`, `compare`,
`kw_only` and `metadata`.
What is not: `InitVar`, `__post_init__`, `init=False`; each is refused where it is declared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, slots=False, frozen=False, eq=True, order=False, kw_only=False):
        """Make a class with annotated attributes a dataclass; one without slots is the standard library's.
        Raises TypeError for what is not known."""
        if not slots:
            return dataclasses.dataclass(frozen=frozen, eq=eq, order=order, kw_only=kw_only)
        return lambda cls: _declare(cls, frozen=frozen, eq=eq, order=order, kw_only=kw_only)


class _Row(NamedTuple):
    """One field."""

    annotation: Any
    default: Any
    factory: Any
    kw_only: bool
    compare: bool
    metadata: Mapping[Any, Any]

    @property
    def is_optional(self) -> bool:
        return self.default is not MISSING or self.factory is not MISSING


class _Shape(NamedTuple):
    """What was declared: the fields with those of the bases, in order, and whether they are for ever."""

    rows: Mapping[str, _Row]
    frozen: bool


_SHAPE: Final = "__record__"
_NO_METADATA: Final[Mapping[Any, Any]] = MappingProxyType({})


def _declare(cls: type, *, frozen: bool, eq: bool, order: bool, kw_only: bool) -> type:
    """The class anew, with slots. Bases that are no dataclasses add nothing."""
    own = _own_rows(cls, kw_only)
    rows: dict[str, _Row] = {}
    for base in reversed(cls.__mro__[1:]):
        if _SHAPE in base.__dict__:
            rows.update(getattr(base, _SHAPE).rows)
        elif "__dataclass_fields__" in base.__dict__:
            raise TypeError(f"{cls.__qualname__}: its base {base.__qualname__} is a dataclass of another kind")
    inherited = set(rows)
    rows.update(own)
    skipped = {*own, "__dict__", "__weakref__"}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in skipped}
    namespace[_SHAPE] = _Shape(rows, frozen)
    namespace["__slots__"] = tuple(name for name in own if name not in inherited)
    namespace["__match_args__"] = tuple(name for name, row in rows.items() if not row.kw_only)
    namespace["__dataclass_fields__"] = _FIELDS
    namespace["__dataclass_params__"] = _PARAMETERS
    for name, method in _methods(rows, frozen=frozen, eq=eq, order=order).items():
        namespace.setdefault(name, method)
    made = type(cls)(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _own_rows(cls: type, kw_only: bool) -> dict[str, _Row]:
    if "__post_init__" in cls.__dict__ or "__slots__" in cls.__dict__:
        raise TypeError(f"{cls.__qualname__}: these dataclasses have no `__post_init__` and no slots of their own")
    annotations: dict[str, Any] = vars(cls).get("__annotations__", {})
    return {
        name: _row(annotation, cls.__dict__.get(name, MISSING), kw_only)
        for name, annotation in annotations.items()
        if not str(annotation).startswith(("ClassVar", "typing.ClassVar"))
    }


def _row(annotation: Any, given: Any, kw_only: bool) -> _Row:
    if str(annotation).startswith(("InitVar", "dataclasses.InitVar")):
        raise TypeError("these dataclasses know no InitVar")
    if not isinstance(given, dataclasses.Field):
        return _Row(annotation, given, MISSING, kw_only, True, _NO_METADATA)
    if not given.init or not given.repr or given.hash is not None:
        raise TypeError("these dataclasses know no field without `init` or `repr`, and none with `hash`")
    alone = kw_only if given.kw_only is MISSING else given.kw_only
    return _Row(annotation, given.default, given.default_factory, alone, given.compare, given.metadata)


def metadata_of(cls: type) -> dict[str, Mapping[Any, Any]]:
    """The metadata of each field of any dataclass, by its name: what `dataclasses.fields` tells at a higher cost."""
    if (shape := getattr(cls, _SHAPE, None)) is not None:
        return {name: row.metadata for name, row in shape.rows.items()}
    return {row.name: row.metadata for row in dataclasses.fields(cls)}


# Methods that all classes share.


def _methods(rows: Mapping[str, _Row], *, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    compared = [name for name, row in rows.items() if row.compare]
    methods: dict[str, Any] = {"__init__": _first_init, "__repr__": _repr, "__values__": _getter(compared)}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse, "__getstate__": _state, "__setstate__": _restore}
    if eq:
        methods |= {"__eq__": _equal, "__hash__": _hash if frozen else None}
    if order:
        methods |= {"__lt__": _less, "__le__": _at_most, "__gt__": _greater, "__ge__": _at_least}
    return methods


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else _nothing


class _Nothing:
    """Gets the values of a class without fields; no function, which would be bound as a method."""

    def __call__(self, _: Any) -> tuple[()]:
        return ()


_nothing: Final = _Nothing()


def _first_init(self: Any, *values: Any, **named: Any) -> None:
    """Compile the `__init__` of a class as its first instance is made."""
    owner = next(cls for cls in type(self).__mro__ if cls.__dict__.get("__init__") is _first_init)
    compiled = _compiled_init(owner)
    type.__setattr__(owner, "__init__", compiled)
    compiled(self, *values, **named)


def _compiled_init(owner: Any) -> Callable[..., None]:
    shape: _Shape = getattr(owner, _SHAPE)
    known: dict[str, Any] = {"MISSING": MISSING}
    body = []
    for name, row in shape.rows.items():
        known[f"set_{name}"] = getattr(owner, name).__set__
        known[f"default_{name}"] = row.default if row.factory is MISSING else MISSING
        known[f"make_{name}"] = row.factory
        value = name if row.factory is MISSING else f"make_{name}() if {name} is MISSING else {name}"
        body.append(f" set_{name}(self, {value})" if shape.frozen else f" self.{name} = {value}")
    source = f"def __init__(self{_parameters(shape.rows)}):\n" + "\n".join(body or [" pass"])
    exec(source, known)
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{owner.__qualname__}.__init__"
    return init


def _parameters(rows: Mapping[str, _Row]) -> str:
    written = {name: f"{name}=default_{name}" if row.is_optional else name for name, row in rows.items()}
    free = [text for name, text in written.items() if not rows[name].kw_only]
    named = [text for name, text in written.items() if rows[name].kw_only]
    return "".join(f", {text}" for text in (*free, *(["*", *named] if named else [])))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in getattr(self, _SHAPE).rows)
    return f"{type(self).__qualname__}({shown})"


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__values__(self) == self.__values__(other)


def _hash(self: Any) -> int:
    return hash(self.__values__(self))


def _less(self: Any, other: Any) -> Any:
    return self.__values__(self) < self.__values__(other) if other.__class__ is self.__class__ else NotImplemented


def _at_most(self: Any, other: Any) -> Any:
    return self.__values__(self) <= self.__values__(other) if other.__class__ is self.__class__ else NotImplemented


def _greater(self: Any, other: Any) -> Any:
    return self.__values__(self) > self.__values__(other) if other.__class__ is self.__class__ else NotImplemented


def _at_least(self: Any, other: Any) -> Any:
    return self.__values__(self) >= self.__values__(other) if other.__class__ is self.__class__ else NotImplemented


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise FrozenInstanceError(f"cannot change `{name}` of a {type(self).__qualname__}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in getattr(self, _SHAPE).rows]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(getattr(self, _SHAPE).rows, state, strict=True):
        object.__setattr__(self, name, value)


# What the standard library asks dataclasses for.


class _FromStandard:
    """An attribute that is taken from a standard dataclass of the same fields when somebody asks for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _: Any, owner: Any) -> Any:
        shape: _Shape = getattr(owner, _SHAPE)
        rows = [(name, row.annotation, _field(row)) for name, row in shape.rows.items()]
        twin = dataclasses.make_dataclass(owner.__name__, rows, frozen=shape.frozen)
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(owner, name, getattr(twin, name))
        return getattr(twin, self._name)


_FIELDS: Final = _FromStandard("__dataclass_fields__")
_PARAMETERS: Final = _FromStandard("__dataclass_params__")


def _field(row: _Row) -> Any:
    rest: dict[str, Any] = {"kw_only": row.kw_only, "compare": row.compare, "metadata": row.metadata}
    if row.factory is not MISSING:
        return dataclasses.field(default_factory=row.factory, **rest)
    return dataclasses.field(default=row.default, **rest)
