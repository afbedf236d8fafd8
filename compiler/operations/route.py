"""THE keys of a route (language section 2), and a route as read.

Keys are declared by shapes. Those that are data for the server (`codec`, `limits`, …) are checked and kept as
plain values in `Route.options`, absent where they are at their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, TypeAlias

from compiler.bytecode.options import DEFAULT_BURST
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.paths import PathPattern
from compiler.language.values import Value
from compiler.operations.model import Block
from compiler.records import dataclass
from compiler.syntax.fields import TextField, Written


@dataclass(frozen=True, slots=True)
class Text:
    """Text. `filled`: not blank; `plain`: without templates; `form`: what all of it must match, and that in words."""

    filled: bool = False
    plain: bool = False
    form: tuple[str, str] | None = None


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
    """A mapping with known keys. `one_of`: exactly one of these must be there.

    `shorthand`: instead of the mapping there may be a number, which means this key. `synonyms` are for suggestions.
    """

    rows: Mapping[str, Key]
    one_of: tuple[str, ...] = ()
    shorthand: tuple[str, Amount] | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """A path pattern (language section 3)."""


@dataclass(frozen=True, slots=True)
class RouteType:
    """`WebSocket`, compared without case, `_` and `-`; `words` are its spellings folded so."""

    words: tuple[str, ...] = ("websocket", "ws")


@dataclass(frozen=True, slots=True)
class Version:
    """Text or a number, kept as text, as written."""


@dataclass(frozen=True, slots=True)
class Channels:
    """A list of text templates that name channels."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """A mapping of hooks to lists of operations; at least one is not empty."""


Shape: TypeAlias = (
    Text | Flag | Word | Amount | ListOf | Names | Keys | Address | RouteType | Version | Channels | Hooks
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key with its shape. `example` is a value as YAML on one line; values equal to `default` are left out of the
    program."""

    shape: Shape
    doc: str
    example: str
    required: bool = False
    default: Value = None


_ENVIRONMENT_NAME: Final = (r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")
_ORIGIN: Final = (r"\*|[A-Za-z][A-Za-z0-9+.-]*://[^/\s?#@]+", "`scheme://host`, `scheme://host:port` or `*`")
_ALGORITHMS: Final = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
_JWT: Final = Keys(
    {
        "secret_env": Key(
            Text(filled=True, form=_ENVIRONMENT_NAME),
            "The environment variable that holds the shared secret.",
            "JWT_SECRET",
        ),
        "public_key_file": Key(Text(filled=True), "A file with the public key, PEM or JWK.", "keys/public.pem"),
        "algorithms": Key(
            ListOf(Word(_ALGORITHMS), filled=True),
            "The signature algorithms that are accepted; without them HS256 for a secret, and what fits a key.",
            "[HS256]",
        ),
        "audience": Key(Text(filled=True), "What the `aud` claim must hold.", "chat"),
        "issuer": Key(Text(filled=True), "What the `iss` claim must be.", '"https://login.example.com"'),
        "leeway": Key(Amount(0, whole=False), "Seconds that clocks may differ by.", "30"),
    },
    one_of=("secret_env", "public_key_file"),
    synonyms={
        "secret": "secret_env", "key": "secret_env", "secret_key": "secret_env", "public_key": "public_key_file",
        "algorithm": "algorithms", "alg": "algorithms", "aud": "audience", "iss": "issuer",
    },
)  # fmt: skip
_LIMITS: Final = Keys(
    {
        "max_message_bytes": Key(Amount(1), "The largest message, in bytes.", "4096"),
        "max_connections": Key(Amount(1), "The most connections of this route.", "100"),
        "idle_timeout": Key(Amount(1, whole=False), "Seconds without a message until the connection is closed.", "300"),
        "hook_timeout": Key(Amount(0.001, whole=False), "Seconds that one run of a hook may take.", "2.5"),
    }
)
_RATE: Final = Keys(
    {
        "messages_per_minute": Key(
            Amount(1, whole=False), "How many messages a minute, on average.", "60", required=True
        ),
        "burst": Key(Amount(1), "How many at once.", "10", default=DEFAULT_BURST),
    },
    shorthand=("messages_per_minute", Amount(1, whole=False)),
    synonyms={"per_minute": "messages_per_minute", "limit": "messages_per_minute", "max": "burst"},
)
_HISTORY: Final = Keys(
    {
        "size": Key(Amount(1), "How many messages a channel keeps.", "50", required=True),
        "ttl": Key(Amount(1, whole=False), "For how many seconds.", "3600", required=True),
    },
    synonyms={"limit": "size", "max": "size", "count": "size", "seconds": "ttl", "ttl_seconds": "ttl"},
)
_AUTH: Final = Keys(
    {"jwt": Key(_JWT, "A JSON Web Token.", "{secret_env: JWT_SECRET, algorithms: [HS256]}", required=True)}
)

ROUTE_KEYS: Final[dict[str, Key]] = {
    "name": Key(
        Text(filled=True, plain=True), "What the route is called in logs and on the board.", "Chat", required=True
    ),
    "description": Key(Text(), "What it is for.", "A room for everybody", default=""),
    "path": Key(Address(), "Its address.", '"/ws/chat/:room"', required=True),
    "route_type": Key(RouteType(), "Always `WebSocket`.", "WebSocket", required=True),
    "ws_hooks": Key(
        Hooks(),
        "What happens when: lists of operations under the names of hooks.",
        '{on_message: [{WsOp: {command: send, message: "{{ message }}"}}]}',
        required=True,
    ),
    "enabled": Key(Flag(), "False: the route is served as if it did not exist.", "false", default=True),
    "version": Key(Version(), "A version of your own, kept as text.", '"2.1.0"', default="1.0.0"),
    "subscribe": Key(
        Channels(), "Channels that a connection joins, instead of those its hooks name.", '["room:{{ params.room }}"]'
    ),
    "codec": Key(Word(("text", "json", "msgpack")), "How messages are decoded and encoded.", "json", default="text"),
    "rate_limit": Key(
        _RATE,
        "How many messages a connection may send; more are dropped. A number means a minute's.",
        "{messages_per_minute: 60, burst: 10}",
    ),
    "auth": Key(_AUTH, "Who may connect.", "{jwt: {secret_env: JWT_SECRET}}"),
    "origins": Key(
        ListOf(Text(filled=True, form=_ORIGIN)),
        "`Origin` values that browsers may come from, or `*`.",
        '["https://example.com"]',
    ),
    "limits": Key(_LIMITS, "Limits of this route, narrower than the server's.", "{max_message_bytes: 4096}"),
    "compression": Key(Flag(), "permessage-deflate on this route.", "true"),
    "history": Key(_HISTORY, "Messages that each channel keeps for clients that come back.", "{size: 50, ttl: 3600}"),
    "on_reload": Key(Names(), "Variables that are renamed when the route is reloaded: old to new.", "{nick: name}"),
}
"""All keys, in the order in which people write them."""

HTTP_KEYS: Final = ("method", "logic", "parameters", "response_schema", "auth_required", "response", "middleware")
"""Keys of HTTP routes, which are not served."""

ROUTE_KEY_SYNONYMS: Final = {
    "type": "route_type", "kind": "route_type", "hooks": "ws_hooks", "websocket_hooks": "ws_hooks",
    "handlers": "ws_hooks", "events": "ws_hooks", "url": "path", "address": "path", "endpoint": "path",
    "route": "path", "title": "name", "id": "name", "channels": "subscribe", "ratelimit": "rate_limit",
    "throttle": "rate_limit", "authentication": "auth", "jwt": "auth", "cors": "origins",
    "allowed_origins": "origins", "disabled": "enabled", "active": "enabled", "desc": "description",
    "compress": "compression", "encoding": "codec", "format": "codec",
}  # fmt: skip
"""What other systems call the keys, for suggestions only."""


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
