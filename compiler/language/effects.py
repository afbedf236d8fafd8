"""THE effects: what a program can ask of its host, and whether it waits for the answer.

An operation of the language becomes one `EMIT` with the arguments named here, all of them always
given. `reply` is the kinds of what comes back. `reaches` says which arguments name something outside of the
connection, and where in a manifest it stands (`compiler.bytecode.program.Manifest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compiler.language.hooks import HOOKS
from compiler.language.values import Kind
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """A row: name, arguments with their kinds, the reply's kinds, whether a hook waits for it, in which hooks it may be,
    and of the arguments that name what is reached the field of the manifest."""

    name: str
    arguments: tuple[tuple[str, Kind], ...]
    reply: Kind
    waits: bool
    doc: str
    hooks: frozenset[str]
    reaches: Mapping[str, str]

    @property
    def arity(self) -> int:
        """How many arguments it takes."""
        return len(self.arguments)


EFFECTS: Final[dict[str, Effect]] = {}
"""All effects, by name."""


_EVERYWHERE = frozenset(HOOKS)
_AUTH = frozenset({"on_auth"})
_ACCEPTED = _EVERYWHERE - _AUTH


def _effect(
    name: str,
    doc: str,
    *,
    reply: Kind,
    waits: bool = False,
    hooks: frozenset[str] = _EVERYWHERE,
    reaches: Mapping[str, str] | None = None,
    **arguments: Kind,
) -> Effect:
    EFFECTS[name] = Effect(name, tuple(arguments.items()), reply, waits, doc, hooks, dict(reaches or {}))
    return EFFECTS[name]


_PAYLOAD = Kind.ANY
_NUMBER, _TEXT, _NULL = Kind.NUMBER, Kind.TEXT, Kind.NULL

SEND = _effect(
    "send",
    "A frame to this connection. Replies 1, or 0 where it is closed.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    message=_PAYLOAD,
    binary=Kind.BOOLEAN,
)
SEND_TO = _effect(
    "send_to",
    "A frame to the connection with this id. Replies the number of recipients: 0 or 1.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    message=_PAYLOAD,
    binary=Kind.BOOLEAN,
    to=_TEXT,
)
BROADCAST = _effect(
    "broadcast",
    "A frame to all connections of the server. Replies the number of recipients.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    message=_PAYLOAD,
    binary=Kind.BOOLEAN,
    exclude_self=Kind.BOOLEAN,
)
PUBLISH = _effect(
    "publish",
    "A frame to all members of a channel. Replies the number of recipients.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    reaches={"channel": "channels"},
    message=_PAYLOAD,
    binary=Kind.BOOLEAN,
    exclude_self=Kind.BOOLEAN,
    channel=_TEXT,
)
SUBSCRIBE = _effect(
    "subscribe",
    "Join a channel. Replies its number of members. Raises channel-limit.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    reaches={"channel": "channels"},
    channel=_TEXT,
)
UNSUBSCRIBE = _effect(
    "unsubscribe",
    "Leave a channel. Replies its number of members.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    reaches={"channel": "channels"},
    channel=_TEXT,
)
CLOSE = _effect(
    "close",
    "Close this connection after the frames before it; the hook goes on. Replies 1, or 0 where it was closed.",
    reply=_NUMBER,
    hooks=_ACCEPTED,
    code=_NUMBER,
    reason=_TEXT,
)
LOG = _effect("log", "A line in the server's log and on the board.", reply=_NULL, level=_TEXT, message=_TEXT)
SLEEP = _effect("sleep", "Nothing for so many milliseconds.", reply=_NULL, waits=True, duration_ms=Kind.ANY)
SQL = _effect(
    "sql",
    "Run one statement. Replies rows, or `{rows_affected, last_insert_id}`.",
    reply=Kind.LIST | Kind.OBJECT | _NULL,
    waits=True,
    reaches={"query": "statements"},
    query=_TEXT,
    params=Kind.ANY,
    operation=_TEXT,
    fetch=_TEXT,
)
REDIS = _effect(
    "redis",
    "Run one command.",
    reply=Kind.ANY,
    waits=True,
    reaches={"key": "keys"},
    command=_TEXT,
    key=_TEXT,
    value=Kind.ANY,
    ttl_seconds=Kind.ANY,
)
HTTP = _effect(
    "http",
    "Make one request. Replies `{status, headers, body}`.",
    reply=Kind.OBJECT,
    waits=True,
    reaches={"url": "hosts"},
    method=_TEXT,
    url=_TEXT,
    headers=Kind.ANY,
    body=Kind.ANY,
    timeout_ms=Kind.ANY,
)
REJECT = _effect(
    "reject", "Refuse the handshake. Only in on_auth.", reply=_NULL, hooks=_AUTH, status=_NUMBER, reason=_TEXT
)
