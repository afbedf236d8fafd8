"""What people type: an expression, `name = expression`, a text with templates; and where an input ends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Position = Literal["expression", "value", "text", "condition"]
"""What a text is read as: a bare expression, or a template in one of the positions of language section 6."""

_ASSIGNMENT: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?![=~>])\s*(?=\S)")
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}
_GOES_ON: Final = re.compile(r"(?:[-+*/%|&?:,.<>!]|==|!=|<=|>=|(?<![=!<>])=)\s*\Z")
"""An operator that awaits its right side."""
MESSAGE_FILES: Final = (".ndjson", ".jsonl")
"""Names of files that hold messages, one a line, end like this."""
COMMAND_MARK: Final = ":"
"""What the prompt's own commands begin with."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One input of the prompt: what to evaluate and, for an assignment, the name that takes the value.

    `offset` is where `text` begins in what was typed.
    """

    position: Position
    text: str
    name: str | None = None
    offset: int = 0


def read_statement(text: str) -> Statement:
    """What an input means. A template is told by a `{{` outside of text literals."""
    start = len(text) - len(text.lstrip())
    if "{{" in _QUOTED.sub("''", text):
        return Statement("value", text.strip(), offset=start)
    if match := _ASSIGNMENT.match(text):
        return Statement("expression", text[match.end() :].strip(), match[1], match.end())
    return Statement("expression", text.strip(), offset=start)


def is_open(text: str) -> bool:
    """Whether an input goes on in the next line: a bracket or a quote is not closed yet."""
    rest = _QUOTED.sub("", text)
    expected: list[str] = []
    for character in rest:
        if character in "'\"":
            return True
        if character in _BRACKETS:
            expected.append(_BRACKETS[character])
        elif expected and character == expected[-1]:
            expected.pop()
    return bool(expected)


def awaits_more(text: str) -> bool:
    """Whether Enter begins a new line: something is open, or the line ends with an operator.

    An empty line always ends the input, and so does the end of a command's line.
    """
    if text.lstrip().startswith(COMMAND_MARK):
        return False
    line = text.rpartition("\n")[2]
    if "\n" in text and not line.strip():
        return False
    return is_open(text) or ("{{" not in text and _GOES_ON.search(_QUOTED.sub("''", text)) is not None)


def blocks(lines: Iterable[str]) -> list[str]:
    """Lines put together to inputs: one goes on while a bracket or quote is open."""
    found: list[str] = []
    pending = ""
    for line in lines:
        pending = f"{pending}\n{line}" if pending else line
        if not is_open(pending):
            found.append(pending)
            pending = ""
    return [*found, pending] if pending else found


_LEADS_ON: Final = re.compile(r"\s*(?:[|*/%&?:,.<>)\]}]|==|!=|[-+](?!\s*$))")
"""A line that begins like this goes on with the one before it."""


def statements(typed: str) -> list[str]:
    """What one input of several lines, mostly pasted, holds: a line that is complete ends a statement, unless the next
    one goes on with it. A text with templates is one statement, and so is a line that is a command."""
    if "{{" in _QUOTED.sub("", typed):
        return [typed]
    found: list[str] = []
    pending = ""
    for line in typed.splitlines():
        if pending and not _joins(pending, line):
            found.append(pending)
            pending = line
        else:
            pending = f"{pending}\n{line}" if pending else line
    return [text for text in [*found, pending] if text.strip()]


def _joins(before: str, line: str) -> bool:
    if before.lstrip().startswith(COMMAND_MARK):
        return False
    unfinished = is_open(before) or _GOES_ON.search(_QUOTED.sub("''", before)) is not None
    return unfinished or (_LEADS_ON.match(line) is not None and not line.startswith(COMMAND_MARK))
