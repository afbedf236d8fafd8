"""The other end of the console's feed: asks a running `worpen dev` about its connections, and waits for the answers.

For programs that have no event loop. What happens on the server meanwhile is told by the feed as well, and passed
over here.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final

from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

MESSAGE_BYTES: Final = 1 << 20
"""The feed sends nothing longer."""
PASSED_OVER: Final = 10_000
"""After so many other messages an answer counts as missing."""


class FeedError(Exception):
    """Why there is no answer: nobody there, refused, over."""


class FeedClient:
    """An open feed. One owner, one thread; a context manager that closes it."""

    def __init__(self, address: str, token: str, seconds: float = 3.0) -> None:
        """`address` is `localhost:3000`; `seconds` is the longest wait for anything. Raises FeedError."""
        self._seconds = seconds
        url = f"ws://{address}/__worpen__/feed?token={token}"
        self._open = ExitStack()
        try:
            made = connect(
                url,
                origin=Origin(f"http://{address}"),
                open_timeout=seconds,
                close_timeout=seconds,
                max_size=MESSAGE_BYTES,
                proxy=None,
            )
            self._connection = self._open.enter_context(made)
        except (OSError, InvalidHandshake, InvalidURI, ValueError) as error:
            raise FeedError(f"{address}: {error}") from None

    def ask(self, question: dict[str, Any], kind: str) -> dict[str, Any]:
        """Ask, and wait for the answer of this kind. Raises FeedError."""
        try:
            self._connection.send(json.dumps(question))
            for _ in range(PASSED_OVER):
                answer = json.loads(self._connection.recv(self._seconds))
                if answer.get("kind") == "problem":
                    raise FeedError(str(answer.get("message", "the server gives no answer")))
                if answer.get("kind") == kind:
                    return dict(answer)
        except (OSError, TimeoutError, ValueError, WebSocketException) as error:
            raise FeedError(f"the server does not answer: {error}") from None
        raise FeedError("the server does not answer")

    def close(self) -> None:
        """End the feed."""
        self._open.close()

    def __enter__(self) -> FeedClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
