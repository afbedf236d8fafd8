"""What a performance came to, in words."""

from __future__ import annotations

from worpen_cli.repl.account import tell_entrance, tell_performance
from worpen_cli.repl.scene import Scene


def told(scene: Scene, message: str) -> list[str]:
    scene.message = message
    before = scene.rehearsal.variables()
    performance = scene.fire()
    return list(tell_performance(performance, scene.script, before, scene.rehearsal.variables()))


def test_each_effect_with_its_line(scene: Scene) -> None:
    assert told(scene, "[1]") == [
        'room.yaml:22  WsOp     publish  message: "Ann: [1]"  channel: "lobby"  → 1',
        "set count = 1",
        'set last_words = "[1]"',
    ]


def test_what_was_made_up(scene: Scene) -> None:
    lines = told(scene, "rest")
    assert lines[0] == "room.yaml:18  Sleep    sleep  duration_ms: 1000"
    assert 'sql  query: "SELECT * FROM t WHERE a = :a"' in lines[1]
    assert lines[1].endswith("→ [] (made up: nothing was asked)")
    assert "send  message: []  → 1" in lines[2]


def test_a_fault(scene: Scene) -> None:
    lines = told(scene, "no json")
    assert lines[0].startswith("room.yaml:25:")
    assert "error[" in lines[0]
    assert lines[1] == "set count = 1"


def test_an_effect_that_faults(scene: Scene) -> None:
    scene.setting.params["room"] = " "  # type: ignore[index]
    fresh = Scene(scene.script, scene.setting)
    assert any("error[empty-channel]" in line for line in told(fresh, "1"))


def test_a_hook_that_does_nothing(scene: Scene) -> None:
    scene.enter("on_auth")
    assert told(scene, "") == ["on_auth sends nothing"]


def test_where_one_is(scene: Scene) -> None:
    assert list(tell_entrance(scene)) == [
        "room.yaml  Room  /ws/room/lobby?name=Ann  on_message",
        "on_connect ran before: 1 effect",
        "in lobby",
    ]
    scene.enter("on_auth")
    assert list(tell_entrance(scene))[-1] == "the route has no on_auth; it has on_connect, on_message, on_disconnect"
