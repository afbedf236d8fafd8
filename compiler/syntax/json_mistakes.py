"""What is wrong with a JSON text, in words: the strict rules of JSON against what people write instead."""

from __future__ import annotations

import re
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit, Fix, Label, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class JsonMistake:
    """A mistake against JSON's syntax."""

    span: Span
    message: str
    help: str = ""
    fixes: tuple[Fix, ...] = ()
    opened_at: int | None = None

    def report_to(self, report: Report, source: SourceFile) -> None:
        """Add it to a report."""
        labels = (
            () if self.opened_at is None else (Label(source, Span(self.opened_at, self.opened_at + 1), "opened here"),)
        )
        report.add(codes.JSON_SYNTAX, source, self.span, self.message, help=self.help, labels=labels, fixes=self.fixes)


_COMMENT: Final = re.compile(r"//[^\r\n]*|#[^\r\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?")
_SINGLE_QUOTED: Final = re.compile(r"'((?:[^'\\\r\n]|\\.)*)'")
_WORD: Final = re.compile(r"-?[A-Za-z_$][\w$]*")
_NUMBER: Final = re.compile(r"[-+.0-9][\w.+-]*")
_SURROGATE: Final = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_PYTHON_WORDS: Final = {
    "True": "true",
    "False": "false",
    "None": "null",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
}
_NOT_JSON: Final = ("NaN", "Infinity", "-Infinity", "undefined")


def misplaced_character(text: str, at: int) -> JsonMistake | None:
    """What begins at `at`, where no token of JSON does; None where one does."""
    if (comment := _COMMENT.match(text, at)) is not None:
        return JsonMistake(Span(*comment.span()), "JSON has no comments", "use the Comment operation, or a YAML file")
    if text.startswith("'", at):
        return _single_quotes(text, at)
    if (word := _WORD.match(text, at)) is not None and word[0] not in ("true", "false", "null"):
        return _bare_word(word)
    if (number := _NUMBER.match(text, at)) is not None:
        return _bad_number(number)
    if text[at : at + 1] in '"{}[],:tfn':
        return None
    return JsonMistake(Span(at, at + 1), f"`{text[at]}` begins nothing in JSON")


def _single_quotes(text: str, at: int) -> JsonMistake:
    quoted = _SINGLE_QUOTED.match(text, at)
    fixes: tuple[Fix, ...] = ()
    if quoted is not None and not re.search(r'["\\]', quoted[1]) and re.match(r"[\s,:\]}]", text[quoted.end() :][:1]):
        fixes = (Fix("use double quotes", (Edit(Span(*quoted.span()), f'"{quoted[1]}"'),)),)
    return JsonMistake(Span(at, quoted.end() if quoted else at + 1), "names and texts need double quotes", fixes=fixes)


def _bare_word(word: re.Match[str]) -> JsonMistake:
    place = Span(*word.span())
    if word[0] in _NOT_JSON:
        return JsonMistake(place, f"`{word[0]}` is not JSON", "a number is finite, and what is absent is null")
    if word[0] in _PYTHON_WORDS:
        right = _PYTHON_WORDS[word[0]]
        fix = Fix(f"write `{right}`", (Edit(place, right),))
        return JsonMistake(place, f"`{word[0]}` is not JSON; it is written `{right}`", fixes=(fix,))
    fix = Fix("put it in double quotes", (Edit(place, f'"{word[0]}"'),))
    return JsonMistake(place, f"names and texts need double quotes: `{word[0][:40]}`", fixes=(fix,))


def _bad_number(number: re.Match[str]) -> JsonMistake:
    written = number[0][:40]
    if re.match(r"-?0\d", written):
        reason = "a number does not begin with 0"
    elif written.startswith("+"):
        reason = "a number has no `+` in front"
    elif re.match(r"-?\.", written) or re.search(r"\.(?!\d)", written):
        reason = "a number has digits on both sides of its point"
    else:
        reason = "numbers are decimal: `12`, `-0.5`, `1e3`"
    return JsonMistake(Span(*number.span()), f"`{written}` is not a number in JSON", reason)


def bad_text(text: str, start: int, message: str, at: int) -> JsonMistake:
    """A text that cannot be read: where it begins, and what Python's scanner of JSON texts says, where."""
    if message.startswith("Unterminated") or text[at : at + 1] in ("\r", "\n"):
        advice = "a text ends on the line where it begins; a line break in it is written `\\n`"
        return JsonMistake(Span(start, start + 1), "the quote opened here is never closed", advice)
    if message.startswith("Invalid control"):
        written = {"\t": "\\t"}.get(text[at], f"\\u{ord(text[at]):04x}")
        fix = Fix(f"write `{written}`", (Edit(Span(at, at + 1), written),))
        return JsonMistake(Span(at, at + 1), f"a control character in a text is written `{written}`", fixes=(fix,))
    backslash = text.rindex("\\", 0, at + 1)
    if text.startswith("u", backslash + 1):
        return JsonMistake(Span(backslash, backslash + 2), "`\\u` needs 4 hexadecimal digits")
    written = text[backslash : backslash + 2]
    fix = Fix("write the backslash twice", (Edit(Span(backslash, backslash), "\\"),))
    if written == "\\'":
        fix = Fix("remove the backslash", (Edit(Span(backslash, backslash + 1), ""),))
    return JsonMistake(Span(backslash, backslash + 2), f"`{written}` is no escape of JSON", fixes=(fix,))


def lone_surrogate(text: str, start: int, end: int) -> JsonMistake:
    """Half of a character in the text between the quotes: `\\ud83d` without its second half."""
    for escape in _SURROGATE.finditer(text, start, end):
        if escape[2]:
            break
    return JsonMistake(Span(*escape.span()), f"`{escape[0]}` is half of a character; the other half is missing")


def trailing_comma(comma: int, closer: str) -> JsonMistake:
    """A comma in front of a closing bracket."""
    fix = Fix("remove the comma", (Edit(Span(comma, comma + 1), ""),))
    return JsonMistake(Span(comma, comma + 1), f"JSON has no comma in front of `{closer}`", fixes=(fix,))


def missing_comma(end: int, at: int) -> JsonMistake:
    """Two values, the first of which ends at `end`, with nothing between them."""
    fix = Fix("put a comma between them", (Edit(Span(end, end), ","),))
    return JsonMistake(Span(at, at + 1), "a comma is missing in front of this", fixes=(fix,))
