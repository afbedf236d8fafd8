"""Looking at a connection of a real `worpen dev`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.e2e.cli import TIMEOUT, command_line, environment
from tests.worpen_cli.repl.conftest import ROUTE, Say
from worpen_cli.repl.attachment import Address, Attachment, read_address
from worpen_cli.repl.conversation import Conversation
from worpen_cli.repl.mistakes import Refused

TOKEN = "0123456789abcdef"
SERVED = "".join(line for line in ROUTE.splitlines(True) if "SqlOp" not in line and "rows" not in line)
"""No server asks a database yet."""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ws://localhost:3000/#ab", Address("localhost:3000", "env", "ab")),
        ("ws://localhost/?token=a%26b#ab", Address("localhost:3000", "a%26b", "ab")),
        ("http://localhost:81/#token=abc", Address("localhost:81", "abc", "")),
        ("http://127.0.0.1:81/#token=abc 7f", Address("127.0.0.1:81", "abc", "7f")),
        ("ws://[::1]:81", Address("[::1]:81", "env", "")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert read_address(text, {"WORPEN_DEV_TOKEN": "env"}) == address


@pytest.mark.parametrize(
    "text", ["", "localhost:3000", "ftp://x/", "ws://localhost:x/", "ws://localhost:99999/", "ws://"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(Refused):
        read_address(text, {"WORPEN_DEV_TOKEN": "env"})


def test_a_token_is_wanted() -> None:
    with pytest.raises(Refused, match="token is missing"):
        read_address("ws://localhost:3000/#ab", {})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console, without its token."""
    if os.name != "posix":
        pytest.skip("signals of POSIX")
    folder = tmp_path_factory.mktemp("served")
    (folder / "room.yaml").write_text(SERVED, encoding="utf-8")
    (folder / "worpen.toml").touch()
    process = subprocess.Popen(
        command_line("dev", "--json", "--port", "0", "--token", TOKEN), cwd=folder, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stdout is not None
        events = (json.loads(line) for line in process.stdout)
        console = str(next(event["console"] for event in events if event["event"] == "ready"))
        yield console.partition("#")[0].removeprefix("http://").rstrip("/")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)


@pytest.fixture
def client(server: str) -> Iterator[ClientConnection]:
    with connect(f"ws://{server}/ws/room/lobby?name=Ann", proxy=None) as client:
        assert client.recv(TIMEOUT) == "hi Ann"
        yield client


def test_values_are_those_of_the_connection_now(
    server: str, client: ClientConnection, conversation: Conversation, say: Say
) -> None:
    out, err = say(f":attach ws://{server}/?token={TOKEN}")
    assert (out.startswith("Room  "), err) == (True, "")
    assert say("visitor", "params.room", "count", "query.name | upper")[0] == '"Ann"\n"lobby"\n0\n"ANN"\n'
    client.send("1")
    assert client.recv(TIMEOUT) == "Ann: 1"
    assert say("count", ":vars")[0].startswith("1\nconnection_id")
    say("count = 99", ":detach")
    assert conversation.attached is None


def test_nothing_is_changed(server: str, client: ClientConnection, say: Say) -> None:
    say(f":attach ws://{server}/?token={TOKEN}", "count = 99", ":detach")
    client.send("1")
    assert client.recv(TIMEOUT) == "Ann: 1"
    assert say(f":attach ws://{server}/?token={TOKEN}", ":type count")[0].endswith("number\n")


def test_which_connection(server: str, client: ClientConnection) -> None:
    with connect(f"ws://{server}/ws/room/hall", proxy=None) as other:
        assert other.recv(TIMEOUT) == "hi somebody"
        with pytest.raises(Refused, match="2 connections") as refused:
            Attachment(Address(server, TOKEN, ""))
        ids = refused.value.help.removeprefix("there are ").split(", ")
        for one in ids:
            attachment = Attachment(Address(server, TOKEN, one[:13]))
            assert attachment.id == one
            attachment.close()
        with pytest.raises(Refused, match="no such connection"):
            Attachment(Address(server, TOKEN, "nope"))


def test_a_connection_that_is_over(server: str, say: Say) -> None:
    with connect(f"ws://{server}/ws/room/lobby", proxy=None) as client:
        client.recv(TIMEOUT)
        say(f":attach ws://{server}/?token={TOKEN}")
    assert "is over" in say("count")[1]
    assert say(":type 1 + 1", ":detach", "1") == ("number\n1\n", "")


def test_the_token_is_checked(server: str, client: ClientConnection) -> None:
    with pytest.raises(Refused, match="403"):
        Attachment(Address(server, "another-token-of-mine", ""))


def test_nobody_there() -> None:
    with pytest.raises(Refused):
        Attachment(Address("localhost:1", TOKEN, ""))


def test_a_route_ends_looking(
    server: str, client: ClientConnection, conversation: Conversation, route: Path, say: Say
) -> None:
    say(f":attach ws://{server}/?token={TOKEN}", ":load room.yaml#Room")
    assert conversation.attached is None
    assert conversation.scene is not None
