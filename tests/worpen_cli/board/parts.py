"""Boards with something on them, for tests that need no server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from worpen_cli.board.exchange import (
    ChannelRow,
    ConnectionRow,
    Detail,
    FrameRow,
    Listing,
    LogRow,
    Panel,
    Reply,
    RouteRow,
    Totals,
)
from worpen_cli.board.keys import Stroke
from worpen_cli.board.model import Board, press, question, take
from worpen_cli.board.view import rooms

TOTALS = Totals("ws://localhost:3000", 1234, 4999.6, 12.0, 3725.0)
FIRST = "1a2b3c4d-0000-4000-8000-000000000001"
SECOND = "5e6f7a8b-0000-4000-8000-000000000002"
LISTS: dict[Panel, tuple[Any, ...]] = {
    Panel.ROUTES: (
        RouteRow("/ws/chat/:room", "Chat", 7, "ok", 12),
        RouteRow("/ws/old", "Old", 2, "stale", 0),
        RouteRow("/ws/bad", "Bad", 0, "broken", 0, "error[unknown-variable] W401: no"),
    ),
    Panel.CONNECTIONS: (
        ConnectionRow(FIRST, "Chat", 7, 7, "127.0.0.1", 75.0, 3.0, 1500, 22, 0, 0.00031, "ok"),
        ConnectionRow(SECOND, "Chat", 6, 7, "Ann", 90_000.0, 0.2, 3, 1_250_000, 65_536, 1.25, "type_error"),
    ),
    Panel.CHANNELS: (ChannelRow("lobby", 12, 41.4), ChannelRow("garden", 3, 0.0)),
    Panel.LOG: (
        LogRow("1", "12:00:01", "info", "worpen dev is ready"),
        LogRow("2", "12:00:02", "error", "chat.yaml:3:7 something"),
    ),
    Panel.FRAMES: (
        FrameRow("1", "12:00:03.001", True, "hi", 2, "on_message", 3, FIRST, "", "ok in 0.3 ms"),
        FrameRow("2", "12:00:03.002", False, "you said hi", 11, "on_message", 3, FIRST, "chat.yaml:14", "ok in 0.3 ms"),
    ),
}
DETAIL = Detail(
    LISTS[Panel.CONNECTIONS][0], "", (("path", "/ws/chat/lobby"), ("param room", "lobby"), ("query name", "Ann")),
    (("count", "3"),), ("lobby",),
)  # fmt: skip


def listing(rows: Iterable[Any], at: int = 0) -> Listing[Any]:
    """All rows of a list that finds room."""
    found = tuple(rows)
    return Listing(found, 0, at if found else -1, len(found), len(found))


def reply(detail: Detail | None = None, **lists: Iterable[Any]) -> Reply:
    """An answer with the lists above, or others by their names in lower case."""
    shown = {panel: lists.get(panel.name.lower(), rows) for panel, rows in LISTS.items()}
    at = {Panel.LOG: len(tuple(shown[Panel.LOG])) - 1, Panel.FRAMES: len(tuple(shown[Panel.FRAMES])) - 1}
    return Reply(TOTALS, {panel: listing(rows, at.get(panel, 0)) for panel, rows in shown.items()}, detail)


def board(width: int = 80, height: int = 24, **changes: Any) -> Board:
    """A board that was answered once."""
    fresh, _ = question(Board(), rooms(Board(), width, height))
    return replace(take(fresh, reply()), **changes)


def detailed(**lists: Iterable[Any]) -> Board:
    """A board that looks into the first connection."""
    looking, _ = press(board(), Stroke("enter"))
    return take(question(looking, rooms(looking, 80, 24))[0], reply(DETAIL, **lists))


def pressed(on: Board, *keys: str) -> Board:
    """A board after some keys; those of one character type it."""
    for key in keys:
        on, _ = press(on, Stroke(key, key if len(key) == 1 else ""))
    return on
