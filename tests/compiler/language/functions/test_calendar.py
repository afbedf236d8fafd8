"""Reading and writing dates and times."""

from __future__ import annotations

import locale
from datetime import UTC, datetime

import pytest

from compiler.diagnostics import codes
from compiler.language.faults import Fault
from compiler.language.functions.calendar import (
    format_time,
    is_date,
    read_time,
    shifted,
    unix_seconds,
    write_date,
    write_time,
)
from compiler.language.values import Number

TIME = datetime(2024, 12, 8, 9, 5, 7, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2024-12-18", "2024-12-18T00:00:00Z"),
        ("2024-12-18T10:30", "2024-12-18T10:30:00Z"),
        ("2024-12-18 10:30:45", "2024-12-18T10:30:45Z"),
        ("2024-12-18t10:30:45z", "2024-12-18T10:30:45Z"),
        ("2024-12-18T10:30:45.999999999Z", "2024-12-18T10:30:45Z"),
        ("2024-12-18T10:30:45,5+02:00", "2024-12-18T08:30:45Z"),
        ("2024-12-18T23:30-0130", "2024-12-19T01:00:00Z"),
        ("2024-12-18T10:30+05", "2024-12-18T05:30:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-0.5, "1969-12-31T23:59:59Z"),
        ("86400", "1970-01-02T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
        (-62135596800, "0001-01-01T00:00:00Z"),
    ],
)
def test_reading(moment: str | Number, written: str) -> None:
    assert write_time(read_time(moment)) == written


@pytest.mark.parametrize(
    "moment",
    [
        *("2024-13-01", "2024-02-30", "2023-02-29", "0000-01-01", "2024-1-1", "18.12.2024", "20241218T103045Z"),
        *("", "now", "2024-12-18T", "2024-12-18T10", "2024-12-18T24:00:00Z", "2024-12-18T10:60:00Z", " 2024-12-18"),
        *("2024-12-18T10:30:60Z", "2024-12-18T10:30:45Z ", "2024-12-18T10:30:45+24:00", "2024-12-18T10:30+05:60"),
        *("2024-12-18T10:30:45.Z", "2024-12-18\n", "\u0662\u0660\u0662\u0664-12-18", "0001-01-01T00:00+14:00"),
        *("9999-12-31T23:59:59-01:00", 253402300800, -62135596801, 1_734_517_845_000, 10**300, -1e300, "9e99"),
    ],
)
def test_what_is_no_time(moment: str | Number) -> None:
    with pytest.raises(Fault) as caught:
        read_time(moment)
    assert caught.value.kind is codes.BAD_ARGUMENT


def test_milliseconds_are_explained() -> None:
    with pytest.raises(Fault, match="not milliseconds"):
        read_time(1_734_517_845_000)


def test_dates_are_told_from_times() -> None:
    assert is_date("2024-12-18")
    assert not is_date("2024-12-18T00:00:00Z")
    assert not is_date("2024-12-18\n")
    assert not is_date(20241218)


def test_shifting() -> None:
    assert write_time(shifted(TIME, 86_400)) == "2024-12-09T09:05:07Z"
    for seconds in (10**12, -(10**12), 10**300, 1e300, -1e300, float("inf")):
        with pytest.raises(Fault) as caught:
            shifted(TIME, seconds)
        assert caught.value.kind is codes.BAD_ARGUMENT


def test_writing() -> None:
    assert write_date(TIME) == "2024-12-08"
    assert unix_seconds(TIME) == 1_733_648_707
    assert unix_seconds(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == -1


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("", ""),
        ("plain", "plain"),
        ("%Y/%m/%d %H:%M:%S", "2024/12/08 09:05:07"),
        ("%y %C %j %f", "24 20 343 250000"),
        ("%-d.%-m. %-H %-I %-M %-S %-j", "8.12. 9 9 5 7 343"),
        ("[%e] [%k] [%l] [%I]", "[ 8] [ 9] [ 9] [09]"),
        ("%a %A %b %B %h %p %P", "Sun Sunday Dec December Dec AM am"),
        ("%u %w %U %W %V %G %g", "7 0 49 49 49 2024 24"),
        ("%F|%T|%R|%D|%r", "2024-12-08|09:05:07|09:05|12/08/24|09:05:07 AM"),
        ("%c|%x|%X", "Sun Dec  8 09:05:07 2024|12/08/24|09:05:07"),
        ("%s %z %Z", "1733648707 +0000 UTC"),
        ("100%%%n%t", "100%\n\t"),
        ("é%Yé", "é2024é"),
    ],
)
def test_directives(form: str, written: str) -> None:
    assert format_time(TIME, form) == written


def test_midnight_is_twelve() -> None:
    assert format_time(datetime(2024, 1, 1, tzinfo=UTC), "%I %p") == "12 AM"
    assert format_time(datetime(2024, 1, 1, 12, tzinfo=UTC), "%I %p") == "12 PM"


def test_early_years_have_four_digits() -> None:
    assert format_time(datetime(33, 4, 3, tzinfo=UTC), "%Y %F") == "0033 0033-04-03"


@pytest.mark.parametrize("form", ["%", "abc%", "%Q", "%-", "%-a", "%-F", "%é", "%\n", "%_d", "%E"])
def test_unknown_directives(form: str) -> None:
    with pytest.raises(Fault) as caught:
        format_time(TIME, form)
    assert caught.value.kind is codes.BAD_ARGUMENT


def test_the_length_is_bounded() -> None:
    with pytest.raises(Fault) as caught:
        format_time(TIME, "%c" * 100_000)
    assert caught.value.kind is codes.TOO_LARGE


def test_the_locale_does_not_matter() -> None:
    kept = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert format_time(TIME, "%A %B %c %p") == "Sunday December Sun Dec  8 09:05:07 2024 AM"
    finally:
        locale.setlocale(locale.LC_TIME, kept)
