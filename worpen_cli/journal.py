"""The lines of `worpen dev`: one per event, for people or as JSON.

They are written by a thread of their own. Whoever does not read them, or reads slowly, never stops the server:
lines that find no room are counted, and the count is told in their place.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from compiler.diagnostics.escape import escape, escape_json
from runtime import events
from runtime.events import Event, to_document

EVENTS_SCHEMA: Final = "worpen.events/1"
ROOM: Final = 10_000
"""Lines that may wait to be written."""
AT_ONCE: Final = 500
"""Lines written at once: when the writer has its turn, under attack, thousands may wait, and each is copied."""
PAYLOAD_CHARACTERS: Final = 120
GATHERING_SECONDS: Final = 0.02
"""So long lines are gathered after the first, to be written as one: waking the writer for each costs the server more
than making the line."""
LAST_WORDS_SECONDS: Final = 2.0
"""How long the end of the program waits for what is still to be written."""
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode
_LEVELS: Final = {"debug": "2", "warn": "33", "error": "31"}


_LEVELS_OF: Final[Mapping[type[Any], str]] = {
    events.FrameIn: "debug",
    events.FrameOut: "debug",
    events.HookFinished: "debug",
    events.HookFaulted: "error",
    events.Refused: "warn",
    events.BusDown: "error",
    events.BusGap: "warn",
    events.Trouble: "error",
}
"""The levels of events; all others are info."""


def level_of(event: Event) -> str:
    """The level that an event has: debug, info, warn or error."""
    return event.level if isinstance(event, events.LogLine) else _LEVELS_OF.get(type(event), "info")


def to_sentence(event: Event) -> str:
    """An event for people, not escaped yet."""
    match event:
        case events.Listening(addresses):
            return f"listening on {', '.join(addresses)}"
        case events.Connected(connection_id, route, generation, path, remote_addr):
            return f"{connection_id} connected to {path} ({route}, generation {generation}) from {remote_addr}"
        case events.Disconnected(connection_id, route, code, reason):
            return f"{connection_id} left {route}: {code}{' ' + reason if reason else ''}"
        case events.FrameIn(connection_id, route, payload):
            return f"{connection_id} → {route}: {_shortened(payload)}"
        case events.FrameOut(connection_id, route, to, recipients, payload):
            return f"{connection_id} {route} → {to} ({recipients}): {_shortened(payload)}"
        case events.HookFinished(connection_id, route, hook, seconds):
            return f"{connection_id} {route} {hook} done in {seconds * 1e3:.2f} ms"
        case events.HookFaulted():
            return _fault(event)
        case events.HookCancelled(connection_id, route, hook):
            return f"{connection_id} {route} {hook} was cancelled: the connection ended"
        case events.LogLine(connection_id, route, hook, level, message):
            return f"{connection_id} {route} {hook} log {level}: {message}"
        case events.Swapped():
            return _swap(event)
        case events.Refused(path, remote_addr, status, reason):
            return f"refused {path} from {remote_addr}: {status} {reason.partition(chr(10))[0]}".rstrip()
        case events.Draining(connections, seconds):
            return f"stopping: {connections} connections, at most {seconds:g} s"
        case events.Stopped(abandoned):
            return f"stopped{f', {abandoned} connections did not end in good order' if abandoned else ''}"
        case events.BusDown(_, reason):
            return f"the bus is lost: {reason}; messages reach only the connections of this node"
        case events.BusUp(_, alone):
            return f"the bus is back; {alone} messages reached perhaps only this node"
        case events.BusGap(_, source, channel, reason):
            whose, where = source or "all other nodes", f" to channel {channel}" if channel else ""
            return f"messages of {whose}{where} may be missing here: {reason}"
        case events.Trouble(error_id, where, traceback):
            return f"a bug of worpen in {where}, error {error_id}: {traceback}"


def _as_json(value: Any) -> str:
    """A value as JSON. Every connection has two lines, mostly of texts and numbers: the encoder's way takes longer."""
    if value.__class__ is str:
        return encode_basestring(value)
    return str(value) if value.__class__ is int else _encode(value)


def _fault(event: events.HookFaulted) -> str:
    where = f"{event.place}: {event.route} {event.hook}" + (f" {event.operation}" if event.operation else "")
    operands = f" [{', '.join(event.operands)}]" if event.operands else ""
    return f"{event.connection_id} {where}: {event.code}: {event.message}{operands}"


def _swap(event: events.Swapped) -> str:
    parts = (("added", event.added), ("changed", event.changed), ("removed", event.removed), ("refused", event.refused))
    told = "; ".join(f"{word} {', '.join(paths)}" for word, paths in parts if paths)
    return f"routes: {told or 'unchanged'}"


def _shortened(payload: str | bytes) -> str:
    shown = payload if isinstance(payload, str) else f"{len(payload)} bytes"
    return shown if len(shown) <= PAYLOAD_CHARACTERS else shown[: PAYLOAD_CHARACTERS - 1] + "…"


class Journal:
    """Turns what happens into lines, and has them written in order from `open` on, by `write` in another thread."""

    def __init__(self, write: Callable[[str], None], *, as_json: bool = False, color: bool = False) -> None:
        self._write = write
        self._as_json = as_json
        self._color = color
        self._lines: deque[str] = deque()
        self._lost = 0
        self._ready = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._stamped_at = 0
        self._stamp = ""
        self.tap: Callable[[str, str], None] | None = None
        """Takes the lines for people, each with its level, in place of the writer: the board, while it is there."""

    def open(self) -> None:
        """Start writing; lines until now were kept. A journal that is never opened writes nothing."""
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._thread.start()

    def hear(self, event: Event) -> None:
        """Take down an event of the server."""
        if self._as_json:
            document = to_document(event)
            document["level"] = level_of(event)
            self.note(document)
        else:
            self.say(to_sentence(event), level_of(event))

    def say(self, sentence: str, level: str = "info") -> None:
        """A line for people; nothing in JSON."""
        if self.tap is not None:
            self.tap(sentence, level)
        elif not self._as_json:
            stamp = time.strftime("%H:%M:%S")
            shown = escape(sentence)
            style = _LEVELS.get(level)
            self._append(f"{stamp} \x1b[{style}m{shown}\x1b[0m" if self._color and style else f"{stamp} {shown}")

    def show(self, rendered: str) -> None:
        """Rendered text, escaped and with its line ends; nothing in JSON."""
        if not rendered:
            return
        if self.tap is not None:
            self.tap(rendered.rstrip("\n"), "error")
        elif not self._as_json:
            self._append(rendered.rstrip("\n"))

    def note(self, document: Mapping[str, Any]) -> None:
        """A JSON line, with the time; nothing for people. The names in the document need no escapes."""
        if self._as_json:
            fields = [f'"{name}": {_as_json(value)}' for name, value in document.items()]
            self._append(escape_json(f'{{{", ".join(fields)}, "time": "{self._now()}"}}'))

    def _now(self) -> str:
        """The time in UTC. Many lines have the same one."""
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds != self._stamped_at:
            self._stamped_at = milliseconds
            # Not by `datetime`: names by which it asks a time zone stay in memory, each where it happens to lie, and a
            # few of them hold all that was taken for the connections of a busy time.
            seconds, rest = divmod(milliseconds, 1000)
            self._stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03}+00:00"
        return self._stamp

    def close(self) -> None:
        """Write what is left; no longer than `LAST_WORDS_SECONDS`."""
        with self._ready:
            self._ending = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join(LAST_WORDS_SECONDS)

    def _append(self, line: str) -> None:
        with self._ready:
            if len(self._lines) >= ROOM:
                self._lost += 1
                return
            if not self._lines:
                self._ready.notify()
            if self._lost:
                self._lines.append(self._gap())
            self._lines.append(line)

    def _write_on(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._lines or self._ending)
                is_time = self._ending or len(self._lines) > AT_ONCE
            if not is_time:
                time.sleep(GATHERING_SECONDS)
            if not self._write_some():
                return

    def _write_some(self) -> bool:
        """Write some of what waits, and forget it; False where nothing does, or nobody reads: the server goes on."""
        with self._ready:
            some = [self._lines.popleft() for _ in range(min(len(self._lines), AT_ONCE))]
            if self._lost and not self._lines:
                some.append(self._gap())
        if not some:
            return False
        try:
            self._write("".join(line + "\n" for line in some))
        except (OSError, ValueError):
            return False
        return True

    def _gap(self) -> str:
        """The line in the place of those that found no room."""
        lost, self._lost = self._lost, 0
        return json.dumps({"event": "lost", "lines": lost}) if self._as_json else f"({lost} lines were lost)"
