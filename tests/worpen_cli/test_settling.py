"""When files are taken as they are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from worpen_cli import settling
from worpen_cli.files import InputFile
from worpen_cli.settling import ignore_leases, is_being_written, settled, settled_files


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


def nothing(_: Sequence[InputFile]) -> Sequence[str]:
    return ()


async def test_files_are_read_again_when_they_change_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 0.02)
    changed, texts = asyncio.Event(), [b"half", b"whole"]

    def read() -> list[InputFile]:
        return [InputFile("a.yaml", texts.pop(0) if len(texts) > 1 else texts[0], "a.yaml")]

    def cut_off(inputs: Sequence[InputFile]) -> Sequence[str]:
        return [file.name for file in inputs if file.raw == b"half"]

    asyncio.get_running_loop().call_later(0.2, changed.set)
    (file,) = await settled_files(changed, read, nothing, cut_off)
    assert file.raw == b"whole"


async def test_a_text_that_stays_cut_off_is_taken_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(settling, "CUT_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    started = loop.time()
    found = await settled_files(asyncio.Event(), lambda: [], nothing, lambda _: ["a.yaml"])
    assert found == []
    assert loop.time() - started >= 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
async def test_a_file_is_waited_for_while_somebody_writes_it(tmp_path: Path) -> None:
    ignore_leases()
    path = tmp_path / "a.yaml"
    path.write_text("one")
    assert not is_being_written(str(path))
    with path.open("a") as writer:
        assert is_being_written(str(path))

        def end() -> None:
            writer.write(" two")
            writer.close()

        asyncio.get_running_loop().call_later(0.4, end)
        read = [InputFile(str(path), b"", "")]

        def look() -> list[InputFile]:
            read[0] = InputFile(str(path), path.read_bytes(), "")
            return [read[0]]

        await settled_files(asyncio.Event(), look, lambda files: [file.name for file in files], nothing)
    assert read[0].raw == b"one two"
    assert not is_being_written(str(path))


def test_what_cannot_be_asked_is_not_being_written(tmp_path: Path) -> None:
    assert not is_being_written(str(tmp_path / "missing"))
    assert not is_being_written(os.devnull)
