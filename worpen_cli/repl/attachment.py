"""A connection of a running `worpen dev`, looked at over the server's own feed. Nothing of it can be changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from compiler.language.hooks import INPUTS
from compiler.language.values import Value
from runtime.transport.feed_client import FeedClient, FeedError
from worpen_cli.repl.mistakes import Refused

TOKEN_VARIABLE: Final = "WORPEN_DEV_TOKEN"
_TOKEN: Final = "token="
_PORT: Final = 3000
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Address:
    """A server (`localhost:3000`), its token, and the beginning of a connection's id; "" where there is only one."""

    server: str
    token: str
    connection: str


def read_address(text: str, environment: Mapping[str, str] = os.environ) -> Address:
    """`ws://localhost:3000/#ID`, or the address of the console with its token, and the id behind a blank.

    The token is taken from `?token=` or `#token=`, else from WORPEN_DEV_TOKEN. Raises Refused.
    """
    url, _, behind = text.strip().partition(" ")
    parts = urlsplit(url)
    try:
        port = parts.port or _PORT
    except ValueError:
        raise Refused(f"{url} has no such port") from None
    if parts.scheme not in ("ws", "http") or not parts.hostname:
        raise Refused("write :attach ws://localhost:3000/#ID", "ID is the beginning of a connection's id")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    in_fragment = parts.fragment.startswith(_TOKEN)
    given = parts.fragment.removeprefix(_TOKEN) if in_fragment else parse_qs(parts.query).get("token", [""])[0]
    token = given or environment.get(TOKEN_VARIABLE, "")
    if not token:
        raise Refused("the server's token is missing", f"write ?token=… in the address, or set {TOKEN_VARIABLE}")
    return Address(f"{host}:{port}", quote(token, safe=""), behind.strip() or ("" if in_fragment else parts.fragment))


class Attachment:
    """The connection that is looked at, over an open feed. Mutable, one a prompt."""

    def __init__(self, address: Address) -> None:
        """Raises Refused where there is no such server or connection."""
        try:
            self._feed = FeedClient(address.server, address.token)
        except FeedError as error:
            raise Refused(str(error), "`worpen dev` prints its address and token when it starts") from None
        try:
            self.id = self._find(address.connection)
            self.refresh()
        except Refused:
            self.close()
            raise

    def refresh(self) -> None:
        """Look again. Raises Refused where the connection is over."""
        details = self._ask({"ask": "connection", "id": self.id}, "connection")["connection"]
        if details is None:
            raise Refused(f"the connection {self.id} is over", ":detach goes back")
        self.route = str(details["route"])
        known = {name: details["inputs"][name] for name in INPUTS if name in details["inputs"]}
        self.scope: dict[str, Value] = {**known, **details["variables"]}

    def close(self) -> None:
        """End the feed."""
        self._feed.close()

    def _find(self, beginning: str) -> str:
        snapshot = self._ask({"ask": "snapshot"}, "snapshot")
        ids = [str(row["id"]) for row in snapshot["connections"]["list"]]
        found = [known for known in ids if known.startswith(beginning)]
        if len(found) == 1 or beginning in found:
            return beginning if beginning in found else found[0]
        shown = ", ".join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
        advice = f"there are {shown}" if ids else "connect a client first"
        raise Refused(f"{len(found)} connections begin with `{beginning}`" if found else "no such connection", advice)

    def _ask(self, question: dict[str, Any], kind: str) -> dict[str, Any]:
        try:
            return self._feed.ask(question, kind)
        except FeedError as error:
            raise Refused(str(error), ":detach goes back") from None
