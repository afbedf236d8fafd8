"""What the options of a route let in, and how that differs between two versions of it.

Of each option that decides who gets in and how much they may do, there is a row: how it reads, and whether one value
lets in more than another. Names of keys are compared and shown, never what they hold. What is not understood counts as
more: a program file may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from compiler.language.values import Value
from compiler.records import dataclass

Options: TypeAlias = Mapping[str, Any]
DEFAULT_BURST: Final = 10
"""Messages at once where a `rate_limit` says nothing else."""
OWN_PAGES: Final = "pages of the server's own host"
FITS_KEY: Final = "what fits the key"
_USUAL: Final = frozenset({"RS256", "ES256", "ES384", "ES512", "EdDSA"})
"""The algorithms that count for some key file where a route names none; no two of them fit one key."""
_DEFAULT_OF_SECRETS: Final = "HS256"


@dataclass(frozen=True, slots=True)
class OptionChange:
    """An option that is another than before. A value is None where it is not there."""

    key: str
    before: Value
    after: Value
    widens: bool
    """Whether it lets in what the one before did not."""

    def __str__(self) -> str:
        """As people read it: `limits.max_connections: 100 → 1000`."""
        return f"{self.key}: {self._spelled(self.before)} → {self._spelled(self.after)}"

    def _spelled(self, value: Value) -> str:
        return _ROWS[self.key].absent if value is None else spelled(value)


def spelled(value: Value) -> str:
    """A value of an option, for people."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {spelled(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(spelled, value)) or "none"
    return str(value)


def compare_options(before: Options, after: Options) -> Iterator[OptionChange]:
    """The options that differ."""
    for key, row in _ROWS.items():
        old, new = row.read(before), row.read(after)
        if old != new:
            yield OptionChange(key, old, new, row.lets_in(old, new))


@dataclass(frozen=True, slots=True)
class _Row:
    read: Callable[[Options], Value]
    lets_in: Callable[[Value, Value], bool]
    """Whether the second of two different values lets in what the first does not."""
    absent: str = "none"
    """What it is in words where it is not there."""


# How options read.


def _part(options: Options, key: str) -> Options | None:
    part = options.get(key)
    return part if isinstance(part, Mapping) else None


def _jwt(options: Options) -> Options | None:
    auth = _part(options, "auth")
    return None if auth is None else _part(auth, "jwt") or {}


def _key(options: Options) -> Value:
    """What tokens are checked with, by its name."""
    jwt = _jwt(options)
    return None if jwt is None else {name: jwt[name] for name in ("secret_env", "public_key_file") if name in jwt}


def _algorithms(options: Options) -> Value:
    jwt = _jwt(options)
    if jwt is None:
        return None
    named: Value = jwt.get("algorithms")
    return named or [_DEFAULT_OF_SECRETS if "secret_env" in jwt else FITS_KEY]


def _of_token(key: str, default: Value = None) -> Callable[[Options], Value]:
    def read(options: Options) -> Value:
        jwt = _jwt(options)
        found: Value = None if jwt is None else jwt.get(key, default)
        return found

    return read


def _rate(key: str, default: Value = None) -> Callable[[Options], Value]:
    def read(options: Options) -> Value:
        written = options.get("rate_limit")
        if written is None:
            return None
        part: Options = written if isinstance(written, Mapping) else {"messages_per_minute": written}
        found: Value = part.get(key, default)
        return found

    return read


def _of(part: str, key: str) -> Callable[[Options], Value]:
    return lambda options: (_part(options, part) or {}).get(key)


# What lets in more. The two values differ.


def _is_other(before: Value, _: Value) -> bool:
    """A condition: another one, or none any more."""
    return before is not None


def _is_looser(before: Value, after: Value) -> bool:
    """A bound, which is not there where it is None."""
    return before is not None and (after is None or _is_more(before, after))


def _keeps_more(before: Value, after: Value) -> bool:
    """A quantity, of which there is nothing where it is None."""
    return after is not None and (before is None or _is_more(before, after))


def _is_more(before: Value, after: Value) -> bool:
    return not (isinstance(before, int | float) and isinstance(after, int | float)) or after > before


def _accepts_more(before: Value, after: Value) -> bool:
    """Algorithms; None where everybody gets in without a token."""
    if before is None or after is None:
        return before is not None
    old, new = _entries(before), _entries(after)
    if FITS_KEY in new:
        return not old & _USUAL
    return not new <= (_USUAL if FITS_KEY in old else old)


def _welcomes_more(before: Value, after: Value) -> bool:
    """Origins; None is the server's own pages."""
    old = {OWN_PAGES} if before is None else _entries(before)
    new = {OWN_PAGES} if after is None else _entries(after)
    return "*" not in old and not new <= old


def _entries(value: Value) -> set[str]:
    return set(map(str, value)) if isinstance(value, list) else {str(value)}


_SERVERS: Final = "the server's"
_ROWS: Final[Mapping[str, _Row]] = {
    "auth.jwt": _Row(_key, _is_other),
    "auth.jwt.algorithms": _Row(_algorithms, _accepts_more),
    "auth.jwt.audience": _Row(_of_token("audience"), _is_other, "any"),
    "auth.jwt.issuer": _Row(_of_token("issuer"), _is_other, "any"),
    "auth.jwt.leeway": _Row(_of_token("leeway", 0), _is_looser),
    "origins": _Row(lambda options: options.get("origins"), _welcomes_more, OWN_PAGES),
    "rate_limit.messages_per_minute": _Row(_rate("messages_per_minute"), _is_looser, "any number"),
    "rate_limit.burst": _Row(_rate("burst", DEFAULT_BURST), _is_looser, "any number"),
    "limits.max_connections": _Row(_of("limits", "max_connections"), _is_looser, _SERVERS),
    "limits.max_message_bytes": _Row(_of("limits", "max_message_bytes"), _is_looser, _SERVERS),
    "limits.hook_timeout": _Row(_of("limits", "hook_timeout"), _is_looser, _SERVERS),
    "limits.idle_timeout": _Row(_of("limits", "idle_timeout"), _is_looser, "any time"),
    "history.size": _Row(_of("history", "size"), _keeps_more),
    "history.ttl": _Row(_of("history", "ttl"), _keeps_more),
}
