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


def test_the_full_format_says_who_hears_what(run: Run, folder: Path) -> None:
    assert run("validate", "--format", "full", "good.yaml").err.startswith("/ws/echo  no channels\n")
    (told,) = json.loads(run("validate", "--format", "json", "good.yaml").out)["routes"]
    assert told == {"name": "Echo", "path": "/ws/echo", "membership": {"automatic": True, "joins": []}}


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
    assert run("validate", "--select", "W4").out == run("validate", "--ignore", "w1,W2,W3,W5").out
    assert run("validate", "--select", "W8").code == 2
    wrong = run("validate", "--select", "unknwon-variable")
    assert wrong.code == 2
    assert "did you mean `unknown-variable`?" in wrong.err


def test_max_errors_limits_what_is_shown_of_a_file_not_what_is_counted(run: Run, folder: Path) -> None:
    lines = "\n".join(f"    - WsOp: {{command: send, message: 'x {{{{ unknown_{n} }}}}'}}" for n in range(60))
    (folder / "many.yaml").write_text(GOOD.partition("    - ")[0] + lines + "\n")
    done = run("validate", "many.yaml", "broken.yaml")
    assert done.out.count("many.yaml:") == 50
    assert done.out.count("broken.yaml:") == 1
    assert "… and 10 more findings in many.yaml; --max-errors 0 shows all" in done.err
    assert "61 errors" in done.err
    assert run("validate", "many.yaml", "--max-errors", "2").out.count("error[") == 2
    assert run("validate", "many.yaml", "--max-errors", "0").out.count("error[") == 60
    assert len(document(run, "many.yaml", "--format", "json")["diagnostics"]) == 60


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


REPAIRABLE = """# kept
name: Echo
path: /ws/echo
route-type: WebSocket  # kept as well
ws_hooks:
  on_message:
    - WsOp: {command: send, message: {{ mesage | uper }}}
"""
REPAIRED = REPAIRABLE.replace("route-type", "route_type").replace("{{ mesage | uper }}", '"{{ mesage | upper }}"')


def test_fix_mends_what_is_certain_and_reports_the_rest(run: Run, folder: Path) -> None:
    file = folder / "wrong.yaml"
    file.write_text(REPAIRABLE)
    file.chmod(0o640)
    assert "3 can be mended by worpen validate --fix" in run("validate", "wrong.yaml").err
    done = run("validate", "--fix", "wrong.yaml")
    assert file.read_text() == REPAIRED
    assert file.stat().st_mode & 0o777 == 0o640
    assert done.code == 1
    assert done.out == "wrong.yaml:7:42: error[unknown-variable] W401 `mesage` is not set in any hook of this route\n"
    assert done.err.startswith("mended 3 mistakes in 1 file\n1 error · ")
    again = run("validate", "--fix", "wrong.yaml")
    assert file.read_text() == REPAIRED
    assert again.err.startswith("mended 0 mistakes in 0 files\n")
    assert run("validate", "--fix", "--unsafe-fixes", "wrong.yaml").code == 0
    assert file.read_text() == REPAIRED.replace("mesage", "message")


def test_diff_shows_and_changes_nothing(run: Run, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(REPAIRABLE)
    done = run("validate", "--diff", "--unsafe-fixes", "wrong.yaml")
    assert done.code == 1
    assert done.out.startswith("--- wrong.yaml\n+++ wrong.yaml\n@@ -1,7 +1,7 @@\n # kept\n")
    assert "-route-type: WebSocket  # kept as well\n+route_type: WebSocket  # kept as well\n" in done.out
    assert done.err.startswith("would mend 4 mistakes in 1 file\nno findings · ")
    assert (folder / "wrong.yaml").read_text() == REPAIRABLE
    assert run("validate", "--diff", "good.yaml").code == 0


def test_only_selected_findings_are_mended(run: Run, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(REPAIRABLE)
    run("validate", "--fix", "--ignore", "unknown-key", "wrong.yaml")
    assert (folder / "wrong.yaml").read_text() == REPAIRED.replace("route_type", "route-type")


def test_explain_is_the_command_explain(run: Run, folder: Path) -> None:
    done = run("validate", "--explain", "W401")
    assert done.code == 0
    assert done.out == run("explain", "W401").out
    assert run("validate", "--explain", "no-such-thing").code == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--unsafe-fixes"],
        ["--diff", "--format", "json"],
        ["--fix", "-", "good.yaml"],
        ["--watch", "--fix"],
        ["--watch", "-"],
        ["--watch", "--format", "sarif"],
    ],
)
def test_options_that_do_not_go_together(run: Run, folder: Path, options: list[str]) -> None:
    assert run("validate", *options).code == 2
