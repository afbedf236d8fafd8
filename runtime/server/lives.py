"""What must be known of a connection so that another node can run its `on_disconnect` (runtime section 1, G2).

A record holds the address of the route, what the handshake gave, and the variables, by name. It is written when the
connection opens, and again some time after a hook ran, when the variables are others than before: up to
`ROUND_SECONDS` later, so that a message costs nothing here. It is removed when `on_disconnect` has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from compiler.language.hooks import INPUTS
from compiler.language.values import UNSET
from runtime.router import BadPath
from runtime.server.catalogue import Catalogue, Served
from runtime.server.floor import Floor
from runtime.server.link import Link

NODE_LOST: Final = 1006
NODE_LOST_REASON: Final = "node_lost"
FENCED: Final = 1012
FENCED_REASON: Final = "the node was taken for lost"
TICKS_OF_ROUND: Final = 10
"""So many calls of `tick` look once at every connection."""
LEAST_LOOKED_AT: Final = 200
REVIVAL_SECONDS: Final = 15.0
"""How long hooks of lost connections may run before the next ones begin: less than a claim lasts."""
_GIVEN: Final = ("params", "query", "headers", "user", "remote_addr")
"""The inputs that a connection has from its beginning."""


@dataclass(frozen=True, slots=True)
class Record:
    """A connection as another node sees it."""

    path: str
    given: dict[str, Any]
    """What the handshake gave, by the name of the input."""
    variables: dict[str, Any]

    def encode(self) -> bytes:
        """As bytes. Texts may have halves of surrogate pairs in them, which JSON alone can carry."""
        return json.dumps([self.path, self.given, self.variables], separators=(",", ":")).encode()

    @staticmethod
    def decode(raw: bytes) -> Record | None:
        """From bytes; None where they are no record."""
        try:
            path, given, variables = json.loads(raw)
        except ValueError:
            return None
        is_record = isinstance(path, str) and isinstance(given, dict) and isinstance(variables, dict)
        return Record(path, given, variables) if is_record else None


class Store(Protocol):
    """Where records are: a bus."""

    @property
    def is_sure(self) -> bool:
        """Whether no other node can have taken this one for dead, or none can be asked."""

    def keep(self, connection_id: str, record: bytes) -> None:
        """Have a connection's record in the store."""

    def release(self, connection_id: str) -> None:
        """A connection's record is not needed any more."""


class Lives:
    """Keeps the records of this node's connections true, and ends connections of lost nodes."""

    def __init__(self, floor: Floor, catalogue: Catalogue[Link], store: Store) -> None:
        self._floor = floor
        self._catalogue = catalogue
        self._store = store
        self._kept: dict[Link, tuple[int, int]] = {}
        """For each connection here: its runs when it was looked at last, and what was written of it then."""
        self._order: list[Link] = []
        """Whom this round has still to look at."""
        self._buried: dict[Link, Callable[[], None]] = {}
        self._held: list[Callable[[], None]] = []

    # What connections tell (`link.Lives`).

    def opened(self, link: Link) -> None:
        """A connection is there: another node can end it from now on."""
        self._kept[link] = (0, 0)
        self._look_at(link)
        # The next look is at the newest: `on_connect` is what sets most variables.
        self._order.append(link)

    def gone(self, link: Link, code: int, reason: str) -> None:
        """A connection is gone. Where this node was stopped for long, it first hears whether that is its business."""
        if self._store.is_sure:
            link.session.gone(code, reason)
        else:
            self._held.append(lambda: link.session.gone(code, reason))

    def over(self, link: Link) -> None:
        """A connection's life is complete."""
        if (done := self._buried.pop(link, None)) is not None:
            done()
        elif self._kept.pop(link, (0, 0))[1]:
            self._store.release(link.connection_id)

    # What the bus tells (`Keeper`).

    def risen(self) -> None:
        """The store may know nothing: write everything anew, in the next round."""
        for link, (_, written) in self._kept.items():
            self._kept[link] = (-1, written and 1)
        self._order = list(self._kept)

    def tick(self) -> None:
        """Look at some connections."""
        if not self._order:
            self._order = list(self._kept)
        number = max(LEAST_LOOKED_AT, len(self._kept) // TICKS_OF_ROUND + 1)
        for link in self._order[-number:]:
            if link in self._kept and link.runs != self._kept[link][0] and not link.session.hook:
                self._look_at(link)
        del self._order[-number:]

    def proven(self) -> None:
        """This node was not taken for dead: what waited for that may go on."""
        held, self._held = self._held, []
        for go_on in held:
            go_on()

    def fenced(self) -> None:
        """This node was taken for dead: its connections are closed, and run no hook any more."""
        self._held = []
        kept, self._kept, self._order = list(self._kept), {}, []
        for link in kept:
            link.forsake(FENCED, FENCED_REASON)

    async def revive(self, records: Mapping[str, bytes]) -> list[str]:
        """Run `on_disconnect` for these connections of a lost node; those for which it began."""
        left: set[str] = set()
        ended = asyncio.Event()

        def over(connection_id: str) -> None:
            left.discard(connection_id)
            if not left:
                ended.set()

        begun = [one for one, raw in records.items() if self._bury(one, raw, left, over)]
        if left:
            # What runs for longer goes on, and is this node's business from now on.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), REVIVAL_SECONDS)
        return begun

    def _bury(self, connection_id: str, raw: bytes, left: set[str], over: Callable[[str], None]) -> bool:
        """Begin with the end of a connection; False where this node serves no such route. `left`: those that run."""
        record = Record.decode(raw)
        if record is None:
            return True
        served = self._served(record.path)
        if served is None:
            return False
        if connection_id not in self._floor.links:
            left.add(connection_id)
            connection = Absent(str(record.given.get("remote_addr", "")))
            link = Link(self._floor, served, connection, record.path, record.given, connection_id=connection_id)
            self._buried[link] = lambda: over(connection_id)
            link.bury(record.variables, NODE_LOST, NODE_LOST_REASON)
        return True

    def _served(self, path: str) -> Served[Link] | None:
        try:
            found = self._catalogue.find(path)
        except BadPath:
            return None
        return found.target if found is not None and found.target.is_serving else None

    def _look_at(self, link: Link) -> None:
        """Write a connection's record, if that is wanted and another one than before."""
        session = link.session
        if "on_disconnect" not in session.route.hooks:
            return
        given = {name: value for name, value in zip(INPUTS, session.inputs, strict=True) if name in _GIVEN}
        slots = zip(session.route.program.slots, session.slots, strict=True)
        variables = {slot.name: value for slot, value in slots if value is not UNSET}
        record = Record(link.path, given, variables).encode()
        runs, written = self._kept[link]
        fingerprint = hash(record) or 1
        self._kept[link] = (link.runs, fingerprint)
        if fingerprint != written or runs < 0:
            self._store.keep(session.id, record)


class Absent:
    """The wire of a connection that is not there: nothing reaches anybody."""

    is_open = False
    queued_bytes = 0
    messages_in = 0
    messages_out = 0

    def __init__(self, remote_address: str) -> None:
        self.remote_address = remote_address

    def send(self, frame: bytes) -> None:
        """See `Connection.send`."""

    def send_all(self, frames: Sequence[bytes]) -> None:
        """See `Connection.send_all`."""

    def close(self, code: int, reason: str = "") -> None:
        """See `Connection.close`."""

    def abort(self) -> None:
        """See `Connection.abort`."""

    def limit_messages(self, most: int | None) -> None:
        """See `Connection.limit_messages`."""

    def pause(self) -> None:
        """See `Connection.pause`."""

    def resume(self) -> None:
        """See `Connection.resume`."""
