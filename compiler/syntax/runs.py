"""A stretch of a scalar's value and the stretch of the file that made it."""

from __future__ import annotations

from compiler.records import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """`text` stands at `value_start` of the value and was made by `file_length` characters at `file_start`."""

    value_start: int
    file_start: int
    text: str
    file_length: int

    @property
    def value_length(self) -> int:
        """How many characters of the value it makes; at least one."""
        return len(self.text)

    @property
    def value_end(self) -> int:
        """Behind its last character in the value."""
        return self.value_start + len(self.text)

    @property
    def file_end(self) -> int:
        """Behind its last character in the file."""
        return self.file_start + self.file_length
