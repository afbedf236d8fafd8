"""Names: inputs, variables, loops and errors, and what is advised where there is no such name."""

from __future__ import annotations

import json

import pytest

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.language.values import Kind
from tests.compiler.routes import compiled, found_in, route

AUTH = "auth: {jwt: {secret_env: S, algorithms: [HS256]}}"


def log(expression: str) -> str:
    return f"- Log: {{message: {json.dumps(f'{{{{ {expression} }}}}')}}}"


def first(text: str) -> Diagnostic:
    return next(d for d in compiled(text).report.sorted() if d.code.label != "W412")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("message", []),
        ("connection_id + route + remote_addr + message_type", []),
        ("params.room", []),
        ("params['room']", []),
        ("params.rom", ["W409 rom"]),
        ("params['rom']", ["W409 'rom'"]),
        ("params.rom ?? 1", ["W409 rom"]),
        ("query.anything == headers.anything", []),
        ("close_code", ["W410 close_code"]),
        ("close_code ?? 1", []),
        ("user.name", ["W417 user"]),
        ("user?.name ?? 1", ["W417 user"]),
        ("user == null", []),
        ("loop.index", ["W410 loop"]),
        ("error", ["W410 error"]),
        ("loop.index ?? 1", ["W421 loop"]),
        ("mesage", ["W401 mesage"]),
        ("mesage ?? 1", ["W421 mesage"]),
        ("message.a", ["W404 a"]),
        ("query.a.b", ["W404 b"]),
        ("connection_id * 2", []),
    ],
)
def test_what_a_name_can_mean_in_on_message(expression: str, found: list[str]) -> None:
    assert found_in(log(expression)) == found


@pytest.mark.parametrize(
    ("hook", "names"),
    [
        ("on_auth", {"message": "W410", "message_type": "W410", "close_code": "W410", "params": "", "user": ""}),
        ("on_connect", {"message": "W410", "message_type": "W410", "close_reason": "W410", "headers": ""}),
        ("on_disconnect", {"message": "W410", "close_code": "", "close_reason": "", "connection_id": ""}),
    ],
)
def test_each_hook_sees_its_own(hook: str, names: dict[str, str]) -> None:
    for name, code in names.items():
        assert [line[:4] for line in found_in(**{hook: log(f"{name} == 1")})] == ([code] if code else [])


def test_claims_are_known_with_auth() -> None:
    assert compiled(route(log("user.name.first"), keys=AUTH)).report.diagnostics == []


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ("- Loop: {collection: [1], body: [{Log: {message: '{{ item }}{{ index }}{{ loop.counter }}'}}]}", []),
        ("- Loop: {collection: [1], body: [{Log: {message: '{{ loop.count }}'}}]}", ["W401 count"]),
        ("- Loop: {collection: [1], body: [{Log: {message: \"{{ loop['count'] }}\"}}]}", ["W401 'count'"]),
        ("- Loop: {collection: [1], var: x, body: [{Log: {message: '{{ item }}'}}]}", ["W401 item"]),
        ("- Loop: {collection: [1], var: query, body: [{Log: {message: a}}]}", ["W406 query"]),
        ("- Loop: {collection: [1], body: [{Log: {message: '{{ loop.is_first + 1 }}'}}]}", ["W404 loop.is_first"]),
        ("- Loop: {collection: [1], body: [{Log: {message: '{{ index * loop.total }}'}}]}", []),
        ("- Try: {operations: [], catch: [{Log: {message: '{{ error }}{{ error.line + 1 }}'}}]}", []),
        ("- Try: {operations: [], catch: [{Log: {message: '{{ error.text }}'}}]}", ["W401 text"]),
        ("- Try: {operations: [{Log: {message: '{{ error }}'}}], catch: []}", ["W410 error"]),
        ("- Try: {operations: [], catch: [], finally: [{Log: {message: '{{ error }}'}}]}", ["W410 error"]),
        ("- SetVar: {name: sum, value: 1}\n- Log: {message: '{{ sum + sum([1]) }}'}", []),
    ],
)  # fmt: skip
def test_loops_and_catch_blocks_have_their_names(operations: str, found: list[str]) -> None:
    assert [line for line in found_in(operations) if line[:4] != "W210"] == found


@pytest.mark.parametrize(
    ("expression", "label", "help"),
    [
        ("mesage", "did you mean `message`?", ""),
        ("plyer", "did you mean `player`?", ""),
        ("xyzzy", "", ""),
        ("upper", "", "`upper` is a function: write `upper(…)` or `… | upper`"),
        ("query.user-id", "", "a key with a hyphen needs brackets: `query['user-id']`"),
        ("params.rom", "did you mean `room`?", "the path's parameters: room"),
        ("loop_index", "", ""),
    ],
)
def test_advice(expression: str, label: str, help: str) -> None:
    diagnostic = first(route(log(expression), on_connect="- SetVar: {name: player, value: 1}"))
    assert (diagnostic.label, diagnostic.help) == (label, help)


def test_the_similar_name_is_shown_where_it_is_set() -> None:
    text = route(log("plyer"), on_connect="- SetVar: {name: player, value: 1}")
    (label,) = first(text).labels
    assert (text[label.span.start : label.span.end], label.text) == (
        "player",
        "a similar name is set here, in on_connect",
    )


def test_only_names_of_this_hook_are_advised() -> None:
    assert first(route(on_connect=log("mesage"))).label == ""


def test_a_path_without_parameters() -> None:
    help = first(route(log("params.room"), path="/ws/a")).help
    assert help == "a value after `?` in the address is `query.room`"


@pytest.mark.parametrize(
    ("operation", "kinds"),
    [
        ("SetVar: {name: v, value: 1}", Kind.NUMBER),
        ("SetVar: {name: v, value: text}", Kind.TEXT),
        ("SetVar: {name: v, value: [1]}", Kind.LIST),
        ("SetVar: {name: v, value: {a: 1}}", Kind.OBJECT),
        ("SetVar: {name: v, value: null}", Kind.NULL),
        ("SetVar: {name: v, value: '{{ query.a }}'}", Kind.TEXT | Kind.NULL),
        ("SetVar: {name: v, value: '{{ params.room | json_parse }}'}", Kind.ANY),
        ("WsOp: {command: subscribe, channel: a, output_var: v}", Kind.NUMBER),
        (
            "If: {condition: route, then: [set: {var: v, value: 1}], else: [set: {var: v, value: a}]}",
            Kind.TEXT | Kind.NUMBER,
        ),
    ],
)  # fmt: skip
def test_slots_have_the_kinds_of_all_settings(operation: str, kinds: Kind) -> None:
    program = compiled(route(log("v"), on_connect=f"- {operation}")).program
    assert program is not None
    assert [slot.kinds for slot in program.routes[0].slots] == [kinds]


def test_kinds_depend_on_each_other_to_the_end() -> None:
    chain = "\n".join(f"- SetVar: {{name: v{n}, value: '{{{{ v{n + 1} }}}}'}}" for n in range(20))
    start = "\n".join(f"- SetVar: {{name: v{n}, value: 0}}" for n in range(21))
    hook = f"{log('v0')}\n{chain}\n- SetVar: {{name: v20, value: [1]}}"
    program = compiled(route(hook, on_connect=start)).program
    assert program is not None
    assert {slot.name: slot.kinds & Kind.LIST for slot in program.routes[0].slots}["v0"]


def test_a_broken_route_has_no_consequences() -> None:
    broken = "- SetVar: {nam: x, value: 1}\n- Log: {message: '{{ x }}'}"
    assert found_in(broken) == ["W203 nam"]
    assert found_in("- Lop: {message: x, output_var: y}\n- Log: {message: '{{ y }}'}") == ["W206 Lop"]
