"""A board as text for a terminal of a certain size, through rich. Every text that is not ours is escaped here.

Each list is a table of `Column`s. What stands where is decided once, by `home_areas` and `detail_areas`, for drawing
and for the question how many rows are wanted. Colour never says anything that a word or sign does not say too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from compiler.diagnostics.escape import escape
from worpen_cli.board.exchange import (
    ConnectionRow,
    Detail,
    FrameRow,
    Listing,
    Panel,
    Totals,
    Verb,
)
from worpen_cli.board.model import ACTIONS, Board, Prompt, hints

LEAST_WIDTH: Final = 40
LEAST_HEIGHT: Final = 12
HEAD: Final = 2
FOOT: Final = 1
ID_CHARACTERS: Final = 8
"""So much of a connection's id tells it from the others."""
PLACE_CELLS: Final = 18
GAP: Final = "  "
_STYLES: Final = {
    "ok": "green", "stale": "yellow", "broken": "bold red", "no key": "red", "disabled": "dim",
    "debug": "dim", "info": "", "warn": "yellow", "error": "bold red",
}  # fmt: skip


_JOINERS: Final = re.compile("[\u200b-\u200d\u2060\ufe00-\ufe0f\U000e0000-\U000e0fff]")
"""Characters without a width that make others look, and measure, otherwise; terminals do not agree on how."""

# Texts.


def clean(text: str) -> str:
    """A text that a terminal shows and does not obey, every character of it with a width of its own."""
    return _JOINERS.sub("", escape(text))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """A clean text on exactly so many cells, cut with an ellipsis where it is longer."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - cells) + text if right else text + " " * (width - cells)


def fit_place(place: str, width: int) -> str:
    """`file:line` in at most so many cells, cut at its beginning: the line is what matters."""
    short = place.rpartition("/")[2]
    while cell_len(short) > width and len(short) > 1:
        short = "…" + short[2:]
    return short


def with_unit(number: float) -> str:
    """At most four characters: `999`, `1.2k`, `34k`, `1.2M`."""
    for unit in ("", "k", "M", "G", "T"):
        if number < 999.5:
            return f"{number:.0f}{unit}" if not unit or number >= 9.95 else f"{number:.1f}{unit}"
        number /= 1000
    return "many"


def duration(seconds: float) -> str:
    """At most four characters: `5s`, `12m`, `3h`, `4d`."""
    for unit, length in (("s", 60), ("m", 60), ("h", 24)):
        if seconds < length:
            return f"{int(seconds)}{unit}"
        seconds /= length
    return f"{int(seconds)}d"


def clock(seconds: float) -> str:
    """`0:05`, `1:02:03`."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def brief_time(seconds: float | None) -> str:
    """`–`, `0.31ms`, `12ms`, `1.2s`."""
    if seconds is None:
        return "–"
    if seconds < 0.00995:
        return f"{seconds * 1e3:.2f}ms"
    return f"{seconds * 1e3:.0f}ms" if seconds < 0.9995 else f"{seconds:.1f}s"


# Columns.


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: `width` cells and its `share` of what is left over, in all no more than `most` (0: no limit).
    `style`: of a row."""

    title: str
    value: Callable[[Any], str]
    width: int = 0
    share: int = 0
    most: int = 0
    right: bool = False
    style: Callable[[Any], str] | None = None


def _route_generation(row: ConnectionRow) -> str:
    pending = f"→{row.current}" if row.current != row.generation else ""
    return f"{clean(row.route)}@{row.generation}{pending}"


def _result_style(row: ConnectionRow) -> str:
    return "green" if row.result == "ok" else "" if row.result in ("", "cancelled") else "bold red"


def _way(row: FrameRow) -> str:
    return "→ in" if row.is_input else "← out"


def _run(row: FrameRow) -> str:
    if not row.hook:
        return ""
    return f"{row.hook} #{row.run}"


COLUMNS: Final[Mapping[Panel, tuple[Column, ...]]] = {
    Panel.ROUTES: (
        Column("path", lambda r: clean(r.key), share=1),
        Column("gen", lambda r: str(r.generation or "–"), width=3, right=True),
        Column("state", lambda r: r.condition, width=6, style=lambda r: _STYLES[r.condition]),
        Column("conns", lambda r: with_unit(r.connections), width=5, right=True),
    ),
    Panel.CHANNELS: (
        Column("channel", lambda r: clean(r.key), share=1),
        Column("members", lambda r: with_unit(r.members), width=7, right=True),
        Column("msg/s", lambda r: with_unit(r.rate), width=5, right=True),
    ),
    Panel.CONNECTIONS: (
        Column("id", lambda r: clean(r.key[:ID_CHARACTERS]), width=ID_CHARACTERS),
        Column("route@gen", _route_generation, width=8, share=3, most=40),
        Column("peer/user", lambda r: clean(r.who), width=6, share=2, most=28),
        Column("age", lambda r: duration(r.age), width=4, right=True),
        Column("idle", lambda r: duration(r.idle), width=4, right=True),
        Column("in", lambda r: with_unit(r.received), width=4, right=True),
        Column("out", lambda r: with_unit(r.sent), width=4, right=True),
        Column("queued", lambda r: with_unit(r.queued_bytes), width=6, right=True),
        Column("p99", lambda r: brief_time(r.p99), width=6, right=True),
        Column("last", lambda r: clean(r.result) or "–", width=6, share=2, most=24, style=_result_style),
    ),
    Panel.LOG: (
        Column("time", lambda r: r.clock, width=8),
        Column("level", lambda r: r.level, width=5, style=lambda r: _STYLES.get(r.level, "")),
        Column("what", lambda r: clean(r.text), share=1, style=lambda r: _STYLES.get(r.level, "")),
    ),
    Panel.FRAMES: (
        Column("time", lambda r: r.clock, width=12),
        Column("", _way, width=5, style=lambda r: "cyan" if r.is_input else "green"),
        Column("frame", lambda r: clean(r.text), share=3),
        Column("hook run", _run, width=15),
        Column("line", lambda r: fit_place(clean(r.place), PLACE_CELLS), width=PLACE_CELLS),
    ),
}  # fmt: skip
TITLES: Final = {
    Panel.ROUTES: "1 routes",
    Panel.CONNECTIONS: "2 connections",
    Panel.CHANNELS: "3 channels",
    Panel.LOG: "4 log",
    Panel.FRAMES: "frames",
}
_NOTHING: Final = {
    Panel.ROUTES: "no routes",
    Panel.CONNECTIONS: "nobody is connected",
    Panel.CHANNELS: "no channels",
    Panel.LOG: "nothing happened yet",
    Panel.FRAMES: "no frames since you looked",
}


# What stands where.


@dataclass(frozen=True, slots=True)
class Area:
    """The size of a list on the screen, its title line and its column titles included."""

    width: int
    height: int

    @property
    def room(self) -> int:
        """Rows of the list that find room."""
        return max(1, self.height - 2)


def home_areas(width: int, height: int) -> dict[Panel, Area]:
    """The four lists: routes and channels side by side, connections, log."""
    rest = height - HEAD - FOOT
    top = max(3, rest * 2 // 7)
    log = max(3, rest * 2 // 7)
    left = (width - len(GAP)) * 11 // 20
    return {
        Panel.ROUTES: Area(left, top),
        Panel.CHANNELS: Area(width - len(GAP) - left, top),
        Panel.CONNECTIONS: Area(width, rest - top - log),
        Panel.LOG: Area(width, log),
    }


@dataclass(frozen=True, slots=True)
class DetailAreas:
    """Heights of the parts of a connection's page."""

    about: int
    frames: int
    frame: int


def detail_areas(height: int) -> DetailAreas:
    """What is known of the connection, its frames, and the marked frame."""
    rest = height - HEAD - FOOT
    about, frame = max(3, rest // 3), max(3, rest // 4)
    return DetailAreas(about, rest - about - frame, frame)


def rooms(board: Board, width: int, height: int) -> dict[Panel, int]:
    """How many rows of each list a screen of this size shows."""
    if board.detail:
        return {Panel.FRAMES: Area(width, detail_areas(height).frames).room}
    return {panel: area.room for panel, area in home_areas(width, height).items()}


# Drawing.


def draw(board: Board, width: int, height: int) -> Text:
    """The whole screen: exactly `height` lines of at most `width` cells."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        lines = [Text(f"at least {LEAST_WIDTH}×{LEAST_HEIGHT}, please; q quits")]
    elif board.is_help:
        lines = _help_page(width)
    elif board.reply is None:
        lines = [Text("worpen dev"), Text("starting …")]
    elif board.detail and board.reply.detail is not None:
        lines = [*_head(board, board.reply.totals, width), *_detail_page(board, board.reply.detail, width, height)]
    else:
        lines = [*_head(board, board.reply.totals, width), *_home_page(board, width, height)]
    body = [*lines, *[Text("")] * height][: height - FOOT]
    body.append(_foot(board, width))
    return _joined([_cut(line, width) for line in body])


def _joined(lines: Sequence[Text]) -> Text:
    page = Text("\n", no_wrap=True, overflow="crop", end="").join(lines)
    page.no_wrap, page.overflow = True, "crop"
    return page


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop", pad=True)
    return line


def _head(board: Board, totals: Totals, width: int) -> list[Text]:
    state = [word for word in (totals.state.upper(), "PAUSED" if board.is_held else "") if word]
    first = Text.assemble(("worpen dev", "bold"), "  ", clean(totals.address), "  up ", clock(totals.uptime))
    if state:
        first.append("  ").append(f" {' · '.join(state)} ", "bold reverse")
    rates = f"in {totals.received_rate:,.0f}/s · out {totals.sent_rate:,.0f}/s"
    number = f"{totals.connections:,} connection{'' if totals.connections == 1 else 's'}"
    return [first, Text(f"{number} · {rates}")]


def _home_page(board: Board, width: int, height: int) -> list[Text]:
    areas = home_areas(width, height)
    left, right = (_list(board, panel, areas[panel]) for panel in (Panel.ROUTES, Panel.CHANNELS))
    beside = [one + Text(GAP) + other for one, other in zip(left, right, strict=True)]
    return [*beside, *(line for panel in (Panel.CONNECTIONS, Panel.LOG) for line in _list(board, panel, areas[panel]))]


def _list(board: Board, panel: Panel, area: Area) -> list[Text]:
    """A list: its title, the titles of its columns, its rows."""
    listing, is_focused = board.listing(panel), board.panel is panel
    widths = _widths(COLUMNS[panel], area.width - 2)
    titles = " ".join(
        fit(column.title, cells, right=column.right) for column, cells in zip(COLUMNS[panel], widths, strict=True)
    )
    lines = [_title(board, panel, listing, area.width), Text("  " + titles, "dim")]
    for at, row in enumerate(listing.rows[: area.room], listing.first):
        is_marked = at == listing.at and (is_focused or panel is not Panel.LOG)
        lines.append(_row(COLUMNS[panel], widths, row, is_marked=is_marked, is_focused=is_focused))
    if not listing.rows:
        search = board.looks[panel].search
        lines.append(Text("  " + (f"nothing has “{clean(search)}” in it" if search else _NOTHING[panel]), "dim"))
    lines += [Text("")] * (area.height - len(lines))
    return [_cut(line, area.width) for line in lines[: area.height]]


def _title(board: Board, panel: Panel, listing: Listing[Any], width: int) -> Text:
    search = board.looks[panel].search
    counted = f"{listing.total:,}"
    if search:
        counted = f"{listing.matching:,} of {counted}, filter: {clean(search)}"
    if listing.matching > len(listing.rows) > 0:
        counted += f", {listing.first + 1:,}–{listing.first + len(listing.rows):,} shown"
    is_focused = board.panel is panel
    words = f"{'▶' if is_focused else ' '}{TITLES[panel]} ({counted}) "
    line = fit(words, width).rstrip()
    return Text(line + " " + "─" * max(0, width - cell_len(line) - 1), "bold" if is_focused else "")


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Cells for each column: its own width, and its share of what is left, up to the most it can use."""
    left = max(0, width - sum(column.width for column in columns) - (len(columns) - 1))
    shares = sum(column.share for column in columns) or 1
    most = (column.most or width for column in columns)
    return [
        min(limit, column.width + left * column.share // shares) for column, limit in zip(columns, most, strict=True)
    ]


def _row(columns: Sequence[Column], widths: Sequence[int], row: Any, *, is_marked: bool, is_focused: bool) -> Text:
    line = Text("› " if is_marked else "  ")
    for number, (column, cells) in enumerate(zip(columns, widths, strict=True)):
        style = column.style(row) if column.style is not None else ""
        line.append(" " if number else "").append(fit(column.value(row), cells, right=column.right), style)
    if is_marked and is_focused:
        line.stylize("reverse")
    return line


# The page of a connection.


def _detail_page(board: Board, detail: Detail, width: int, height: int) -> list[Text]:
    areas = detail_areas(height)
    return [
        *_about(detail, width, areas.about),
        *_list(board, Panel.FRAMES, Area(width, areas.frames)),
        *_frame(board.marked(Panel.FRAMES), width, areas.frame),
    ]


def _about(detail: Detail, width: int, height: int) -> list[Text]:
    row = detail.row
    state = f"open for {duration(row.age)}, idle {duration(row.idle)}"
    if detail.ended:
        state = f"closed: {clean(detail.ended)}"
    p99 = brief_time(row.p99)
    counts = f"in {row.received:,} · out {row.sent:,} · {row.queued_bytes:,} bytes queued · hooks p99 {p99}"
    head = [
        Text(f"▶{clean(row.key)}  {_route_generation(row)}  {state}", "bold"),
        Text(f"  {counts} · last: {clean(row.result) or '–'}"),
    ]
    left = (width - len(GAP)) // 2
    variables = [("variable " + name, value) for name, value in detail.variables] or [("variables", "none")]
    channels = [("channels", ", ".join(detail.channels) or "none")]
    columns = (
        _pairs(detail.handshake, left, height - len(head)),
        _pairs([*channels, *variables], width - len(GAP) - left, height - len(head)),
    )
    return [*head, *(one + Text(GAP) + other for one, other in zip(*columns, strict=True))][:height]


def _pairs(pairs: Sequence[tuple[str, str]], width: int, height: int) -> list[Text]:
    """Names and texts, one a line; where they are too many, the last line says how many are missing."""
    shown = list(pairs) if len(pairs) <= height else list(pairs[: height - 1])
    lines = [Text.assemble("  ", (clean(name) + " ", "dim"), clean(text)) for name, text in shown]
    if len(shown) < len(pairs):
        lines.append(Text(f"  … {len(pairs) - len(shown)} more", "dim"))
    lines += [Text("")] * (height - len(lines))
    return [_ellipsis(line, width) for line in lines[:height]]


def _ellipsis(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis", pad=True)
    return line


def _frame(row: FrameRow | None, width: int, height: int) -> list[Text]:
    """The marked frame in full, as far as there is room, and where it came from."""
    if row is None:
        return [Text("")] * height
    way = "→ in, starts" if row.is_input else "← out, sent by"
    run = f"{way} {_run(row) or 'no hook'}"
    if row.sender and not row.is_input:
        run += f" of {clean(row.sender[:ID_CHARACTERS])}"
    for part in (clean(row.outcome), clean(row.place)):
        run += f" · {part}" if part else ""
    title = f" frame {row.key} ({row.size:,} bytes) "
    lines = [Text(title + "─" * max(0, width - cell_len(title))), Text("  " + run, "dim")]
    text, cells = clean(row.text), max(1, width - 2)
    while text and len(lines) < height:
        piece = set_cell_size(text, cells) if cell_len(text) > cells else text
        taken = len(piece.rstrip(" ")) if cell_len(text) > cells else len(text)
        lines.append(Text("  " + text[:taken]))
        text = text[taken:] if taken else ""
    return [*lines, *[Text("")] * height][:height]


# Help, and the last line.


def _help_page(width: int) -> list[Text]:
    lines = [Text("worpen dev: the keys", "bold"), Text("")]
    lines += [Text.assemble("  ", (fit(a.shown, 11), "bold"), a.help) for a in ACTIONS if a.shown]
    explained = "queued: bytes the client has not taken. p99: of its last 128 hook runs. last: how the last one ended."
    return [*lines, Text(""), *(Text("  " + line, "dim") for line in wrap(explained, width - 2))]


def _foot(board: Board, width: int) -> Text:
    if board.prompt is not None:
        return _prompt_line(board.prompt, width)
    if board.notice:
        return Text(fit(" " + clean(board.notice), width), "reverse")
    return _hints(board, width)


def _hints(board: Board, width: int) -> Text:
    """As many keys as find room; help and quit always do."""
    actions = hints(board)
    last = [action for action in actions if action.short in ("help", "quit")]
    chosen = [action for action in actions if action not in last]
    while chosen and sum(len(a.shown) + len(a.short) + 3 for a in [*chosen, *last]) + 1 > width:
        chosen.pop()
    line = Text(" ")
    for action in [*chosen, *last]:
        line.append(action.shown, "bold").append(f" {action.short}  ", "dim")
    return line


def _prompt_line(prompt: Prompt, width: int) -> Text:
    match prompt.verb:
        case Verb.SEND:
            label = f" send to {clean(prompt.subject[:ID_CHARACTERS])}: "
        case Verb.BROADCAST:
            label = f" broadcast to {fit(clean(prompt.subject), min(24, cell_len(clean(prompt.subject))))}: "
        case _:
            label = " filter: "
    before, after = clean(prompt.text[: prompt.at]), clean(prompt.text[prompt.at :])
    room = max(4, width - cell_len(label) - 2)
    while cell_len(before) > room:
        before = before[1:]
    cursor, rest = (after[:1], after[1:]) if after else (" ", "")
    return Text.assemble((label, "bold"), before, (cursor, "reverse"), rest)
