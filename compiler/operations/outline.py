"""Outlines: how an operation is written, on one line, for help texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from compiler.operations.model import Record
from compiler.operations.rows import FieldRow, Position

_PLAIN: Final = re.compile(r"[A-Za-z_][\w ./-]*|-?\d+(?:\.\d+)?")
_LISTS: Final = (Position.OPERATIONS, Position.PARTS)
_LONG: Final = 60


def outline(cls: type[Record], given: Mapping[str, str] | None = None) -> str:
    """The line of an operation with the fields that it needs: `- WsOp: {command: send, message: …}`.

    `given` are texts that are known already, by canonical name.
    """
    return f"- {cls.label}: {{{outlined_fields(cls, given or {})}}}"


def outlined_fields(cls: type[Record], given: Mapping[str, str]) -> str:
    """The fields that a record needs, as in `outline`."""
    decider = cls.variants[0] if cls.variants is not None else ""
    needed = {*given, *cls.variant(given.get(decider)).required, *cls.one_of[:1]}
    rows = [row for row in cls.rows.values() if row.required or row.name in needed]
    return ", ".join(f"{row.name}: {_shown(row, given.get(row.name))}" for row in rows)


def _shown(row: FieldRow, given: str | None) -> str:
    if given is not None and len(given) <= _LONG and row.position not in _LISTS:
        return given if _PLAIN.fullmatch(given) else json.dumps(given, ensure_ascii=False)
    return "[…]" if row.position in _LISTS else "…"
