"""Dates and times as texts: reading ISO 8601, writing it, and formatting by directives.

Everything is UTC and the proleptic Gregorian calendar, years 1 to 9999. Names are English and no
directive asks the platform, so that a format gives the same text everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NoReturn

from compiler.language.functions.arguments import refuse
from compiler.language.values import Number, Value, check_size, parse_number

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999; what is beyond it was most likely meant as milliseconds."""

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def is_date(moment: Value) -> bool:
    """Whether a value is a date without a time: `YYYY-MM-DD`."""
    return isinstance(moment, str) and _DATE.fullmatch(moment) is not None


def read_time(moment: str | Number) -> datetime:
    """The time that ISO 8601 text, `YYYY-MM-DD` or Unix seconds stand for, in UTC; UTC where there is no zone.

    Raises Fault bad-argument for any other text and outside of the years 1 to 9999.
    """
    if isinstance(moment, str):
        if (number := parse_number(moment)) is None:
            return _read_text(moment)
        moment = number
    if moment > _LAST_SECOND:
        raise refuse("the time is after the year 9999; Unix times are in seconds, not milliseconds", moment)
    return shifted(_EPOCH, moment)


def _read_text(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            return datetime(*_year_month_day(text), tzinfo=UTC) if is_date(text) else _no_time(text)
        fraction = int((match["fraction"] or "0").ljust(6, "0")[:6])
        clock = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
        return datetime(*_year_month_day(match["date"]), *clock, fraction, tzinfo=_zone(match)).astimezone(UTC)
    except (ValueError, OverflowError):
        _no_time(text)


def _year_month_day(date: str) -> tuple[int, int, int]:
    return int(date[:4]), int(date[5:7]), int(date[8:])


def _zone(match: re.Match[str]) -> timezone:
    if match["sign"] is None:
        return UTC
    minutes = int(match["zone_minute"] or 0)
    if minutes > 59:
        raise ValueError("minutes of a zone")
    offset = timedelta(hours=int(match["zone_hour"]), minutes=minutes)
    return timezone(-offset if match["sign"] == "-" else offset)


def _no_time(text: str) -> NoReturn:
    raise refuse("this is no date or time: write `2024-12-18`, `2024-12-18T10:30:45Z` or Unix seconds", text)


def shifted(time: datetime, seconds: Number) -> datetime:
    """The time so many seconds later. Raises Fault bad-argument outside of the years 1 to 9999."""
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        raise refuse("the time would be outside of the years 1 to 9999", seconds) from None


def write_time(time: datetime) -> str:
    """ISO 8601 in whole seconds: `2024-12-18T10:30:45Z`."""
    return f"{write_date(time)}T{time:%H:%M:%S}Z"


def write_date(time: datetime) -> str:
    """`2024-12-18`."""
    return f"{time.year:04}-{time.month:02}-{time.day:02}"


def unix_seconds(time: datetime) -> int:
    """Whole seconds since 1970-01-01 UTC, rounded down."""
    return (time - _EPOCH) // timedelta(seconds=1)


def _hour_of_twelve(time: datetime) -> int:
    return time.hour % 12 or 12


def _week_from_sunday(time: datetime) -> int:
    return (time.timetuple().tm_yday + 6 - time.isoweekday() % 7) // 7


def _week_from_monday(time: datetime) -> int:
    return (time.timetuple().tm_yday + 6 - time.weekday()) // 7


_NUMERIC_DIRECTIVES: Final[dict[str, tuple[int, str, Callable[[datetime], int]]]] = {
    "Y": (4, "0", lambda time: time.year),
    "C": (2, "0", lambda time: time.year // 100),
    "y": (2, "0", lambda time: time.year % 100),
    "m": (2, "0", lambda time: time.month),
    "d": (2, "0", lambda time: time.day),
    "e": (2, " ", lambda time: time.day),
    "j": (3, "0", lambda time: time.timetuple().tm_yday),
    "H": (2, "0", lambda time: time.hour),
    "k": (2, " ", lambda time: time.hour),
    "I": (2, "0", _hour_of_twelve),
    "l": (2, " ", _hour_of_twelve),
    "M": (2, "0", lambda time: time.minute),
    "S": (2, "0", lambda time: time.second),
    "f": (6, "0", lambda time: time.microsecond),
    "u": (1, "0", lambda time: time.isoweekday()),
    "w": (1, "0", lambda time: time.isoweekday() % 7),
    "U": (2, "0", _week_from_sunday),
    "W": (2, "0", _week_from_monday),
    "G": (4, "0", lambda time: time.isocalendar().year),
    "g": (2, "0", lambda time: time.isocalendar().year % 100),
    "V": (2, "0", lambda time: time.isocalendar().week),
    "s": (1, "0", unix_seconds),
}
"""Directives that write a number: to how many characters, filled with what, and which number."""

_WORD_DIRECTIVES: Final[dict[str, Callable[[datetime], str]]] = {
    "a": lambda time: DAYS[time.weekday()][:3],
    "A": lambda time: DAYS[time.weekday()],
    "b": lambda time: MONTHS[time.month - 1][:3],
    "h": lambda time: MONTHS[time.month - 1][:3],
    "B": lambda time: MONTHS[time.month - 1],
    "p": lambda time: "AM" if time.hour < 12 else "PM",
    "P": lambda time: "am" if time.hour < 12 else "pm",
    "z": lambda time: "+0000",
    "Z": lambda time: "UTC",
    "n": lambda time: "\n",
    "t": lambda time: "\t",
    "%": lambda time: "%",
}
"""Directives that write words."""

_COMPOSED_DIRECTIVES: Final = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
}
"""Directives that stand for several others."""

_DIRECTIVE: Final = re.compile(r"%(-?)(.?)", re.DOTALL)


def format_time(time: datetime, form: str) -> str:
    """The time by strftime's directives; `%-d` leaves out the filling.

    Raises Fault bad-argument for an unknown directive, too-large over 1 MiB.
    """
    parts: list[str] = []
    size = end = 0
    for match in _DIRECTIVE.finditer(form):
        parts += (form[end : match.start()], _write_directive(time, match[1], match[2], form))
        size += len(parts[-2]) + len(parts[-1])
        check_size(size)
        end = match.end()
    return "".join((*parts, form[end:]))


def _write_directive(time: datetime, flag: str, letter: str, form: str) -> str:
    if (numeric := _NUMERIC_DIRECTIVES.get(letter)) is not None:
        width, fill, number = numeric
        return str(number(time)) if flag else str(number(time)).rjust(width, fill)
    if not flag and (word := _WORD_DIRECTIVES.get(letter)) is not None:
        return word(time)
    if not flag and (composed := _COMPOSED_DIRECTIVES.get(letter)) is not None:
        return format_time(time, composed)
    raise refuse(f"`%{flag}{letter}` is no directive of a time format; a percent sign is `%%`", form)
