"""A prompt's conversation without a terminal, and a route to play."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.pipeline import Settings
from worpen_cli.console import Console
from worpen_cli.repl.commands import COMMANDS
from worpen_cli.repl.conversation import Conversation
from worpen_cli.repl.evaluation import Evaluator
from worpen_cli.repl.scene import Scene, Setting, read_script

ROUTE = """\
name: Room
path: /ws/room/:room
route_type: WebSocket
ws_hooks:
  on_connect:
    - SetVar: {name: visitor, value: "{{ query.name ?? 'somebody' }}"}
    - SetVar: {name: count, value: 0}
    - WsOp: {command: send, message: "hi {{ visitor }}"}
  on_message:
    - If:
        condition: "message == 'bye'"
        then:
          - WsOp: {command: close, code: 4000, reason: "as you wish"}
          - Return: {}
    - If:
        condition: "message == 'rest'"
        then:
          - Sleep: {duration_ms: 1000}
          - SqlOp: {query: "SELECT * FROM t WHERE a = :a", params: {a: "{{ message }}"}, output_var: rows}
          - Return: {value: "{{ rows }}"}
    - SetVar: {name: count, value: "{{ count + 1 }}"}
    - WsOp:
        command: broadcast
        channel: "{{ params.room }}"
        message: "{{ visitor }}: {{ message | json_parse }}"
    - SetVar: {name: last_words, value: "{{ message }}"}
  on_disconnect:
    - WsOp:
        command: broadcast
        channel: "{{ params.room }}"
        message: "{{ last_words ?? 'nothing' }} {{ close_code }}"
---
name: Quiet
path: /ws/quiet
route_type: WebSocket
ws_hooks:
  on_connect:
    - Log: {message: "came {{ connections() }}"}
"""


@pytest.fixture
def route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """room.yaml in the working folder, with the routes Room and Quiet."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "room.yaml"
    path.write_text(ROUTE, encoding="utf-8")
    return path


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(Evaluator(), Console(environment={}), Settings, COMMANDS)


@pytest.fixture
def scene(route: Path) -> Scene:
    return Scene(read_script("room.yaml#Room", Settings()), Setting({"room": "lobby"}, {"name": "Ann"}))


Say = Callable[..., tuple[str, str]]


@pytest.fixture
def say(conversation: Conversation, capsys: pytest.CaptureFixture[str]) -> Say:
    """Enter these; what came on stdout and stderr."""

    def enter(*inputs: str) -> tuple[str, str]:
        for text in inputs:
            conversation.take(text)
        captured = capsys.readouterr()
        return captured.out, captured.err

    return enter
