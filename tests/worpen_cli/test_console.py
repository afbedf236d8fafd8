"""What goes where, in which colour, and how a run ends."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import click
import pytest

from compiler.diagnostics.codes import DAMAGED_PROGRAM
from worpen_cli.console import Console, ExitCode, Stop, guarded


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("option", "variables", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_whether_there_are_colours(option: str, variables: dict[str, str], terminal: bool, expected: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert Console(color=option, environment=variables).colors(stream) is expected


def test_talk_and_problems_are_escaped_and_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(environment={})
    console.talk("a\x1b[2Jb")
    console.problem("c\x1b]52;;x\x07", help="d\u202e", kind=DAMAGED_PROGRAM)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "a\\x1b[2Jb\nerror[damaged-program] W703: c\\x1b]52;;x\\x07\n  = help: d\\u202e\n"


def test_documents_are_safe_and_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    Console(environment={}).print_document('{"a": "\x9b2J\u202e"}')
    assert capsys.readouterr().out == '{"a": "\\u009b2J\\u202e"}\n'


def ends(command: object) -> int:
    assert callable(command)
    return guarded(command, Console(environment={}))


def raising(error: BaseException) -> object:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Stop("no"), ExitCode.USAGE),
        (Stop("no", code=ExitCode.REFUSED), ExitCode.REFUSED),
        (click.UsageError("no"), ExitCode.USAGE),
        (click.BadParameter("no"), ExitCode.USAGE),
        (click.Abort(), ExitCode.INTERRUPTED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (BrokenPipeError(), ExitCode.INTERRUPTED),
    ],
    ids=repr,
)
def test_how_a_run_ends(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(raising(error)) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_result_is_the_exit_code() -> None:
    assert ends(lambda: None) == 0
    assert ends(lambda: 1) == 1


def test_a_bug_says_one_line_and_leaves_a_private_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ends(raising(ZeroDivisionError("by\x1b zero"))) == ExitCode.BUG
    (line,) = capsys.readouterr().err.splitlines()
    (report,) = tmp_path.iterdir()
    assert "by\\x1b zero" in line
    assert str(report) in line
    assert "Traceback" in report.read_text(encoding="utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_bug_shows_its_traceback_with_debug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert guarded(raising(ZeroDivisionError()), Console(debug=True, environment={})) == ExitCode.BUG  # type: ignore[arg-type]
    assert "Traceback" in capsys.readouterr().err


def test_what_a_stream_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    console = Console(environment={})

    def command() -> None:
        console.print_line("a…")

    assert guarded(command, console) == 0
    assert raw.getvalue() == b"a\\u2026\n"
