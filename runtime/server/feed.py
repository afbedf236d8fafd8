"""What the browser console is told: the state of the server, then everything that happens (`worpen.feed/1`).

A feed is a WebSocket of JSON messages, each with a `kind`. From the server:

    snapshot    once, first: schema, prefix, routes, connections, channels, findings
    event       at (ms since 1970), event: one of `runtime.events` as its document; of a watched connection's
                frames and hook runs also `of`, its id, and of frames `bytes`
    routes      all routes, after a reload
    channels    all channels, when they are not what they were
    findings    the files that do not compile, after each attempt
    connection  the answer to a question about one
    lost        so many events found no room, or were lines of logs beyond those told in a quarter of a second
    problem     why a question got no answer

From the client: `{"ask": "snapshot"}`, `{"ask": "connection", "id": …}`, and `watch` or `unwatch` with an `id`. Frames
and hook runs are told of watched connections only. While nobody looks, the server pays nothing for all this.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.events import Disconnected, Event, Events, FrameIn, FrameOut, LogLine, Swapped, to_document
from runtime.server.catalogue import Catalogue
from runtime.server.floor import Floor
from runtime.server.link import Link
from runtime.server.snapshot import (
    Document,
    channels_document,
    connection_details,
    connections_document,
    routes_document,
)
from runtime.transport.frames import encode_text
from runtime.transport.seam import Connection

SCHEMA: Final = "worpen.feed/1"
MOST_FEEDS: Final = 16
MOST_WATCHED: Final = 64
LOOK_SECONDS: Final = 0.25
"""How often it is seen whether channels are not what was told of them."""
LOG_LINES: Final = 300
"""So many lines of logs are told between two looks, more than anybody reads; of the others their number."""
PAYLOAD_CHARACTERS: Final = 16_384
"""How much of a watched frame is shown."""
ROOM_BYTES: Final = 256 * 1024
"""With more than this unsent, events are counted and not told."""
MESSAGE_BYTES: Final = 832 * 1024
"""No message is longer: the wire gives up a connection that has a little more than that unsent."""
FINDINGS_CHARACTERS: Final = 150_000
"""Of all files together; of the rest only the names are told."""
GOING_AWAY: Final = 1001


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that does not compile: the addresses that it would answer, and its findings, for people and programs."""

    file: str
    paths: tuple[str, ...]
    text: str
    diagnostics: Sequence[Document]

    def document(self) -> Document:
        """It as a JSON object."""
        return {"file": self.file, "paths": list(self.paths), "text": self.text, "diagnostics": list(self.diagnostics)}


class Feed:
    """All feeds of a server. One a server, on its loop; costs nothing while none is open."""

    def __init__(self, floor: Floor, catalogue: Catalogue[Link], events: Events, prefix: str) -> None:
        self._floor = floor
        self._catalogue = catalogue
        self._events = events
        self._prefix = prefix
        self._followers: dict[Follower, None] = {}
        self._findings: tuple[BrokenFile, ...] = ()
        self._log_lines = 0
        """How many came since the latest look."""
        self._channels_at = -1
        """What `Hub.changes` was when channels were told."""
        self._timer: asyncio.TimerHandle | None = None
        self._end_hearing: Callable[[], None] | None = None

    def open(self, connection: Connection) -> Follower | None:
        """Who is to hear a new connection; None where there are too many."""
        return Follower(self, connection) if len(self._followers) < MOST_FEEDS else None

    def close(self) -> None:
        """End all feeds: the server stops."""
        for follower in list(self._followers):
            follower.connection.close(GOING_AWAY, "the server stops")

    def tell_findings(self, files: Iterable[BrokenFile]) -> None:
        """The files that do not compile are these now."""
        self._findings = tuple(files)
        self._tell({"kind": "findings", "findings": self._findings_list()})

    # Followers.

    def enter(self, follower: Follower) -> None:
        """A feed is open."""
        if not self._followers:
            self._end_hearing = self._events.subscribe(self._hear)
            self._look()
        self._followers[follower] = None
        follower.tell(self.snapshot())

    def leave(self, follower: Follower) -> None:
        """A feed is over."""
        self._followers.pop(follower, None)
        if not self._followers and self._end_hearing is not None and self._timer is not None:
            self._end_hearing()
            self._timer.cancel()

    def watch(self, connection_id: str, follower: Follower) -> Callable[[], None]:
        """Tell a follower of a connection's frames and hook runs; returns what ends it."""

        def hear(event: Event) -> None:
            follower.tell({**event_message(event), "of": connection_id}, can_be_lost=True)

        return self._events.watch(connection_id, hear)

    # What there is.

    def snapshot(self) -> Document:
        """Everything, for a client that knows nothing yet."""
        links = self._floor.links
        return {
            "kind": "snapshot",
            "schema": SCHEMA,
            "prefix": self._prefix,
            "routes": self._routes(),
            "connections": connections_document(links.values(), len(links)),
            "channels": channels_document(self._floor.node.hub),
            "findings": self._findings_list(),
        }

    def details(self, connection_id: str) -> Document | None:
        """Everything about a connection; None where there is none of that id."""
        link = self._floor.links.get(connection_id)
        return connection_details(link, self._floor.node.hub) if link is not None else None

    def _routes(self) -> Document:
        return routes_document(self._catalogue, self._prefix)

    def _findings_list(self) -> list[Document]:
        room, documents = FINDINGS_CHARACTERS, list[Document]()
        for file in self._findings:
            document = file.document()
            room -= len(encoded(document))
            documents.append(document if room >= 0 else replace(file, text="", diagnostics=()).document())
        return documents

    # What happens.

    def _hear(self, event: Event) -> None:
        if isinstance(event, LogLine):
            self._log_lines += 1
            if self._log_lines > LOG_LINES:
                for follower in self._followers:
                    follower.lost += 1
                return
        self._tell(event_message(event), can_be_lost=True)
        if isinstance(event, Swapped):
            self._tell({"kind": "routes", "routes": self._routes()})
        elif isinstance(event, Disconnected):
            for follower in self._followers:
                follower.unwatch(event.connection_id)

    def _look(self) -> None:
        """Tell what was lost, and the channels where they are not what they were."""
        self._log_lines = 0
        for follower in list(self._followers):
            follower.tell_lost()
        hub = self._floor.node.hub
        if hub.changes != self._channels_at:
            self._channels_at = hub.changes
            self._tell({"kind": "channels", "channels": channels_document(hub)})
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _tell(self, document: Document, *, can_be_lost: bool = False) -> None:
        if self._followers:
            message = encoded(document)
            for follower in list(self._followers):
                follower.tell_encoded(message, can_be_lost=can_be_lost)


class Follower:
    """One feed: the `Peer` of its connection."""

    def __init__(self, feed: Feed, connection: Connection) -> None:
        self.connection = connection
        self._watched: dict[str, Callable[[], None]] = {}
        """Connections whose frames are told, with what ends that."""
        self._feed = feed
        self.lost = 0
        """Events that were not told, and of which that is not told yet."""

    def opened(self) -> None:
        """The feed begins, with everything there is."""
        self._feed.enter(self)

    def received_texts(self, texts: Iterator[str]) -> None:
        """Questions come one by one."""

    def received(self, message: str | bytes) -> None:
        """A question, answered at once."""
        try:
            question: Any = json.loads(message)
        except (ValueError, RecursionError):
            question = None
        if not isinstance(question, dict):
            self.tell(_problem("a question is a JSON object with `ask`"))
            return
        connection_id = question.get("id", "")
        match question.get("ask"):
            case "snapshot":
                self.tell(self._feed.snapshot())
            case "connection" if isinstance(connection_id, str):
                details = self._feed.details(connection_id)
                found = {"connection": details} if details is not None else {"connection": None}
                self.tell({"kind": "connection", "id": connection_id, **found})
            case ("watch" | "unwatch") as wish if isinstance(connection_id, str):
                (self._watch if wish == "watch" else self.unwatch)(connection_id)
            case _:
                self.tell(_problem("`ask` is snapshot, or connection, watch or unwatch with an `id`"))

    def closed(self, code: int, reason: str) -> None:
        """The feed is over."""
        for connection_id in list(self._watched):
            self.unwatch(connection_id)
        self._feed.leave(self)

    def _watch(self, connection_id: str) -> None:
        if len(self._watched) >= MOST_WATCHED:
            self.tell(_problem(f"one feed watches at most {MOST_WATCHED} connections"))
        elif self._feed.details(connection_id) is None:
            self.tell(_problem("no connection has this id"))
        elif connection_id not in self._watched:
            self._watched[connection_id] = self._feed.watch(connection_id, self)

    def unwatch(self, connection_id: str) -> None:
        """Tell no more of a connection's frames; nothing for one that is not watched."""
        if (end := self._watched.pop(connection_id, None)) is not None:
            end()

    def tell(self, document: Document, *, can_be_lost: bool = False) -> None:
        """Send a message, or say that it is too long."""
        self.tell_encoded(encoded(document), can_be_lost=can_be_lost)

    def tell_encoded(self, message: str, *, can_be_lost: bool = False) -> None:
        """The same for text that is JSON already. What `can_be_lost` is counted where much waits unsent."""
        if not self.connection.is_open:
            return
        if can_be_lost and self.connection.queued_bytes > ROOM_BYTES:
            self.lost += 1
            return
        self.tell_lost()
        shown = message if len(message) <= MESSAGE_BYTES else encoded(_problem("the answer is too long to show"))
        self.connection.send(encode_text(shown))

    def tell_lost(self) -> None:
        """Say how many events were not told, if there is room for that."""
        if self.lost and self.connection.queued_bytes <= ROOM_BYTES:
            lost, self.lost = self.lost, 0
            self.tell({"kind": "lost", "events": lost})


def encoded(document: Document) -> str:
    """A document as JSON in ASCII: whatever is in it can be sent."""
    return json.dumps(document, separators=(",", ":"))


def event_message(event: Event) -> Document:
    """An event as the feed tells it, with its time; of a payload the beginning, and its size in bytes."""
    message: Document = {"kind": "event", "at": round(time.time() * 1000)}
    if isinstance(event, FrameIn | FrameOut):
        payload = event.payload
        message["bytes"] = len(payload.encode(errors="replace")) if isinstance(payload, str) else len(payload)
        event = replace(event, payload=payload[:PAYLOAD_CHARACTERS])
    message["event"] = to_document(event)
    return message


def _problem(sentence: str) -> Document:
    return {"kind": "problem", "message": sentence}
