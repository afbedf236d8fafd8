"""The parts of `worpen dev` that need no server; what it does as a whole is tested end to end."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.worpen_cli.commands.conftest import Run
from worpen_cli.commands.dev import concerns_routes, free_port_after, sentence_of, settled, watched_folders
from worpen_cli.reload import Generation


async def test_it_settles_when_nothing_is_announced_any_more() -> None:
    changed = asyncio.Event()
    changed.set()
    loop = asyncio.get_running_loop()
    started = loop.time()
    for delay in (0.02, 0.04, 0.06):
        loop.call_later(delay, changed.set)
    await settled(changed, 0.05)
    assert loop.time() - started >= 0.1
    assert not changed.is_set()


def test_what_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes").mkdir()
    assert watched_folders(["routes"]) == [(["routes"], True)]
    assert watched_folders(["routes", "a.yaml", "x/b.yaml"]) == [
        (["routes"], True),
        ([str(tmp_path), str(tmp_path / "x")], False),
    ]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("a.yaml", True),
        ("sub/a.json", True),
        ("old.v1", True),
        ("a.txt", True),  # it is not there any more, and may have been a folder
        (".git/a.yaml", False),
        ("node_modules/x/a.yaml", False),
        ("../a.yaml", False),
        (".a.yaml.swp", False),
    ],
)
def test_which_changes_matter(place: str, expected: bool, tmp_path: Path) -> None:
    assert concerns_routes(os.path.normpath(tmp_path / "routes" / place), [str(tmp_path / "routes")]) is expected


def test_a_text_file_that_is_there_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert not concerns_routes(str(tmp_path / "a.txt"), [str(tmp_path)])


def test_the_suggested_port_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if port < 65535:
            assert free_port_after(port - 1) != port
    assert free_port_after(65535) is None


def test_what_is_said_of_a_generation() -> None:
    generation = Generation((), (), 3, ("a.yaml", "b.yaml"), ("b.yaml",), ("a.yaml",))
    assert sentence_of(generation) == (
        "3 files compiled, 1 of them new or changed, 2 broken: a.yaml, b.yaml (its last good version is served)"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-"], "routes that are served come from files"),
        (["no.yaml"], "no.yaml: no such file or directory"),
        (["empty"], "no route files in empty"),
        (["good.yaml", "--port", "70000"], "70000"),
        (["good.yaml", "--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1"),
    ],
)
def test_a_start_that_fails_says_why_and_nothing_else(arguments: list[str], said: str, run: Run, folder: Path) -> None:
    (folder / "empty").mkdir()
    done = run("dev", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
