"""What new projects are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import Settings, compile_source
from worpen_cli.console import Stop
from worpen_cli.project import find_project
from worpen_cli.templates import SYNONYMS, TEMPLATES, files_of, make_project


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_the_example_itself(template: str, project: Path) -> None:
    files = files_of(template)
    assert list(files) == [f"{template}.yaml", f"{template}.test.yaml", "worpen.toml"]
    for name in (f"{template}.yaml", f"{template}.test.yaml"):
        assert files[name].encode() == (project / "examples" / name).read_bytes()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_valid_and_says_how_to_try_it(template: str) -> None:
    text = files_of(template)[f"{template}.yaml"]
    compilation = compile_source(f"{template}.yaml", text.encode(), Settings())
    assert compilation.program is not None
    assert not [found for found in compilation.report.diagnostics if found.severity.value != "info"]
    comment = text[: text.index("\n\n")]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "# Try it: `worpen dev`" in comment
    assert f"/api{compilation.program.routes[0].path.partition(':')[0]}" in comment
    assert "examples" not in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_project_file_is_read(template: str, tmp_path: Path) -> None:
    make_project(tmp_path / "new", files_of(template))
    found = find_project(tmp_path / "new")
    assert (found.root, found.prefix) == (str(tmp_path / "new"), "/api")


@pytest.mark.parametrize(("name", "help"), [("caht", "`chat`"), ("broadcast", "`chat`"), ("zzz", "`notifications`")])
def test_other_templates(name: str, help: str) -> None:
    with pytest.raises(Stop) as stop:
        files_of(name)
    assert help in stop.value.help


def test_synonyms_mean_templates() -> None:
    assert set(SYNONYMS.values()) <= set(TEMPLATES)
    assert not set(SYNONYMS) & set(TEMPLATES)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert make_project(tmp_path, {"a": "text\n"}) == [tmp_path / "a"]
    assert (tmp_path / "a").read_bytes() == b"text\n"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(Stop, match="nothing was written"):
            make_project(folder, {"mine": "theirs"})
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]
