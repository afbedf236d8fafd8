"""`worpen compile`."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from compiler.bytecode.codec import decode
from tests.worpen_cli.commands.conftest import GOOD, Run
from worpen_cli.commands.compile import target_of, write_all
from worpen_cli.files import InputFile


def test_beside_the_source(run: Run, folder: Path) -> None:
    done = run("compile", "good.yaml")
    assert (done.code, done.out) == (0, "")
    assert "wrote good.wbc" in done.err
    assert decode((folder / "good.wbc").read_bytes()).routes[0].path == "/ws/echo"


def test_under_a_folder_in_the_place_of_the_source(run: Run, folder: Path) -> None:
    (folder / "routes" / "sub").mkdir(parents=True)
    (folder / "routes" / "sub" / "a.yml").write_text(GOOD)
    assert run("compile", "routes", "-o", "build/x").code == 0
    assert (folder / "build" / "x" / "sub" / "a.wbc").is_file()


def test_with_any_error_nothing_is_written(run: Run, folder: Path) -> None:
    done = run("compile", "-o", "build")
    assert done.code == 1
    assert "nothing was written" in done.err
    assert not (folder / "build").exists()


def test_check_refuses_warnings(run: Run, folder: Path) -> None:
    assert run("compile", "warned.yaml", "--check").code == 1
    assert not (folder / "warned.wbc").exists()
    assert run("compile", "warned.yaml").code == 0
    assert run("compile", "good.yaml", "--check").code == 0


def test_routes_that_clash_are_an_error(run: Run, folder: Path) -> None:
    (folder / "twin.yaml").write_text(GOOD)
    done = run("compile", "good.yaml", "twin.yaml")
    assert done.code == 1
    assert "duplicate-route" in done.err


def test_two_sources_of_one_target(run: Run, folder: Path) -> None:
    (folder / "good.yml").write_text(GOOD.replace("/ws/echo", "/ws/other").replace("Echo\n", "Other\n"))
    done = run("compile", "good.yaml", "good.yml")
    assert done.code == 2
    assert "would both be written to good.wbc" in done.err


def test_same_input_same_bytes_and_strip(run: Run, folder: Path) -> None:
    for name in ("a", "b"):
        assert run("compile", "good.yaml", "-o", name).code == 0
    assert run("compile", "good.yaml", "--strip", "-o", "c").code == 0
    first, second, stripped = ((folder / name / "good.wbc").read_bytes() for name in "abc")
    assert first == second
    assert len(stripped) < len(first)
    assert decode(stripped) == decode(first)


def test_listings_are_printed_instead(run: Run, folder: Path) -> None:
    listing = run("compile", "good.yaml", "--disasm").out
    assert "on_message" in listing
    assert "'Echo: '" in listing
    assert run("compile", "good.yaml", "--emit", "disasm").out == listing
    assert "on_message" not in run("compile", "good.yaml", "--disasm", "--hook", "on_connect").out
    assert run("compile", "good.yaml", "--hook", "on_connect").code == 2
    assert not (folder / "good.wbc").exists()


def test_json(run: Run, folder: Path) -> None:
    found = json.loads(run("compile", "good.yaml", "--emit", "json").out)
    assert found["schema"] == "worpen.programs/1"
    assert [program["file"] for program in found["programs"]] == ["good.yaml"]


def test_a_folder_that_cannot_be_made(run: Run, folder: Path) -> None:
    (folder / "file").touch()
    done = run("compile", "good.yaml", "-o", "file/x")
    assert done.code == 2
    assert "cannot write" in done.err


def test_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error:
        write_all({str(tmp_path / "kept"): b"new", str(tmp_path / "file" / "x"): b"new"})
    assert error.value.errno in (errno.ENOTDIR, errno.EEXIST)
    assert (tmp_path / "kept").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "kept"]


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_new_files_have_the_usual_mode(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_all({str(tmp_path / "a"): b"x"})
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("file", "output", "target"),
    [
        (InputFile("routes/a.yaml", b"", "a.yaml"), None, "routes/a.wbc"),
        (InputFile("routes/sub/a.v1.yaml", b"", "sub/a.v1.yaml"), "out", "out/sub/a.v1.wbc"),
        (InputFile("/x/chat.json", b"", ""), "out", "out/chat.wbc"),
    ],
)
def test_where_a_program_goes(file: InputFile, output: str | None, target: str) -> None:
    assert target_of(file, output) == str(Path(target))
