"""What the YAML reader's complaints mean: libyaml says what it expected, this page says what the author did.

`explain` takes the place and words of a complaint and finds the mistake behind it. The table at the end
pairs libyaml's words with the functions that know the mistakes behind them; the first that recognises
its mistake answers. A mistake is placed at the offending token; something never closed, at what opens it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Edit, Fix, Label, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake against YAML's syntax, in our words."""

    span: Span
    message: str
    help: str = ""
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = ()

    def report_to(self, report: Report, source: SourceFile) -> None:
        """Add it to a report."""
        report.add(
            codes.YAML_SYNTAX, source, self.span, self.message, labels=self.labels, help=self.help, fixes=self.fixes
        )


@dataclass(frozen=True, slots=True)
class Complaint:
    """Where and why libyaml stopped.

    `at` is the place of the problem and `context` of what was being read; `last` is what was read before,
    as far as the parser had come; `brackets` are the places of the open brackets and braces, outermost first.
    """

    source: SourceFile
    problem: str
    at: int
    context: int | None
    last: Span
    brackets: tuple[int, ...]

    @property
    def text(self) -> str:
        """The file's text."""
        return self.source.text

    @property
    def character(self) -> str:
        """The character at the problem; empty at the end of the file."""
        return self.text[self.at : self.at + 1]

    @property
    def line_start(self) -> int:
        """Where the problem's line begins."""
        return self.source.line_starts[self.source.line_of(self.at) - 1]

    @property
    def leads_its_line(self) -> bool:
        """Whether nothing but blanks stands in front of the problem."""
        return not self.text[self.line_start : self.at].strip(" \t")


_SHOWN: Final = 60
"""Longer texts are not repeated in advice."""
_KEY: Final = re.compile(
    r"(\"[^\"\n\r]*\"|'[^'\n\r]*'|[^\s:#'\"\[\]{},-][^:#\n\r]*?|-[^\s:][^:#\n\r]*?)[ \t]*:(?=\s|$)"
)
_WORD: Final = re.compile(r"[^\s,\[\]{}]+|.")
_VALUE_END: Final = re.compile(r"[ \t]*(?:[ \t]#[^\n\r]*)?(?=[\n\r]|$)")
_ITEM_END: Final = re.compile(r"[ \t]*(?:[ \t]#[^\n\r]*)?(?=[\n\r,\[\]{}]|$)")
_BRACED: Final = re.compile(r"\{\{.*?\}\}[^,\[\]{}\n\r]*")
_OPEN_TEMPLATE: Final = re.compile(r"(?:^|[-:,\[{][ \t])[ \t]*(\{\{)(?:(?!\}\}).)*$")
_TABBED: Final = re.compile(r"^ *\t[ \t]*(?=[^\s])", re.MULTILINE)
_INDENTED: Final = re.compile(r"^( +)[^\s#]", re.MULTILINE)
_BLOCK_TEXT: Final = re.compile(r"[|>][-+1-9]{0,2}[ \t]*(?:#.*)?$", re.MULTILINE)
_SURROGATES: Final = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def explain(complaint: Complaint) -> Mistake:
    """The mistake behind a complaint."""
    if (mistake := _template_in_brackets(complaint)) is not None:
        return mistake
    for words, explanations in _TABLE:
        if words in complaint.problem:
            for explanation in explanations:
                if (mistake := explanation(complaint)) is not None:
                    return mistake
    return Mistake(_token(complaint), f"YAML cannot be read from here: {complaint.problem}")


# Places and texts.


def _token(complaint: Complaint) -> Span:
    """What stands at the problem."""
    word = _WORD.match(complaint.text, complaint.at)
    return Span(complaint.at, word.end() if word else min(complaint.at, len(complaint.text)))


def _named(complaint: Complaint) -> tuple[Span, str]:
    """The key at the problem, or the word there, with its text for a message."""
    key = _KEY.match(complaint.text, complaint.at)
    span = Span(*key.span(1)) if key else _token(complaint)
    return span, complaint.text[span.start : span.end][:40]


def _value_end(text: str, start: int, *, inside_brackets: bool = False) -> int:
    """Where the value that begins at `start` ends on its line, without a comment behind it."""
    match = (_ITEM_END if inside_brackets else _VALUE_END).search(text, start)
    return match.start() if match else len(text)


def _quote(text: str) -> str:
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _quote_fix(source: SourceFile, start: int, end: int) -> Fix:
    quoted = _quote(source.text[start:end])
    title = f"put it in quotes: {quoted}" if len(quoted) <= _SHOWN and "\n" not in quoted else "put the text in quotes"
    return Fix(title, (Edit(Span(start, end), quoted),))


def _is_inside_brackets(complaint: Complaint, start: int) -> bool:
    """Whether a bracket is open at `start`; libyaml looks ahead, so the parser may not have told of it yet."""
    line = complaint.text[complaint.source.line_starts[complaint.source.line_of(start) - 1] : start]
    return bool(complaint.brackets) or len(re.findall(r"[\[{]", line)) > len(re.findall(r"[\]}]", line))


def _needs_quotes(complaint: Complaint, start: int, message: str, *, at: Span | None = None) -> Mistake:
    """The value that begins at `start` is a text that YAML reads differently without quotes."""
    end = max(_value_end(complaint.text, start, inside_brackets=_is_inside_brackets(complaint, start)), start + 1)
    advice = "a text that YAML would read differently needs quotes"
    return Mistake(at or Span(start, end), message, advice, fixes=(_quote_fix(complaint.source, start, end),))


def unquoted_template(source: SourceFile, start: int, *, inside_brackets: bool) -> Mistake:
    """A value that begins with `{{`, which YAML reads as two mappings; repaired where it ends on its line."""
    message = "a text that begins with `{{` needs quotes; without them YAML reads `{` as a mapping"
    braced = _BRACED.match(source.text, start)
    if braced is None:
        return Mistake(Span(start, start + 2), message)
    span = Span(start, start + len(braced[0].rstrip()))
    end = span.end if inside_brackets else max(span.end, _value_end(source.text, start))
    return Mistake(span, message, fixes=(_quote_fix(source, start, end),))


def missing_blank(colon: int, key: str) -> Mistake:
    """`key:value`: without a blank the colon is part of a text."""
    fix = Fix("put a blank behind the colon", (Edit(Span(colon + 1, colon + 1), " "),))
    return Mistake(Span(colon, colon + 1), f"a blank is missing behind `{key[:40]}:`", fixes=(fix,))


def _label(complaint: Complaint, start: int, text: str) -> tuple[Label, ...]:
    return (Label(complaint.source, Span(start, start + 1), text),)


# Templates and characters that begin nothing.


def _template_in_brackets(complaint: Complaint) -> Mistake | None:
    """`{a: {{ x[0] }}}`, `{a: Hello {{ x }}}`: braces without quotes inside braces or brackets."""
    for number, bracket in enumerate(complaint.brackets):
        if complaint.text.startswith("{{", bracket):
            return unquoted_template(complaint.source, bracket, inside_brackets=number > 0)
    if not (complaint.brackets and complaint.text.startswith("{{", complaint.at)):
        return None
    braced = _BRACED.match(complaint.text, complaint.at)
    end = complaint.at + len(braced[0].rstrip()) if braced else complaint.at + 2
    same_line = not re.search(r"[\r\n]", complaint.text[complaint.last.start : complaint.at])
    start = complaint.last.start if same_line and complaint.last.end > complaint.last.start else complaint.at
    message = "a text with `{{` inside braces or brackets needs quotes"
    return Mistake(Span(start, end), message, fixes=(_quote_fix(complaint.source, start, end),))


def _template_before_quote(complaint: Complaint) -> Mistake | None:
    """`{{ f(', ') }}`: cut at its commas, a template without quotes leaves quotes that seem to be open."""
    quote = complaint.at if complaint.context is None else complaint.context
    line_start = complaint.source.line_starts[complaint.source.line_of(quote) - 1]
    opened = _OPEN_TEMPLATE.search(complaint.text[line_start:quote])
    if opened is None:
        return None
    start = line_start + opened.start(1)
    return unquoted_template(complaint.source, start, inside_brackets=_is_inside_brackets(complaint, start))


def _tab(complaint: Complaint) -> Mistake | None:
    if complaint.character != "\t":
        return None
    end = complaint.at + len(complaint.text[complaint.at :]) - len(complaint.text[complaint.at :].lstrip("\t"))
    message = "a tab is used for indentation; YAML indents with blanks only"
    return Mistake(Span(complaint.at, end), message, fixes=_blanks_for_tabs(complaint))


def _blanks_for_tabs(complaint: Complaint) -> tuple[Fix, ...]:
    """The repair of all lines that begin with tabs: blanks for each, as many as the file indents by elsewhere. Where
    there are block texts, the tabs may be theirs."""
    if not complaint.leads_its_line:
        return ()
    step = min((len(blanks) for blanks in _INDENTED.findall(complaint.text)), default=2)
    tabbed = _TABBED.finditer(complaint.text)
    edits = (Edit(Span(*match.span()), match[0].replace("\t", " " * step)) for match in tabbed)
    return (Fix("indent by blanks", tuple(edits), safe=not _BLOCK_TEXT.search(complaint.text)),)


def _reserved_character(complaint: Complaint) -> Mistake | None:
    sign = "a backtick" if complaint.character == "`" else f"`{complaint.character}`"
    return _needs_quotes(complaint, complaint.at, f"an unquoted text cannot begin with {sign}")


def _alias_or_anchor(complaint: Complaint) -> Mistake | None:
    start = complaint.at if complaint.context is None else complaint.context
    sign = complaint.text[start : start + 1]
    meaning = {"*": "an alias", "&": "an anchor", "!": "a tag"}.get(sign)
    return _needs_quotes(complaint, start, f"`{sign}` begins {meaning}, and this is none") if meaning else None


# Quotes and escapes.


def _never_closed(complaint: Complaint) -> Mistake | None:
    if complaint.context is None:
        return None
    quote = complaint.text[complaint.context]
    kind = "double" if quote == '"' else "single"
    return Mistake(Span(complaint.context, complaint.context + 1), f"the {kind} quote opened here is never closed")


def _escape(complaint: Complaint) -> Mistake | None:
    """`at` is the backslash, or the digits behind `\\x`, `\\u`, `\\U`."""
    start = complaint.text.rindex("\\", 0, complaint.at + 1)
    if (pair := _SURROGATES.match(complaint.text, start)) is not None:
        return _surrogate_pair(pair)
    written = complaint.text[start : max(complaint.at, start + 2)]
    fix = Fix("write the backslash twice", (Edit(Span(start, start), "\\"),))
    advice = "`\\\\` is a backslash; in single quotes a backslash is itself"
    if written[1:] in ("x", "u", "U"):
        digits = {"x": 2, "u": 4, "U": 8}[written[1]]
        message = f"`{written}` needs {digits} hexadecimal digits of a character"
    else:
        message = f"`{written}` is no escape of a double-quoted text"
    return Mistake(Span(start, start + len(written)), message, advice, fixes=(fix,))


def _surrogate_pair(pair: re.Match[str]) -> Mistake:
    character = bytes.fromhex(pair[1] + pair[2]).decode("utf-16-be")
    fix = Fix(f"write `{character}`", (Edit(Span(*pair.span()), character),))
    message = f"in YAML `{character}` is not written as two `\\u` escapes, which is JSON"
    return Mistake(
        Span(*pair.span()), message, f"write the character itself or `\\U{ord(character):08x}`", fixes=(fix,)
    )


def _quote_closed_too_late(complaint: Complaint) -> Mistake | None:
    """An unclosed quote that ends at the next quote of another text, lines further down."""
    last = complaint.last
    if complaint.text[last.start : last.start + 1] not in ("'", '"') or complaint.at < last.end:
        return None
    first, final = complaint.source.line_of(last.start), complaint.source.line_of(last.end)
    if first == final or complaint.source.line_of(complaint.at) != final:
        return None
    message = f"the quote opened here is closed only on line {final}"
    labels = _label(complaint, last.end - 1, "closed here")
    return Mistake(Span(last.start, last.start + 1), message, "is its closing quote missing?", labels)


def _text_after_quote(complaint: Complaint) -> Mistake | None:
    before = complaint.text[complaint.line_start : complaint.at].rstrip(" \t")
    if not before.endswith(("'", '"')) or (complaint.brackets and complaint.character in ("'", '"', "[", "{")):
        return None
    quote = before[-1]
    inside = "`''`" if quote == "'" else '`\\"`'
    labels = _label(complaint, complaint.line_start + len(before) - 1, "the text ends here")
    advice = f"a quote inside the text is written {inside}, or the text stands in the other quotes"
    return Mistake(_token(complaint), "there is more behind the closing quote", advice, labels)


# Brackets.


def _after_bracket(complaint: Complaint) -> Mistake | None:
    if complaint.character and complaint.character in "]}":
        return Mistake(_token(complaint), f"`{complaint.character}` closes nothing that is open")
    before = complaint.text[complaint.line_start : complaint.at].rstrip(" \t")
    if before.endswith(("]", "}")) and complaint.character:
        return Mistake(_token(complaint), f"there is more behind the closing `{before[-1]}`")
    return None


def _wrong_bracket(complaint: Complaint) -> Mistake | None:
    if complaint.context is None or not complaint.character or complaint.character not in "]}":
        return None
    opening = complaint.text[complaint.context]
    message = f"`{complaint.character}` cannot close the `{opening}`"
    labels = _label(complaint, complaint.context, "opened here")
    return Mistake(Span(complaint.at, complaint.at + 1), message, labels=labels)


def _open_bracket(complaint: Complaint) -> Mistake | None:
    """The text went on at the indentation of the bracket's line, or ended, without the bracket being closed."""
    if not complaint.brackets:
        return None
    bracket = complaint.brackets[-1]
    here, opening = (_indentation(complaint.source, place) for place in (complaint.at, bracket))
    later = complaint.source.line_of(complaint.at) > complaint.source.line_of(bracket)
    if complaint.character and (not (later and here <= opening) or complaint.character in "]}"):
        return None
    return Mistake(Span(bracket, bracket + 1), f"the `{complaint.text[bracket]}` opened here is never closed")


def _indentation(source: SourceFile, offset: int) -> int:
    line = source.line_text(source.line_of(offset))
    return len(line) - len(line.lstrip(" "))


def _comma_on_line_above(complaint: Complaint) -> Mistake | None:
    """An entry below one without a comma continues its unquoted text; `at` is the entry's colon."""
    if complaint.character != ":" or complaint.last.end > complaint.at or complaint.last.start >= complaint.line_start:
        return None
    key = complaint.text[complaint.line_start : complaint.at]
    start = complaint.at - len(key.lstrip())
    message = f"a comma is missing in front of `{key.strip()[:40]}`, on the line above"
    return Mistake(Span(start, complaint.at), message)


def _missing_comma(complaint: Complaint) -> Mistake | None:
    if complaint.character == ":":
        message = "`: ` inside an unquoted text; put the text in quotes, or a comma between two entries"
        return Mistake(Span(complaint.at, complaint.at + 1), message)
    return Mistake(_token(complaint), f"a comma is missing in front of `{_named(complaint)[1]}`")


def _missing_value(complaint: Complaint) -> Mistake | None:
    sign = complaint.character
    if sign and sign in "]}" and not complaint.brackets:
        return Mistake(_token(complaint), f"`{sign}` closes nothing that is open")
    if sign == ":":
        return Mistake(_token(complaint), "a key is missing in front of `:`")
    if sign == "-":
        return Mistake(_token(complaint), "`- ` begins a list item, and here stands a list in brackets")
    named = f"`{sign}`" if sign else "the end of the file"
    return Mistake(_token(complaint), f"a value is missing in front of {named}")


# Colons.


def _colon_in_text(complaint: Complaint) -> Mistake | None:
    """`message: user: x`; `at` is the second colon, behind an unquoted text that stands on one line."""
    last, source = complaint.last, complaint.source
    if last.end > complaint.at or last.start < complaint.line_start or last.start == last.end:
        return None
    if complaint.at - last.start > 1000 and not source.text[complaint.line_start : last.start].strip(" -"):
        return Mistake(last, "a key has at most 1 024 characters")
    colon = Span(complaint.at, complaint.at + 1)
    return _needs_quotes(complaint, last.start, "`: ` inside an unquoted text; put the text in quotes", at=colon)


def _deeper_key(complaint: Complaint) -> Mistake | None:
    """A key that is indented deeper than its neighbours continues the unquoted text of the line above."""
    lead = re.match(r"[ ]*(?:- +)*", complaint.text[complaint.line_start :])
    start = complaint.line_start + (lead.end() if lead else 0)
    if complaint.last.start >= complaint.line_start or not complaint.text[start : complaint.at].strip():
        return None
    line = complaint.source.line_of(complaint.last.start)
    alone = _KEY.match(complaint.text, complaint.source.line_starts[line - 1]) is None
    if alone and not complaint.text[complaint.source.line_starts[line - 1] : complaint.last.start].strip(" -"):
        return _line_without_colon(complaint, complaint.last.start)
    key = Span(start, complaint.at)
    message = f"`{complaint.text[start : complaint.at][:40]}` is indented deeper than the keys above it"
    labels = _label(complaint, complaint.last.start, "so it continues this text")
    return Mistake(key, message, "align it with its neighbours", labels)


def _misplaced_colon(complaint: Complaint) -> Mistake | None:
    return Mistake(_token(complaint), "a `:` cannot stand here", "a text that holds `: ` needs quotes")


def _key_without_colon(complaint: Complaint) -> Mistake | None:
    return _line_without_colon(complaint, complaint.at if complaint.context is None else complaint.context)


def _line_without_colon(complaint: Complaint, start: int) -> Mistake:
    end = _value_end(complaint.text, start)
    line = complaint.text[start:end]
    if (key := re.match(r"[\w.-]+(?=:\S)", line)) is not None:
        return missing_blank(start + key.end(), key[0])
    if len(line) > 1000:
        return Mistake(Span(start, end), "a key has at most 1 024 characters")
    return Mistake(Span(start, end), "this line has no `: ` behind a key", "lines of a mapping are `key: value`")


# Indentation.


def _key_in_list(complaint: Complaint) -> Mistake | None:
    span, name = _named(complaint)
    if not complaint.leads_its_line or complaint.context is None:
        return None
    line = complaint.source.line_of(complaint.context)
    labels = _label(complaint, complaint.context, "the list begins here")
    if complaint.character == "-":
        return Mistake(span, f"this `-` is not aligned with the list that begins on line {line}", labels=labels)
    message = f"`{name}` is indented as if it belonged to the list that begins on line {line}"
    return Mistake(span, message, "indent it like the key it belongs beside, or begin it with `- `", labels)


def _misaligned(complaint: Complaint) -> Mistake | None:
    span, name = _named(complaint)
    if not complaint.leads_its_line or not complaint.character:
        return None
    labels = () if complaint.context is None else _label(complaint, complaint.context, "the mapping begins here")
    if complaint.character == ":":
        return Mistake(Span(complaint.at, complaint.at + 1), "a key is missing in front of `:`")
    if re.match(r"-(?:\s|$)", complaint.text[complaint.at : complaint.at + 2]):
        if complaint.text[: complaint.line_start].rstrip().rsplit("\n", 1)[-1].lstrip().startswith("- "):
            return Mistake(span, "this `-` is not aligned with the list above it", labels=labels)
        return Mistake(span, "a list item stands where a key of the mapping is expected", labels=labels)
    return Mistake(span, f"`{name}` is not aligned with the keys above it", labels=labels)


def _after_alias(complaint: Complaint) -> Mistake | None:
    last = complaint.last
    if not complaint.text.startswith("*", last.start) or complaint.text[last.end : complaint.at].strip(" "):
        return None
    return _needs_quotes(complaint, last.start, "`*` begins an alias, and an alias stands alone")


def _after_document(complaint: Complaint) -> Mistake | None:
    if not complaint.text[: complaint.at].rstrip().endswith("..."):
        return None
    return Mistake(_named(complaint)[0], "`...` ends a document; the next one begins with `---`")


def _unexpected(complaint: Complaint) -> Mistake | None:
    if not complaint.character:
        return None
    return Mistake(_token(complaint), f"`{_named(complaint)[1]}` cannot stand here")


# The rest.


def _list_on_key_line(complaint: Complaint) -> Mistake | None:
    return Mistake(Span(complaint.at, complaint.at + 1), "a list begins on a new line, below its key")


def _block_header(complaint: Complaint) -> Mistake | None:
    if complaint.context is None:
        return None
    sign = complaint.text[complaint.context]
    message = f"`{sign}` begins a text on the lines below, and this stands on its own line"
    return _needs_quotes(complaint, complaint.context, message)


def _zero_indentation(complaint: Complaint) -> Mistake | None:
    return Mistake(_token(complaint), "the indentation of a block text is a digit from 1 to 9")


def _directive(complaint: Complaint) -> Mistake | None:
    start = complaint.at if complaint.context is None else complaint.context
    message = "a line that begins with `%` is a directive to the YAML reader, and this is none it knows"
    return Mistake(Span(start, _value_end(complaint.text, start)), message)


def _version(complaint: Complaint) -> Mistake | None:
    message = "`%YAML` names the version of YAML once, and it is 1.2"
    return Mistake(Span(complaint.at, _value_end(complaint.text, complaint.at)), message)


def _tag_handle(complaint: Complaint) -> Mistake | None:
    tag = _token(complaint)
    message = f"`{complaint.text[tag.start : tag.end][:40]}` is a tag, and no `%TAG` line defines its beginning"
    return Mistake(tag, message, "a text that begins with `!` needs quotes")


_AFTER_VALUE: Final = (_quote_closed_too_late, _text_after_quote, _after_bracket, _after_alias)

_TABLE: Final[tuple[tuple[str, tuple[Callable[[Complaint], Mistake | None], ...]], ...]] = (
    ("found character that cannot start any token", (_tab, _reserved_character)),
    ("found a tab character", (_tab,)),
    ("found unexpected end of stream", (_template_before_quote, _never_closed)),
    ("found unexpected document indicator", (_template_before_quote, _never_closed)),
    ("found unknown escape character", (_escape,)),
    ("did not find expected hexdecimal number", (_escape,)),
    ("found invalid Unicode character escape code", (_escape,)),
    ("mapping values are not allowed", (_colon_in_text, _deeper_key, _misplaced_colon)),
    ("could not find expected ':'", (_key_without_colon,)),
    ("did not find expected '-' indicator", (*_AFTER_VALUE, _key_in_list, _unexpected)),
    ("did not find expected key", (*_AFTER_VALUE, _misaligned, _unexpected)),
    ("did not find expected <document start>", (_after_document, *_AFTER_VALUE, _misaligned, _unexpected)),
    (
        "did not find expected ',' or",
        (
            _wrong_bracket,
            _quote_closed_too_late,
            _open_bracket,
            _comma_on_line_above,
            _text_after_quote,
            _missing_comma,
        ),
    ),
    ("did not find expected node content", (_open_bracket, _missing_value)),
    ("block sequence entries are not allowed", (_list_on_key_line,)),
    ("did not find expected alphabetic or numeric character", (_alias_or_anchor,)),
    ("did not find expected comment or line break", (_block_header, _directive)),
    ("indentation indicator equal to 0", (_zero_indentation,)),
    ("incompatible YAML document", (_version,)),
    ("duplicate %YAML directive", (_version,)),
    ("undefined tag handle", (_tag_handle,)),
    ("unknown directive name", (_directive,)),
    ("directive", (_directive,)),
    ("did not find expected whitespace", (_alias_or_anchor, _directive)),
    ("did not find", (_alias_or_anchor, _directive)),
)
