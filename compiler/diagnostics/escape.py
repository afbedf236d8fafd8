"""THE function that makes untrusted text safe to show, on a terminal, in a log or in a report.

Terminals obey control characters: they move the cursor, rewrite what was printed, set the clipboard
(OSC 52) or disguise a link (OSC 8). Bidirectional controls make text read otherwise than it runs. All of
these, line separators and lone surrogates (which no stream can encode) are written as escapes.
"""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\u2028\u2029\ufeff"  # line and paragraph separators, byte order mark
    "\ud800-\udfff]"  # lone surrogates
)

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    if (short := _SHORT.get(character)) is not None:
        return short
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _json_form(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _is_plain(text: str) -> bool:
    """Whether all is printable ASCII, which is found out in a tenth of the time."""
    return text.isascii() and text.isprintable()


def escape(text: str) -> str:
    """The text on one line, every character a terminal could obey replaced: `\\x1b`, `\\n`, `\\u202e`."""
    return text if _is_plain(text) else _UNSAFE.sub(_visible, text)


def escape_json(document: str) -> str:
    """The same JSON document, safe to show: unsafe characters inside its strings become `\\uXXXX`.

    The document must be on one line, since only strings may hold control characters then.
    """
    return document if _is_plain(document) else _UNSAFE.sub(_json_form, document)
