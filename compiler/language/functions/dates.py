"""Functions on dates and times, all in UTC.

A date is ISO 8601 text (`2024-12-18T10:30:45Z`; without a zone UTC), `YYYY-MM-DD`, or Unix seconds.
"""

from __future__ import annotations

from compiler.language.functions.arguments import refuse
from compiler.language.functions.calendar import (
    format_time,
    is_date,
    read_time,
    shifted,
    unix_seconds,
    write_date,
    write_time,
)
from compiler.language.functions.registry import Moment, function
from compiler.language.values import Number


@function("dates", examples=[("now() | contains('T')", True), ("now() | length", 20)])
def now(moment: Moment) -> str:
    """The time, as ISO 8601 text: `2024-12-18T10:30:45Z`."""
    return write_time(read_time(moment.now()))


@function("dates", examples=[("today() | length", 10)])
def today(moment: Moment) -> str:
    """The date, as `YYYY-MM-DD`."""
    return write_date(read_time(moment.now()))


@function("dates", examples=[("now_unix() > 1700000000", True)])
def now_unix(moment: Moment) -> Number:
    """The time, as whole Unix seconds."""
    return unix_seconds(read_time(moment.now()))


@function(
    "dates",
    examples=[
        ("add_days('2024-02-28', 2)", "2024-03-01"),
        ("add_days('2024-12-18T10:30:45Z', -1)", "2024-12-17T10:30:45Z"),
    ],
)
def add_days(date: str | Number, days: Number) -> str:
    """So many days later (earlier, if negative). A date without a time stays one and takes whole days."""
    time = shifted(read_time(date), days * 86400)
    if not is_date(date):
        return write_time(time)
    if not isinstance(days, int):
        raise refuse("a date without a time takes whole days", date, days)
    return write_date(time)


@function("dates", examples=[("add_hours('2024-12-18T10:30:45Z', 14)", "2024-12-19T00:30:45Z")])
def add_hours(date: str | Number, hours: Number) -> str:
    """So many hours later (earlier, if negative), as ISO 8601 text."""
    return write_time(shifted(read_time(date), hours * 3600))


@function(
    "dates",
    examples=[
        ("format_timestamp('2024-12-18T10:30:45Z', '%A, %-d %B %Y, %H:%M')", "Wednesday, 18 December 2024, 10:30"),
        ("format_timestamp(86400, '%Y-%m-%d')", "1970-01-02"),
    ],
)
def format_timestamp(date: str | Number, format: str) -> str:
    """The date or time by strftime's directives (`%Y-%m-%d %H:%M:%S`), with English names.

    `%-d` and its like leave out filling zeros and blanks. An unknown directive is an error.
    """
    return format_time(read_time(date), format)


@function("dates", examples=[("parse_timestamp('1970-01-02T00:00:00Z')", 86400)])
def parse_timestamp(date: str | Number) -> Number:
    """The date or time as whole Unix seconds."""
    return unix_seconds(read_time(date))
