"""THE keys of a route (language section 2), and a route as read.

Keys that are data for the server (`codec`, `limits`, …) are declared by shapes; the reader checks them and
keeps them as plain values in `Route.options`, absent where they are at their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from compiler.diagnostics.source import SourceFile, Span
from compiler.language.paths import PathPattern
from compiler.language.values import Value
from compiler.operations.model import Block
from compiler.syntax.fields import TextField, Written


@dataclass(frozen=True, slots=True)
class Text:
    """Text; `filled`: not blank."""

    filled: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of at least `minimum`; `whole` numbers only, or fractions too."""

    minimum: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    item: Shape
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """A mapping of variable names to variable names."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with known keys. `one_of`: exactly one of these must be there."""

    rows: Mapping[str, Key]
    one_of: tuple[str, ...] = ()
    shorthand: tuple[str, Amount] | None = None


Shape: TypeAlias = Text | Flag | Word | Amount | ListOf | Names | Keys


@dataclass(frozen=True, slots=True)
class Key:
    """A key with its shape. `default` is for people, and equal values are left out of the program."""

    shape: Shape | None
    doc: str
    required: bool = False
    default: Value = None


_ALGORITHMS: Final = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
_JWT: Final = Keys(
    {
        "secret_env": Key(Text(filled=True), "The environment variable that holds the shared secret."),
        "public_key_file": Key(Text(filled=True), "A file with the public key in PEM form."),
        "algorithms": Key(
            ListOf(Word(_ALGORITHMS), filled=True), "The signature algorithms that are accepted.", required=True
        ),
        "audience": Key(Text(filled=True), "What the `aud` claim must hold."),
        "issuer": Key(Text(filled=True), "What the `iss` claim must be."),
    },
    one_of=("secret_env", "public_key_file"),
)
_LIMITS: Final = Keys(
    {
        "max_message_bytes": Key(Amount(1), "The largest message, in bytes."),
        "max_connections": Key(Amount(1), "The most connections of this route."),
        "idle_timeout": Key(Amount(1, whole=False), "Seconds without a message until the connection is closed."),
        "hook_timeout": Key(Amount(0.001, whole=False), "Seconds that one run of a hook may take."),
    }
)
_RATE: Final = Keys(
    {
        "messages_per_minute": Key(Amount(1, whole=False), "How many messages a minute, on average.", required=True),
        "burst": Key(Amount(1), "How many at once.", default=10),
    },
    shorthand=("messages_per_minute", Amount(1, whole=False)),
)
_HISTORY: Final = Keys(
    {
        "size": Key(Amount(1), "How many messages a channel keeps.", required=True),
        "ttl": Key(Amount(1, whole=False), "For how many seconds.", required=True),
    }
)

ROUTE_KEYS: Final[dict[str, Key]] = {
    "name": Key(Text(filled=True), "What the route is called in logs and on the board.", required=True),
    "description": Key(Text(), "What it is for.", default=""),
    "path": Key(None, "Its address: `/ws/chat/:room`.", required=True),
    "route_type": Key(None, "`WebSocket`.", required=True),
    "ws_hooks": Key(None, "What happens when: lists of operations under the names of hooks.", required=True),
    "enabled": Key(Flag(), "False: the route is served as if it did not exist.", default=True),
    "version": Key(None, "A version of your own, kept as text.", default="1.0.0"),
    "subscribe": Key(None, "Channels that a connection joins, instead of those its hooks name."),
    "codec": Key(Word(("text", "json", "msgpack")), "How messages are decoded and encoded.", default="text"),
    "rate_limit": Key(_RATE, "How many messages a connection may send; more are dropped. A number means a minute's."),
    "auth": Key(Keys({"jwt": Key(_JWT, "A JSON Web Token.", required=True)}), "Who may connect."),
    "origins": Key(ListOf(Text(filled=True)), "`Origin` values that browsers may come from, or `*`."),
    "limits": Key(_LIMITS, "Limits of this route, narrower than the server's."),
    "compression": Key(Flag(), "permessage-deflate on this route."),
    "history": Key(_HISTORY, "Messages that each channel keeps for clients that come back."),
    "on_reload": Key(Names(), "Variables that are renamed when the route is reloaded: old to new."),
}  # fmt: skip
"""All keys, in the order in which people write them. A shape of None: the reader knows how."""

HTTP_KEYS: Final = ("method", "logic", "parameters", "response_schema", "auth_required", "response", "middleware")
"""Keys of HTTP routes, which are not served."""

ROUTE_KEY_SYNONYMS: Final = {
    "type": "route_type", "kind": "route_type", "hooks": "ws_hooks", "websocket_hooks": "ws_hooks", "handlers": "ws_hooks",
    "events": "ws_hooks", "url": "path", "address": "path", "endpoint": "path", "title": "name", "id": "name", "channels": "subscribe",
    "ratelimit": "rate_limit", "throttle": "rate_limit", "authentication": "auth", "cors": "origins", "allowed_origins": "origins",
    "disabled": "enabled", "active": "enabled", "desc": "description", "compress": "compression", "encoding": "codec", "format": "codec",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """A route as read. `broken`: a part could not be read, so that findings about what is missing would be consequences.

    `possibly_set` are names that a part which could not be read seems to set.
    """

    source: SourceFile
    span: Span
    document: int
    name: Written[str]
    path: Written[str]
    pattern: PathPattern | None
    hooks: Mapping[str, Block]
    subscribe: tuple[TextField, ...] | None
    options: Mapping[str, Value]
    broken: bool
    possibly_set: frozenset[str] = field(default=frozenset())

    @property
    def has_auth(self) -> bool:
        """Whether `user` can be anything but null."""
        return "auth" in self.options

    @property
    def codec(self) -> str:
        """`text`, `json` or `msgpack`."""
        return str(self.options.get("codec", "text"))

    @property
    def enabled(self) -> bool:
        """Whether it is served."""
        return self.options.get("enabled", True) is True
