"""Files examined together, and what is said about them."""

from __future__ import annotations

import gc

import pytest

from compiler.diagnostics.codes import Severity
from compiler.pipeline import Settings, check_source
from worpen_cli.files import InputFile
from worpen_cli.findings import count, examine, memberships, plural, reaches, summary

ROUTE = (
    b"name: A\npath: /ws/a\nroute_type: WebSocket\nws_hooks:\n  on_message:\n    - WsOp: {command: send, message: hi}\n"
)


def files(**texts: bytes) -> list[InputFile]:
    return [InputFile(name, raw, name) for name, raw in texts.items()]


def test_files_are_checked_alone_and_together() -> None:
    examined = examine(files(a=ROUTE, b=ROUTE.replace(b"name: A", b"name: B")), Settings(), check_source)
    assert (examined.routes, examined.hooks, examined.has_errors) == (2, 2, True)
    assert [(d.code.name, d.source.name) for d in examined.diagnostics] == [("duplicate-route", "b")]


def test_the_summary_counts_what_there_is() -> None:
    examined = examine(files(a=ROUTE), Settings(), check_source)
    assert summary(examined, []).startswith("no findings · 1 file, 1 route, 1 hook checked in ")
    broken = examine(files(a=ROUTE.replace(b"hi", b"'{{ x }}{{ y }}'")), Settings(), check_source)
    assert summary(broken, broken.diagnostics).startswith("2 errors · 1 file")
    assert count(broken.diagnostics, Severity.ERROR) == 2


def test_what_reaches_a_threshold() -> None:
    warned = examine(files(a=ROUTE.replace(b"hi", b"'${x}'")), Settings(), check_source).diagnostics
    assert not reaches(warned, Severity.ERROR)
    assert reaches(warned, Severity.WARNING)
    assert reaches(warned, Severity.INFO)
    assert not reaches([], Severity.INFO)


def test_plurals() -> None:
    assert [plural(1, "file"), plural(2, "file"), plural(0, "file"), plural(2, "info")] == [
        "1 file", "2 files", "0 files", "2 info",
    ]  # fmt: skip


def test_who_hears_what_is_told_of_files_without_errors() -> None:
    room = ROUTE.replace(b"send", b"broadcast").replace(b"hi}", b"hi, channel: hall}").replace(b"/ws/a", b"/ws/hall")
    broken = ROUTE.replace(b"hi", b"'{{ x }}'").replace(b"/ws/a", b"/ws/b")
    examined = examine(files(a=ROUTE, room=room, broken=broken), Settings(), check_source)
    assert memberships(examined) == ["/ws/a     no channels", "/ws/hall  each connection joins `hall`"]


@pytest.mark.parametrize("once", [False, True])
def test_only_what_ends_at_once_is_kept_from_the_collector(once: bool) -> None:
    frozen = gc.get_freeze_count()
    try:
        examine(files(a=ROUTE), Settings(), check_source, once=once)
        assert (gc.get_freeze_count() > frozen) is once
        assert gc.isenabled()
    finally:
        if once:
            gc.unfreeze()
