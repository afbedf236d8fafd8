"""Which files the paths on the command line stand for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from compiler.language.limits import FILE_BYTES
from worpen_cli.console import Stop
from worpen_cli.files import read_inputs, read_present

ROUTE = "ws_hooks: {}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, *names: str, text: str = ROUTE) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def names(*paths: str) -> list[str]:
    return [file.name.replace(os.sep, "/") for file in read_inputs(paths)]


def test_a_folder_is_every_route_file_below_it_sorted(folder: Path) -> None:
    write(folder, "routes/b.yaml", "routes/a.yml", "routes/sub/c.json", "routes/D.YAML")
    assert names("routes") == ["routes/D.YAML", "routes/a.yml", "routes/b.yaml", "routes/sub/c.json"]


def test_what_is_skipped_in_a_folder(folder: Path) -> None:
    write(folder, ".git/a.yaml", "x/.hidden/b.yaml", "node_modules/c.yaml", "d.test.yaml", "e.txt", "sub/f.test.json")
    write(folder, "docker-compose.yaml", text="services: {}\n")
    write(folder, "g.yaml", text="route_type: WebSocket\n")
    assert names(".") == ["g.yaml"]


def test_a_file_named_by_itself_always_counts(folder: Path) -> None:
    write(folder, ".hidden/a.test.yaml", "b.txt", text="anything")
    assert names(".hidden/a.test.yaml", "b.txt") == [".hidden/a.test.yaml", "b.txt"]


def test_a_file_counts_once(folder: Path) -> None:
    write(folder, "a.yaml")
    assert names("a.yaml", ".", str(folder / "a.yaml")) == ["a.yaml"]


def test_all_missing_paths_are_named(folder: Path) -> None:
    with pytest.raises(Stop) as stop:
        read_inputs(["no", "a\x00b", "neither"])
    assert stop.value.message.splitlines() == [
        "no: no such file or directory",
        "a\x00b: invalid argument",
        "neither: no such file or directory",
    ]


def test_a_folder_without_routes(folder: Path) -> None:
    with pytest.raises(Stop) as stop:
        read_inputs(["."])
    assert stop.value.message == "no route files in ."
    assert "ws_hooks" in stop.value.help


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind nobody here")
def test_an_unreadable_file(folder: Path) -> None:
    write(folder, "a.yaml")
    (folder / "a.yaml").chmod(0)
    with pytest.raises(Stop, match="permission denied"):
        read_inputs(["a.yaml"])


def test_a_dangling_link_in_a_folder_is_no_file(folder: Path) -> None:
    write(folder, "a.yaml")
    (folder / ".#a.yaml").symlink_to("nowhere")
    assert names(".") == ["a.yaml"]


def test_of_a_huge_file_only_so_much_is_read_as_shows_that(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"#" * (FILE_BYTES * 2))
    assert len(read_inputs(["a.yaml"])[0].raw) == FILE_BYTES + 1


def test_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"raw\xff")))
    (file,) = read_inputs(["-"], "chat.json")
    assert (file.name, file.raw, file.is_stdin) == ("chat.json", b"raw\xff", True)


def test_the_place_of_a_file_is_below_its_argument(folder: Path) -> None:
    write(folder, "routes/sub/a.yaml", "b.yaml")
    assert [file.place for file in read_inputs(["routes", "b.yaml"])] == [os.path.join("sub", "a.yaml"), "b.yaml"]


def test_a_running_server_takes_what_is_there(folder: Path) -> None:
    write(folder, "a.yaml")
    assert [file.name for file in read_present(["a.yaml", "gone.yaml", "no-folder"])] == ["a.yaml"]
    assert read_present(["gone.yaml"]) == []


def test_a_known_route_file_is_one_even_when_it_is_cut_off(folder: Path) -> None:
    write(folder, "routes/a.yaml", "routes/b.yaml", text="na")
    (file,) = read_present(["routes"], {os.path.join("routes", "a.yaml")})
    assert (file.place, file.raw) == ("a.yaml", b"na")
