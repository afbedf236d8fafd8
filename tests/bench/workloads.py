"""The workloads: hooks as routes, and the same by hand in Python.

`FLOORS` are what somebody would write who knows the hook and all of the language: the same results, effects and errors
for every value, in the plainest quick code, without fuel and positions. `NAIVE` is what one writes who forgets what
the language says of booleans, numeric texts, sizes and unset variables; it is only shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from compiler.language.functions import FUNCTIONS, check_argument
from compiler.language.values import UNSET, add, bounded, divide, greater, multiply, normalised, remainder, text, truthy
from runtime.translator.support import items_of, unset_variable

SAFE: Final = 2**53
SHORT: Final = 2**18
HEAD: Final = "name: Bench\nroute_type: WebSocket\npath: /ws/bench\nws_hooks:\n"

ROUTES: Final = {
    "echo template": """\
on_message:
  - WsOp: {command: send, message: "Echo: {{ message }}"}
""",
    "branch on a prefix": """\
on_message:
  - If:
      condition: "{{ message | startsWith('subscribe:') }}"
      then:
        - SetVar: {name: channel, value: "{{ message | split(':') | last }}"}
        - WsOp: {command: send, message: "Subscribed to {{ channel }}"}
      else:
        - WsOp: {command: send, message: "Invalid"}
""",
    "game score": """\
on_connect:
  - SetVar: {name: score, value: 0}
  - SetVar: {name: player_id, value: "{{ connection_id }}"}
on_message:
  - SetVar: {name: score, value: "{{ score + 1 }}"}
  - WsOp: {command: send, message: "Score: {{ score }}"}
  - WsOp: {command: broadcast, message: "{{ player_id }} scored! Total: {{ score }}"}
""",
    "long expression": """\
on_connect:
  - SetVar: {name: a, value: 7}
  - SetVar: {name: b, value: 3}
  - SetVar: {name: c, value: 9}
  - SetVar: {name: d, value: 9}
  - SetVar: {name: e, value: false}
  - SetVar: {name: name, value: "  Ada Lovelace "}
on_message:
  - Return:
      value: "{{ (a + b * c) / 2 > 10 && (d % 3 == 0 || !e) ? upper(name) : name | trim | lower }}"
""",
    "while loop": """\
on_message:
  - SetVar: {name: total, value: 0}
  - SetVar: {name: i, value: 0}
  - While:
      condition: "{{ i < 100 }}"
      body:
        - If:
            condition: "{{ i % 3 == 0 }}"
            then:
              - SetVar: {name: total, value: "{{ total + i }}"}
        - SetVar: {name: i, value: "{{ i + 1 }}"}
  - Return: {value: "{{ total }}"}
""",
    "loop over a list": """\
on_connect:
  - SetVar: {name: items, value: "{{ range(0, 100) }}"}
on_message:
  - SetVar: {name: total, value: 0}
  - Loop:
      collection: "{{ items }}"
      var: x
      body:
        - If:
            condition: "{{ x % 3 == 0 }}"
            then:
              - SetVar: {name: total, value: "{{ total + x }}"}
  - Return: {value: "{{ total }}"}
""",
}
MESSAGE: Final = {name: "subscribe:news:sport" if "prefix" in name else "hello world" for name in ROUTES}
"""What each workload is sent."""


def source_of(name: str) -> str:
    """The route file of a workload."""
    return HEAD + "".join(f"  {line}\n" for line in ROUTES[name].splitlines())


def floor_echo(inputs: Any, slots: Any, emit: Any) -> Any:
    made = "Echo: " + inputs[1]
    if len(made) > SHORT:
        bounded(made)
    emit("send", made, False)


def floor_branch(inputs: Any, slots: Any, emit: Any) -> Any:
    message = inputs[1]
    if message.startswith("subscribe:"):
        made = "Subscribed to " + message.rpartition(":")[2]
        if len(made) > SHORT:
            bounded(made)
        emit("send", made, False)
    else:
        emit("send", "Invalid", False)


def floor_game(inputs: Any, slots: Any, emit: Any) -> Any:
    score = slots[0]
    if score.__class__ is int:
        score = score + 1
        if not -SAFE <= score <= SAFE:
            score = normalised(score)
        slots[0] = score
        shown = str(score) if -SAFE <= score <= SAFE else text(score)
    else:
        if score is UNSET:
            raise unset_variable("score")
        slots[0] = score = normalised(add(score, 1))
        shown = text(score)
    made = "Score: " + shown
    if len(made) > SHORT:
        bounded(made)
    emit("send", made, False)
    player = slots[1]
    if player.__class__ is not str:
        if player is UNSET:
            raise unset_variable("player_id")
        player = text(player)
    made = f"{player} scored! Total: {shown}"
    if len(made) > SHORT:
        bounded(made)
    emit("broadcast", made, False, False)


def floor_expression(inputs: Any, slots: Any, emit: Any) -> Any:
    a, b, c, d, e, name = slots
    if a.__class__ is int and b.__class__ is int and c.__class__ is int and -SAFE <= (bc := b * c) <= SAFE:
        chosen = (a + bc) / 2 > 10
    else:
        chosen = greater(divide(add(given(a, "a"), multiply(given(b, "b"), given(c, "c"))), 2), 10)
    if chosen:
        chosen = d % 3 == 0 if d.__class__ is int else remainder(given(d, "d"), 3) == 0
        if not chosen:
            chosen = not truthy(given(e, "e"))
    if name.__class__ is not str:
        name = to_text(given(name, "name"))
    made = name.upper() if chosen else name.strip().lower()
    if len(made) > SHORT:
        bounded(made)
    return made


def given(value: Any, name: str) -> Any:
    """A variable's value. Raises Fault where it is not set."""
    if value is UNSET:
        raise unset_variable(name)
    return value


def to_text(value: Any) -> str:
    """The text that a function of texts takes. Raises Fault type-error."""
    checked = check_argument(FUNCTIONS["upper"], 0, value)
    assert isinstance(checked, str)
    return checked


def floor_while(inputs: Any, slots: Any, emit: Any) -> Any:
    total = 0
    i = 0
    while i < 100:
        if i % 3 == 0:
            total += i
        i += 1
    return total


def floor_each(inputs: Any, slots: Any, emit: Any) -> Any:
    items = slots[0]
    if items is UNSET:
        raise unset_variable("items")
    total: Any = 0
    for x in items if items.__class__ is list else items_of(items):
        if x.__class__ is int:
            if x % 3 == 0:
                total = total + x if total.__class__ is int else add(total, x)
        elif remainder(x, 3) == 0:
            total = add(total, x)
    return normalised(total)


def naive_echo(inputs: Any, slots: Any, emit: Any) -> Any:
    emit("send", f"Echo: {inputs[1]}", False)


def naive_branch(inputs: Any, slots: Any, emit: Any) -> Any:
    message = inputs[1]
    if message.startswith("subscribe:"):
        emit("send", f"Subscribed to {message.split(':')[-1]}", False)
    else:
        emit("send", "Invalid", False)


def naive_game(inputs: Any, slots: Any, emit: Any) -> Any:
    slots[0] = score = slots[0] + 1
    emit("send", f"Score: {score}", False)
    emit("broadcast", f"{slots[1]} scored! Total: {score}", False, False)


def naive_expression(inputs: Any, slots: Any, emit: Any) -> Any:
    a, b, c, d, e, name = slots
    return name.upper() if (a + b * c) / 2 > 10 and (d % 3 == 0 or not e) else name.strip().lower()


def naive_each(inputs: Any, slots: Any, emit: Any) -> Any:
    total = 0
    for x in slots[0]:
        if x % 3 == 0:
            total += x
    return total


Run = Callable[[Any, Any, Any], Any]
FLOORS: Final[dict[str, Run]] = dict(
    zip(ROUTES, (floor_echo, floor_branch, floor_game, floor_expression, floor_while, floor_each), strict=True)
)
NAIVE: Final[dict[str, Run]] = dict(
    zip(ROUTES, (naive_echo, naive_branch, naive_game, naive_expression, floor_while, naive_each), strict=True)
)
