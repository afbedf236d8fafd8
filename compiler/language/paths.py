"""Path patterns: the addresses of routes (language section 3)."""

from __future__ import annotations

import re
from typing import Final

from compiler.records import dataclass

_PARAMETER: Final = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BEGUN: Final = re.compile(r"[:{]([A-Za-z_][A-Za-z0-9_]*)")

SERVER_PATHS: Final = ("/healthz", "/readyz", "/metrics", "/__worpen__")
"""Addresses that the server keeps for itself."""
_SERVER_TREE: Final = "/__worpen__/"
"""And all that begins like this."""


class PathError(ValueError):
    """A path that is not well formed: what is wrong, at which offset in the path, and for how many characters."""

    def __init__(self, message: str, offset: int, length: int = 1) -> None:
        super().__init__(message)
        self.offset = offset
        self.length = length


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed path: one entry a segment, the literal text, or the parameter's name after a colon."""

    segments: tuple[str, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(segment[1:] for segment in self.segments if segment.startswith(":"))

    @property
    def shape(self) -> tuple[str, ...]:
        """The segments with parameters unnamed: two patterns of one shape match the same addresses."""
        return tuple(":" if segment.startswith(":") else segment for segment in self.segments)

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)

    def prefixed(self, prefix: str) -> PathPattern:
        """The same path under a prefix such as `/api`."""
        return PathPattern((*prefix.strip("/").split("/"), *self.segments))

    def addresses(self, prefix: str) -> tuple[PathPattern, ...]:
        """Where a route of this path is served: here, and under the prefix unless the path begins with it already."""
        under = tuple(prefix.strip("/").split("/")) if prefix.strip("/") else ()
        if not under or (len(self.segments) > len(under) and self.segments[: len(under)] == under):
            return (self,)
        return (self, self.prefixed(prefix))


def parse_path(path: str) -> PathPattern:
    """Read a route's `path`. Raises PathError with the place of the first mistake."""
    if not path.startswith("/"):
        raise PathError("a path starts with `/`", 0, max(1, len(path)))
    if path in SERVER_PATHS or path.startswith(_SERVER_TREE):
        raise PathError(f"`{path}` is the server's own address", 0, len(path))
    segments: list[str] = []
    offset = 1
    for text in path[1:].split("/"):
        segment = _segment(text, offset)
        if segment.startswith(":") and segment in segments:
            raise PathError(f"the parameter `{segment[1:]}` is given twice", offset, len(text))
        segments.append(segment)
        offset += len(text) + 1
    return PathPattern(tuple(segments))


def _segment(text: str, offset: int) -> str:
    if not text:
        raise PathError("a path has no empty segment, and does not end with `/`", offset - 1)
    if (braces := text.find("{{")) >= 0:
        raise PathError("a path holds `:name` parameters, not {{ }} templates", offset + braces, 2)
    if match := _PARAMETER.fullmatch(text):
        return ":" + (match[1] or match[2])
    for place, character in enumerate(text):
        if (message := _forbidden(character, text)) is not None:
            raise PathError(message, offset + place, len(text) - place if character in ":{" else 1)
    return text


def _forbidden(character: str, segment: str) -> str | None:
    if character.isspace():
        return "a path holds no blank"
    if ord(character) < 32 or ord(character) == 127:
        return "a path holds no control character"
    if character == "?":
        return "a path holds no query string (`?`); query keys need no declaration"
    if character == "#":
        return "a path holds no fragment (`#`)"
    if character == "*":
        return "`*` is not supported in a path; a parameter is a whole segment, `:name`"
    if character in ":{}":
        return _bad_parameter(segment)
    return None


def _bad_parameter(segment: str) -> str:
    name = segment.strip(":{}")
    if segment[0] in ":{" and not _NAME.fullmatch(name):
        rule = "a letter or `_`, then letters, digits and `_`"
        return f"`{name}` is not a parameter's name: {rule}" if name else f"a parameter has a name: {rule}"
    meant = _BEGUN.search(segment)
    return f"a parameter is a whole segment: `/:{meant[1] if meant else 'name'}`, not `{segment}`"
