"""Bytes → text: what is refused, and where."""

from __future__ import annotations

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.source import SourceFile
from compiler.language.limits import FILE_BYTES
from compiler.syntax.decoding import decode_source


def decode(raw: bytes) -> tuple[SourceFile | None, list[Diagnostic]]:
    report = Report()
    return decode_source("a.yaml", raw, report), report.diagnostics


def test_text_is_kept_as_it_is() -> None:
    source, findings = decode("a: é😀\r\nb: \x85\tc\n".encode())
    assert not findings
    assert source == SourceFile("a.yaml", "a: é😀\r\nb: \x85\tc\n")


def test_a_byte_order_mark_is_taken_off_and_counted_in_offsets() -> None:
    source, _ = decode(b"\xef\xbb\xbfa: 1")
    assert source is not None
    assert (source.text, source.bom_bytes) == ("a: 1", 3)
    assert source.position(3).offset == 6


@pytest.mark.parametrize(
    ("raw", "line", "column", "offset", "words"),
    [
        (b"a: 1\nb: caf\xe9\n", 2, 7, 11, "byte 0xE9 is not UTF-8"),
        ("é: ".encode() + b"\xff", 1, 4, 4, "byte 0xFF is not UTF-8"),
        (b"\xef\xbb\xbfab\xe2\x82", 1, 3, 5, "the file ends inside a UTF-8 character that begins with byte 0xE2"),
        (b"a\xed\xa0\x80", 1, 2, 1, "bytes 0xED 0xA0 are half of a surrogate pair, which is not UTF-8"),
        (b"a\xc0\xaf", 1, 2, 1, "byte 0xC0 is not UTF-8"),
        (b"a: \x00b", 1, 4, 3, "control character U+0000"),
        (b"a: b\n\x1b[0m\x07", 2, 1, 5, "control character U+001B"),
        (b"a\x7f", 1, 2, 1, "control character U+007F"),
        ("a\x80".encode(), 1, 2, 1, "control character U+0080"),
        ("é\ufffe".encode(), 1, 2, 2, "control character U+FFFE"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", 1, 1, 3, "the file begins with two byte order marks"),
    ],
)
def test_what_is_not_text_is_refused_at_its_place(raw: bytes, line: int, column: int, offset: int, words: str) -> None:
    source, findings = decode(raw)
    assert source is None
    assert [(finding.code.name, finding.message) for finding in findings] == [("encoding", words)]
    place = findings[0].source.position(findings[0].span.start)
    assert (place.line, place.column, place.offset) == (line, column, offset)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named(codec: str) -> None:
    source, findings = decode("name: A".encode(codec))
    assert source is None
    assert codec[:6].upper() in findings[0].message
    assert findings[0].source.text.startswith("name")


@pytest.mark.parametrize(
    ("raw", "advice"),
    [
        (b"caf\xe9 au lait", "as Latin-1 (Windows-1252) the byte is `é`; save the file as UTF-8"),
        (b"\x93quoted\x94", "as Latin-1 (Windows-1252) the byte is `“`; save the file as UTF-8"),
        ("é".encode() + b"\xe9 ", "save the file as UTF-8"),
        (b"caf\xc3", "save the file as UTF-8"),
        (b"\x81 ", "save the file as UTF-8"),
    ],
)
def test_latin_1_is_named_where_it_is_likely(raw: bytes, advice: str) -> None:
    assert decode(raw)[1][0].help == advice


def test_the_line_of_a_bad_byte_can_be_shown() -> None:
    finding = decode(b"a: 1\nb: caf\xe9!\n")[1][0]
    assert finding.source.line_text(2) == "b: caf\ufffd!"


def test_further_control_characters_are_counted() -> None:
    assert decode(b"\x01\x02\x03")[1][0].help.endswith("; the file holds 2 more")


def test_the_size_is_limited() -> None:
    assert decode(b" " * FILE_BYTES)[0] is not None
    source, findings = decode(b" " * (FILE_BYTES + 1))
    assert source is None
    assert findings[0].code.name == "limit"
    assert "1048577 bytes" in findings[0].message
