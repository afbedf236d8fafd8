"""Flow: what is set where, what can be reached, what loops and choices are about (language section 4)."""

from __future__ import annotations

import json

import pytest

from tests.compiler.routes import compiled, found, found_in, route, shown


def log(expression: str) -> str:
    return f"{{Log: {{message: {json.dumps(f'{{{{ {expression} }}}}')}}}}}"


SET = "{SetVar: {name: x, value: 1}}"
SET_LIST = "{SetVar: {name: x, value: [1]}}"
READ = log("x")
IF = "{If: {condition: \"message == 'a'\", then: [%s]}}"
IF_CONNECTED = '{If: {condition: "query.a == null", then: [%s]}}'
IF_ELSE = "{If: {condition: \"message == 'a'\", then: [%s], else: [%s]}}"
LOOP = '{Loop: {collection: [1, "{{ 2 }}"], body: [%s]}}'
WHILE = "{While: {condition: \"message != 'z'\", body: [%s]}}"
SWITCH = "{Switch: {value: '{{ message }}', cases: [{value: a, operations: [{Return: {}}]}]%s}}"
FOREVER = "{While: {condition: true, body: [%s]}}"
TRY = "{Try: {operations: [%s], catch: [%s]}}"
FINALLY = "{Try: {operations: [%s], finally: [%s]}}"
THREE = "{Try: {operations: [%s], catch: [%s], finally: [%s]}}"
LEAVE_IF = IF % "{Return: {}}"
RISK = "{WsOp: {command: broadcast, message: m}}"


def in_message(*operations: str) -> list[str]:
    """The findings about variables that are not set, in an on_message of these operations."""
    return [line for line in found_in("\n".join(f"- {operation}" for operation in operations)) if line[:4] in FLOW]


FLOW = ("W401", "W405", "W411", "W421")
FINE: list[str] = []
MAYBE = ["W405 x"]


@pytest.mark.parametrize(
    ("operations", "findings"),
    [
        ([SET, READ], FINE),
        ([READ], ["W401 x"]),
        ([READ, SET], MAYBE),  # an earlier run may have set it
        ([IF % SET, READ], MAYBE),
        ([IF % SET, READ, READ], MAYBE),
        ([IF_ELSE % (SET, SET), READ], FINE),
        ([IF_ELSE % (SET, "{Return: {}}"), READ], FINE),
        ([IF_ELSE % ("{Return: {}}", SET), READ], FINE),
        ([IF_ELSE % (SET, "{Log: {message: m}}"), READ], MAYBE),
        ([IF_ELSE % (SET, READ)], MAYBE),
        ([LEAVE_IF, SET, READ], FINE),
        # loops may run no round at all
        ([LOOP % SET, READ], MAYBE),
        ([WHILE % SET, READ], MAYBE),
        ([LOOP % f"{SET}, {READ}"], FINE),
        ([LOOP % f"{READ}, {SET}"], MAYBE),
        ([LOOP % f"{IF % '{Continue: {}}'}, {SET}, {READ}"], FINE),
        ([LOOP % f"{IF % '{Break: {}}'}, {SET}", READ], MAYBE),
        ([SET, LOOP % READ, READ], FINE),
        # but one that only a Break leaves
        ([FOREVER % f"{SET}, {IF % '{Break: {}}'}", READ], FINE),
        ([FOREVER % f"{IF % '{Break: {}}'}, {SET}", READ], MAYBE),
        ([FOREVER % f"{IF_ELSE % (SET + ', {Break: {}}', '{Return: {}}')}", READ], FINE),
        # faults are no paths
        ([TRY % (SET, "{Log: {message: m}}"), READ], FINE),
        ([TRY % (f"{RISK}, {SET}", READ)], FINE),
        ([TRY % (f"{SET}, {{Throw: {{message: m}}}}", READ)], FINE),
        ([TRY % (IF % SET, "{Log: {message: m}}"), READ], MAYBE),
        ([TRY % ("{Throw: {message: m}}", SET), READ], FINE),
        ([TRY % (f"{LEAVE_IF}, {{Throw: {{message: m}}}}", SET), READ], FINE),
        ([TRY % (RISK, SET), READ], MAYBE),
        ([TRY % (SET, "{Return: {}}"), READ], FINE),
        ([TRY % (RISK, IF % SET), READ], MAYBE),
        ([FINALLY % (SET, READ)], FINE),
        ([FINALLY % (f"{LEAVE_IF}, {SET}", READ)], MAYBE),
        ([FINALLY % (f"{SET}, {LEAVE_IF}", READ)], FINE),
        ([FINALLY % (f"{SET}, {{Return: {{}}}}", READ)], FINE),
        ([FINALLY % (RISK, SET), READ], FINE),
        ([THREE % (RISK, SET, READ)], MAYBE),
        ([THREE % (SET, SET, READ), READ], FINE),
        ([THREE % ("{Throw: {message: m}}", SET, READ), READ], FINE),
        ([THREE % (SET, "{Return: {}}", READ), READ], FINE),
        ([FINALLY % (f"{RISK}, {{Throw: {{message: m}}}}", SET), READ], FINE),
        ([LOOP % (FINALLY % (f"{IF % '{Break: {}}'}, {SET}", READ))], MAYBE),
        ([FOREVER % (FINALLY % ("{Break: {}}", SET)), READ], FINE),
        ([TRY % (IF_ELSE % (f"{SET}, {{Throw: {{message: m}}}}", "{Throw: {message: m}}"), READ)], MAYBE),
        ([TRY % (IF % SET, READ)], MAYBE),
        # reading on the left of a default says nothing, never to be set does
        ([log("x ?? 1")], ["W421 x"]),
        ([log("x.a | default(1)")], ["W421 x"]),
        ([log("default(x, 1)")], ["W421 x"]),
        ([IF % SET, log("x ?? 1"), log("x")], MAYBE),
        ([log("x ?? 1"), SET], FINE),
        ([log("x + 1 ?? 1"), SET], MAYBE),
        # what sets nothing of the hook's
        (['{Loop: {collection: [1], var: x, body: [{Log: {message: m}}]}}', READ], ["W401 x"]),
        (['{Loop: {collection: [1], var: x, body: [' + SET + ']}}', READ], ["W401 x"]),
        (['{Loop: {collection: [1], index_var: x, body: [' + READ + ']}}'], FINE),
        (['{Loop: {collection: "x", var: x, body: [' + READ + ']}}'], ["W401 x"]),
    ],
)  # fmt: skip
def test_a_variable_is_set_on_every_path_to_where_it_is_read(operations: list[str], findings: list[str]) -> None:
    assert in_message(*operations) == findings


def connecting(*operations: str) -> str:
    return "\n".join(f"- {operation}" for operation in operations)


@pytest.mark.parametrize(
    ("hooks", "findings"),
    [
        ({"on_connect": [SET], "on_message": [READ], "on_disconnect": [READ]}, []),
        ({"on_auth": [SET], "on_connect": [READ], "on_message": [READ]}, []),
        ({"on_connect": [READ, SET]}, ["W411 x"]),
        ({"on_connect": [READ, READ, SET]}, ["W411 x"]),
        ({"on_connect": [READ], "on_message": [SET]}, ["W411 x"]),
        ({"on_connect": [READ, SET], "on_message": [SET]}, ["W411 x"]),
        ({"on_message": [READ], "on_disconnect": [SET]}, ["W411 x"]),
        ({"on_message": [SET], "on_disconnect": [READ]}, ["W405 x"]),
        ({"on_message": [SET], "on_disconnect": [READ, SET]}, ["W405 x"]),
        ({"on_disconnect": [READ, SET]}, ["W411 x"]),
        ({"on_connect": [IF_CONNECTED % SET], "on_message": [READ]}, ["W405 x"]),
        ({"on_connect": [IF_CONNECTED % "{Return: {}}", SET], "on_message": [READ]}, ["W405 x"]),
        ({"on_connect": [IF_CONNECTED % "{Throw: {message: m}}", SET], "on_message": [READ]}, []),
        ({"on_connect": [SET, "{Throw: {message: m}}"], "on_message": [READ]}, []),
        ({"on_connect": [SET, IF_CONNECTED % "{Return: {}}"], "on_message": [READ]}, []),
        ({"on_connect": [FINALLY % ("{Return: {}}", SET)], "on_message": [READ]}, []),
        ({"on_connect": [FINALLY % (IF_CONNECTED % "{Return: {}}", SET)], "on_message": [READ]}, []),
        ({"on_connect": [FINALLY % ("{Return: {}}", SET + ", {Return: {}}")], "on_message": [READ]}, []),
        ({"on_connect": [FINALLY % (IF_CONNECTED % "{Return: {}}", RISK), SET], "on_message": [READ]}, MAYBE),
        ({"on_connect": [f"{{If: {{condition: \"query.a == 'b'\", then: [{SET}], else: [{READ}]}}}}"]}, ["W411 x"]),
        ({"on_connect": [IF_CONNECTED % f"{SET}, {{Return: {{}}}}", READ]}, ["W411 x"]),
        ({"on_connect": [LOOP % f"{READ}, {SET}"]}, ["W405 x"]),
        ({"on_connect": [IF_CONNECTED % SET], "on_message": [log("x ?? 1")]}, []),
        ({"on_connect": [log("x ?? 1")], "on_message": [SET]}, []),
        ({"on_message": [READ, SET], "on_disconnect": [READ]}, ["W405 x", "W405 x"]),
        ({"on_connect": [IF_CONNECTED % SET], "on_message": [READ, SET], "on_disconnect": [log("x ?? 0")]}, ["W405 x"]),
    ],
)  # fmt: skip
def test_variables_from_hook_to_hook(hooks: dict[str, list[str]], findings: list[str]) -> None:
    texts = {hook: connecting(*operations) for hook, operations in hooks.items()}
    assert [line for line in found(route(**texts)) if line[:4] in FLOW] == findings


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ({"on_connect": [READ, SET]}, "`x` is used here, but set only later: further down"),
        ({"on_connect": [READ], "on_message": [SET]}, "`x` is set only in on_message, which runs after on_connect"),
        (
            {"on_connect": [f"{{If: {{condition: \"query.a == 'b'\", then: [{SET}], else: [{READ}]}}}}"]},
            "`x` is used here, but nothing on the way here sets it",
        ),
    ],
)
def test_why_it_is_too_late(hooks: dict[str, list[str]], message: str) -> None:
    text = route(**{hook: connecting(*operations) for hook, operations in hooks.items()})
    late = [d for d in compiled(text).report.sorted() if d.code.label == "W411"]
    assert [d.message for d in late] == [message]
    assert [text[label.span.start : label.span.end] for label in late[0].labels] == ["x"]


# Unreachable operations.


@pytest.mark.parametrize(
    ("operations", "findings"),
    [
        (["{Return: {}}", RISK], ["W407 WsOp"]),
        (["{Return: {}}", RISK, "{Log: {message: m}}"], ["W407 WsOp"]),
        (["{Throw: {message: m}}", RISK], ["W407 WsOp"]),
        ([LOOP % f"{{Break: {{}}}}, {RISK}"], ["W407 WsOp"]),
        ([LOOP % f"{{Continue: {{}}}}, {RISK}"], ["W407 WsOp"]),
        ([IF_ELSE % ("{Return: {}}", "{Throw: {message: m}}"), RISK], ["W407 WsOp"]),
        ([IF % "{Return: {}}", RISK], []),
        ([TRY % ("{Return: {}}", "{Return: {}}"), RISK], ["W407 WsOp"]),
        ([TRY % ("{Throw: {message: m}}", "{Log: {message: m}}"), RISK], []),
        ([TRY % (RISK, "{Return: {}}"), RISK], []),
        ([FINALLY % (RISK, "{Return: {}}"), RISK], ["W407 WsOp"]),
        ([FINALLY % ("{Return: {}}", RISK), RISK], ["W407 WsOp"]),
        ([SWITCH % "", RISK], []),
        ([SWITCH % ", default: [{Return: {}}]", RISK], ["W407 WsOp"]),
        ([LOOP % "{Return: {}}", RISK], []),
        ([FOREVER % (IF % "{Return: {}}"), RISK], ["W407 WsOp"]),
        ([FOREVER % (IF % "{Break: {}}"), RISK], []),
        (["{Return: {}}", "{Comment: {}}"], ["W407 Comment"]),
        # what can never run is checked all the same, and its own dead ends are its own
        (["{Return: {}}", log("y")], ["W407 Log", "W401 y"]),
        (["{Return: {}}", SET, log("x")], ["W407 SetVar"]),
        (["{Return: {}}", IF % f"{RISK}, {RISK}"], ["W407 If"]),
        (["{Return: {}}", IF % f"{{Return: {{}}}}, {RISK}"], ["W407 If", "W407 WsOp"]),
    ],
)  # fmt: skip
def test_what_can_never_run_is_said_once(operations: list[str], findings: list[str]) -> None:
    assert found_in(connecting(*operations)) == findings


# Conditions.


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        ("{If: {condition: true, then: [%s]}}", ["W408 true"]),
        ('{If: {condition: "1 > 2", then: [%s]}}', ['W408 "1 > 2"']),
        ("{If: {condition: \"message == 'a'\", then: [%s]}}", []),
        ('{If: {condition: "message == \'a\' || true", then: [%s]}}', []),
        ('{While: {condition: false, body: [%s]}}', ["W408 false"]),
        ('{While: {condition: "1 > 2", body: [%s]}}', ['W408 "1 > 2"']),
        ('{While: {condition: true, body: [%s]}}', ["W413 true"]),
        ('{While: {condition: "1 < 2", body: [%s]}}', ['W413 "1 < 2"']),
        ('{While: {condition: "query.a", body: [%s]}}', ['W413 "query.a"']),
        ('{While: {condition: "query.a", body: [{If: {condition: "message", then: [{Break: {}}]}}]}}', []),
        ('{While: {condition: "query.a", body: [{If: {condition: "message", then: [{Return: {}}]}}]}}', []),
        ('{While: {condition: "query.a", body: [{Loop: {collection: [1], body: [{Break: {}}]}}]}}', ['W413 "query.a"']),
        ('{While: {condition: "message", body: [{SetVar: {name: message, value: x}}]}}', []),
        ('{While: {condition: "message", body: [%s]}}', ['W413 "message"']),
        ('{While: {condition: "now() < \'2030\'", body: [%s]}}', []),
        ('{While: {condition: "message | length > random_int(1, 9)", body: [%s]}}', []),
        (LOOP % '{While: {condition: "index < 5", body: [{SetVar: {name: index, value: 9}}]}}', []),
        (LOOP % '{While: {condition: "loop.index < 5", body: [%s]}}', ['W413 "loop.index < 5"']),
    ],
)  # fmt: skip
def test_conditions_that_never_change(operation: str, findings: list[str]) -> None:
    assert found_in(connecting(operation.replace("%s", RISK))) == findings


def test_an_endless_loop_is_said_once() -> None:
    assert found_in(connecting(FOREVER % RISK, RISK)) == ["W413 true"]


# Kinds.


@pytest.mark.parametrize(
    ("hooks", "findings"),
    [
        ({"on_message": ["{SetVar: {name: x, value: [1]}}", log("x - 1")]}, ["W404 x"]),
        ({"on_connect": ["{SetVar: {name: x, value: 0}}"], "on_message": [log("x - 1"), SET_LIST]}, []),
        ({"on_connect": ["{SetVar: {name: x, value: {}}}"], "on_message": [log("x - 1"), SET_LIST]}, ["W404 x"]),
        ({"on_message": [log("x - 1"), SET_LIST]}, ["W404 x", "W405 x"]),
        ({"on_message": ["{SetVar: {name: message, value: [1]}}", log("message.a")]}, ["W404 a"]),
        ({"on_message": [WHILE % (IF % log("message.a") + ", {SetVar: {name: message, value: {}}}")]}, []),
        ({"on_message": ["{SetVar: {name: x, value: '{{ message }}'}}", log("x.a")]}, ["W404 a"]),
        ({"on_message": ["{SetVar: {name: x, value: 'a{{ message }}'}}", log("x * 2")]}, ["W404 x"]),
        ({"on_message": ["{SetVar: {name: x, value: '1{{ message }}'}}", log("x * 2")]}, []),
        ({"on_message": ["{Loop: {collection: [a], body: [" + log("index.a") + "]}}"]}, ["W404 a"]),
        ({"on_message": [LOOP % f"{{SetVar: {{name: index, value: {{}}}}}}, {log('index.a')}"]}, []),
        ({"on_message": ["{Loop: {collection: 'message', body: [" + RISK + "]}}"]}, ["W404 'message'"]),
        ({"on_message": ["{WsOp: {command: send, message: m, output_var: x}}", log("x.a")]}, ["W404 a"]),
        ({"on_message": ["{Try: {operations: [" + RISK + "], catch: [" + log("error.code.a") + "]}}"]}, ["W404 a"]),
    ],
)  # fmt: skip
def test_kinds_follow_from_all_settings(hooks: dict[str, list[str]], findings: list[str]) -> None:
    texts = {hook: connecting(*operations) for hook, operations in hooks.items()}
    assert [line for line in found(route(**texts)) if not line.startswith("W412")] == findings


def test_kinds_that_take_many_walks_to_settle_raise_no_false_alarm() -> None:
    """Each variable is set from the one that is set behind it; the last becomes a list in the end."""
    chain = [f"{{SetVar: {{name: v{n}, value: '{{{{ v{n + 1} ?? null }}}}'}}}}" for n in range(12)]
    start = [f"{{SetVar: {{name: v{n}, value: null}}}}" for n in range(13)]
    text = route(
        on_connect=connecting(*start),
        on_message=connecting(
            log("v0.name ?? 1"), log("(v0 ?? [1]) | first"), *chain, "{SetVar: {name: v12, value: {}}}"
        ),
    )
    assert [shown(d) for d in compiled(text).report.sorted() if d.code.label == "W404"] == []


# Channels.


@pytest.mark.parametrize(
    ("channel", "findings"),
    [
        ("lobby", []),
        ("{{ query.room }}", ['W504 "{{ query.room }}"']),
        ("{{ query.room || 'lobby' }}", []),
        ("{{ query.room ?? 'lobby' }}", []),
        ("{{ query['room'] }}", ["W504 \"{{ query['room'] }}\""]),
        ("{{ params.room }}", []),
        ("room-{{ query.room }}", []),
        ("{{ headers.x_room | default('a') }}", []),
        ("{{ '' }}", ["W610 \"{{ '' }}\""]),
        ("{{ ' ' }}", ["W610 \"{{ ' ' }}\""]),
        ("{{ null }}", ['W610 "{{ null }}"']),
    ],
)
def test_channels_that_may_have_no_name(channel: str, findings: list[str]) -> None:
    hook = f"- WsOp: {{command: broadcast, message: hi, channel: {json.dumps(channel)}}}"
    assert found_in(hook) == findings
    assert found(route("- Log: {message: m}", keys=f"subscribe: [{json.dumps(channel)}]")) == findings


@pytest.mark.parametrize(
    ("expression", "findings"),
    [
        ("query.a", ["W418 query.a"]),
        ("query.a ?? 1", []),
        ("(query.a)", ["W418 (query.a)"]),
        ("headers['x']", ["W418 headers['x']"]),
        ("query.a == null", []),
        ("params.room", []),
    ],
)
def test_texts_that_may_say_null(expression: str, findings: list[str]) -> None:
    assert found_in(connecting(log(expression))) == findings


def test_a_variable_that_may_be_null_is_said_where_it_is_written() -> None:
    setting = "{SetVar: {name: x, value: '{{ query.a }}'}}"
    assert found_in(connecting(setting, READ)) == ["W418 x"]
    assert found_in(connecting(setting, f"{{Loop: {{collection: [1], var: x, body: [{READ}]}}}}")) == []


# How much it takes.


def nested(depth: int, innermost: str) -> str:
    for _ in range(depth):
        innermost = f"{{If: {{condition: \"message == 'a'\", then: [{innermost}], else: [{SET}]}}}}"
    return innermost


def test_nesting_takes_no_time() -> None:
    assert found_in(connecting(nested(62, READ))) == ["W405 x"]


def test_many_variables_take_no_time() -> None:
    settings = [f"{{SetVar: {{name: v{n}, value: '{{{{ message }}}}'}}}}" for n in range(3000)]
    reads = [log(f"v{n}") for n in range(3000)]
    assert found_in(connecting(*settings, *reads)) == []
    assert len(found_in(connecting(*reads, *settings))) == 3000
