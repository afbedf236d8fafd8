"""The subprotocol over real connections: wrapped messages, cuts, recovery."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from runtime.app import App
from tests.conftest import PROJECT
from tests.e2e.news import NEWS, served

PROTOCOL = Subprotocol("worpen.v1")


def plain(app: App, room: str = "a", route: str = "news") -> connect:
    return connect(f"ws://127.0.0.1:{app.addresses[0][1]}/ws/{route}/{room}")


def wrapped(app: App, seen: dict[str, Any] | None = None, room: str = "a") -> connect:
    query = f"?recover={quote(json.dumps(seen))}" if seen is not None else ""
    address = f"ws://127.0.0.1:{app.addresses[0][1]}/ws/news/{room}{query}"
    return connect(address, subprotocols=[PROTOCOL], max_queue=None)


async def heard(connection: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(connection.recv(), 10))


def message(data: str, offset: int) -> dict[str, Any]:
    return {"type": "message", "channel": "a", "offset": offset, "data": data}


async def test_who_asks_gets_wrapped_messages_and_nobody_else() -> None:
    async with served() as app, plain(app) as alice, wrapped(app) as bob:
        assert alice.subprotocol is None
        assert bob.subprotocol == PROTOCOL
        welcome, joined = await heard(bob), await heard(bob)
        assert welcome == {"type": "welcome", "id": welcome["id"], "recovers": True}
        assert joined == {"type": "joined", "channel": "a", "epoch": joined["epoch"], "offset": 0}
        await alice.send("hi")
        assert await alice.recv() == "hi"
        assert await heard(bob) == message("hi", 1)
        await bob.send("whisper")
        assert await heard(bob) == {"type": "message", "data": "only you"}
        assert app.send(welcome["id"], "typed")
        assert await heard(bob) == {"type": "message", "data": "typed"}
        assert app.broadcast("a", "to all") == 2
        assert await heard(bob) == message("to all", 2)
        assert await alice.recv() == "to all"


async def test_compressed_and_json() -> None:
    async with served(extra="codec: json\ncompression: true") as app, wrapped(app) as bob, plain(app) as alice:
        await heard(bob)
        await heard(bob)
        await alice.send(json.dumps({"n": "x" * 100}))
        assert await heard(bob) == message('{"n":"' + "x" * 100 + '"}', 1)


async def test_a_client_without_history_in_its_route_is_only_wrapped() -> None:
    source = NEWS.replace("history: {size: 40, ttl: 60}\n", "")
    async with served(source) as app, wrapped(app, {"a": ["e", 1]}) as bob:
        assert (await heard(bob))["type"] == "welcome"
        assert await heard(bob) == {"type": "lost", "channel": "a", "missed": None}
        await bob.send("hi")
        assert await heard(bob) == {"type": "message", "channel": "a", "data": "hi"}


@pytest.mark.parametrize("written", ["no", '{"a": 1}', "[]"])
async def test_a_recovery_that_cannot_be_read_is_refused(written: str) -> None:
    async with served() as app:
        address = f"ws://127.0.0.1:{app.addresses[0][1]}/ws/news/a?recover={quote(written)}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, subprotocols=[PROTOCOL])
        assert refused.value.response.status_code == 400


async def test_recovery_gives_no_right_to_hear_another_channel() -> None:
    async with served() as app, plain(app, "secret") as alice:
        await alice.send("hidden")
        await alice.recv()
        async with wrapped(app, {"secret": ["x", 0]}) as bob:
            assert [(await heard(bob))["type"] for _ in range(2)] == ["welcome", "joined"]
            await bob.send("whisper")
            assert (await heard(bob))["data"] == "only you"


async def test_a_client_cut_off_in_a_busy_channel_gets_everything_once_and_in_order() -> None:
    said = 0

    async def talk(alice: ClientConnection) -> None:
        nonlocal said
        while True:
            said += 1
            await alice.send(str(said))
            await alice.recv()
            await asyncio.sleep(0)

    async with served(extra="", source=NEWS.replace("size: 40", "size: 100000")) as app, plain(app) as alice:
        talking = asyncio.create_task(talk(alice))
        seen: list[int] = []
        place: dict[str, Any] | None = None
        for cut in range(40):
            bob = await wrapped(app, place)
            for _ in range(cut % 7):
                each = await heard(bob)
                match each["type"]:
                    case "message":
                        seen.append(int(each["data"]))
                        assert place is not None
                        place["a"][1] = each["offset"]
                    case "joined" | "recovered":
                        place = {"a": [each["epoch"], each["offset"]]}
                        seen = seen or [each["offset"]]
                    case _:
                        assert each["type"] == "welcome"
            bob.transport.abort()  # cut, without a close frame
        talking.cancel()
        assert len(seen) > 60
        assert seen == list(range(seen[0], seen[0] + len(seen)))


async def test_a_client_cut_off_for_too_long_is_told_how_much_is_lost() -> None:
    async with served() as app, plain(app) as alice:
        async with wrapped(app) as bob:
            await heard(bob)
            epoch = (await heard(bob))["epoch"]
        for number in range(1, 101):
            await alice.send(str(number))
            await alice.recv()
        async with wrapped(app, {"a": [epoch, 0]}) as bob:
            await heard(bob)
            assert await heard(bob) == {"type": "lost", "channel": "a", "missed": 60, "epoch": epoch, "offset": 60}
            assert [await heard(bob) for _ in range(40)] == [message(str(n), n) for n in range(61, 101)]
            assert await heard(bob) == {
                "type": "recovered", "channel": "a", "epoch": epoch, "offset": 100, "messages": 40,
            }  # fmt: skip
        async with wrapped(app, {"a": ["of another server", 3]}) as bob:
            await heard(bob)
            assert (await heard(bob))["missed"] is None


async def test_the_guides_route_and_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (PROJECT / "docs" / "guides" / "history.md").read_text(encoding="utf-8")
    route, program = (re.search(rf"```{kind}\n(.*?)```", guide, re.DOTALL) for kind in ("yaml", "python"))
    assert route is not None
    assert program is not None
    shutil.copy(PROJECT / "runtime" / "clients" / "worpen_client.py", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, Any] = {}
    exec(program[1], names)
    async with served(route[1]) as app:
        address = f"ws://127.0.0.1:{app.addresses[0][1]}/ws/news"
        shown: asyncio.Queue[str] = asyncio.Queue()
        lost: list[str] = []
        following = asyncio.create_task(names["follow"](address, shown.put_nowait, lambda: lost.append("lost")))
        while not app.hub.size("news"):  # noqa: ASYNC110 (a test may look)
            await asyncio.sleep(0.005)
        for number in range(3):
            app.broadcast("news", str(number))
            assert await asyncio.wait_for(shown.get(), 10) == str(number)
            for link in list(app.links.values()):
                link.abort()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert lost == []
