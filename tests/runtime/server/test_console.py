"""Who may open the browser console and its feed, over real sockets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from runtime.app import App
from runtime.server.console import FEED, FILES, FOLDER, OWN, is_own_host
from tests.runtime.parts import route
from tests.runtime.server.harness import UPGRADE, Answer, ask, port, started

TOKEN = "0123456789abcdef-_~."
EVIL = "evil.test"
RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def policy(answer: Answer) -> dict[str, str]:
    rules = (rule.strip().partition(" ") for rule in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in rules}


async def asked(app: App, path: str, *, upgrade: bool = False, **fields: str) -> Answer:
    """The answer, with `Host` as a browser would write it; `{port}` in a value is the server's."""
    given = {name: value.format(port=port(app)) for name, value in {"Host": "localhost:{port}", **fields}.items()}
    return await ask(app, path, headers={**(UPGRADE if upgrade else {}), **given})


async def test_the_page_and_its_files() -> None:
    async with started(console_token=TOKEN) as app:
        for path, (name, content_type) in FILES.items():
            answer = await asked(app, path)
            assert (answer.status, answer.headers["content-type"]) == (200, content_type)
            assert answer.body == (FOLDER / name).read_text(encoding="utf-8")
            assert policy(answer) == {**RULES, "connect-src": f"'self' ws://localhost:{port(app)}"}
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"


def test_every_file_is_served() -> None:
    assert {name for name, _ in FILES.values()} == {file.name for file in FOLDER.iterdir()} | {"../clients/worpen.js"}


def test_the_page_names_nothing_outside_of_the_server() -> None:
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text), file.name
        assert "localStorage" not in text
        assert "innerHTML" not in text


async def test_without_a_token_in_the_settings_there_is_no_console() -> None:
    async with started() as app:
        assert app.console_address == ""
        for path in (*FILES, FEED):
            assert (await asked(app, path)).status == 404
        assert (await asked(app, FEED, upgrade=True)).status == 404


async def test_the_console_comes_before_routes_but_only_where_it_has_to() -> None:
    async with started(route("/:a/:b", on_connect=lambda *_: "deep"), console_token=TOKEN) as app:
        assert (await asked(app, "/__worpen__/console.js")).status == 200
        assert (await asked(app, OWN + "other")).status == 404
        assert (await asked(app, OWN + "other", upgrade=True)).status == 404
        async with connect(f"ws://127.0.0.1:{port(app)}/__worpens__/feed") as client:
            assert await client.recv() == "deep"


HOSTS: list[tuple[str, int]] = [
    ("localhost:{port}", 200),
    ("LOCALHOST:{port}", 200),
    ("127.0.0.1:{port}", 200),
    ("127.8.9.10:{port}", 200),
    ("[::1]:{port}", 200),
    ("localhost", 403),
    ("localhost:1", 403),
    (EVIL, 403),
    (EVIL + ":{port}", 403),
    ("localhost." + EVIL + ":{port}", 403),
    ("127.0.0.1." + EVIL + ":{port}", 403),
    ("192.168.0.7:{port}", 403),
    ("localhost:{port}:{port}", 403),
    ("", 403),
]


@pytest.mark.parametrize(("host", "status"), HOSTS)
async def test_hosts(host: str, status: int) -> None:
    async with started(console_token=TOKEN) as app:
        for path in ("/", OWN + "console.js"):
            answer = await asked(app, path, Host=host)
            assert answer.status == status
        feed = f"{FEED}?token={TOKEN}"
        origin = f"http://{host}"
        assert (await asked(app, feed, Host=host)).status == (426 if status == 200 else 403)
        if status == 403:
            assert (await asked(app, feed, upgrade=True, Host=host, Origin=origin)).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://" + EVIL,
        "http://" + EVIL + ":{port}",
        "http://127.0.0.1:{port}",  # another origin than localhost, as browsers see it
        "http://localhost",
        "http://localhost:1",
        "https://localhost:{port}",
        "http://localhost:{port}." + EVIL,
        "http://user@localhost:{port}",
        "",
    ],
)
async def test_pages_of_other_origins(origin: str) -> None:
    async with started(console_token=TOKEN) as app:
        for path in ("/", f"{FEED}?token={TOKEN}"):
            assert (await asked(app, path, Origin=origin)).status == 403
        assert (await asked(app, f"{FEED}?token={TOKEN}", upgrade=True, Origin=origin)).status == 403


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=0123456789abcdef", "?token=0123456789abcdef-_~.x", "?token=%C3%A9", "?other=1"]
)
async def test_wrong_tokens(query: str) -> None:
    async with started(console_token=TOKEN) as app:
        own = "http://localhost:{port}"
        assert (await asked(app, FEED + query, Origin=own)).status == 403
        refused = await asked(app, FEED + query, upgrade=True, Origin=own)
        assert refused.status == 403
        assert TOKEN not in refused.body
        assert (await asked(app, "/" + query)).status == (403 if "token=" in query else 200)


async def test_a_token_that_is_no_text() -> None:
    async with started(console_token=TOKEN) as app:
        assert (await asked(app, f"{FEED}?token=%FF")).status == 400


async def test_the_right_one() -> None:
    async with started(console_token=TOKEN) as app:
        assert (await asked(app, f"/?token={TOKEN}")).status == 200
        assert (await asked(app, f"{FEED}?token={TOKEN}")).status == 426
        for name in ("localhost", "127.0.0.1"):
            address = f"ws://{name}:{port(app)}{FEED}?token={TOKEN}"
            async with connect(address, origin=Origin(f"http://{name}:{port(app)}")) as feed:
                assert '"kind":"snapshot"' in str(await feed.recv())


async def test_a_feed_without_an_origin_is_refused() -> None:
    async with started(console_token=TOKEN) as app:
        answer = await asked(app, f"{FEED}?token={TOKEN}", upgrade=True)
        assert (answer.status, "Origin" in answer.body) == (403, True)


@pytest.mark.parametrize(
    ("host", "shown"), [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")]
)
async def test_the_address_for_people(host: str, shown: str) -> None:
    async with started(console_token=TOKEN, host=host) as app:
        assert app.console_address == f"http://{shown}:{port(app)}/#token={TOKEN}"


@pytest.mark.parametrize(
    ("host", "listening", "number", "is_own"),
    [
        ("box.test:3000", "box.test", 3000, True),
        ("192.168.0.7:3000", "192.168.0.7", 3000, True),
        ("0.0.0.0:3000", "0.0.0.0", 3000, False),
        ("192.168.0.7:3000", "0.0.0.0", 3000, False),
        ("localhost", "localhost", 80, True),
        ("localhost", "localhost", 0, False),
        ("a@localhost:3000", "localhost", 3000, False),
        ("localhost:3000/x", "localhost", 3000, False),
        ("[::1", "localhost", 3000, False),
        ("localhost:99999", "localhost", 3000, False),
    ],
)
def test_own_hosts(host: str, listening: str, number: int, is_own: bool) -> None:
    assert is_own_host(host, listening, number) is is_own


async def test_refusals_of_the_console_are_told_without_the_token() -> None:
    heard: list[Any] = []
    async with started(console_token=TOKEN) as app:
        app.events.subscribe(heard.append)
        await asked(app, f"{FEED}?token={TOKEN}x")
        await asked(app, "/")
    (refused,) = (event for event in heard if type(event).__name__ == "Refused")
    assert (refused.path, refused.status) == (FEED, 403)
    assert TOKEN not in repr(heard)
