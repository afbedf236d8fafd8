"""The positions as dataclass fields: what operations declare their keys with. `more` is what FieldRow has."""

from __future__ import annotations

from typing import Any

from compiler.operations.rows import Position, declare


def value(doc: str, **more: Any) -> Any:
    """A value position."""
    return declare(Position.VALUE, doc, **more)


def whole(doc: str, **more: Any) -> Any:
    """A value position whose value must be a whole number of at least 0."""
    return declare(Position.WHOLE, doc, **more)


def text(doc: str, **more: Any) -> Any:
    """A text position."""
    return declare(Position.TEXT, doc, **more)


def channel(doc: str, **more: Any) -> Any:
    """A text position that names a channel."""
    return declare(Position.CHANNEL, doc, **more)


def payload(doc: str, **more: Any) -> Any:
    """What is sent: text, or with a codec any value."""
    return declare(Position.MESSAGE, doc, **more)


def condition(doc: str, **more: Any) -> Any:
    """A condition position."""
    return declare(Position.CONDITION, doc, **more)


def collection(doc: str, **more: Any) -> Any:
    """A condition position that may be a list as well."""
    return declare(Position.COLLECTION, doc, **more)


def operations(doc: str, **more: Any) -> Any:
    """A list of operations."""
    return declare(Position.OPERATIONS, doc, **more)


def parts(doc: str, part: type, **more: Any) -> Any:
    """A list of mappings, each read as the class `part` declares."""
    return declare(Position.PARTS, doc, part=part, **more)


def word(doc: str, words: tuple[str, ...], **more: Any) -> Any:
    """One of a few words, not a template."""
    return declare(Position.WORD, doc, words=words, **more)


def variable(doc: str, **more: Any) -> Any:
    """The name of a variable."""
    return declare(Position.VARIABLE, doc, **more)


def flag(doc: str, **more: Any) -> Any:
    """True or false."""
    return declare(Position.FLAG, doc, required=False, default="false", **more)


def integer(doc: str, **more: Any) -> Any:
    """A whole number, literal."""
    return declare(Position.INTEGER, doc, required=False, **more)


def literal(doc: str, **more: Any) -> Any:
    """Text without templates."""
    return declare(Position.LITERAL, doc, **more)


def statement(doc: str, **more: Any) -> Any:
    """An SQL statement: text without templates, whose placeholders have places."""
    return declare(Position.STATEMENT, doc, **more)
