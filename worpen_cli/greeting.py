"""What `worpen dev` says when it stands: what is served, what is broken, what is watched, where the console is."""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from runtime.app import App, show_address
from worpen_cli.findings import plural

Line: TypeAlias = tuple[str, str]
"""A sentence and its level."""


def greeting(app: App, *, watched: Sequence[str], broken: Sequence[str]) -> Iterator[Line]:
    """The lines, for a server that listens: `watched` are paths of the command line, none where nothing is watched;
    `broken` the files that do not compile."""
    address = server_address(app)
    yield from _served(app, address)
    if broken:
        yield f"broken    {plural(len(broken), 'file')}: {', '.join(broken)}; mend and save, it is tried again", "error"
    if watched:
        yield f"watching  {', '.join(map(_watched, watched))}; saving a file reloads it", "info"
    if app.console_address:
        yield f"console   {app.console_address}", "info"
    yield f"worpen dev is ready, {address}; Ctrl-C stops", "info"


def server_address(app: App) -> str:
    """`ws://localhost:3000`."""
    return f"ws://{show_address(app.settings.host, app.addresses[0][1])}"


def _served(app: App, address: str) -> Iterable[Line]:
    for served in app.routes():
        reason = f": {served.reason.partition(chr(10))[0]}" if served.reason else ""
        level = "info" if served.is_serving else "error"
        yield f"  {served.condition.value:<12}{address}{served.pattern}  {served.name}{reason}".rstrip(), level


def _watched(path: str) -> str:
    if os.path.abspath(path) == os.getcwd():
        return "this folder"
    return os.path.join(path, "") if os.path.isdir(path) else path


def open_page(address: str, complain: Callable[[str], None]) -> None:
    """Show a page in the user's browser, without waiting for it; `complain` where there is none."""

    def show() -> None:
        try:
            is_shown = _is_graphic() and webbrowser.open(address)
        except (webbrowser.Error, OSError):
            is_shown = False
        if not is_shown:
            complain("no browser could be opened; open the console's address yourself")

    threading.Thread(target=show, name="browser", daemon=True).start()


def _is_graphic() -> bool:
    """Whether the browser is none that would take over the terminal; one that the user named may."""
    browser = webbrowser.get()
    if os.environ.get("BROWSER") or isinstance(browser, webbrowser.BackgroundBrowser):
        return True
    return not isinstance(browser, webbrowser.GenericBrowser)
