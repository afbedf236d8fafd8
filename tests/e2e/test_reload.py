"""What `worpen dev` promises about reloading, each over real sockets with real files."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.cli import TIMEOUT, project
from tests.e2e.process import Server, ask, servers

ROUTE = """\
name: Echo
path: /ws/echo
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: count, value: 0}
  on_message:
    - SetVar: {name: count, value: "{{ count + 1 }}"}
    - WsOp: {command: send, message: "v1 {{ count }} {{ message }}"}
"""
OTHER = ROUTE.replace("Echo", "Other").replace("/ws/echo", "/ws/other")


def version(number: int, text: str = ROUTE) -> str:
    return text.replace("v1", f"v{number}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, echo=ROUTE)


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Server]]:
    with servers(folder) as start:
        yield start


async def told(server: Server, kind: str) -> dict[str, Any]:
    """The next event of a kind, while clients go on. A server that does not tell it in time is ended, which ends the
    waiting thread too."""
    late = asyncio.get_running_loop().call_later(TIMEOUT, server.process.kill)
    try:
        return await asyncio.to_thread(server.next, kind)
    finally:
        late.cancel()


# How editors write.


def renamed(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def moved_aside(path: Path, text: str) -> None:
    path.rename(path.with_name(path.name + "~"))
    path.write_text(text, encoding="utf-8")
    path.with_name(path.name + "~").unlink()


def truncated(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def emptied(path: Path, text: str) -> None:
    path.write_text("")
    path.write_text(text, encoding="utf-8")


EDITORS = [renamed, moved_aside, truncated, emptied]


@pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)
@pytest.mark.parametrize("polls", [False, True], ids=["events", "polling"])
async def test_every_way_to_save(
    save: Callable[[Path, str], None], polls: bool, serve: Callable[..., Server], folder: Path
) -> None:
    server = serve(**({"WATCHFILES_FORCE_POLLING": "true"} if polls else {}))
    async with connect(server.address + "/ws/echo") as client:
        assert await ask(client) == "v1 1 x"
        for number in (2, 3):
            save(folder / "echo.yaml", version(number))
            assert (await told(server, "swapped"))["changed"] == ["/ws/echo"]
            assert await ask(client) == f"v{number} {number} x"
            assert server.next("reloaded")["changes"] == [
                f"echo.yaml: on_message changed; 1 connection goes on at generation {number}"
            ]


async def test_a_file_written_in_pieces_with_pauses_goes_live_once_and_whole(
    serve: Callable[..., Server], folder: Path
) -> None:
    server = serve()
    text = version(2) + "    - Log: {message: more}\n    - Log: {message: even more}\n"
    async with connect(server.address + "/ws/echo") as client:
        with (folder / "echo.yaml").open("w", encoding="utf-8") as writer:
            for line in text.splitlines(keepends=True):
                writer.write(line)
                writer.flush()
                await asyncio.sleep(0.3)  # longer than it takes to settle
                assert (await ask(client)).startswith("v1 ")
        await told(server, "swapped")
        assert (await ask(client)).startswith("v2 ")
    compiled = [event for event in server.events if event["event"] == "compiled"]
    assert [event["broken"] for event in compiled] == [[], []]


async def test_what_is_the_beginning_of_the_text_does_not_go_live(serve: Callable[..., Server], folder: Path) -> None:
    server = serve()
    whole = ROUTE + "    - WsOp: {command: send, message: more}\n"
    renamed(folder / "echo.yaml", whole)
    await told(server, "swapped")
    async with connect(server.address + "/ws/echo") as client:
        for length in range(0, len(whole), 23):
            renamed(folder / "echo.yaml", whole[:length])
            await asyncio.sleep(0.25)
            await client.send("x")
            assert [(await asyncio.wait_for(client.recv(), TIMEOUT))[:2] for _ in range(2)] == ["v1", "mo"]
        renamed(folder / "echo.yaml", ROUTE)  # meant: it stays so
        while not (await told(server, "swapped"))["changed"]:
            pass
        assert (await ask(client, "a"))[-1] == "a"
        assert (await ask(client, "b"))[-1] == "b"


# What is there, and what is not any more.


async def test_files_come_go_and_move(serve: Callable[..., Server], folder: Path) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        (folder / "other.yaml").write_text(OTHER, encoding="utf-8")
        assert (await told(server, "swapped"))["added"] == ["/ws/other"]
        async with connect(server.address + "/ws/other") as other:
            assert await ask(other) == "v1 1 x"
            (folder / "sub").mkdir()
            (folder / "other.yaml").rename(folder / "sub" / "moved.yaml")
            moved = await told(server, "swapped")
            assert (moved["added"], moved["removed"]) == ([], [])
            assert await ask(other) == "v1 2 x"
            (folder / "sub").rename(folder / "renamed")
            assert (await told(server, "swapped"))["removed"] == []
            assert await ask(other) == "v1 3 x"
            (folder / "renamed" / "moved.yaml").unlink()
            assert (await told(server, "swapped"))["removed"] == ["/ws/other"]
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(other.recv(), TIMEOUT)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.address + "/ws/other")
        assert refused.value.response.status_code == 404
        assert await ask(client) == "v1 1 x"


async def test_several_files_at_once_are_one_swap(serve: Callable[..., Server], folder: Path) -> None:
    for number in range(5):
        (folder / f"r{number}.yaml").write_text(ROUTE.replace("/ws/echo", f"/ws/r{number}"), encoding="utf-8")
    server = serve()
    for number in range(5):
        (folder / f"r{number}.yaml").write_text(
            version(2, ROUTE.replace("/ws/echo", f"/ws/r{number}")), encoding="utf-8"
        )
    swapped = await told(server, "swapped")
    assert sorted(swapped["changed"]) == [f"/ws/r{number}" for number in range(5)]
    assert swapped["unchanged"] == ["/ws/echo"]


async def test_a_clash_leaves_the_one_that_serves_and_is_mended(serve: Callable[..., Server], folder: Path) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        (folder / "a.yaml").write_text(version(9), encoding="utf-8")  # comes first by name
        assert (await told(server, "compiled"))["broken"] == ["a.yaml"]
        assert await ask(client) == "v1 1 x"
        renamed(folder / "a.yaml", version(9, OTHER))
        assert (await told(server, "compiled"))["broken"] == []
        assert (await told(server, "swapped"))["added"] == ["/ws/other"]
        assert await ask(client) == "v1 2 x"


async def test_a_broken_route_keeps_its_connections_and_takes_new_ones(
    serve: Callable[..., Server], folder: Path
) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        for attempt in range(3):
            renamed(folder / "echo.yaml", ROUTE.replace("{{ message", "{{ mesage") + "#" * attempt)
            compiled = await told(server, "compiled")
            assert (compiled["broken"], compiled["stale"]) == (["echo.yaml"], ["echo.yaml"])
            assert [found["name"] for found in compiled["diagnostics"]] == ["unknown-variable"]
            async with connect(server.address + "/ws/echo") as fresh:
                assert await ask(fresh) == "v1 1 x"
        renamed(folder / "echo.yaml", version(2))
        assert (await told(server, "compiled"))["broken"] == []
        await told(server, "swapped")
        assert await ask(client) == "v2 1 x"


async def test_a_route_that_was_broken_at_the_start_is_served_when_it_is_mended(
    serve: Callable[..., Server], folder: Path
) -> None:
    (folder / "echo.yaml").write_text(ROUTE.replace("{{ message", "{{ mesage"), encoding="utf-8")
    server = serve()
    with pytest.raises(InvalidStatus) as refused:
        await connect(server.address + "/ws/echo")
    assert refused.value.response.status_code == 503
    assert b"unknown-variable" in refused.value.response.body
    renamed(folder / "echo.yaml", ROUTE)
    assert (await told(server, "swapped"))["added"] == ["/ws/echo"]
    async with connect(server.address + "/ws/echo") as client:
        assert await ask(client) == "v1 1 x"


# What a reload leaves alone.


async def test_a_hook_that_runs_ends_on_the_old_program(serve: Callable[..., Server], folder: Path) -> None:
    slow = ROUTE + '    - Sleep: {duration_ms: 1500}\n    - WsOp: {command: send, message: "v1 done {{ count }}"}\n'
    (folder / "echo.yaml").write_text(slow, encoding="utf-8")
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        await client.send("a")
        assert await asyncio.wait_for(client.recv(), TIMEOUT) == "v1 1 a"
        renamed(folder / "echo.yaml", version(2))
        await told(server, "swapped")
        await client.send("b")
        assert [await asyncio.wait_for(client.recv(), TIMEOUT) for _ in range(2)] == ["v1 done 1", "v2 2 b"]


async def test_variables_are_kept_by_name_and_renamed_by_on_reload(serve: Callable[..., Server], folder: Path) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as client:
        assert await ask(client) == "v1 1 x"
        more = '    - SetVar: {name: first, value: "{{ first ?? message }}"}\n'
        renamed(folder / "echo.yaml", version(2).replace("    - WsOp", more + "    - WsOp"))
        await told(server, "swapped")
        assert await ask(client) == "v2 2 x"
        newer = version(3).replace("count", "total").replace("ws_hooks:", "on_reload: {count: total}\nws_hooks:")
        renamed(folder / "echo.yaml", newer)
        await told(server, "swapped")
        assert await ask(client) == "v3 3 x"


async def test_what_did_not_change_is_not_touched(serve: Callable[..., Server], folder: Path) -> None:
    (folder / "other.yaml").write_text(OTHER, encoding="utf-8")
    server = serve("--reload", "restart")
    async with connect(server.address + "/ws/echo") as changed, connect(server.address + "/ws/other") as other:
        renamed(folder / "other.yaml", "# only a comment\n" + OTHER)
        assert (await told(server, "swapped"))["changed"] == []
        renamed(folder / "echo.yaml", version(2))
        assert (await told(server, "swapped"))["changed"] == ["/ws/echo"]
        assert (await told(server, "reloaded"))["changes"] == [
            "echo.yaml: on_message changed; 1 connection closed (1012), generation 2"
        ]
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(changed.recv(), TIMEOUT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert await ask(other) == "v1 1 x"


RELOADS = 100


async def test_a_hundred_reloads_under_traffic_lose_and_double_nothing(
    serve: Callable[..., Server], folder: Path
) -> None:
    server = serve()
    async with connect(server.address + "/ws/echo") as one, connect(server.address + "/ws/echo") as two:
        going_on, seen = True, set[int]()

        async def talk(client: ClientConnection) -> None:
            number = 0
            while going_on:
                number += 1
                answer = await ask(client, f"m{number}")
                found = re.fullmatch(rf"v(\d+) {number} m{number}", answer)
                assert found, answer
                seen.add(int(found[1]))
                await asyncio.sleep(0.001)

        talking = [asyncio.create_task(talk(client)) for client in (one, two)]
        for number in range(2, RELOADS + 2):
            renamed(folder / "echo.yaml", version(number))
            assert (await told(server, "swapped"))["changed"] == ["/ws/echo"]
        last = await ask_until(seen, RELOADS + 1)
        going_on = False
        await asyncio.gather(*talking)
        assert last == RELOADS + 1
        assert len(seen) > RELOADS * 0.9


async def ask_until(seen: set[int], number: int) -> int:
    """Wait until a version answered; the highest that did."""
    async with asyncio.timeout(TIMEOUT):
        while number not in seen:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return max(seen)
