"""What programs reach, compared."""

from __future__ import annotations

import pytest

from compiler.bytecode.options import OptionChange
from compiler.bytecode.program import Program
from compiler.bytecode.reach import compare, widens
from compiler.pipeline import Settings, compile_source

Texts = dict[str, tuple[str, ...]]
HEAD = "name: A\npath: {path}\nroute_type: WebSocket\n{keys}ws_hooks:\n  on_message:\n    - {operation}\n"
SAY = "WsOp: {command: broadcast, channel: CHANNEL, message: hi}"
WHILE = "While: {condition: message, body: [{Log: {message: hi}}]}"


def program(operation: str = "Log: {message: hi}", *, path: str = "/ws/a", keys: str = "") -> Program:
    text = HEAD.format(path=path, keys=keys, operation=operation)
    compiled = compile_source("a.yaml", text.encode(), Settings()).program
    assert compiled is not None
    return compiled


def saying(channel: str) -> Program:
    return program(SAY.replace("CHANNEL", f'"{channel}"'))


def vetted() -> Program:
    made = HEAD.replace("ws_hooks:\n", "ws_hooks:\n  on_auth:\n    - Reject: {{}}\n")
    text = made.format(path="/ws/a", keys="", operation="Log: {message: hi}")
    compiled = compile_source("a.yaml", text.encode(), Settings()).program
    assert compiled is not None
    return compiled


def asking(statement: str) -> Program:
    return program(f'SqlOp: {{query: "{statement}"}}')


@pytest.mark.parametrize(
    ("before", "after", "added", "removed"),
    [
        (saying("a"), saying("a"), None, None),
        (saying("a"), saying("b"), {"channels": ("b",)}, {"channels": ("a",)}),
        (saying("room-{{ message }}"), saying("room-7"), {}, {"channels": ("room-*",)}),
        (saying("room-7"), saying("room-{{ message }}"), {"channels": ("room-*",)}, {}),
        (saying("{{ message }}"), saying("a-{{ message }}"), {}, {"channels": ("*",)}),
        (saying("a*"), saying("a-{{ message }}"), {"channels": ("a-*",)}, {"channels": ("a\\*",)}),
        (program(), program(WHILE), {"cost": ("on_message bounded by fuel",)}, {}),
        (
            asking("SELECT id FROM users"),
            asking("SELECT id, name FROM users"),
            {"statements": ("SELECT id, name FROM users",), "columns": ("read users.name",)},
            {"statements": ("SELECT id FROM users",)},
        ),
        (
            asking("SELECT * FROM users"),
            asking("UPDATE users SET name = 'a' WHERE id = 1"),
            {
                "statements": ("UPDATE users SET name = 'a' WHERE id = 1",),
                "tables": ("write users",),
                "columns": ("write users.name",),
            },
            {"statements": ("SELECT * FROM users",), "columns": ("read users.*",)},
        ),
        (
            asking("PRAGMA optimize"),
            asking("SELECT id FROM users"),
            {"statements": ("SELECT id FROM users",)},
            {
                "statements": ("PRAGMA optimize",),
                "tables": ("read *", "write *"),
                "columns": ("read *.*", "write *.*"),
            },
        ),
        (
            program(keys="auth: {jwt: {secret_env: KEY}}\n"),
            program(),
            {"clients": ("anybody",)},
            {},
        ),
        (vetted(), program(), {"clients": ("anybody",)}, {}),
        (program(), vetted(), {}, {"clients": ("anybody",)}),
    ],
)
def test_what_is_new_and_what_is_gone(
    before: Program,
    after: Program,
    added: dict[str, tuple[str, ...]] | None,
    removed: dict[str, tuple[str, ...]] | None,
) -> None:
    changes = compare([before], [after])
    if added is None:
        assert changes == []
    else:
        (change,) = changes
        assert (change.path, change.status, change.added, change.removed) == ("/ws/a", "changed", added, removed)
    assert widens(changes) is bool(added)


def test_a_route_that_was_not_there_widens_and_one_that_is_gone_does_not() -> None:
    one, other = program(), program(path="/ws/b")
    changes = compare([one], [one, other])
    assert [(change.path, change.status, change.widens) for change in changes] == [("/ws/b", "added", True)]
    changes = compare([one, other], [one])
    assert [(change.path, change.status, change.widens) for change in changes] == [("/ws/b", "removed", False)]


def test_options_are_compared_and_may_widen_a_reach_that_is_the_same() -> None:
    less, more = (program(keys=f"limits: {{max_connections: {most}}}\n") for most in (100, 1000))
    (change,) = compare([less], [more])
    assert (change.status, change.added, change.removed) == ("changed", {}, {})
    assert change.options == (OptionChange("limits.max_connections", 100, 1000, True),)
    assert widens([change])
    assert not widens(compare([more], [less]))


def test_a_route_that_is_not_enabled_is_not_there() -> None:
    off = program(SAY, keys="enabled: false\n")
    assert compare([], [off]) == []
    assert [(change.status, change.widens) for change in compare([off], [program()])] == [("added", True)]
    assert [(change.status, change.widens) for change in compare([program()], [off])] == [("removed", False)]


def test_the_same_reach_by_another_name_is_no_change() -> None:
    text = HEAD.format(path="/ws/a", keys="", operation="Log: {message: hi}").replace("name: A", "name: B")
    renamed = compile_source("b.yaml", text.encode(), Settings()).program
    assert renamed is not None
    assert compare([program()], [renamed]) == []
