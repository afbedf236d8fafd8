"""The canary: secrets of tests have it in them, and nothing that any test prints may (runtime section 7).

Looked at are the output and the log of each test, also what it took with `capsys` and `capfd`; the output of every
process that it started, as far as it was read; and every event that a server in this process told, which is what logs
and boards are made of. A test in which the canary came out fails, whatever it was about.

Write secrets as `f"{CANARY}-…"`, and `plant` what is made of them and must not be seen either, a token for instance.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

import pytest
from _pytest.capture import CaptureFixture

from runtime.events import Events, to_document

CANARY: Final = "canary-4711"
PLANTED: Final[set[str]] = set()
"""More secrets, of the test that runs."""
SEEN: Final[list[str]] = []
"""Where one of them came out, in the test that runs."""


def plant(secret: str) -> str:
    """Look for this too until the test ends; the secret itself."""
    PLANTED.add(secret)
    return secret


def look(where: str, printed: object) -> None:
    """Look for secrets in something that was printed: text, bytes, or anything by its `repr`."""
    if isinstance(printed, bytes):
        text = printed.decode("utf-8", "replace")
    else:
        text = printed if isinstance(printed, str) else repr(printed)
    if CANARY in text or any(secret in text for secret in PLANTED):
        SEEN.append(where)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Fail a test that let a secret out."""
    report = yield
    for title, text in report.sections:
        look(title, text)
    if SEEN and report.outcome != "failed":
        report.outcome, report.longrepr = "failed", f"a secret was printed: {', '.join(dict.fromkeys(SEEN))}"
    SEEN.clear()
    if call.when == "teardown":
        PLANTED.clear()
    return report


class _Pipe:
    """What a process writes, looked at when it is read."""

    def __init__(self, pipe: Any, where: str) -> None:
        self._pipe = pipe
        self._where = where

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.readline, self._pipe.read(0))

    def _seen(self, read: Any) -> Any:
        look(self._where, read)
        return read

    def read(self, *size: int) -> Any:
        return self._seen(self._pipe.read(*size))

    def readline(self, *size: int) -> Any:
        return self._seen(self._pipe.readline(*size))

    def readlines(self) -> list[Any]:
        return list(self)


class WatchedProcess(subprocess.Popen[Any]):
    """A process whose output is looked at."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.stdout, self.stderr = self._watched(self.stdout, "stdout"), self._watched(self.stderr, "stderr")

    def _watched(self, pipe: Any, name: str) -> Any:
        return None if pipe is None else _Pipe(pipe, f"{name} of a process")

    def communicate(self, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        output, errors = super().communicate(*arguments, **options)
        look("stdout of a process", output or "")
        look("stderr of a process", errors or "")
        return output, errors


def _looked_at(method: Callable[..., Any], where: str, of: Callable[[Any, Any], object]) -> Callable[..., Any]:
    """A method that has what `of` says of its last argument and its result looked at."""

    def call(self: Any, *arguments: Any) -> Any:
        result = method(self, *arguments)
        look(where, of(arguments[-1] if arguments else None, result))
        return result

    return call


def watch() -> None:
    """Look at everything from now on."""
    subprocess.Popen = WatchedProcess  # type: ignore[misc]
    readouterr, publish = CaptureFixture.readouterr, Events.publish
    CaptureFixture.readouterr = _looked_at(readouterr, "captured output", lambda _, taken: tuple(taken))  # type: ignore[method-assign]
    Events.publish = _looked_at(publish, "an event", lambda event, _: to_document(event))  # type: ignore[method-assign]
