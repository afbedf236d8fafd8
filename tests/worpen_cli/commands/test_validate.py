"""`worpen validate`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.worpen_cli.commands.conftest import BROKEN, GOOD, Run


def test_a_good_route(run: Run, folder: Path) -> None:
    done = run("validate", "good.yaml")
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(r"no findings · 1 file, 1 route, 1 hook checked in \d+\.\d\d s\n", done.err)


def test_a_broken_route_in_one_line(run: Run, folder: Path) -> None:
    done = run("validate", "broken.yaml")
    assert done.code == 1
    assert done.out == "broken.yaml:8:28: error[unknown-variable] W401 `mesage` is not set in any hook of this route\n"
    assert done.err.startswith("1 error · 1 file")


def test_a_broken_route_in_full(run: Run, folder: Path) -> None:
    out = run("validate", "--format", "full", "broken.yaml").out
    assert ' --> broken.yaml:8:28\n  |\n8 |         message: "Echo: {{ mesage }}"\n' in out
    assert "^^^^^^ did you mean `message`?" in out


def test_the_project_is_the_default_and_all_files_are_checked(run: Run, folder: Path) -> None:
    done = run("validate")
    assert done.code == 1
    assert [line.partition(":")[0] for line in done.out.splitlines()] == ["broken.yaml", "warned.yaml"]
    assert "1 error, 1 warning · 3 files, 3 routes, 3 hooks" in done.err


def test_the_exit_code_follows_fail_on(run: Run, folder: Path) -> None:
    assert run("validate", "warned.yaml").code == 0
    assert run("validate", "warned.yaml", "--fail-on", "warning").code == 1
    assert run("validate", "good.yaml", "--fail-on", "info").code == 0


def test_select_and_ignore(run: Run, folder: Path) -> None:
    assert run("validate", "--ignore", "unknown-variable").code == 0
    assert "warned.yaml" in run("validate", "--ignore", "W401").out
    only = run("validate", "--select", "suspicious-text,W105")
    assert (only.code, len(only.out.splitlines())) == (0, 1)
    wrong = run("validate", "--select", "unknwon-variable")
    assert wrong.code == 2
    assert "did you mean `unknown-variable`?" in wrong.err


def test_max_errors_stops_showing_not_counting(run: Run, folder: Path) -> None:
    (folder / "more.yaml").write_text(
        (folder / "broken.yaml").read_text().replace("mesage", "x").replace("broken", "m")
    )
    done = run("validate", "--max-errors", "1")
    assert done.out.count("error[") == 1
    assert "more finding" in done.err
    assert "2 errors" in done.err


def test_statistics(run: Run, folder: Path) -> None:
    done = run("validate", "--statistics")
    assert done.code == 1
    assert [line.split()[:2] for line in done.out.splitlines()] == [["1", "W306"], ["1", "W401"]]
    assert run("validate", "--statistics", "--format", "json").code == 2


def document(run: Run, *arguments: str) -> Any:
    return json.loads(run("validate", *arguments).out)


def test_json(run: Run, folder: Path) -> None:
    found = document(run, "--format", "json")
    assert found["schema"] == "worpen.diagnostics/1"
    assert found["summary"] == {"files": 3, "routes": 3, "errors": 1, "warnings": 1}
    assert [row["file"] for row in found["diagnostics"]] == ["broken.yaml", "warned.yaml"]
    assert found["diagnostics"][0]["range"]["start"] == {"line": 8, "column": 28, "offset": BROKEN.index("mesage")}


def test_other_machine_formats(run: Run, folder: Path) -> None:
    assert run("validate", "--format", "github").out.startswith("::error file=broken.yaml,line=8,")
    assert len(document(run, "--format", "sarif")["runs"][0]["results"]) == 2
    assert ElementTree.fromstring(run("validate", "--format", "junit").out).get("failures") == "2"


def test_the_environment_and_the_project_file_set_options(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "worpen.toml").write_text('[validate]\nfail-on = "warning"\nignore = ["unknown-variable"]\n')
    assert run("validate").code == 1
    monkeypatch.setenv("WORPEN_VALIDATE_FAIL_ON", "error")
    assert run("validate").code == 0


def test_allowed_environment_names(run: Run, folder: Path) -> None:
    (folder / "good.yaml").write_text(GOOD.replace("{{ message }}", "{{ env('SITE') }}"))
    assert "forbidden-environment" in run("validate", "good.yaml").out
    (folder / "worpen.toml").write_text('[env]\nallow = ["SITE"]\n')
    assert run("validate", "good.yaml").code == 0


def test_the_prefix_makes_routes_clash(run: Run, folder: Path) -> None:
    (folder / "other.yaml").write_text(GOOD.replace("/ws/echo", "/v1/ws/echo").replace("Echo\n", "Other\n"))
    assert run("validate", "good.yaml", "other.yaml").code == 0
    assert "duplicate-route" in run("validate", "good.yaml", "other.yaml", "--prefix", "/v1").out


def test_missing_paths_and_folders_without_routes(run: Run, folder: Path) -> None:
    (folder / "empty").mkdir()
    assert run("validate", "no.yaml").code == 2
    done = run("validate", "empty")
    assert (done.code, done.out) == (2, "")
    assert "no route files in empty" in done.err
