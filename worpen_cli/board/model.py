"""What the board shows, as a value: keys and answers in, the next value, questions and orders out; no terminal.

    press(board, stroke) → board, orders       a key
    question(board, rooms) → board, Ask        what to ask for the next picture
    take(board, reply) → board                 what came back

`ACTIONS` is the table of keys; the help page and the last line of the screen are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from worpen_cli.board.exchange import Ask, Listing, Look, Order, Panel, Reply, Verb
from worpen_cli.board.keys import Stroke

HOME: Final = (Panel.ROUTES, Panel.CONNECTIONS, Panel.CHANNELS, Panel.LOG)
"""The lists of the first picture, in the order of Tab."""
SEQUENCES: Final = frozenset({Panel.LOG, Panel.FRAMES})
"""Lists that grow at their end, which is what one wants to see of them."""
FAR: Final = 1 << 30
"""More rows than any list has."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A line that is being typed. `subject`: the connection or channel it is for."""

    verb: Verb | None
    """What it is for; None: the text to search for."""
    subject: str
    text: str = ""
    at: int = 0
    """Where the next character goes."""


def _first_looks() -> dict[Panel, Look]:
    return {panel: Look(tail=panel in SEQUENCES) for panel in Panel}


@dataclass(frozen=True, slots=True)
class Board:
    """All that the board remembers."""

    panel: Panel = Panel.CONNECTIONS
    looks: Mapping[Panel, Look] = field(default_factory=_first_looks)
    detail: str = ""
    """The connection that is looked into."""
    prompt: Prompt | None = None
    is_help: bool = False
    is_held: bool = False
    """Whether the picture stands still."""
    reply: Reply | None = None
    notice: str = ""

    def listing(self, panel: Panel) -> Listing[Any]:
        """The rows of a list, as last heard of."""
        return self.reply.lists.get(panel, Listing()) if self.reply else Listing()

    def marked(self, panel: Panel) -> Any:
        """The marked row of a list; None where it is empty. Steps that the server has yet to answer count already,
        so that Enter right after an arrow means the row that the arrow went to."""
        listing = self.listing(panel)
        place = listing.at + self.looks[panel].step - listing.first
        return listing.rows[max(0, min(place, len(listing.rows) - 1))] if listing.rows else None

    @property
    def connection(self) -> str:
        """The connection that keys act on: the one looked into, else the marked one; "" for none."""
        if self.detail:
            return self.detail
        row = self.marked(Panel.CONNECTIONS)
        return row.key if row is not None else ""


Orders: TypeAlias = tuple[Order, ...]
Act: TypeAlias = Callable[[Board], tuple[Board, Orders]]


def _move(step: int) -> Act:
    def act(board: Board) -> tuple[Board, Orders]:
        look = board.looks[board.panel]
        room = max(1, look.room - 1)
        rows = {-2: -room, 2: room}.get(step, step)
        return _with_look(board, board.panel, step=look.step + rows, tail=step == FAR and board.panel in SEQUENCES), ()

    return act


def _with_look(board: Board, panel: Panel, **changes: Any) -> Board:
    return replace(board, looks={**board.looks, panel: replace(board.looks[panel], **changes)})


def _to_panel(panel: Panel) -> Act:
    def act(board: Board) -> tuple[Board, Orders]:
        return replace(board, panel=panel, detail=""), ()

    return act


def _next_panel(step: int) -> Act:
    def act(board: Board) -> tuple[Board, Orders]:
        if board.detail:
            return board, ()
        return replace(board, panel=HOME[(HOME.index(board.panel) + step) % len(HOME)]), ()

    return act


def _enter(board: Board) -> tuple[Board, Orders]:
    """Look into the marked connection, or list the connections of the marked route."""
    row = board.marked(board.panel)
    if board.detail or row is None:
        return board, ()
    match board.panel:
        case Panel.CONNECTIONS:
            looks = {**board.looks, Panel.FRAMES: Look(tail=True)}
            return replace(board, detail=row.key, panel=Panel.FRAMES, looks=looks, is_held=False, notice=""), ()
        case Panel.ROUTES:
            if row.reason:
                return replace(board, notice=row.reason), ()
            there = replace(board, panel=Panel.CONNECTIONS)
            return _with_look(there, Panel.CONNECTIONS, search=row.name, mark="", first=0), ()
        case _:
            return replace(board, notice="Enter looks into a connection, or lists the connections of a route"), ()


def _back(board: Board) -> tuple[Board, Orders]:
    if board.is_help:
        return replace(board, is_help=False), ()
    if board.detail and not board.looks[Panel.FRAMES].search:
        return replace(board, detail="", panel=Panel.CONNECTIONS, notice=""), ()
    return _with_look(replace(board, notice=""), board.panel, search=""), ()


def _search(board: Board) -> tuple[Board, Orders]:
    text = board.looks[board.panel].search
    return replace(board, prompt=Prompt(None, "", text, len(text))), ()


def _hold(board: Board) -> tuple[Board, Orders]:
    return replace(board, is_held=not board.is_held), ()


def _help(board: Board) -> tuple[Board, Orders]:
    return replace(board, is_help=not board.is_help), ()


def _message(board: Board) -> tuple[Board, Orders]:
    if not board.connection:
        return replace(board, notice="there is no connection to send to"), ()
    return replace(board, prompt=Prompt(Verb.SEND, board.connection)), ()


def _broadcast(board: Board) -> tuple[Board, Orders]:
    row = board.marked(Panel.CHANNELS)
    channels = board.reply.detail.channels if board.detail and board.reply and board.reply.detail else ()
    channel = channels[0] if channels else row.key if row is not None and not board.detail else ""
    if not channel:
        return replace(board, notice="there is no channel to broadcast to"), ()
    return replace(board, prompt=Prompt(Verb.BROADCAST, channel)), ()


def _close(board: Board) -> tuple[Board, Orders]:
    if not board.connection:
        return replace(board, notice="there is no connection to close"), ()
    return board, (Order(Verb.CLOSE, board.connection),)


def _order(verb: Verb) -> Act:
    return lambda board: (board, (Order(verb),))


@dataclass(frozen=True, slots=True)
class Action:
    """What keys do. `shown` and `help` are its line of the help page, "" where another line tells; `short` is for the
    last line of the screen, "" to leave it out."""

    keys: tuple[str, ...]
    act: Act
    shown: str = ""
    help: str = ""
    short: str = ""


ACTIONS: Final = (
    Action(("tab",), _next_panel(1), "Tab", "next list; Shift-Tab the one before"),
    Action(("backtab",), _next_panel(-1)),
    Action(("1",), _to_panel(Panel.ROUTES), "1 2 3 4", "routes, connections, channels, log"),
    *(Action((str(panel.value),), _to_panel(panel)) for panel in HOME[1:]),
    Action(("up", "k"), _move(-1), "↑ ↓", "row above, row below; also k and j"),
    Action(("down", "j"), _move(1)),
    Action(("pageup",), _move(-2), "PgUp PgDn", "a page up, a page down"),
    Action(("pagedown",), _move(2)),
    Action(("home", "g"), _move(-FAR), "Home End", "first row, last row; at its end a log stays with what is new"),
    Action(("end", "G"), _move(FAR)),
    Action(("enter", "right"), _enter, "Enter", "look into a connection; list the connections of a route", "look"),
    Action(("escape", "left"), _back, "Esc", "back; show all rows again", "back"),
    Action(("/",), _search, "/", "filter the list", "filter"),
    Action(("m",), _message, "m", "send a message to the marked connection", "send"),
    Action(("b",), _broadcast, "b", "broadcast to the marked channel", "broadcast"),
    Action(("x",), _close, "x", "close the marked connection, with 1000", "close"),
    Action(("r",), _order(Verb.RELOAD), "r", "read all files again, now", "reload"),
    Action(("p",), _hold, "p", "pause: the picture stands still, the server goes on", "pause"),
    Action(("o",), _order(Verb.CONSOLE), "o", "open the browser console", "browser"),
    Action(("?", "f1"), _help, "?", "this page", "help"),
    Action(("q",), _order(Verb.QUIT), "q", "close all connections in good order and quit; again: hurry", "quit"),
    Action(("ctrl-c",), _order(Verb.INTERRUPT), "Ctrl-C", "the same, with exit code 130"),
)
"""THE table of keys."""
_BY_KEY: Final = {key: action for action in ACTIONS for key in action.keys}


def press(board: Board, stroke: Stroke) -> tuple[Board, Orders]:
    """What a key does."""
    if stroke.key == "ctrl-c":
        return board, (Order(Verb.INTERRUPT),)
    if board.prompt is not None:
        return _type(board, board.prompt, stroke)
    if board.is_help and stroke.key not in ("q", "?", "f1"):
        return replace(board, is_help=False), ()
    action = _BY_KEY.get(stroke.key)
    return action.act(replace(board, notice="")) if action is not None else (board, ())


# The line that is typed.


def _type(board: Board, prompt: Prompt, stroke: Stroke) -> tuple[Board, Orders]:
    match stroke.key:
        case "enter":
            return _finish(board, prompt)
        case "escape":
            left = replace(board, prompt=None)
            return (_with_look(left, board.panel, search="") if prompt.verb is None else left), ()
        case key:
            edited = _edit(prompt, key, stroke.text)
            changed = replace(board, prompt=edited)
            if edited.verb is None:
                changed = _with_look(changed, board.panel, search=edited.text)
            return changed, ()


def _edit(prompt: Prompt, key: str, text: str) -> Prompt:
    before, after = prompt.text[: prompt.at], prompt.text[prompt.at :]
    match key:
        case "backspace":
            before = before[:-1]
        case "delete":
            after = after[1:]
        case "left":
            return replace(prompt, at=max(0, prompt.at - 1))
        case "right":
            return replace(prompt, at=min(len(prompt.text), prompt.at + 1))
        case "home":
            return replace(prompt, at=0)
        case "end":
            return replace(prompt, at=len(prompt.text))
        case "ctrl-u":
            before = ""
        case _:
            before += text
    return replace(prompt, text=before + after, at=len(before))


def _finish(board: Board, prompt: Prompt) -> tuple[Board, Orders]:
    done = replace(board, prompt=None)
    if prompt.verb is None:
        return done, ()
    return done, (Order(prompt.verb, prompt.subject, prompt.text),)


# Questions and answers.


def question(board: Board, rooms: Mapping[Panel, int]) -> tuple[Board, Ask]:
    """What to ask for a picture with so many rows for each list. Steps are asked for once."""
    looks = {panel: replace(look, room=rooms.get(panel, 0)) for panel, look in board.looks.items()}
    kept = {panel: replace(look, step=0) if look.room else look for panel, look in looks.items()}
    asked = {panel: look for panel, look in looks.items() if look.room}
    return replace(board, looks=kept), Ask(asked, board.detail, board.is_held)


def take(board: Board, reply: Reply) -> Board:
    """The board after an answer: marks stand where the server found them."""
    board = replace(board, reply=reply, notice=reply.notice or board.notice)
    looks = {panel: _found(board, panel, look) for panel, look in board.looks.items()}
    board = replace(board, looks=looks)
    if board.detail and reply.detail is None:
        return replace(board, detail="", panel=Panel.CONNECTIONS, notice="that connection is gone")
    return board


def _found(board: Board, panel: Panel, look: Look) -> Look:
    assert board.reply is not None
    if panel not in board.reply.lists:
        return look
    listing, row = board.listing(panel), board.marked(panel)
    at_end = panel in SEQUENCES and listing.at >= listing.matching - 1
    return replace(look, mark=row.key if row is not None else "", first=listing.first, tail=at_end)


def hints(board: Board) -> Sequence[Action]:
    """What the last line of the screen names, what matters most first."""
    left_out = "look" if board.detail else "back"
    return [action for action in ACTIONS if action.short and action.short != left_out]
