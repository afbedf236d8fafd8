"""Servers that have been given secrets, and clients that bring some: nothing of them comes out, wherever one looks.

What processes print is looked at by `tests.canary`; what clients are answered is looked at here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from runtime.services.tokens import mint, secret_key
from tests.canary import CANARY, plant
from tests.e2e.cli import TIMEOUT, project, worpen
from tests.e2e.process import Server, servers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
KEY = f"{CANARY}-key-0123456789abcdefghijklmnop"
SECRETS = {
    "CHAT_KEY": KEY,
    "WORPEN_DATABASE_URL": f"postgresql://worpen:{CANARY}-sql@127.0.0.1:9/chat",
    "WORPEN_REDIS_URL": f"redis://:{CANARY}-redis@127.0.0.1:9/0",
}
ROUTE = """\
name: Members
path: /ws/members
route_type: WebSocket
auth: {jwt: {secret_env: CHAT_KEY, audience: chat}}
ws_hooks:
  on_connect:
    - WsOp: {command: send, message: "hello {{ user.sub }}"}
  on_message:
    - Log: {message: "{{ headers.authorization ?? 'hidden' }} {{ query }} {{ user }}"}
    - Try:
        operations:
          - If: {condition: "message == 'sql'", then: [{SqlOp: {query: "SELECT 1 AS one"}}]}
          - If: {condition: "message == 'redis'", then: [{RedisOp: {command: GET, key: a}}]}
          - If: {condition: "message == 'http'", then: [{HttpRequest: {url: "https://a.invalid/"}}]}
        catch:
          - WsOp: {command: send, message: "{{ error.code }} {{ error.message }}"}
    - If: {condition: "message == 'fault'", then: [{SqlOp: {query: "SELECT 2 AS two"}}]}
    - WsOp: {command: send, message: "done {{ headers.authorization ?? 'hidden' }} {{ query }}"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, members=ROUTE)


@pytest.fixture(params=[("serve", "--log-payloads"), ("dev", "--json")], ids=["serve", "dev"])
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    command: Sequence[str] = request.param
    with servers(folder, command) as start:
        yield start(**SECRETS)


def token(key: str = KEY, **claims: object) -> str:
    return plant(mint(secret_key(key, "KEY"), {"sub": "ann", "aud": "chat", "exp": int(time.time()) + 600, **claims}))


async def test_nothing_secret_comes_out(server: Server) -> None:
    good = token()
    cookie = {"Cookie": f"session={CANARY}-cookie"}
    said: list[str] = []
    for uri, headers in (
        (f"/ws/members?token={good}", cookie),
        ("/ws/members", {**cookie, "Authorization": f"Bearer {good}"}),
    ):
        async with connect(server.address + uri, additional_headers=headers) as client:
            said.append(str(await asyncio.wait_for(client.recv(), TIMEOUT)))
            for message in ("sql", "redis", "http", "fault", "done"):
                await client.send(message)
                said.append(str(await asyncio.wait_for(client.recv(), TIMEOUT)))
    forged = token(f"{CANARY}-other-0123456789abcdefghijklmn")
    for bad in (forged, token(aud="mail"), token(exp=1), f"{CANARY}.{CANARY}.x"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.address}/ws/members?token={bad}")
        assert refused.value.response.status_code == 401
        said.append(repr(refused.value.response))
    answered = await asyncio.to_thread(lambda: urlopen(server.address.replace("ws:", "http:") + "/metrics").read())
    assert "sql_unavailable" in "".join(said)
    shown = "\n".join([*said, answered.decode()])
    assert CANARY not in shown
    assert good not in shown
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    "command",
    [("validate", "."), ("validate", ".", "--format", "json"), ("compile", ".", "--emit", "json"), ("list", "."),
     ("token", "members.yaml", "--sub", "ann"), ("dev", "--print-limits"), ("serve", "--print-limits"),
     ("repl", "-c", "1 + 1"), ("validate", "no-such-file"), ("serve", "no-such-file")],
    ids=" ".join,
)  # fmt: skip
def test_commands_tell_no_secret(folder: Path, command: tuple[str, ...]) -> None:
    done = worpen(*command, cwd=folder, variables=SECRETS)
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode in (0, 1, 2)
