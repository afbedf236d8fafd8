"""`worpen new`, in its parts and as a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli import worpen
from worpen_cli.commands.new import next_commands
from worpen_cli.templates import TEMPLATES


def test_the_next_three_commands() -> None:
    assert next_commands(Path("talk")) == ["cd talk", "worpen validate", "worpen dev --open"]
    assert next_commands(Path("my talk"))[0] == "cd 'my talk'"
    assert next_commands(Path())[1:] == ["worpen validate", "worpen dev --open"]
    assert len(next_commands(Path("."))) == 3


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_is_valid(tmp_path: Path, template: str) -> None:
    made = worpen("new", "talk", "--template", template, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    *wrote, head, first, second, third = made.stdout.splitlines()
    assert [line.split()[0] for line in wrote] == ["wrote"] * 3
    assert (head, first, second, third) == ("next:", "  cd talk", "  worpen validate", "  worpen dev --open")
    checked = worpen("validate", "--fail-on", "warning", cwd=tmp_path / "talk")
    assert checked.returncode == 0
    assert "1 file, 1 route" in checked.stderr


def test_echo_is_what_there_is_without_a_choice(tmp_path: Path) -> None:
    assert worpen("new", "a/b", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a" / "b" / "echo.yaml").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["talk", "--template", "caht"], "did you mean `chat`?"),
        (["full"], "nothing was written"),
        (["full/file"], "nothing was written"),
        (["full/file/deeper"], "not a directory"),
        ([""], "a project needs a name"),
        (["a\x1b[2Jb"], "a project needs a name"),
        ([], "Missing argument"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine", encoding="utf-8")
    refused = worpen("new", *arguments, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr
    assert "\x1b" not in refused.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full"]
