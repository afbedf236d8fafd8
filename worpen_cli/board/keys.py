"""Keys of a terminal in raw mode, through prompt-toolkit: names like `up`, `ctrl-c`, `x`, and pasted text.

What is pasted comes as one stroke that no key has, so that it can be typed into a prompt and cannot order anything.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPress

ESCAPE_SECONDS: Final = 0.05
"""An escape after which nothing comes for so long is the key itself, not the beginning of another key."""
PASTE: Final = "paste"
_NAMES: Final = {
    "s-tab": "backtab",
    "c-i": "tab",
    "c-m": "enter",
    "c-j": "enter",
    "c-h": "backspace",
    "c-c": "ctrl-c",
    "c-u": "ctrl-u",
    "<bracketed-paste>": PASTE,
}
"""prompt-toolkit's names where ours differ."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A key, and the text that it types; "" for keys that type nothing."""

    key: str
    text: str = ""


def to_stroke(name: str, typed: str) -> Stroke | None:
    """A key as prompt-toolkit names it, with what came over the wire; None for what is no key."""
    key = _NAMES.get(name, name)
    if key == PASTE:
        return Stroke(PASTE, " ".join(typed.split("\n")) if typed.strip() else typed)
    if len(name) == 1:
        return Stroke(name, name) if name.isprintable() else None
    return None if key.startswith("<") else Stroke(key)


class _Fixed:
    """A text stream whose descriptor is the terminal; all that prompt-toolkit asks of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.encoding = "utf-8"

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)


@contextmanager
def raw_keys(descriptor: int, heard: Callable[[Sequence[Stroke]], None], ended: Callable[[], None]) -> Iterator[None]:
    """Have `heard` called with the keys of a terminal, which is in raw mode meanwhile. Needs a running loop.

    `ended`: the terminal is gone.
    """
    from prompt_toolkit.input.vt100 import Vt100Input

    source = Vt100Input(cast("IO[str]", _Fixed(descriptor)))  # type: ignore[arg-type]
    reader = _Reader(source, heard, ended)
    with ExitStack() as stack:
        stack.enter_context(source.raw_mode())
        stack.enter_context(source.attach(reader.read))
        yield


class _Reader:
    """Turns what is there to read into strokes."""

    def __init__(self, source: Input, heard: Callable[[Sequence[Stroke]], None], ended: Callable[[], None]) -> None:
        self._source = source
        self._heard = heard
        self._ended = ended
        self._flushing: asyncio.TimerHandle | None = None

    def read(self) -> None:
        self._tell(self._source.read_keys())
        if self._flushing is not None:
            self._flushing.cancel()
        self._flushing = asyncio.get_running_loop().call_later(ESCAPE_SECONDS, self._flush)
        if self._source.closed:
            self._ended()

    def _flush(self) -> None:
        self._tell(self._source.flush_keys())

    def _tell(self, presses: Sequence[KeyPress]) -> None:
        strokes = [to_stroke(str(getattr(press.key, "value", press.key)), press.data) for press in presses]
        if found := [stroke for stroke in strokes if stroke is not None]:
            self._heard(found)
