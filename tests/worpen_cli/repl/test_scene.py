"""The scope of a connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import Settings
from worpen_cli.console import Stop
from worpen_cli.repl.mistakes import Refused
from worpen_cli.repl.scene import Scene, Setting, read_messages, read_pairs, read_script


def test_what_the_names_of_a_hook_stand_for(scene: Scene) -> None:
    scene.message = "hi"
    scope = scene.scope()
    assert scope["message"] == "hi"
    assert scope["params"] == {"room": "lobby"}
    assert scope["query"] == {"name": "Ann"}
    assert (scope["visitor"], scope["count"], scope["route"]) == ("Ann", 0, "Room")
    assert "close_code" not in scope
    assert scene.address == "/ws/room/lobby?name=Ann"


@pytest.mark.parametrize(
    ("hook", "there", "not_there"), [("on_connect", "params", "visitor"), ("on_disconnect", "close_code", "message")]
)
def test_each_hook_has_its_names(scene: Scene, hook: str, there: str, not_there: str) -> None:
    scene.enter(hook)
    assert there in scene.scope()
    assert not_there not in scene.scope()


def test_firing_goes_on_with_the_same_connection(scene: Scene) -> None:
    for number in (1, 2):
        scene.message = str(number)
        assert scene.fire().outcome is None
        assert scene.scope()["count"] == number
    assert [message for message, _ in scene.performed] == ["1", "2"]


def test_hooks_that_run_once_begin_with_a_fresh_connection(scene: Scene) -> None:
    scene.enter("on_connect")
    assert [deed.effect for deed in scene.fire().deeds] == ["send"]
    assert [deed.effect for deed in scene.fire().deeds] == ["send"]
    scene.enter("on_disconnect")
    assert scene.fire().deeds[0].arguments[0] == "nothing 1000"
    assert scene.fire().deeds[0].arguments[0] == "nothing 1000"


def test_a_closed_connection_says_so(scene: Scene) -> None:
    scene.message = "bye"
    assert scene.fire().deeds[0].effect == "close"
    with pytest.raises(Refused, match="closed"):
        scene.fire()
    scene.enter("on_message")
    scene.message = "1"
    assert scene.fire().outcome is None


def test_a_route_without_the_hook(route: Path) -> None:
    quiet = Scene(read_script("room.yaml#Quiet", Settings()), Setting())
    assert quiet.hook == "on_connect"
    assert quiet.fire().deeds[0].arguments == ("info", "came 1")
    quiet.enter("on_message")
    assert quiet.fire().deeds == ()


@pytest.mark.parametrize(
    ("setting", "hook", "said"),
    [
        (Setting({"rom": "x"}), "", "no `:rom`"),
        (Setting(), "on_mesage", "no hook"),
        (Setting({"room": "a/ب"}), "on_message", ""),
    ],
)
def test_wrong_settings(route: Path, setting: Setting, hook: str, said: str) -> None:
    script = read_script("room.yaml#Room", Settings())
    if not said:
        assert Scene(script, setting, hook).address == "/ws/room/a%2F%D8%A8"
        return
    with pytest.raises(Refused, match=said):
        Scene(script, setting, hook)


def test_values_are_set_where_they_belong(scene: Scene) -> None:
    assert scene.assign("message", "x")
    assert scene.assign("count", 9)
    assert not scene.assign("other", 1)
    assert (scene.scope()["message"], scene.scope()["count"]) == ("x", 9)
    assert scene.expects("last_words")
    assert not scene.expects("other")


JSON_ROUTE = """\
name: J
path: /j
route_type: WebSocket
codec: json
ws_hooks:
  on_message:
    - WsOp: {command: send, message: "{{ message.a }}"}
"""


def test_messages_of_a_json_route_are_decoded(route: Path) -> None:
    route.write_text(JSON_ROUTE, encoding="utf-8")
    scene = Scene(read_script("room.yaml", Settings()), Setting(), message='{"a": [1]}')
    assert scene.scope()["message"] == {"a": [1]}
    scene.message = "not json"
    assert scene.scope()["message"] == "not json"
    with pytest.raises(Refused, match="not JSON"):
        scene.fire()


def test_messages_of_files(tmp_path: Path) -> None:
    lines, whole, bad = tmp_path / "m.jsonl", tmp_path / "m.txt", tmp_path / "bad.ndjson"
    lines.write_text('"a"\n\n{"b": 1}\n', encoding="utf-8")
    whole.write_text("x\ny", encoding="utf-8")
    bad.write_text('"a"\nnope\n', encoding="utf-8")
    assert read_messages(str(lines)) == ["a", '{"b": 1}']
    assert read_messages(str(whole)) == ["x\ny"]
    with pytest.raises(Refused, match=r"bad.ndjson:2: "):
        read_messages(str(bad))
    with pytest.raises(Refused, match="no such file"):
        read_messages(str(tmp_path / "none"))
    whole.write_bytes(b"\xff")
    with pytest.raises(Refused, match="UTF-8"):
        read_messages(str(whole))


def test_messages_come_one_after_the_other(scene: Scene) -> None:
    scene.queue(["a", "b"])
    assert [scene.next(), scene.message, scene.next(), scene.message, scene.next()] == [True, "a", True, "b", False]


def test_pairs() -> None:
    assert read_pairs(["a=1", "b=x=y", "c="], "--query") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(Stop, match="NAME=VALUE"):
            read_pairs([wrong], "--query")
