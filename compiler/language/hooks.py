"""THE hooks and the variables that each one sees (language section 4)."""

from __future__ import annotations

from typing import Final

from compiler.language.values import Kind
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook: when it runs, and whether it can run more than once in a connection's life."""

    name: str
    order: int
    repeats: bool
    doc: str


@dataclass(frozen=True, slots=True)
class Input:
    """A variable that the server provides: its kinds, the hooks that see it, and its members.

    `nullable_members`: any member may be asked for, and a missing one is null.
    """

    name: str
    kinds: Kind
    hooks: frozenset[str]
    doc: str
    nullable_members: bool = False


HOOKS: Final = {
    hook.name: hook
    for hook in (
        Hook("on_auth", 0, False, "Before the handshake is accepted; may `Reject` it."),
        Hook("on_connect", 1, False, "When a connection is established, before its first message."),
        Hook("on_message", 2, True, "For each message, in order of arrival."),
        Hook("on_disconnect", 3, False, "Once, when the connection is over, whatever ended it."),
    )
}
"""All hooks, in the order in which they run."""

_ALL = frozenset(HOOKS)
_MESSAGE = frozenset({"on_message"})
_DISCONNECT = frozenset({"on_disconnect"})

INPUTS: Final = {
    row.name: row
    for row in (
        Input("connection_id", Kind.TEXT, _ALL, "The connection's id, a UUID."),
        Input("message", Kind.TEXT, _MESSAGE, "The message: text, or with a codec the decoded value."),
        Input("message_type", Kind.TEXT, _MESSAGE, "`text` or `binary`."),
        Input("params", Kind.OBJECT, _ALL, "The values of the path's `:name` segments."),
        Input("query", Kind.OBJECT, _ALL, "The values after `?` in the address; a missing key is null.", True),
        Input("headers", Kind.OBJECT, _ALL, "Headers of the handshake, lower case, `_` for `-`; a missing one is null.", True),
        Input("user", Kind.OBJECT | Kind.NULL, _ALL, "The verified claims; null without `auth`.", True),
        Input("close_code", Kind.NUMBER, _DISCONNECT, "Why the connection closed; 1006 where no close frame came."),
        Input("close_reason", Kind.TEXT, _DISCONNECT, "The reason in the close frame, often empty."),
        Input("route", Kind.TEXT, _ALL, "The name of the route."),
        Input("remote_addr", Kind.TEXT, _ALL, "The client's IP address."),
    )
}
"""All variables that the server provides; a program refers to them by their place in this order."""

INPUT_NUMBERS: Final = {name: number for number, name in enumerate(INPUTS)}
"""The place of each input in `INPUTS`."""

RESERVED_NAMES: Final = (frozenset(INPUTS) - {"message"}) | {"loop", "error", "true", "false", "null", "and", "or", "not"}
"""Names that no operation can set."""

HOOK_SYNONYMS: Final = {
    "on_open": "on_connect", "on_connection": "on_connect", "on_join": "on_connect", "connect": "on_connect",
    "on_close": "on_disconnect", "on_leave": "on_disconnect", "disconnect": "on_disconnect",
    "on_receive": "on_message", "on_data": "on_message", "message": "on_message", "on_text": "on_message",
    "on_authenticate": "on_auth",
}
"""What other systems call the hooks."""
