"""What is known of values while a chunk is translated: sets of kinds, finer than those of the language.

A fact only ever deletes a guard. Where nothing is known, the guard stands, and the code is right all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from compiler.language.values import Kind, Value

NULL: Final = 1
BOOLEAN: Final = 2
NATURAL: Final = 4
NEGATIVE: Final = 8
FLOAT: Final = 16
TEXT: Final = 32
LIST: Final = 64
OBJECT: Final = 128
WHOLE: Final = NATURAL | NEGATIVE
NUMBER: Final = WHOLE | FLOAT
ANY: Final = 255
INEXACT: Final = 256
"""Besides others: a float that may be whole, where the helper would give an int."""

_OF_KIND: Final = {
    Kind.NULL: NULL,
    Kind.BOOLEAN: BOOLEAN,
    Kind.NUMBER: NUMBER,
    Kind.TEXT: TEXT,
    Kind.LIST: LIST,
    Kind.OBJECT: OBJECT,
}
OF_CLASS: Final = {int: WHOLE, str: TEXT, list: LIST, dict: OBJECT}
"""What passes a guard for a class. An error value is an object, but its class is its own: see `may_skip`."""


def of_kinds(kinds: Kind) -> int:
    """The facts in kinds of the language."""
    return sum(fact for kind, fact in _OF_KIND.items() if kind in kinds)


def of_value(value: Value) -> int:
    """The one fact of a constant."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return NATURAL if value >= 0 else NEGATIVE
    if isinstance(value, float):
        return FLOAT
    return {type(None): NULL, str: TEXT, list: LIST, dict: OBJECT}[value.__class__]


@dataclass(slots=True)
class Facts:
    """What holds at one place of the code: which Python variables have their value, and of which kinds it is.

    `texts` are the variables whose text stands in a variable of its own.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    reachable: bool = True

    def copy(self) -> Facts:
        """The same facts, to be changed on another path."""
        return Facts(dict(self.kinds), set(self.texts), self.reachable)

    def set(self, name: str, kinds: int) -> None:
        """A variable gets a value."""
        self.kinds[name] = kinds
        self.texts.discard(name)

    def forget(self, names: Iterable[str]) -> None:
        """These variables may have been set to anything; those that had a value have one."""
        for name in names:
            if name in self.kinds:
                self.set(name, ANY)


def merged(paths: Iterable[Facts]) -> Facts:
    """What holds where these paths meet."""
    living = [path for path in paths if path.reachable]
    if not living:
        return Facts(reachable=False)
    first, *others = living
    kinds = dict(first.kinds)
    texts = set(first.texts)
    for other in others:
        kinds = {name: kinds[name] | known for name, known in other.kinds.items() if name in kinds}
        texts &= other.texts
    return Facts(kinds, texts)
