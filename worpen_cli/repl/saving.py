"""A session as a file: its lines, test vectors, or the conversation that a route was played."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile
from compiler.language.values import Value, text
from compiler.syntax.findings import Findings
from compiler.syntax.nodes import Name, Template, walk
from compiler.unit import parse_unit
from worpen_cli.repl.statements import Statement

if TYPE_CHECKING:
    from worpen_cli.repl.scene import Scene

VECTORS: Final = ".json"
CONVERSATION: Final = (".test.yaml", ".test.yml")
CLIENT: Final = "client"


@dataclass(frozen=True, slots=True)
class Entry:
    """One input, what it read of the scope, and its value; `failed` where it has none."""

    typed: str
    statement: Statement
    read: Mapping[str, Value]
    value: Value = None
    failed: bool = False


class Unsaved(Exception):
    """Why a session cannot be written as such a file."""


def names_read(statement: Statement, scope: Mapping[str, Value]) -> dict[str, Value]:
    """The variables of the scope that a statement reads."""
    findings = Findings(SourceFile("<expression>", statement.text), Report())
    parsed = parse_unit(statement.position, statement.text, findings)
    if parsed is None:
        return {}
    tree = parsed[1]
    parts = tree.expressions if isinstance(tree, Template) else iter((tree,))
    names = {node.name for part in parts for node in walk(part) if isinstance(node, Name)}
    return {name: value for name, value in scope.items() if name in names}


def written(path: str, entries: Sequence[Entry], scene: Scene | None) -> str:
    """The text of the file: vectors for `.json`, a conversation for `.test.yaml`, else the lines, to be loaded again.

    Raises Unsaved where there is no such thing to write.
    """
    if path.endswith(CONVERSATION):
        return _conversation(scene)
    if path.endswith(VECTORS):
        return json.dumps([_vector(entry) for entry in entries], ensure_ascii=False, indent=1) + "\n"
    return "".join(entry.typed + "\n" for entry in entries if not entry.failed)


def _vector(entry: Entry) -> dict[str, Any]:
    """One line of a conformance file: what was evaluated, with which variables, and what came out."""
    position, source = entry.statement.position, entry.statement.text
    asked = {"expr": source} if position == "expression" else {"template": source, "mode": position}
    outcome: dict[str, Any] = {"error": True} if entry.failed else {"expect": entry.value}
    return {**asked, "vars": dict(entry.read), **outcome}


def _conversation(scene: Scene | None) -> str:
    """The messages that were fired, and the frames that this client was sent, as a test of `worpen test`."""
    if scene is None:
        raise Unsaved("a conversation needs a route: `:load FILE` one first")
    if scene.script.route.options.get("codec") == "msgpack":
        raise Unsaved("what is sent in msgpack is no text, and a conversation of a test is")
    steps: list[tuple[str, str]] = [("connect", CLIENT), ("  to", scene.address)]
    for performance in scene.before:
        steps += _expected(performance.frames)
    for message, performance in scene.performed:
        if performance.hook == "on_message":
            steps += [("send", CLIENT), ("  text", text(message))]
        elif performance.hook == "on_disconnect":
            steps.append(("close", CLIENT))
        elif performance.hook != "on_connect":
            raise Unsaved(f"a conversation has no step for {performance.hook}")
        steps += _expected(performance.frames)
    lines = [f"routes: [{_quoted(scene.script.name)}]", "tests:", "  - name: recorded", "    steps:"]
    for key, value in steps:
        mark = "  " if key.startswith("  ") else "- "
        lines.append(f"      {mark}{key.strip()}: {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _expected(frames: Sequence[bytes]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for frame in frames:
        found += [("expect", CLIENT), ("  text", frame.decode("utf-8", "replace"))]
    return found


def _quoted(value: str) -> str:
    """A text as YAML writes it, plain where it is a word."""
    return value if value.isidentifier() else json.dumps(value, ensure_ascii=False)
