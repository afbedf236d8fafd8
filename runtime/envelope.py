"""The subprotocol `worpen.v1`: what clients are told that want to know which messages they missed (docs/protocol.md).

Such a client gets JSON objects in text frames: its messages as `message`, and where it stands in channels that keep a
history. What it sends is not wrapped. All other clients see nothing of this.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from compiler.language.limits import SAFE_INTEGER
from compiler.language.values import Value
from runtime.codecs import CODECS, BadPayload, write_json

PROTOCOL: Final = "worpen.v1"
RECOVER: Final = "recover"
"""The query key of a client that comes back."""

_JSON: Final = CODECS["json"]


@dataclass(frozen=True, slots=True)
class Position:
    """The last message of a channel that a client saw."""

    epoch: str
    offset: int


class Wire(Protocol):
    """How frames are made and looked into."""

    def encode_utf8(self, payload: bytes) -> bytes:
        """A text frame whose text is UTF-8 already."""

    def content_of(self, frame: bytes) -> str | bytes:
        """What a frame carries: text or bytes."""


class Wrapped:
    """The far end of a client that speaks `worpen.v1`: what is sent to it is wrapped."""

    __slots__ = ("_wire", "end")

    def __init__(self, end: Any, wire: Wire) -> None:
        """`end`: the connection itself."""
        self.end: Any = end
        self._wire = wire

    @property
    def is_open(self) -> bool:
        """Whether what is sent now can still arrive."""
        return bool(self.end.is_open)

    @property
    def queued_bytes(self) -> int:
        """Bytes sent that the kernel has not taken yet."""
        return int(self.end.queued_bytes)

    @property
    def messages_in(self) -> int:
        """Messages that came."""
        return int(self.end.messages_in)

    @property
    def messages_out(self) -> int:
        """Messages that left."""
        return int(self.end.messages_out)

    def send(self, frame: bytes) -> None:
        """Write a frame, wrapped."""
        self.end.send(message(self._wire, frame))

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Write these frames, each wrapped."""
        self.end.send_all([message(self._wire, frame) for frame in frames])

    def tell(self, kind: str, **members: Value) -> None:
        """Write something else than a message."""
        self.end.send(notice(self._wire, kind, **members))


def notice(wire: Wire, kind: str, **members: Value) -> bytes:
    """A frame that says something else than a message."""
    return wire.encode_utf8(write_json({"type": kind, **members}))


def message(wire: Wire, frame: bytes, channel: str | None = None, offset: int | None = None) -> bytes:
    """A frame wrapped: its text as `data`, or its bytes as `base64`; with its place in a channel where it has one."""
    wrapped: dict[str, Value] = {"type": "message"}
    if channel is not None:
        wrapped["channel"] = channel
    if offset is not None:
        wrapped["offset"] = offset
    content = wire.content_of(frame)
    if isinstance(content, str):
        wrapped["data"] = content
    else:
        wrapped["base64"] = base64.b64encode(content).decode("ascii")
    return wire.encode_utf8(write_json(wrapped))


class BadRecovery(ValueError):
    """What a client says of where it stood cannot be read."""


def parse_recovery(written: str) -> dict[str, Position]:
    """`{"CHANNEL": ["EPOCH", OFFSET], …}`: where a client stood in its channels. Raises BadRecovery."""
    try:
        value = _JSON.decode(written)
    except BadPayload as bad:
        raise BadRecovery(f"`{RECOVER}` is not JSON: {bad}") from None
    if not isinstance(value, Mapping):
        raise BadRecovery(f"`{RECOVER}` is an object of channels")
    return {channel: _position(place) for channel, place in value.items()}


def _position(place: Value) -> Position:
    match place:
        case [str(epoch), int(offset)] if offset is not True and 0 <= offset <= SAFE_INTEGER:
            return Position(epoch, offset)
    raise BadRecovery(f'a channel in `{RECOVER}` has an epoch and an offset: ["…", 0]')
