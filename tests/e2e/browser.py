"""A headless Chromium, driven by its own DevTools protocol; tests that need one are skipped where there is none."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05


def chromium() -> str:
    """The browser's program; skips the test where there is none."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed (the Debian package `chromium`, or its path in CHROMIUM)")
    return found


class Page:
    """A tab: what it asked for, what its console said, and a way to work it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.requests: list[str] = []
        """Addresses of everything that was asked for, WebSockets too."""
        self.complaints: list[str] = []
        """Violations of the policy, errors of scripts and what else the browser said was wrong."""

    async def listen(self) -> None:
        """Take in what the browser says, until it ends."""
        async for raw in self._socket:
            message = json.loads(raw)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            else:
                self._hear(message["method"], message["params"])

    def _hear(self, method: str, given: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(given["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(given["exceptionDetails"]))
            case "Log.entryAdded" if given["entry"]["level"] in ("error", "warning"):
                self.complaints.append(given["entry"]["text"])
            case _:
                pass

    async def call(self, method: str, **parameters: Any) -> Any:
        """Ask the browser for something; its answer."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        message = await asyncio.wait_for(answer, PATIENCE_SECONDS)
        assert "error" not in message, (method, message)
        return message["result"]

    async def open(self, address: str) -> None:
        """Go to a page."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true; its value."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := await self.evaluate(script)):  # noqa: ASYNC110 (the page tells nobody)
                await asyncio.sleep(LOOK_SECONDS)
            return value

    async def text_of(self, selector: str) -> str:
        """The text that stands in the first element of a selector, as it is shown."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def type(self, text: str) -> None:
        """Type a text where the focus is."""
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, code: str = "", modifiers: int = 0) -> None:
        """Press a key: Alt 1, Ctrl 2, Shift 8."""
        known = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40}.get(key, ord(key[0].upper()))
        given = {"key": key, "code": code or key, "modifiers": modifiers, "windowsVirtualKeyCode": known}
        text = {"Enter": "\r"}.get(key)
        down = {"type": "keyDown", "text": text} if text and not modifiers else {"type": "rawKeyDown"}
        await self.call("Input.dispatchKeyEvent", **down, **given)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    async def look(self, *, width: int = 1280, height: int = 800, dark: bool = False) -> None:
        """Show the page at this size and in this scheme."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, *, whole: bool = False) -> bytes:
        """What is to be seen, as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])


@asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Page]:
    """A new browser with one empty tab; `folder` holds its profile."""
    command = [
        chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        port = await _until(lambda: _first_line(folder / "DevToolsActivePort"))
        async with connect(await _page_address(port), max_size=None, compression=None) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            try:
                yield page
            finally:
                listening.cancel()
    finally:
        process.kill()
        process.wait()


def _first_line(file: Path) -> str:
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return lines[0] if len(lines) > 1 else ""


async def _until(look: Callable[[], str]) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (value := look()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        return value


async def _page_address(port: str) -> str:
    """Where the tab of a browser is worked from."""
    targets = await asyncio.to_thread(_targets, int(port))
    return str(next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"))


def _targets(port: int) -> list[dict[str, Any]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/json/list")
        targets: list[dict[str, Any]] = json.loads(connection.getresponse().read())
        return targets
    finally:
        connection.close()
