"""What nodes send each other over the store, as values and as bytes. Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from runtime.bus.presence import Change

VERSION: Final = 1


class Kind(IntEnum):
    """What an envelope holds."""

    MESSAGE = 0
    DIRECT = 1
    """A message for one connection."""
    FENCE = 2
    """A node's new epoch begins."""
    RISEN = 3
    BEAT = 4
    BYE = 5
    CHANGED = 6
    """What changed in a node's presence."""
    WANTED = 7
    """A question for all of it."""
    WHOLE = 8
    BEGUN = 9
    """A channel that keeps messages has a new epoch."""


class Envelope(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What travels. The channel is the topic that it is published to.

    The sender that does not hear its own message is not named: it is on the node that published, which remembers.
    """

    v: int
    kind: int
    node: str
    epoch: int
    seq: int = 0
    previous: int = 0
    """MESSAGE, DIRECT: see `Stamp`. BEAT: the version of presence."""
    to: str = ""
    """DIRECT: the connection."""
    amount: int = 0
    """RISEN: messages that its node kept for itself. BEAT: its number. CHANGED, WHOLE: the version of presence."""
    frame: bytes = b""


class KeptEnvelope(Envelope, array_like=True, frozen=True, gc=False):
    """The same where a channel keeps messages; what comes is read as one."""

    offset: int = 0
    """MESSAGE: its place in a channel that keeps messages, 0 in others. This and `row` are written by the store."""
    row: str = ""
    """The epoch of the offset. BEGUN: the one that begins."""


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(KeptEnvelope).decode
decode_changes: Final = msgspec.msgpack.Decoder(tuple[int, list[Change]]).decode
decode_whole: Final = msgspec.msgpack.Decoder(tuple[int, dict[str, list[str]]]).decode
