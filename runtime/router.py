"""Addresses: which route answers a path, and what its parameters are (language section 3).

A tree of segments: every node has its literal continuations in a dictionary and at most one
continuation for a parameter. A path is split at `/`, each segment percent-decoded once, and the tree
walked left to right with the literal tried first, so that `/ws/chat/help` wins over `/ws/chat/:room`.
The walk visits each node once at most: its cost is bounded by the number of routes, never exponential.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

from compiler.language.paths import PathPattern

API_PREFIX: Final = "/api"
"""Routes are served under this prefix as well, unless the settings name another."""

_NO_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")

Target = TypeVar("Target")


class BadPath(ValueError):
    """A path that no client should send: its percent-encoding is not UTF-8. Answered with 400."""


@dataclass(slots=True)  # not frozen: made for each handshake
class Match(Generic[Target]):
    """What a path led to, and the values of the pattern's parameters by name."""

    target: Target
    params: dict[str, str]


@dataclass(slots=True)
class _Leaf(Generic[Target]):
    target: Target
    parameters: tuple[str, ...]


@dataclass(slots=True)
class _Node(Generic[Target]):
    literals: dict[str, _Node[Target]] = field(default_factory=dict)
    parameter: _Node[Target] | None = None
    leaf: _Leaf[Target] | None = None


def addresses(pattern: PathPattern, prefix: str = API_PREFIX) -> tuple[PathPattern, ...]:
    """Both addresses of a route: its path, and the same under the prefix unless it stands there already."""
    return pattern.addresses(prefix)


def decode_segment(segment: str) -> str:
    """A segment with its percent-encoding resolved once. Raises BadPath where that is not UTF-8 text."""
    if "%" not in segment:
        return segment
    if _NO_ESCAPE.search(segment):
        raise BadPath("a `%` in the path is not followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise BadPath("the path is not percent-encoded UTF-8") from None


class Router(Generic[Target]):
    """An immutable set of patterns. Of two patterns of one shape the first given wins."""

    __slots__ = ("_root",)

    def __init__(self, routes: Iterable[tuple[PathPattern, Target]], prefix: str = API_PREFIX) -> None:
        self._root: _Node[Target] = _Node()
        for pattern, target in routes:
            for address in addresses(pattern, prefix):
                self._insert(address, target)

    def _insert(self, pattern: PathPattern, target: Target) -> None:
        node = self._root
        for segment in pattern.segments:
            node = self._continuation(node, segment)
        if node.leaf is None:
            node.leaf = _Leaf(target, pattern.parameters)

    @staticmethod
    def _continuation(node: _Node[Target], segment: str) -> _Node[Target]:
        if not segment.startswith(":"):
            return node.literals.setdefault(segment, _Node())
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter

    def find(self, path: str) -> Match[Target] | None:
        """The route at a path as it was sent, without its query. Raises BadPath for bad encoding."""
        if not path.startswith("/"):
            return None
        segments = [decode_segment(segment) for segment in path[1:].split("/")]
        values: list[str] = []
        leaf = _walk(self._root, segments, 0, values)
        return None if leaf is None else Match(leaf.target, dict(zip(leaf.parameters, values, strict=True)))


def _walk(node: _Node[Target], segments: list[str], depth: int, values: list[str]) -> _Leaf[Target] | None:
    """The first leaf below a node that takes the remaining segments; parameters' values are left in `values`."""
    if depth == len(segments):
        return node.leaf
    segment = segments[depth]
    literal = node.literals.get(segment)
    if literal is not None and (leaf := _walk(literal, segments, depth + 1, values)) is not None:
        return leaf
    if node.parameter is None or not segment:
        return None
    values.append(segment)
    if (leaf := _walk(node.parameter, segments, depth + 1, values)) is None:
        values.pop()
    return leaf
