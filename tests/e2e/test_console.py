"""The browser console in a real browser, served by a real `worpen dev`."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.conftest import PROJECT
from tests.e2e.browser import Page, browsing, chromium
from tests.e2e.cli import TIMEOUT, command_line, environment

TOKEN = "0123456789abcdef"
ALT = 1
HOSTILE = """<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>\u202e\u0007"""

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.usefixtures("browser_is_there"),
]


@pytest.fixture(scope="module")
def browser_is_there() -> str:
    return chromium()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    routes = tmp_path / "routes"
    routes.mkdir()
    (routes / "worpen.toml").touch()
    for name in ("chat.yaml", "rooms.yaml", "notifications.yaml"):
        shutil.copy(PROJECT / "examples" / name, routes)
    return routes


@contextmanager
def served(folder: Path, port: int = 0, token: str = TOKEN) -> Iterator[str]:
    """Run `worpen dev`; gives the console's address."""
    process = subprocess.Popen(
        command_line("dev", "--json", "--port", str(port), "--token", token), cwd=folder, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stdout is not None
        events = (json.loads(line) for line in process.stdout)
        yield str(next(event["console"] for event in events if event["event"] == "ready"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)


@asynccontextmanager
async def console(folder: Path) -> AsyncIterator[tuple[Page, str]]:
    """The console of a server in a browser, its feed open; and its address."""
    with served(folder) as address:
        async with browsing(folder.parent / "profile") as page:
            await page.open(address)
            await page.until("document.querySelector('#state').dataset.state === 'open'")
            yield page, address


def card(path: str, rest: str = "") -> str:
    """The script of a route's card, or of something in it."""
    found = f"[...document.querySelectorAll('.card')].find(c => c.querySelector('code').textContent === {path!r})"
    return f"{found}.querySelector({rest!r})" if rest else found


async def open_client(page: Page, path: str, **fields: str) -> None:
    """Open a client of a route, as somebody would who uses the keyboard; wait until it is open."""
    before = await page.evaluate("document.querySelectorAll('.client').length")
    await page.evaluate(f"{card(path, 'details')}.open = true")
    for key, value in fields.items():
        field = f'[data-key="{":" if f":{key}" in path else "?"}{key}"]'
        await page.evaluate(f"{card(path, field)}.select()")
        await page.type(value)
    await page.evaluate(f"{card(path, 'button')}.focus()")
    await page.press("Enter")
    await page.until(f"document.querySelectorAll('.client .badge[data-state=open]').length === {before + 1}")


async def frames(page: Page, client: int, direction: str) -> list[str]:
    """What a client got or sent."""
    script = f"[...document.querySelectorAll('.client')][{client}].querySelectorAll('.frame.{direction} > pre')"
    return list(await page.evaluate(f"[...{script}].map(e => e.textContent)"))


async def until_frame(page: Page, client: int, direction: str, text: str) -> None:
    script = f"[...document.querySelectorAll('.client')][{client}].querySelectorAll('.frame.{direction} > pre')"
    await page.until(f"[...{script}].some(e => e.textContent === {json.dumps(text)})")


async def test_two_clients_talk_without_a_request_to_the_outside(folder: Path) -> None:
    async with console(folder) as (page, address):
        host = address.split("/")[2]
        assert await page.evaluate("document.querySelectorAll('.card').length") == 3
        await open_client(page, "/ws/chat")
        await open_client(page, "/ws/chat")
        assert await page.evaluate("document.activeElement.ariaLabel") == "Message of bob"
        await page.type("hello, everybody")
        await page.press("Enter")
        for client in (0, 1):
            await until_frame(page, client, "in", "hello, everybody")
        assert await frames(page, 1, "out") == ["hello, everybody"]
        assert await frames(page, 0, "out") == []
        facts = await page.text_of(".client .frame.in .facts")
        assert facts.split("\n")[0].startswith("↓ in")
        assert any(word.endswith(" B") for word in facts.split("\n"))
        await page.until("document.querySelector('#channels').innerText.includes('alice, bob')")
        assert {request.split("/")[2] for request in page.requests} == {host}
        assert page.complaints == []
        assert await page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


async def test_text_json_and_binary(folder: Path) -> None:
    async with console(folder) as (page, _):
        await open_client(page, "/ws/chat/:room", room="a b/ü")
        assert "/api/ws/chat/a%20b%2F%C3%BC" in await page.text_of(".client header code")
        await until_frame(page, 0, "in", "Joined room: a b/ü")
        for kind, typed in (("json", '{"a": '), ("binary", "abc"), ("binary", "base64:?")):
            await page.evaluate(f"document.querySelector('.client select').value = {kind!r}")
            await page.evaluate("document.querySelector('.client textarea').select()")
            await page.type(typed)
            await page.press("Enter")
            assert await page.text_of(".objection")
            assert await frames(page, 0, "out") == []
        for kind, typed, shown in (
            ("json", '{"a": [1]}', '{"a": [1]}'),
            ("binary", "68 69", "68 69"),
            ("binary", "base64:aG8=", "68 6f"),
            ("text", HOSTILE, HOSTILE),
        ):
            await page.evaluate(f"document.querySelector('.client select').value = {kind!r}")
            await page.evaluate("document.querySelector('.client textarea').select()")
            await page.type(typed)
            await page.press("Enter")
            await until_frame(page, 0, "out", shown)
        for text in ('{"a": [1]}', "hi", "ho", HOSTILE):
            await until_frame(page, 0, "in", text)
        assert await page.text_of(".objection") == ""
        assert await page.evaluate("document.title") == "worpen console"
        assert await page.evaluate("document.querySelectorAll('.client img, .client script').length") == 0
        await page.evaluate("document.querySelector('.client .inside summary').click()")
        await page.until("document.querySelector('.client .inside pre').textContent.includes('a b/ü')")


async def test_a_broken_route_shows_its_finding_until_it_is_mended(folder: Path) -> None:
    good = (folder / "chat.yaml").read_text(encoding="utf-8")
    async with console(folder) as (page, _):
        await open_client(page, "/ws/chat")
        save(folder / "chat.yaml", good.replace("{{ message }}", "{{ mesage }}"))
        await page.until("!document.querySelector('#problems').hidden")
        shown = await page.text_of("#problems .finding")
        assert "did you mean `message`?" in shown
        assert "{{ mesage }}" in shown
        await page.until(f"{card('/ws/chat', '.badge')}.textContent === 'stale'")
        assert "mesage" in await page.evaluate(f"{card('/ws/chat', '.finding')}.textContent")
        save(folder / "chat.yaml", good.replace('message: "{{ message }}"', 'message: "new: {{ message }}"'))
        await page.until("document.querySelector('#problems').hidden")
        await page.until(f"{card('/ws/chat', '.badge')}.textContent === 'ok'")
        assert await page.evaluate(f"{card('/ws/chat', '.finding')}.hidden")
        await page.evaluate("document.querySelector('.client textarea').focus()")
        await page.type("mended")
        await page.press("Enter")
        await until_frame(page, 0, "in", "new: mended")  # the same connection, on the new program


async def test_routes_come_and_go(folder: Path) -> None:
    async with console(folder) as (page, _):
        chat = (folder / "chat.yaml").read_text(encoding="utf-8")
        save(folder / "more.yaml", chat.replace("/ws/chat", "/ws/more").replace("Room", "More"))
        await page.until(f"{card('/ws/more')} !== undefined")
        os.remove(folder / "more.yaml")
        await page.until(f"{card('/ws/more')} === undefined")
        save(folder / "lost.yaml", "name: Lost\nws_hooks: [\n")
        await page.until("document.querySelector('#problems').innerText.includes('lost.yaml')")
        save(folder / "lost.yaml", "name: Lost\npath: /ws/lost\nws_hooks: [\n")
        await page.until(f"{card('/ws/lost')}?.querySelector('.badge').textContent === 'broken'")


async def test_the_page_comes_back_after_a_restart(folder: Path) -> None:
    async with browsing(folder.parent / "profile") as page:
        with served(folder) as address:
            port = int(address.split(":")[2].split("/")[0])
            await page.open(address)
            await page.until("document.querySelector('#state').dataset.state === 'open'")
            await open_client(page, "/ws/chat")
        await page.until("document.querySelector('#state').dataset.state === 'lost'")
        await page.until("document.querySelector('.client .badge').textContent === 'closed 1012'")
        with served(folder, port):
            await page.until("document.querySelector('#state').dataset.state === 'open'")
        with served(folder, port, token="another-token-0123"):
            await page.until("document.querySelector('#state').dataset.state === 'refused'")
            await page.evaluate("document.querySelector('#token').focus()")
            await page.type(f"http://localhost:{port}/#token=another-token-0123")
            await page.press("Enter")
            await page.until("document.querySelector('#state').dataset.state === 'open'")


async def test_without_the_token_the_page_asks_for_it(folder: Path) -> None:
    async with browsing(folder.parent / "profile") as page:
        with served(folder) as address:
            await page.open(address.partition("#")[0])
            await page.until("!document.querySelector('#unlock').hidden")
            assert await page.evaluate("document.querySelectorAll('.card').length") == 0
            assert not [request for request in page.requests if request.startswith("ws:")]
            await page.type(TOKEN)
            await page.press("Enter")
            await page.until("document.querySelectorAll('.card').length === 3")


async def test_others_are_seen_and_why_a_connection_was_refused(folder: Path) -> None:
    save(folder / "bad.yaml", "name: Bad\npath: /ws/bad\nroute_type: WebSocket\nws_hooks: {on_message: 7}\n")
    async with console(folder) as (page, address):
        ws = address.partition("/#")[0].replace("http", "ws")
        async with connect(f"{ws}/ws/chat") as outside:
            await page.until(f"{card('/ws/chat', '.count')}.textContent === '1 open'")
            await outside.send("from outside")
            await page.until("document.querySelector('#log').textContent.includes('sent: from outside')")
        await page.until(f"{card('/ws/chat', '.count')}.textContent === ''")
        await open_client(page, "/ws/notifications", user_id="seven")
        await page.until("document.querySelector('#log').textContent.includes('User seven subscribed')")
        save(folder / "notifications.yaml", (folder / "notifications.yaml").read_text() + "\nenabled: false\n")
        await page.until("document.querySelector('.client .badge').textContent === 'closed 1001'")
        await page.evaluate("document.querySelector('.client .actions button').click()")
        await page.until("document.querySelector('.client .frames').textContent.includes('not connected, 404')")


async def test_it_is_worked_by_keyboard_alone(folder: Path) -> None:
    async with console(folder) as (page, _):
        await page.press("r", "KeyR", ALT)
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        await page.press("Enter")
        for _ in range(3):
            await page.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Open a client"
        await page.press("Enter")
        await page.until("document.querySelectorAll('.client .badge[data-state=open]').length === 1")
        for text in ("one", "two"):
            await page.type(text)
            await page.press("Enter")
        await page.press("ArrowUp")
        await page.press("ArrowUp")
        assert await page.evaluate("document.activeElement.value") == "one"
        await page.press("Escape")
        assert await page.evaluate("document.activeElement.className") == "frames"
        await page.press("1", "Digit1", ALT)
        assert await page.evaluate("document.activeElement.ariaLabel") == "Message of alice"


async def test_a_client_keeps_its_last_frames_only(folder: Path) -> None:
    async with console(folder) as (page, address):
        await open_client(page, "/ws/chat")
        ws = address.partition("/#")[0].replace("http", "ws")
        async with connect(f"{ws}/ws/chat", max_queue=None) as outside:
            for number in range(600):
                await outside.send(f"number {number}")
        await until_frame(page, 0, "in", "number 599")
        assert await page.evaluate("document.querySelector('.frames').childElementCount") == 500


async def test_it_fits_and_can_be_read(folder: Path) -> None:
    save(folder / "bad.yaml", "name: Bad\npath: /ws/bad\nroute_type: WebSocket\nws_hooks: {on_message: 7}\n")
    async with console(folder) as (page, _):
        await open_client(page, "/ws/chat/:room", room="x" * 80)
        await page.type("y" * 300)
        await page.press("Enter")
        await until_frame(page, 0, "in", "y" * 300)
        for width, dark in itertools.product((360, 768, 1280), (False, True)):
            await page.look(width=width, dark=dark)
            await page.until(
                f"innerWidth === {width} && matchMedia('(prefers-color-scheme: dark)').matches === {str(dark).lower()}"
            )
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            assert await page.evaluate(FAINT) == [], (width, dark)


FAINT = """(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && !e.disabled);
  return texts.map((e) => {
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className, e.textContent.slice(0, 40)];
  }).filter(([contrast]) => contrast < 4.5);
})()"""
"""Texts whose contrast is below what WCAG asks of small ones."""


def save(file: Path, text: str) -> None:
    """Write a file as editors do."""
    draft = file.with_name("draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, file)
