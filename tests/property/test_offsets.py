"""Texts written in every style, character by character: each offset of the value leads to what made it, and back.

The writers below know for each character of a value which characters of the file made it; the map has to
find the same from the file alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import Span
from compiler.syntax.events import decode_source, read_documents
from compiler.syntax.offsets import offset_map
from compiler.syntax.tree import Style
from tests.compiler.syntax.reading import scalars_of

LETTERS = "abcxyzé😀中ü\u0308\u2028\x85"
BREAKS = st.sampled_from(["\n", "\r\n", "\r"])
BLANKS = st.text(" \t", max_size=3)


@dataclass
class Writer:
    """Collects a file, and for each character of the value the range that made it.

    Begins with what stands in front of the scalar.
    """

    file: str
    start: int = field(init=False)
    value: str = ""
    places: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = len(self.file)

    def write(self, written: str) -> None:
        """Characters that make nothing."""
        self.file += written

    def make(self, written: str, made: str) -> None:
        """Characters that together make one, or one each."""
        for number, character in enumerate(made):
            start = len(self.file) + (number if len(made) > 1 else 0)
            self.places.append(Span(start, start + (1 if len(made) > 1 else len(written))))
            self.value += character
        self.file += written


def check(writer: Writer, style: Style, name: str = "a.yaml", *, marked: bool = False) -> None:
    report = Report()
    raw = (b"\xef\xbb\xbf" if marked else b"") + writer.file.encode()
    source = decode_source(name, raw, report)
    assert source is not None
    documents = read_documents(source, report)
    assert [finding.message for finding in report.diagnostics] == []
    (scalar,) = (scalar for scalar in scalars_of(documents[0]) if scalar.span.start == writer.start)
    assert (scalar.style, scalar.value) == (style, writer.value)
    offsets = offset_map(source.text, scalar)
    for number, place in enumerate(writer.places):
        assert offsets.span_to_file(Span(number, number + 1)) == place
        assert offsets.to_file(number) == place.start
        assert {offsets.to_value(at) for at in range(place.start, place.end)} == {number}
    assert offsets.to_file(len(scalar.value)) == (writer.places[-1].end if writer.places else offsets.to_file(0))
    everywhere = [offsets.to_value(at) for at in range(len(source.text) + 1)]
    assert everywhere == sorted(everywhere)
    assert scalar.span.start <= offsets.to_file(0) <= offsets.to_file(len(scalar.value)) <= scalar.span.end


# Plain and quoted.

FOLDS = st.tuples(BLANKS, st.integers(1, 3), st.text(" ", max_size=4), st.text(" \t", max_size=3))
Fold = tuple[str, int, str, str]


def write_fold(writer: Writer, fold: Fold, line_break: str) -> None:
    trailing, count, on_blank_lines, indentation = fold
    writer.write(trailing)
    if count == 1:
        writer.make(line_break, " ")
    else:
        writer.write(line_break)
    for _ in range(count - 1):
        writer.write(on_blank_lines)
        writer.make(line_break, "\n")
    writer.write("    " + indentation)


def begin(line_break: str) -> Writer:
    return Writer(f"k: 0{line_break}a:{line_break}  key: ")


def end(writer: Writer, line_break: str, last: bool) -> Writer:
    writer.write("" if last else f"{line_break}c: 1{line_break}")
    return writer


plain_words = st.builds(str.__add__, st.sampled_from("abcé😀"), st.text(LETTERS + "'\"{}|>%@!&*,[]-\\", max_size=5))


@given(
    st.lists(st.tuples(plain_words, st.one_of(BLANKS, FOLDS)), min_size=1, max_size=5),
    BREAKS,
    st.booleans(),
    st.booleans(),
)
def test_plain(parts: list[tuple[str, str | Fold]], line_break: str, last: bool, marked: bool) -> None:
    writer = begin(line_break)
    for number, (word, separator) in enumerate(parts):
        writer.make(word, word)
        if number == len(parts) - 1:
            break
        if isinstance(separator, str):
            writer.make(separator or " ", separator or " ")
        else:
            write_fold(writer, separator, line_break)
    check(end(writer, line_break, last), Style.PLAIN, marked=marked)


single_words = st.lists(st.sampled_from([*LETTERS, "''", '"', "\\", "#", ":", "{"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(single_words, st.one_of(BLANKS, FOLDS)), max_size=5), BREAKS, st.booleans(), st.booleans())
def test_single_quoted(parts: list[tuple[list[str], str | Fold]], line_break: str, last: bool, marked: bool) -> None:
    writer = begin(line_break)
    writer.write("'")
    for word, separator in parts:
        for character in word:
            writer.make(character, "'" if character == "''" else character)
        if isinstance(separator, str):
            writer.make(separator, separator)
        else:
            write_fold(writer, separator, line_break)
    writer.write("'")
    check(end(writer, line_break, last), Style.SINGLE, marked=marked)


def escape_codes(character: str) -> list[str]:
    code = ord(character)
    return [
        f"\\U{code:08x}",
        *([f"\\u{code:04X}"] if code < 0x10000 else []),
        *([f"\\x{code:02x}"] if code < 0x100 else []),
    ]


named_escapes = st.sampled_from(
    [
        (rf"\{letter}", made)
        for letter, made in zip('0abtnvfre "/\\N_LP', '\0\a\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True)
    ]
)
coded_escapes = st.sampled_from(
    [(code, character) for character in LETTERS + "\0\n" for code in escape_codes(character)]
)
itself = st.sampled_from([(character, character) for character in LETTERS + "'#:{-"])
double_words = st.lists(st.one_of(itself, named_escapes, coded_escapes), min_size=1, max_size=5)
joined_lines = st.tuples(BLANKS, st.integers(0, 2))
Separator = str | Fold | tuple[str, int]


@given(
    st.lists(st.tuples(double_words, st.one_of(BLANKS, FOLDS, joined_lines)), max_size=5),
    BREAKS,
    st.booleans(),
    st.booleans(),
)
def test_double_quoted(
    parts: list[tuple[list[tuple[str, str]], Separator]], line_break: str, last: bool, marked: bool
) -> None:
    writer = begin(line_break)
    writer.write('"')
    for word, separator in parts:
        for written, made in word:
            writer.make(written, made)
        if isinstance(separator, str):
            writer.make(separator, separator)
        elif len(separator) == 4:
            write_fold(writer, separator, line_break)
        else:
            blanks, more = separator
            writer.make(blanks, blanks)
            writer.write("\\" + line_break)
            for _ in range(more):
                writer.write("  ")
                writer.make(line_break, "\n")
            writer.write("    ")
    writer.write('"')
    check(end(writer, line_break, last), Style.DOUBLE, marked=marked)


# Block styles.

block_texts = st.text(LETTERS + "'\"#:{}-| \t", max_size=8)


@dataclass
class Block:
    """A block scalar to be written: its lines (empty ones are blank lines) and how they are written."""

    lines: list[str]
    indentation: int
    explicit: bool
    chomping: str
    comment: bool
    final_break: bool
    blank_width: int


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    explicit = draw(st.booleans())
    indentation = draw(st.integers(3, 6))
    lines = draw(st.lists(st.one_of(block_texts, st.just("")), max_size=6))
    first = next((number for number, line in enumerate(lines) if line), None)
    if first is not None and not explicit:
        lines[first] = "x" + lines[first]  # its indentation is the block's
    return Block(
        lines,
        indentation,
        explicit,
        draw(st.sampled_from(["", "-", "+"])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, 3)),
    )


def write_block(block: Block, line_break: str, is_folded: bool) -> Writer:
    writer = begin(line_break)
    writer.write(">" if is_folded else "|")
    writer.write(str(block.indentation - 2) if block.explicit else "")
    writer.write(block.chomping + ("  # why" if block.comment else "") + line_break)
    last = max((number for number, line in enumerate(block.lines) if line), default=-1)
    ends_open = last == len(block.lines) - 1 and not block.final_break
    for number, line in enumerate(block.lines):
        writer.write(" " * (block.indentation if line else min(block.blank_width, block.indentation)))
        writer.make(line, line)
        if number == len(block.lines) - 1 and ends_open and line:
            return writer
        made = break_makes(block, number, last, is_folded)
        if made:
            writer.make(line_break, made)
        else:
            writer.write(line_break)
    if block.final_break:
        writer.write(f"c: 1{line_break}")
    return writer


def break_makes(block: Block, number: int, last: int, is_folded: bool) -> str:
    """What the break behind a line makes: itself, a blank, or nothing."""
    line = block.lines[number]
    if number > last:
        return "\n" if block.chomping == "+" else ""
    if number == last:
        return "" if block.chomping == "-" else "\n"
    if not is_folded or not line:
        return "\n"
    following = next(other for other in block.lines[number + 1 :] if other)
    if line[0] in " \t" or following[0] in " \t":
        return "\n"
    return "" if not block.lines[number + 1] else " "


@given(blocks(), BREAKS, st.booleans())
def test_literal(block: Block, line_break: str, marked: bool) -> None:
    check(write_block(block, line_break, is_folded=False), Style.LITERAL, marked=marked)


@given(blocks(), BREAKS, st.booleans())
def test_folded(block: Block, line_break: str, marked: bool) -> None:
    check(write_block(block, line_break, is_folded=True), Style.FOLDED, marked=marked)


# JSON.


def json_escapes(character: str) -> list[str]:
    raw = character.encode("utf-16-be").hex()
    coded = "".join(f"\\u{raw[place : place + 4]}" for place in range(0, len(raw), 4))
    return [coded, coded.upper().replace("\\U", "\\u")]


json_escaped = st.sampled_from(
    [(code, character) for character in LETTERS + '\0\n"\\' for code in json_escapes(character)]
)
json_named = st.sampled_from(
    [(rf"\{letter}", made) for letter, made in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)]
)


@given(st.lists(st.one_of(itself, json_escaped, json_named), max_size=12), st.booleans())
def test_json(parts: list[tuple[str, str]], marked: bool) -> None:
    writer = Writer('{"key": ')
    writer.write('"')
    for written, made in parts:
        writer.make(written, made)
    writer.write('"}')
    check(writer, Style.JSON, "a.json", marked=marked)
