"""A client of `worpen.v1` (docs/protocol.md): connects again by itself, resumes where it was, tells what it missed.

One file to copy; it needs `websockets`.

    client = WorpenClient("ws://localhost:3000/api/ws/news")
    async for event in client.events():
        match event:
            case Message(data):
                print(data)
            case Lost(channel, missed):
                print("missed", missed, "in", channel)
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

PROTOCOL: Final = Subprotocol("worpen.v1")
RETRY_CODES: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 4010})
"""Close codes after which connecting again can help; all others end the client."""
RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
"""The same for refused handshakes."""
ADDRESS_CHARACTERS: Final = 6_000
"""Room for what is asked for: servers take no longer addresses. Of further channels all counts as lost."""
_ABNORMAL: Final = 1006


class NotConnected(ConnectionError):
    """There is no connection: nothing was sent, and nothing is queued."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Connected. `again`: not for the first time."""

    id: str
    again: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its text, or the bytes of a binary frame; with its place in a channel where it has one."""

    data: str | bytes
    channel: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages that will not come: so many, or None where nobody knows. `channel`: None where this concerns all."""

    channel: str | None
    missed: int | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """So many missed messages of a channel came just before this."""

    channel: str
    messages: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over, or there was none. `delay`: seconds until the next attempt; None: there is none."""

    code: int
    reason: str
    delay: float | None


Event: TypeAlias = Opened | Message | Lost | Recovered | Closed


class WorpenClient:
    """One client. Read `events` in one task; `send` and `close` may be called from others of the same loop."""

    def __init__(
        self,
        url: str,
        *,
        base: float = 0.5,
        cap: float = 30.0,
        steady: float = 5.0,
        retry_codes: Collection[int] = RETRY_CODES,
        headers: Mapping[str, str] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`base`, `cap`: the n-th attempt in a row waits a random time up to min(cap, base * 2**n) seconds; a
        connection that lasted `steady` seconds counts as good, and attempts are counted anew."""
        self._url = url
        self._base, self._cap, self._steady = base, cap, steady
        self._retry_codes = retry_codes
        self._headers = dict(headers or {})
        self._chance = chance
        self._socket: ClientConnection | None = None
        self._places: dict[str, list[Any]] = {}
        self._left_out: list[str] = []
        """Channels that there was no room to ask for."""
        self._attempt = 0
        self._was_open = False
        self._ended = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether something can be sent now."""
        return self._socket is not None

    async def send(self, data: str | bytes) -> None:
        """Send a text or bytes. Raises NotConnected while there is no connection: nothing is queued."""
        if self._socket is None:
            raise NotConnected("not connected: nothing was sent")
        try:
            await self._socket.send(data)
        except ConnectionClosed:
            raise NotConnected("the connection is over: it is not known whether this was sent") from None

    async def close(self) -> None:
        """End for good; `events` ends too."""
        self._ended.set()
        if self._socket is not None:
            await self._socket.close()

    async def events(self) -> AsyncGenerator[Event, None]:
        """All that happens, connection after connection, until `close` or an end after which none can help."""
        while not self._ended.is_set():
            began, code, reason, again = time.monotonic(), _ABNORMAL, "", True
            try:
                async with connect(
                    self._address(), subprotocols=[PROTOCOL], additional_headers=self._headers, max_size=None
                ) as socket:
                    began = time.monotonic()
                    self._socket = socket
                    async with aclosing(self._heard(socket)) as heard:
                        async for event in heard:
                            yield event
                code, reason = socket.close_code or _ABNORMAL, socket.close_reason or ""
                again = code in self._retry_codes
            except InvalidStatus as refused:
                reason = f"refused with {refused.response.status_code}"
                again = refused.response.status_code in RETRY_STATUSES
            except (OSError, TimeoutError, WebSocketException) as problem:
                reason = str(problem)
            finally:
                self._socket = None
            if time.monotonic() - began >= self._steady:
                self._attempt = 0
            delay = self._delay() if again and not self._ended.is_set() else None
            yield Closed(code, reason, delay)
            if delay is None:
                return
            await self._wait(delay)

    def _address(self) -> str:
        if not self._places:
            return self._url
        asked, room = "", ADDRESS_CHARACTERS
        for channel, place in list(self._places.items()):
            entry = quote(f"{',' if asked else ''}{json.dumps(channel)}:{json.dumps(place)}", safe="")
            room -= len(entry)
            if room >= 0:
                asked += entry
            else:
                del self._places[channel]
                self._left_out.append(channel)
        mark = "&" if urlsplit(self._url).query else "?"
        return f"{self._url}{mark}recover=%7B{asked}%7D"

    async def _heard(self, socket: ClientConnection) -> AsyncGenerator[Event, None]:
        try:
            async for raw in socket:
                told = json.loads(raw)
                self._note(told)
                for event in self._events_of(told):
                    yield event
        except ConnectionClosed:
            return

    def _note(self, told: Mapping[str, Any]) -> None:
        """Where this client stands in a channel, told by whatever has an offset."""
        channel = told.get("channel")
        if channel is None:
            return
        if "epoch" in told:
            self._places[channel] = [told["epoch"], told["offset"]]
        elif "offset" in told and channel in self._places:
            self._places[channel][1] = told["offset"]
        elif told["type"] == "lost":
            self._places.pop(channel, None)

    def _events_of(self, told: Mapping[str, Any]) -> list[Event]:
        channel = told.get("channel")
        match told["type"]:
            case "welcome":
                again, self._was_open = self._was_open, True
                left_out, self._left_out = self._left_out, []
                lost = [Lost(channel, None) for channel in left_out]
                if again and not told["recovers"]:
                    lost.append(Lost(None, None))
                return [Opened(told["id"], again), *lost]
            case "message":
                data = base64.b64decode(told["base64"]) if "base64" in told else told["data"]
                return [Message(data, channel, told.get("offset"))]
            case "lost":
                return [Lost(channel, told["missed"])]
            case "recovered":
                return [Recovered(told["channel"], told["messages"])]
            case _:
                return []

    def _delay(self) -> float:
        """Full jitter: any time up to a bound that doubles, so that many clients do not come back at once."""
        most = min(self._cap, self._base * 2.0 ** min(self._attempt, 60))
        self._attempt += 1
        return self._chance() * most

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return
