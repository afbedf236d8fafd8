"""Messages that are what their hook needs: a codec that also looks at the members which the hook surely uses.

What they are is read off the instructions (`compiler.bytecode.needs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from compiler.bytecode.needs import Need, Path, spelled
from compiler.language.values import Value, classes_of, describe, describe_kind
from runtime.codecs import BadPayload, Codec


class Unfit(BadPayload):
    """A message with which the hook would fault at once."""

    what: ClassVar[str] = "a message is not what the hook needs"


class FittedCodec:
    """A codec that refuses what is decoded and does not meet needs."""

    def __init__(self, codec: Codec, needs: Sequence[Need]) -> None:
        self._codec = codec
        self._rows = tuple((need.path, classes_of(need.kinds), need) for need in needs)
        self.is_text = codec.is_text
        self.encode = codec.encode
        self.show = codec.show

    def decode(self, message: str | bytes) -> Value:
        """See `Codec`. Raises Unfit."""
        value = self._codec.decode(message)
        for path, classes, need in self._rows:
            found = value
            for key in path:
                if found.__class__ is dict:
                    found = found.get(key)
                elif found is not None:
                    break  # what that is was looked at before
            else:
                if found.__class__ not in classes:
                    raise Unfit(_complaint(need, value, found))
        return value


def fitted(codec: Codec | None, needs: Sequence[Need]) -> Codec | None:
    """A route's codec that looks at what its hook needs; as it is where that is nothing."""
    return codec if codec is None or not needs else FittedCodec(codec, needs)


def _complaint(need: Need, message: Value, found: Value) -> str:
    is_missing = found is None and need.path and not _has(message, need.path)
    is_what = "missing" if is_missing else describe(found)
    where = f"line {need.line}" if need.line else "it"
    return f"`{spelled(need.path)}` is {is_what}, and {where} needs {describe_kind(need.kinds)}"


def _has(message: Value, path: Path) -> bool:
    for key in path:
        if not isinstance(message, dict) or key not in message:
            return False
        message = message[key]
    return True
