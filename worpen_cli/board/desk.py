"""Everything that `dev` has of the board: its feed, its process, and what its orders do.

While the board is there it takes the journal's lines. When it is over, however that came, lines are written plainly
again, and the server goes on unless it was asked to stop.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runtime.app import App
from worpen_cli.board.exchange import Order, Verb
from worpen_cli.board.feed import Feed
from worpen_cli.board.launch import RunningBoard
from worpen_cli.journal import Journal

CLOSE_REASON: Final = "closed at the board"
GRACE_SECONDS: Final = 0.2
"""A signal to the whole group ends the board a little before the server knows of it."""


@dataclass(frozen=True, slots=True)
class Means:
    """What orders can ask of the command: to reload, to stop by a signal's number, to show the browser console."""

    reload: Callable[[], None]
    stop: Callable[[int], None]
    show_console: Callable[[], None]
    address: Callable[[], str]


class Desk:
    """The board of one server. `open` it when the server listens, `close` it before the end."""

    def __init__(self, app: App, journal: Journal, means: Means, *, color: bool) -> None:
        self._app = app
        self._journal = journal
        self._means = means
        self._color = color
        self.feed = Feed(app, means.address)
        self._process: RunningBoard | None = None
        self._waiting: asyncio.Task[None] | None = None
        journal.tap = self.feed.note

    def open(self) -> None:
        """Begin to draw."""
        self._process = RunningBoard(self.feed.reply, self.obey, color=self._color)
        self._waiting = asyncio.create_task(self._wait(self._process))

    def stopping(self) -> None:
        """Show that the server stops."""
        self.feed.state = "stopping"

    async def close(self) -> None:
        """Draw no more; the terminal is as it was when this returns."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._process is not None:
            process, self._process = self._process, None
            await process.end()
        self._leave()

    async def _wait(self, process: RunningBoard) -> None:
        """Go on with plain lines where the board ends by itself."""
        await process.ended.wait()
        await asyncio.sleep(GRACE_SECONDS)
        self._process = None
        code = await process.end()
        self._leave()
        if not self.feed.state:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._journal.say(f"the board ended ({how}); the server goes on, with plain lines. Ctrl-C stops", "warn")

    def _leave(self) -> None:
        self._journal.tap = None
        self.feed.close()

    # Orders.

    def obey(self, order: Order) -> None:
        """Do what the board orders, and have it told what became of that."""
        try:
            self.feed.notice = self._done(order)
        except UnicodeEncodeError:
            self.feed.notice = "not sent: half a surrogate pair is no text"

    def _done(self, order: Order) -> str:
        """Do what is ordered, and say so."""
        short = order.subject[:8]
        match order.verb:
            case Verb.SEND:
                return f"sent to {short}" if self._app.send(order.subject, order.text) else f"{short} is gone"
            case Verb.BROADCAST:
                number = self._app.broadcast(order.subject, order.text)
                return f"sent to the {number} in {order.subject}" if number else f"nobody is in {order.subject}"
            case Verb.CLOSE:
                is_closed = self._app.close(order.subject, reason=CLOSE_REASON)
                return f"closed {short}" if is_closed else f"{short} is gone"
            case Verb.RELOAD:
                self._means.reload()
                return "reloading …"
            case Verb.CONSOLE:
                self._means.show_console()
                return self._app.console_address or "the browser console is off"
            case Verb.QUIT | Verb.INTERRUPT:
                self._means.stop(signal.SIGTERM if order.verb is Verb.QUIT else signal.SIGINT)
                return "closing all connections; again to hurry"
