"""Bytes → SourceFile: size, byte order mark, UTF-8, control characters (language sections 1 and 12)."""

from __future__ import annotations

import re
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.language.limits import FILE_BYTES

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_WIDE_MARKS: Final = (  # the longer ones first: UTF-16's is the beginning of UTF-32's
    (b"\xff\xfe\x00\x00", "UTF-32", "utf-32"),
    (b"\x00\x00\xfe\xff", "UTF-32", "utf-32"),
    (b"\xff\xfe", "UTF-16", "utf-16"),
    (b"\xfe\xff", "UTF-16", "utf-16"),
)
_WIDE_WITHOUT_MARK: Final = (
    (re.compile(rb"(?:[\x01-\x7f]\x00){2}"), "UTF-16", "utf-16-le"),
    (re.compile(rb"(?:\x00[\x01-\x7f]){2}"), "UTF-16", "utf-16-be"),
)
_REFUSED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""C0 but tab and line breaks, DEL, C1 but NEL, and two code points that are no characters: what YAML refuses."""

_SAVE_AS_UTF8: Final = "save the file as UTF-8"


def decode_source(name: str, raw: bytes, report: Report) -> SourceFile | None:
    """The text of a route file; None, with one finding in `report`, where it cannot be used.

    Findings: `limit` over 1 MiB; `encoding` at the first byte that is not UTF-8, at a byte order mark
    of another encoding, and at the first control character. Their source is the file as far as it can be shown.
    """
    if len(raw) > FILE_BYTES:
        message = f"the file has {len(raw)} bytes, and a route file has at most {FILE_BYTES}"
        report.add(codes.LIMIT, SourceFile(name, ""), Span(0, 0), message)
        return None
    if (wide := _wide_encoding(raw)) is not None:
        _report_wide(name, raw, *wide, report)
        return None
    bom_bytes = len(_UTF8_MARK) if raw.startswith(_UTF8_MARK) else 0
    try:
        source = SourceFile(name, raw[bom_bytes:].decode(), bom_bytes)
    except UnicodeDecodeError as error:
        _report_undecodable(name, error, bom_bytes, report)
        return None
    return source if _all_printable(source, report) else None


def _wide_encoding(raw: bytes) -> tuple[str, str] | None:
    for mark, title, codec in _WIDE_MARKS:
        if raw.startswith(mark):
            return title, codec
    for pattern, title, codec in _WIDE_WITHOUT_MARK:
        if pattern.match(raw):
            return title, codec
    return None


def _report_wide(name: str, raw: bytes, title: str, codec: str, report: Report) -> None:
    source = SourceFile(name, raw.decode(codec, "replace"))
    report.add(
        codes.ENCODING, source, Span(0, min(1, len(source.text))), f"the file is {title}, not UTF-8", help=_SAVE_AS_UTF8
    )


def _report_undecodable(name: str, error: UnicodeDecodeError, bom_bytes: int, report: Report) -> None:
    before = error.object[: error.start].decode()
    source = SourceFile(name, before + error.object[error.start :].decode(errors="replace"), bom_bytes)
    place = Span(len(before), len(before) + 1)
    report.add(codes.ENCODING, source, place, _undecodable_message(error), help=_undecodable_help(error, before))


def _undecodable_message(error: UnicodeDecodeError) -> str:
    raw, start = error.object, error.start
    if error.reason == "unexpected end of data":
        return f"the file ends inside a UTF-8 character that begins with byte 0x{raw[start]:02X}"
    if raw[start] == 0xED and raw[start + 1] >= 0xA0:
        return f"bytes 0x{raw[start]:02X} 0x{raw[start + 1]:02X} are half of a surrogate pair, which is not UTF-8"
    return f"byte 0x{raw[start]:02X} is not UTF-8"


def _undecodable_help(error: UnicodeDecodeError, before: str) -> str:
    """Names the character where the file looks like Latin-1: ASCII until here, and a byte that is a character there."""
    surrogate = error.object[error.start] == 0xED
    if before.isascii() and not surrogate and error.reason != "unexpected end of data":
        character = error.object[error.start : error.start + 1].decode("cp1252", "replace")
        if character.isprintable() and character != "\ufffd":
            return f"as Latin-1 (Windows-1252) the byte is `{character}`; {_SAVE_AS_UTF8}"
    return _SAVE_AS_UTF8


def _all_printable(source: SourceFile, report: Report) -> bool:
    if source.text.startswith("\ufeff"):
        report.add(codes.ENCODING, source, Span(0, 1), "the file begins with two byte order marks", help="remove one")
        return False
    refused = list(_REFUSED.finditer(source.text)) if _REFUSED.search(source.text) else []
    if refused:
        place = Span(*refused[0].span())
        message = f"control character U+{ord(refused[0][0]):04X}"
        report.add(codes.ENCODING, source, place, message, help=_control_help(refused[0][0], len(refused) - 1))
    return not refused


def _control_help(character: str, others: int) -> str:
    more = f"; the file holds {others} more" if others else ""
    digits = f"\\u{ord(character):04x}"
    return f"in a double-quoted text it is written `{digits}`{more}"
