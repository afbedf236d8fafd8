"""What a performance came to, line by line: each effect with its line of the route, faults, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.language.effects import EFFECTS
from compiler.language.faults import Fault, Uncatchable
from compiler.language.values import Value
from worpen_cli.repl.rehearsal import Deed, Performance
from worpen_cli.repl.scene import Scene, Script
from worpen_cli.repl.shown import glance

_PAYLOAD_WIDTH: Final = 60


def tell_performance(
    performance: Performance, script: Script, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[str]:
    """The lines of one run of a hook; `before` and `after` are the connection's variables."""
    for deed in performance.deeds:
        yield from tell_deed(deed, script)
    if (outcome := performance.outcome) is not None:
        yield f"{_place(script, outcome)}  {_fault(outcome)}"
    for name, value in after.items():
        if name not in before or before[name] != value or type(before[name]) is not type(value):
            yield f"set {name} = {glance(value, _PAYLOAD_WIDTH)}"
    if not performance.deeds and performance.outcome is None:
        yield f"{performance.hook} sends nothing"


def tell_deed(deed: Deed, script: Script) -> Iterator[str]:
    """An effect: where it stands, what was asked for, what came of it."""
    mark = deed.mark
    operation = (mark.operation or "") if mark else ""
    place = f"{script.name}:{mark.line}" if mark else script.name
    asked = f"{place}  {operation:<8} {deed.effect}  {_arguments(deed)}".rstrip()
    if deed.fault is not None:
        yield f"{asked}  → {_fault(deed.fault)}"
    elif deed.rehearsed:
        yield f"{asked}  → {glance(deed.reply, _PAYLOAD_WIDTH)} (made up: nothing was asked)"
    else:
        yield asked if deed.reply is None else f"{asked}  → {glance(deed.reply, _PAYLOAD_WIDTH)}"


def tell_entrance(scene: Scene) -> Iterator[str]:
    """Where the scene stands: the route and its hook, and what ran before."""
    script = scene.script
    yield f"{script.name}  {script.route.name}  {scene.address}  {scene.hook}"
    for performance in scene.before:
        number = len(performance.deeds)
        ended = f", {_fault(performance.outcome)}" if performance.outcome is not None else ""
        if performance.hook in script.route.hooks:
            yield f"{performance.hook} ran before: {number} effect{'' if number == 1 else 's'}{ended}"
    if joined := scene.rehearsal.channels():
        yield f"in {', '.join(joined)}"
    if scene.hook not in script.route.hooks:
        yield f"the route has no {scene.hook}; it has {', '.join(script.hooks)}"


def _arguments(deed: Deed) -> str:
    """The arguments by name; switches that are off are left out."""
    named = zip(EFFECTS[deed.effect].arguments, deed.arguments, strict=False)
    return "  ".join(f"{name}: {glance(value, _PAYLOAD_WIDTH)}" for (name, _), value in named if value is not False)


def _fault(outcome: BaseException) -> str:
    assert isinstance(outcome, Fault | Uncatchable)
    return f"error[{outcome.kind.name}] {outcome.kind.label}: {outcome.message}"


def _place(script: Script, outcome: BaseException) -> str:
    assert isinstance(outcome, Fault | Uncatchable)
    mark = outcome.mark
    return f"{script.name}:{mark.line}:{mark.column}" if mark else script.name
