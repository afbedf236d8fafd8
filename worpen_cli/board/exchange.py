"""The words between the server and its board: what the board asks, what it is answered, what it orders.

Texts are as clients and routes wrote them: the view escapes them. Messages are pickled, which is safe here: the socket
joins two processes of one command, and nobody else has an end of it.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar

HEAD_BYTES: Final = 4
"""The length in front of each message, most significant byte first."""
SHOWN_CHARACTERS: Final = 2_000
"""How much of a payload, a variable or a header travels to the board."""

Row = TypeVar("Row", covariant=True)


class Panel(Enum):
    """The lists of the board; the number is the key that leads to it."""

    ROUTES = 1
    CONNECTIONS = 2
    CHANNELS = 3
    LOG = 4
    FRAMES = 5
    """The frames of the connection that is looked into."""


class Verb(Enum):
    """What the board can order."""

    SEND = "send"
    BROADCAST = "broadcast"
    CLOSE = "close"
    RELOAD = "reload"
    CONSOLE = "console"
    QUIT = "quit"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Look:
    """Which part of a list is wanted: around the row whose key is `mark`, moved by `step` rows.

    `first` is the top row of the last picture, `room` the number of rows there are, `tail` keeps to the list's end, and
    only rows with the text `search` in them count.
    """

    mark: str = ""
    step: int = 0
    first: int = 0
    room: int = 0
    search: str = ""
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for a picture. `detail` is the connection to look into; while `held`, log and frames stand still."""

    looks: Mapping[Panel, Look]
    detail: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be done, to a connection or channel, with a text."""

    verb: Verb
    subject: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route. `condition`: ok, stale, broken, no key, disabled."""

    key: str
    name: str
    generation: int
    condition: str
    connections: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection; times in seconds. `current` is the route's generation, which the next event will run."""

    key: str
    route: str
    generation: int
    current: int
    who: str
    age: float
    idle: float
    received: int
    sent: int
    queued_bytes: int
    p99: float | None
    result: str


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel, and how many messages a second go to it."""

    key: str
    members: int
    rate: float


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of the log. `level`: debug, info, warn, error."""

    key: str
    clock: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame to or from the connection that is looked into, with the hook run that it started or that sent it.

    `sender` is the id of the connection whose hook sent it; `outcome` how that run ended, where that is known.
    """

    key: str
    clock: str
    is_input: bool
    text: str
    size: int
    hook: str = ""
    run: int = 0
    sender: str = ""
    place: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A part of a list: the rows from `first` on, of which the one at `at` (in the list) is marked; -1: none.

    `total` rows there are, `matching` of them hold what is searched for.
    """

    rows: tuple[Row, ...] = ()
    first: int = 0
    at: int = -1
    matching: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole server; rates are messages a second."""

    address: str
    connections: int
    received_rate: float
    sent_rate: float
    uptime: float
    state: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """A connection that is looked into: pairs of names and texts. `ended`: how it ended; "" while it is open."""

    row: ConnectionRow
    ended: str
    handshake: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A picture of the server. `notice` says what became of the latest order."""

    totals: Totals
    lists: Mapping[Panel, Listing[Any]] = field(default_factory=dict)
    detail: Detail | None = None
    notice: str = ""


def packed(message: object) -> bytes:
    """A message with its length in front."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next message. Raises EOFError when there will be none."""
    try:
        length = int.from_bytes(await reader.readexactly(HEAD_BYTES), "big")
        return pickle.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        raise EOFError from None
