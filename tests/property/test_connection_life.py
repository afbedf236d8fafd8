"""A connection over a real socket, with a client and a server that do anything at any time: order, and one end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.limits import WireLimits
from runtime.transport.frames import encode_text
from runtime.transport.seam import Acceptance
from tests.runtime.transport.harness import Deliberate, Listener, RawClient, Recorder, masked, serving, until, upgraded

LIMITS = WireLimits(
    message_rate=0, byte_rate=0, control_rate=0, inbox_messages=3, inbox_bytes=8_000, slice_bytes=1_024,
    close_seconds=0.05, stall_seconds=5,
)  # fmt: skip
TEXT, CLOSE, PING = 1, 8, 9

MESSAGES = st.lists(st.sampled_from([0, 1, 100, 120, 300, 5_000]), min_size=1, max_size=30)
SERVER_ACTIONS = ("answer", "pause", "pause and resume", "resume", "close", "abort", "close, abort", "narrow", "fail")
SCRIPTS = st.dictionaries(st.integers(0, 29), st.sampled_from(SERVER_ACTIONS), max_size=8)
ENDS = st.sampled_from(["close", "close", "leave", "half close", "break", "wait"])


@dataclass
class Life:
    """What is to happen: the lengths of the client's messages, what the server does at which of them, and the end."""

    lengths: list[int]
    script: dict[int, str]
    pieces: int
    """So many bytes leave at once."""
    fragmented: bool
    takes: bool
    """Whether the server takes texts that came together at once."""
    end: str
    turns: int
    """Turns of the loop until a pause ends."""

    def sent(self) -> list[str]:
        return [f"{number} " + "x" * length for number, length in enumerate(self.lengths)]

    def stream(self) -> bytes:
        stream = b"".join(map(self.frames, self.sent()))
        return stream + {"close": masked(CLOSE, b"\x0f\xa1bye"), "break": b"\xff\xff"}.get(self.end, b"")

    def frames(self, text: str) -> bytes:
        payload = text.encode()
        if not self.fragmented:
            return masked(TEXT, payload)
        half = len(payload) // 2
        return masked(TEXT, payload[:half], fin=False) + masked(PING, b"between") + masked(0, payload[half:])


@dataclass
class Actor:
    """Does at the server what the script says."""

    life: Life
    troubles: list[Any] = field(default_factory=list)
    ended_here: bool = False
    """Whether the server itself ended the connection."""

    def hear(self, listener: Listener, message: str | bytes) -> None:
        connection = listener.connection
        match self.life.script.get(len(listener.messages) - 1):
            case "answer":
                connection.send(encode_text(str(message)[:20]))
            case "pause":
                connection.pause()
                self.resume_later(listener, self.life.turns)
            case "pause and resume":
                connection.pause()
                connection.resume()
            case "resume":
                connection.resume()
            case "close":
                self.ended_here = True
                connection.close(4010, "enough")
            case "abort":
                self.ended_here = True
                connection.abort()
            case "close, abort":
                self.ended_here = True
                connection.close(4010)
                connection.abort()
            case "narrow":
                self.ended_here = True  # perhaps: a message may be too long from now on
                connection.limit_messages(200)
            case "fail":
                self.ended_here = True
                raise Deliberate
            case _:
                pass

    def resume_later(self, listener: Listener, turns: int) -> None:
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self.resume_later, listener, turns - 1)
        else:
            listener.connection.resume()

    def complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Deliberate):
            self.troubles.append(context)


@dataclass
class Taker(Listener):
    """Takes texts that came together, as the server does: none after it paused or ended the connection."""

    def received_texts(self, texts: Iterator[str]) -> None:
        for text in texts:
            self.received(text)
            connection = self.connection
            if connection._paused or not connection.is_open:
                return


async def live(life: Life) -> None:
    actor = Actor(life)
    asyncio.get_running_loop().set_exception_handler(actor.complain)
    application = Recorder(on_message=actor.hear)
    if life.takes:
        application.decide = lambda request, listener: _taken(application, listener)
    async with serving(application, LIMITS) as (wire, port), upgraded(port) as client:
        await until(lambda: bool(application.listeners))
        stream = life.stream()
        await client.send_chopped(stream, life.pieces)
        await end(client, life)
        listener = application.listeners[0]
        reading = asyncio.ensure_future(client.to_the_end())
        if life.end == "wait":
            await until(lambda: len(listener.messages) == len(life.lengths) or bool(listener.endings))
            listener.connection.close(1000)
        await listener.end()
        await reading
        await asyncio.sleep(0)
        assert not actor.troubles
        assert [event[0] for event in listener.events].count("opened") == 1
        assert listener.events[0] == ("opened",)
        assert listener.events[-1][0] == "closed"
        heard = listener.messages
        assert heard == life.sent()[: len(heard)], "in order, each once"
        if not actor.ended_here:
            if life.end != "break":  # then what waits is dropped
                assert len(heard) == len(life.lengths), "what came before the end was delivered"
            wanted = {"close": 4001, "leave": 1006, "half close": 1006, "break": 1002, "wait": 1000}[life.end]
            assert listener.endings[0][0] == wanted
        assert wire.counters.connections == 0
        assert wire.counters.queued_bytes == 0
        await until(lambda: not list(wire.wheel.riders()))


def _taken(application: Recorder, listener: Listener) -> Acceptance:
    taker = Taker(listener.connection, listener.request, listener.on_message, listener.on_open)
    application.listeners[-1] = taker
    return Acceptance(taker)


async def end(client: RawClient, life: Life) -> None:
    if life.end == "leave":
        client.writer.close()
    elif life.end == "half close" and not client.writer.is_closing():
        with contextlib.suppress(OSError):  # the server was first
            client.writer.write_eof()


@given(
    st.builds(
        Life, MESSAGES, SCRIPTS, st.sampled_from([1 << 20, 5_000, 700, 97]), st.booleans(), st.booleans(), ENDS,
        st.integers(0, 3),
    )
)  # fmt: skip
def test_whatever_both_sides_do_messages_keep_their_order_and_there_is_one_end(life: Life) -> None:
    asyncio.run(live(life))
