"""Authentication over real sockets: who gets in, what hooks see of it, and when it ends."""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from runtime.app import App
from runtime.events import Event, Events
from runtime.limits import ServerLimits
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings
from runtime.services.tokens import mint, secret_key
from tests.canary import CANARY, plant
from tests.e2e.serving import program_bytes

VARIABLE = "WORPEN_TEST_JWT_SECRET"
SECRET = f"{CANARY}-secret-0123456789abcdefghij"
PATIENCE = 10.0
ROUTE = """\
name: Members
path: /ws/members
route_type: WebSocket
auth: {jwt: {secret_env: WORPEN_TEST_JWT_SECRET, audience: chat, issuer: me}}
ws_hooks:
  on_connect:
    - WsOp: {command: send, message: "{{ user.sub }} {{ user.role ?? '-' }}"}
  on_message:
    - Log: {message: "{{ query }} {{ headers }}"}
    - WsOp: {command: send, message: "{{ query.token ?? 'hidden' }} {{ headers.authorization ?? 'hidden' }}"}
"""
VETTED = """\
name: Vetted
path: /ws/vetted/:room
route_type: WebSocket
ws_hooks:
  on_auth:
    - SetVar: {name: started, value: 7}
    - If:
        condition: "query.slow != null"
        then:
          - Sleep: {duration_ms: 50}
          - While: {condition: "query.slow == 'ever'", body: [{Sleep: {duration_ms: 1}}]}
    - If: {condition: "params.room == 'closed'", then: [{Reject: {status: 404, reason: "no such room"}}]}
    - If: {condition: "params.room == 'plain'", then: [{Reject: {}}]}
    - If: {condition: "params.room == 'fault'", then: [{SetVar: {name: x, value: "{{ params.room * 2 }}"}}]}
    - Try:
        operations: [{If: {condition: "params.room == 'tried'", then: [{Reject: {status: 451}}, {Return: {}}]}}]
        catch: [{Log: {message: "caught"}}]
  on_connect:
    - WsOp: {command: send, message: "in {{ started }}"}
  on_disconnect:
    - Log: {message: "left"}
"""


@asynccontextmanager
async def serving(
    folder: Path, text: str, limits: ServerLimits | None = None
) -> AsyncIterator[tuple[str, App, list[Event]]]:
    file = folder / "route.yaml"
    file.write_text(text, encoding="utf-8")
    heard: list[Event] = []
    events = Events()
    events.subscribe(heard.append, detailed=True)
    app = App(Settings(port=0, limits=limits or ServerLimits()), events)
    await app.start(entries_of(load(program_bytes(file), app.context)))
    host, port = app.addresses[0]
    try:
        yield f"{host}:{port}", app, heard
    finally:
        await app.drain()


def token(**claims: Any) -> str:
    standard = {"sub": "ann", "aud": "chat", "iss": "me", "exp": int(time.time()) + 600}
    return plant(mint(secret_key(claims.pop("secret", SECRET), "KEY"), {**standard, **claims}))


def part(content: Mapping[str, Any]) -> str:
    """A part of a token, as it is written."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def unsigned() -> str:
    """A token of the algorithm `none`."""
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{token().split('.')[1]}."


def tampered() -> str:
    """A good token with another user in it."""
    head, _, signature = token().split(".")
    claims = {"sub": "root", "aud": "chat", "iss": "me", "exp": int(time.time()) + 600}
    return f"{head}.{part(claims)}.{signature}"


TOKENS: Mapping[str, tuple[dict[str, Any] | Callable[[], str] | None, int]] = {
    "none": (None, 401),
    "good": ({}, 101),
    "expired": ({"exp": 1}, 401),
    "early": ({"nbf": 4_000_000_000}, 401),
    "audience": ({"aud": "mail"}, 401),
    "issuer": ({"iss": "you"}, 401),
    "forged": ({"secret": "another-secret-0123456789abcdefgh"}, 401),
    "unsigned": (unsigned, 401),
    "tampered": (tampered, 401),
}


def written_token(made: dict[str, Any] | Callable[[], str] | None) -> str | None:
    """A token of the table; None for none."""
    return None if made is None else token(**made) if isinstance(made, dict) else made()


PLACES = ("header", "query", "subprotocol")
ORIGINS: Mapping[str, tuple[str | None, bool]] = {
    "no origin": (None, True),
    "own, other port": ("http://{host}:5173", True),
    "foreign": ("http://evil.test", False),
    "null": ("null", False),
}
MATRIX = list(itertools.product(TOKENS, PLACES, ORIGINS))


async def attempt(
    address: str, written: str | None, place: str, origin: str | None, asked_host: str | None = None
) -> int:
    """The status of a handshake."""
    headers: dict[str, str] = {}
    subprotocols: list[Subprotocol] | None = None
    uri = f"ws://{address}/ws/members"
    if written is not None:
        match place:
            case "header":
                headers["Authorization"] = f"Bearer {written}"
            case "query":
                uri += f"?token={written}"
            case _:
                subprotocols = [Subprotocol("bearer"), Subprotocol(written)]
    if asked_host is not None:
        uri, address_parts = uri.replace(address, asked_host), address.rsplit(":", 1)
        target: dict[str, Any] = {"host": address_parts[0], "port": int(address_parts[1])}
    else:
        target = {}
    try:
        page = None if origin is None else Origin(origin)
        async with connect(uri, additional_headers=headers, subprotocols=subprotocols, origin=page, **target) as client:
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "ann -"
            assert client.subprotocol == (subprotocols[0] if subprotocols else None)
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_every_handshake_of_the_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token × place × origin: 108 handshakes with exact statuses, and the secret in nothing that is told."""
    monkeypatch.setenv(VARIABLE, SECRET)
    assert len(MATRIX) >= 60
    async with serving(tmp_path, ROUTE) as (address, _, heard):
        host = address.rsplit(":", 1)[0]
        written = {name: written_token(made) for name, (made, _) in TOKENS.items()}
        for state, place, origin in MATRIX:
            shown, allowed = ORIGINS[origin]
            status = await attempt(address, written[state], place, shown and shown.format(host=host))
            assert status == (TOKENS[state][1] if allowed else 403), (state, place, origin)
        for asked_host, expected in (("chat.test", 403), (address, 101)):
            assert await attempt(address, written["good"], "header", f"http://{host}", asked_host) == expected
    told = repr(heard)
    assert SECRET not in told
    assert not [name for name, one in written.items() if one and one in told]


def published(private: Any, path: Path) -> bytes:
    """Write down the public key that belongs to a private one; the text of the file."""
    path.write_bytes(private.as_pem(private=False))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
async def test_a_public_key_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A token of HS256 whose secret is the text of the route's public key, which anybody may have."""
    monkeypatch.chdir(tmp_path)
    makers: Mapping[str, Callable[[], Any]] = {
        "RSA": lambda: jwk.RSAKey.generate_key(2048),
        "EC": lambda: jwk.ECKey.generate_key("P-256"),
        "OKP": lambda: jwk.OKPKey.generate_key("Ed25519"),
    }
    private = makers[kind]()
    public = published(private, tmp_path / "public.pem")
    claims = {"sub": "ann", "exp": int(time.time()) + 600}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.digest(public, signed.encode(), "sha256")
    confused = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    auth = "auth: {jwt: {public_key_file: public.pem}}\n"
    async with serving(tmp_path, auth + ROUTE.replace(ROUTE.splitlines(keepends=True)[3], "")) as (address, _, _heard):
        for place in PLACES:
            assert await attempt(address, mint(private, claims), place, None) == 101
            assert await attempt(address, confused, place, None) == 401


async def test_hooks_see_the_user_and_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    good = token(role="admin")
    async with serving(tmp_path, ROUTE) as (address, _, heard):
        headers = {"Authorization": f"Bearer {good}"}
        async with connect(f"ws://{address}/ws/members?token={good}", additional_headers=headers) as client:
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "ann admin"
            await client.send("?")
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "hidden hidden"
    assert good not in repr(heard)


async def test_a_token_that_expires_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    async with serving(tmp_path, ROUTE) as (address, _, _heard):
        soon = token(exp=int(time.time()) + 2)
        async with connect(f"ws://{address}/ws/members?token={soon}") as client:
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "ann -"
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(client.recv(), PATIENCE)
            assert (client.close_code, client.close_reason) == (4401, "the token has expired")


async def test_a_token_may_be_good_for_ages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    async with serving(tmp_path, ROUTE) as (address, app, _heard):
        async with connect(f"ws://{address}/ws/members?token={token(exp=1e308)}") as client:
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "ann -"
        assert app.counters.troubles == 0


async def test_a_user_has_so_many_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    async with serving(tmp_path, ROUTE, ServerLimits(connections_per_user=2)) as (address, app, _):
        ann, bob = f"ws://{address}/ws/members?token={token()}", f"ws://{address}/ws/members?token={token(sub='bob')}"
        async with connect(ann), connect(ann) as second:
            with pytest.raises(InvalidStatus) as refused:
                await connect(ann)
            assert refused.value.response.status_code == 503
            assert "Retry-After" in refused.value.response.headers
            async with connect(bob):
                pass
            await second.close()
            async with connect(ann):
                pass
        assert app.settle().limits_reached["connections_per_user"] == 1


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("closed", 404, "no such room"),
        ("plain", 403, "refused"),
        ("fault", 403, "refused"),
        ("tried", 451, "refused"),
        ("closed?slow=1", 404, "no such room"),
        ("open?slow=ever", 403, "refused"),
    ],
)
async def test_on_auth_refuses(tmp_path: Path, path: str, status: int, said: str) -> None:
    async with serving(tmp_path, VETTED, ServerLimits(sleep_seconds=0.2)) as (address, app, heard):
        with pytest.raises(InvalidStatus) as refused:
            await asyncio.wait_for(connect(f"ws://{address}/ws/vetted/{path}"), PATIENCE)
        assert refused.value.response.status_code == status
        assert said in (refused.value.response.body or b"").decode()
        assert app.connections == 0
    assert "'left'" not in repr(heard)


@pytest.mark.parametrize("path", ["open", "open?slow=1"])
async def test_what_on_auth_sets_lives_on(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, VETTED) as (address, app, heard):
        async with connect(f"ws://{address}/ws/vetted/{path}") as client:
            assert await asyncio.wait_for(client.recv(), PATIENCE) == "in 7"
        await asyncio.wait_for(app.idle(), PATIENCE)
    assert repr(heard).count("'left'") == 1


async def test_a_client_that_leaves_while_on_auth_waits_leaves_nothing_behind(tmp_path: Path) -> None:
    async with serving(tmp_path, VETTED) as (address, app, heard):
        with pytest.raises(TimeoutError):
            await connect(f"ws://{address}/ws/vetted/open?slow=ever", open_timeout=0.3)
        await asyncio.sleep(0.3)
        assert app.connections == 0
        assert app.settle().connections == 0
    assert "'left'" not in repr(heard)


async def test_others_may_have_taken_the_room_while_on_auth_waited(tmp_path: Path) -> None:
    limited = VETTED.replace("ws_hooks:", "limits: {max_connections: 1}\nws_hooks:")
    async with serving(tmp_path, limited) as (address, app, _):
        waiting = [asyncio.ensure_future(_opened(f"ws://{address}/ws/vetted/open?slow=1")) for _ in range(5)]
        opened = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)
        clients = [one for one in opened if not isinstance(one, int)]
        assert [one for one in opened if isinstance(one, int)] == [503] * 4
        assert app.connections == len(clients) == 1
        await clients[0].close()


async def _opened(uri: str) -> ClientConnection | int:
    """A client, or the status that refused it."""
    try:
        return await connect(uri)
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("asked_host", ["127.0.0.1", "chat.test", "chat.test:8443"])
async def test_the_host_decides_which_pages_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_host: str, place: str
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    name = asked_host.partition(":")[0]
    origins = {f"http://{name}": 101, f"https://{name}:99": 101, "http://evil.test": 403, f"http://a.{name}": 403}
    async with serving(tmp_path, ROUTE) as (address, _, _heard):
        port = address.rsplit(":", 1)[1]
        target = asked_host if ":" in asked_host else f"{asked_host}:{port}"
        for (origin, status), good in itertools.product(origins.items(), (True, False)):
            written = token() if good else token(exp=1)
            expected = 401 if status == 101 and not good else status
            assert await attempt(address, written, place, origin, target) == expected, (origin, good)
