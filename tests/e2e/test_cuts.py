"""Clients that are cut amid traffic, over real sockets: each message once, in order, or told that it is lost.

`make recovery` runs the whole: 1000 cuts in memory, 1000 over a bus of three nodes. Here: some of each.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.clients.worpen_client import Lost
from runtime.events import BusUp, Event
from runtime.server.console import FOLDER
from tests.e2e.cluster.node import ROUTE
from tests.e2e.cluster.trial import Node, cluster
from tests.e2e.cuts import PATIENCE_SECONDS, Front, Reader, Talk, judge, judge_by_speaker, nodes, one_node, summary
from tests.e2e.news import served
from tests.e2e.test_clients import node_with_websocket
from tests.runtime.bus.valkey import valkey

WHOLE = bool(os.environ.get("RECOVERY_WHOLE"))
CUTS = 1_000 if WHOLE else 80
READERS = 10
CLIENT = FOLDER.parent / "clients" / "worpen.js"
JS_READER = Path(__file__).parent / "news_reader.mjs"
pytestmark = pytest.mark.timeout(300)


def test_the_judge_finds_what_is_wrong() -> None:
    truth = ["1", "2", "3", "4"]
    assert judge(truth[1:], truth) == []
    for wrong in ([], ["2", "3"], ["2", "2", "3", "4"], ["2", "4"], ["2", "4", "3"], ["0", "1", "2", "3", "4"]):
        assert judge(wrong, truth), wrong


@pytest.fixture(scope="module")
def alone() -> Iterator[Node]:
    """A node without a bus."""
    with one_node(5_000) as node:
        yield node


@pytest.fixture(scope="module")
def three() -> Iterator[list[Node]]:
    """Three nodes on one bus."""
    with nodes(3, 5_000) as made:
        yield made


async def cut_amid_talk(ports: Sequence[int], room: str) -> None:
    """Have readers be cut, `CUTS` times in all, and come back to any of these ports."""
    async with Talk(list(ports) * 2, ports[0], room) as talk, AsyncExitStack() as stack:
        ways = [Front(random.sample(ports, len(ports)), room) for _ in range(READERS)]
        fronts = [await stack.enter_async_context(way) for way in ways]
        readers = [Reader(front) for front in fronts]
        async with asyncio.timeout(250), reading(talk, *readers):
            await asyncio.gather(*(until_heard(reader, 1) for reader in readers))
            await asyncio.gather(*(reader.cut(CUTS // READERS, _a_moment) for reader in readers))
    print(f"\n{len(ports)} nodes:", summary(readers))
    assert [found for number, one in enumerate(readers) for found in judge(one.heard, talk.heard, str(number))] == []
    assert sum(reader.cuts for reader in readers) == CUTS
    assert not any(reader.lost for reader in readers)
    assert sum(reader.recovered for reader in readers) > CUTS / 10


def _a_moment() -> float:
    return random.uniform(0, 0.05)


async def test_many_cuts_in_memory(alone: Node) -> None:
    await cut_amid_talk([alone.port], "cuts")


async def test_many_cuts_over_a_bus(three: list[Node]) -> None:
    await cut_amid_talk([node.port for node in three], "cuts")


def test_the_judge_of_speakers_finds_what_is_wrong() -> None:
    def judged(*heard: str, lost_at: Sequence[int] = ()) -> list[str]:
        return judge_by_speaker(Reader(Front([], ""), list(heard), lost_at=list(lost_at)))

    assert judged("a 1", "b 7", "a 2", "b 8") == []
    assert judged("a 1", "b 7", "a 3", lost_at=[2]) == []
    assert judged("a 1", "b 7", "a 3", lost_at=[3])
    assert judged("a 1", "b 7", "a 3", lost_at=[0])
    assert judged("a 1", "a 1", lost_at=[1])
    assert judged("a 2", "a 1", lost_at=[1])


@pytest.mark.skipif(not WHOLE, reason="a part of `make recovery`")
async def test_while_the_store_is_in_trouble_nothing_is_lost_in_silence() -> None:
    room = "trouble"
    async with cluster(15.0, size=5_000) as trial, AsyncExitStack() as stack:
        ports = [node.port for node in trial.nodes]
        talk = await stack.enter_async_context(Talk(ports, ports[0], room, 60.0))
        readers = [Reader(await stack.enter_async_context(Front([port], room))) for port in ports * 2]
        async with reading(talk, *readers):
            await asyncio.gather(*(until_heard(reader, 20) for reader in readers))
            for _ in range(3):
                await trial.wire.cut()
                await asyncio.sleep(random.uniform(0.3, 1.5))
                await trial.wire.mend()
                await asyncio.sleep(2.0)
                trial.store.hang()
                await asyncio.sleep(random.uniform(0.3, 1.5))
                trial.store.wake()
                await asyncio.sleep(2.0)
                trial.store.kill()
                trial.store.start()
                await asyncio.sleep(2.0)
    print("\ntrouble:", {"messages": [len(one.heard) for one in readers], "lost": [len(one.lost) for one in readers]})
    assert [found for reader in readers for found in judge_by_speaker(reader)] == []
    assert all(reader.lost for reader in readers)


class JavaScript:
    """The JavaScript client in Node, by a way of its own."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = await asyncio.to_thread(node_with_websocket)
        if command is not None:
            self._process = await asyncio.create_subprocess_exec(
                *command, str(JS_READER), str(CLIENT), self._front.url,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip

    async def listens(self) -> None:
        """Return when it has heard some more."""
        if self._process is not None:
            await self._front.has_passed(2_000)

    async def told(self) -> list[Any] | None:
        """All that it was told, after `end`; None where no Node is installed."""
        if self._process is None:
            return None
        out, err = await self._process.communicate()
        assert self._process.returncode == 0, err.decode()
        told: list[Any] = json.loads(out)
        return told

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


@dataclass(slots=True)
class Both:
    """A Python and a JavaScript client, each by a way of its own."""

    ways: tuple[Front, Front]
    reader: Reader
    script: JavaScript
    told: list[Any] | None = None
    """All that the JavaScript client was told, when it has ended; None where no Node is installed."""

    async def listen(self, messages: int) -> None:
        """Return when one has heard so many messages in all, and the other some more."""
        await until_heard(self.reader, messages)
        await self.script.listens()

    def judge(self, truth: Sequence[str]) -> list[dict[str, Any]]:
        """See that both heard what the observer did; what else the JavaScript client was told."""
        assert judge(self.reader.heard, truth) == []
        assert not self.reader.lost
        if self.told is None:
            return []
        assert judge([each[0] for each in self.told if isinstance(each, list)], truth) == []
        others = [each for each in self.told if isinstance(each, dict)]
        assert not any("lost" in each for each in others)
        return others


@asynccontextmanager
async def both_reading(talk: Talk, ports: Sequence[int], room: str) -> AsyncIterator[Both]:
    """Have both clients read until the end of the talk, which is the end of this."""
    async with Front(ports, room) as front, Front(ports, room) as other:
        both = Both((front, other), Reader(front), JavaScript(other))
        await both.script.start()
        try:
            async with reading(talk, both.reader):
                yield both
            both.told = await both.script.told()
        finally:
            await both.script.stop()


@asynccontextmanager
async def reading(talk: Talk, *readers: Reader) -> AsyncIterator[None]:
    """Have them read until the end of the talk, which is the end of this."""
    tasks = [asyncio.create_task(reader.read()) for reader in readers]
    try:
        yield
        await talk.end()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def until_heard(reader: Reader, messages: int) -> None:
    async with asyncio.timeout(30):
        while len(reader.heard) < messages:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def cut_for_five_seconds(ports: Sequence[int]) -> None:
    """A Python and a JavaScript client are cut for 5 s by the clock, amid 150 messages a second."""
    room = "five"
    async with Talk(ports[:2], ports[-1], room) as talk, both_reading(talk, ports, room) as both:
        await both.listen(100)
        for way in both.ways:
            way.is_closed = True
            way.cut()
        await asyncio.sleep(1.0)
        before, said = len(both.reader.heard), len(talk.heard)
        await asyncio.sleep(4.0)
        assert len(both.reader.heard) == before
        missed = len(talk.heard) - said
        for way in both.ways:
            way.is_closed = False
        await both.listen(before + missed + 50)
    told = both.judge(talk.heard)
    assert both.reader.recovered > missed > 50
    assert both.told is None or sum(each.get("recovered", 0) for each in told) > missed


async def test_a_client_cut_for_five_seconds_in_a_busy_channel(alone: Node, three: list[Node]) -> None:
    await asyncio.gather(cut_for_five_seconds([alone.port]), cut_for_five_seconds([node.port for node in three]))


async def test_a_node_is_killed_and_its_clients_go_on_at_the_other() -> None:
    with nodes(2, 5_000) as (first, second):
        ports = [second.port, first.port]  # the first turn is the second of the list
        speakers, room = [first.port, second.port, second.port], "killed"
        async with Talk(speakers, second.port, room) as talk, both_reading(talk, ports, room) as both:
            await both.listen(100)
            first.kill()
            await both.listen(300)
    both.judge(talk.heard)
    assert any(text.startswith("s0") for text in both.reader.heard)


async def test_the_store_is_restarted_and_clients_are_told() -> None:
    source, room = ROUTE.decode().replace("HISTORY", "history: {size: 5000, ttl: 60}"), "again"
    with valkey() as store:
        async with served(source, bus_url=store.url) as one, served(source, bus_url=store.url) as two:
            ports = [app.addresses[0][1] for app in (one, two)]
            up: list[Event] = []
            for app in (one, two):
                app.events.subscribe(lambda event: up.append(event) if isinstance(event, BusUp) else None)
            async with Talk(ports[1:], ports[1], room) as talk, Front(ports[:1], room) as front:
                reader = Reader(front)
                async with reading(talk, reader):
                    await until_heard(reader, 50)
                    store.kill()
                    await asyncio.sleep(0.3)
                    store.start()
                    async with asyncio.timeout(20):
                        while len(up) < 2:  # noqa: ASYNC110
                            await asyncio.sleep(0.01)
                    before = len(reader.heard)
                    await until_heard(reader, before + 50)
                    assert set(reader.lost) == {Lost(room, None)}
                    told = len(reader.lost)
                    await reader.cut(1, _a_moment)
    assert len(reader.lost) == told, "it knew the new epoch"
    assert len(reader.heard) == len(set(reader.heard))
    assert judge(reader.heard[before + 20 :], talk.heard) == []
