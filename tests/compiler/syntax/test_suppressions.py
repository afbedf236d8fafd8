"""Comments that silence findings."""

from __future__ import annotations

import pytest

from compiler.diagnostics.codes import Severity
from compiler.pipeline import Settings, check_source, check_together, compile_source
from tests.compiler.checking import HOOK, check, in_hook, shown

UNKNOWN = '- Log: {message: "{{ nobody }}"}'


@pytest.mark.parametrize(
    "comment",
    [
        "# worpen: ignore[unknown-variable] it comes later",
        "# worpen: ignore[unknown-variable]",
        "#worpen:ignore[unknown-variable]",
        "# worpen: ignore[W401] by number",
        "# worpen: ignore[unknown-variable, never-set] two names",
    ],
)
def test_a_finding_on_the_line_is_silenced(comment: str) -> None:
    found = shown(in_hook(f"{UNKNOWN} {comment}"))
    assert not [finding for finding in found if finding.startswith("unknown-variable")]


@pytest.mark.parametrize(
    "operations",
    [
        f"# worpen: ignore[unknown-variable] the line above\n{UNKNOWN}",
        f"{UNKNOWN}\n# worpen: ignore[unknown-variable] the line below",
        f"{UNKNOWN} # worpen: ignore[unknown-function] another name",
        f"{UNKNOWN}# worpen: ignore[unknown-variable] no comment in YAML",
        '- Log: {message: "{{ nobody }} # worpen: ignore[unknown-variable] text"}',
        "- Log:\n    message: |\n      {{ nobody }} # worpen: ignore[unknown-variable] text",
    ],
)
def test_what_silences_nothing_here(operations: str) -> None:
    assert any(finding.startswith(("unknown-variable", "yaml-syntax")) for finding in shown(in_hook(operations)))


def test_at_the_head_of_a_block_scalar_it_is_for_all_of_it() -> None:
    block = "- Log:\n    message: | # worpen: ignore[unknown-variable] by design\n      Hi\n      {{ nobody }}"
    assert shown(in_hook(block)) == []
    assert shown(in_hook(block.replace("unknown-variable", "unknown-function"))) == ["unknown-variable @ nobody"]


def test_an_unused_one_is_a_finding_with_a_repair() -> None:
    text = in_hook("- Log: {message: hi} # worpen: ignore[unknown-variable] old")
    (found,) = check_source("a.yaml", text.encode(), Settings()).report.sorted()
    assert found.code.name == "unused-suppression"
    assert text[found.span.start : found.span.end] == "unknown-variable"
    ((edit,),) = [fix.edits for fix in found.fixes]
    assert text[edit.span.start : edit.span.end] == "# worpen: ignore[unknown-variable] old"
    assert edit.replacement == ""


def test_a_name_of_no_finding() -> None:
    (found,) = check(in_hook("- Log: {message: hi} # worpen: ignore[unknown-variabel]"))
    assert str(found) == "unused-suppression @ unknown-variabel"
    assert "did you mean `unknown-variable`?" in found.help


def test_behind_errors_nothing_is_called_unused() -> None:
    operations = "- Log: {mesage: hi} # worpen: ignore[unknown-variable] later\n- Log: {message: hi}"
    assert shown(in_hook(operations)) == ["unknown-key @ mesage"]


def test_one_of_two_names_may_be_unused() -> None:
    found = shown(in_hook(f"{UNKNOWN} # worpen: ignore[unknown-variable, never-set] two"))
    assert found == ["unused-suppression @ never-set"]


def test_json_has_no_comments() -> None:
    text = (
        '{"name": "# worpen: ignore[unknown-variable]", "path": "/a", "route_type": "ws", "ws_hooks": {"on_message": ['
    )
    text += '{"Log": {"message": "{{ nobody }}"}}]}}'
    assert shown(text, name="route.json") == ["unknown-variable @ nobody"]


def test_findings_about_routes_together_are_silenced_there() -> None:
    first = f"name: A\npath: /ws/a\nroute_type: ws\n{HOOK}"
    second = f"name: B\npath: /ws/a # worpen: ignore[duplicate-route] on purpose\nroute_type: ws\n{HOOK}"
    checked = [check_source(f"{n}.yaml", text.encode(), Settings()) for n, text in enumerate((first, second))]
    assert [compilation.report.diagnostics for compilation in checked] == [[], []]
    assert check_together(checked, Settings()).diagnostics == []


def test_one_that_no_route_needs_is_unused_together() -> None:
    text = f"name: B\npath: /ws/a # worpen: ignore[duplicate-route] on purpose\nroute_type: ws\n{HOOK}"
    checked = check_source("a.yaml", text.encode(), Settings())
    assert checked.report.diagnostics == []
    assert [found.code.name for found in check_together([checked], Settings()).diagnostics] == ["unused-suppression"]


def test_an_error_that_is_ignored_still_leaves_no_program() -> None:
    text = in_hook(f"{UNKNOWN} # worpen: ignore[unknown-variable] really")
    assert not check_source("a.yaml", text.encode(), Settings()).report.has_errors
    compilation = compile_source("a.yaml", text.encode(), Settings())
    assert compilation.program is None
    assert [found.code.name for found in compilation.report.diagnostics] == ["unknown-variable"]


def test_a_warning_that_is_ignored_compiles() -> None:
    text = in_hook("- Log: {message: '${message}'} # worpen: ignore[suspicious-text] shell")
    compilation = compile_source("a.yaml", text.encode(), Settings())
    assert compilation.program is not None
    assert [found.severity for found in compilation.silenced] == [Severity.WARNING]


def test_many_comments_are_read_in_a_moment() -> None:
    line = "- Log: {message: a} # worpen: ignore[unknown-variable]\n"
    assert len(check(in_hook(line * 5_000))) == 5_000
