"""The straight line: a file's bytes in, a verified program out, or findings."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from compiler.bytecode.codec import decode, encode
from compiler.bytecode.verifier import verify
from compiler.pipeline import Settings, build_program, check_source, check_together, compile_source
from tests.compiler.routes import compiled, found, route, shown

T = TypeVar("T")
GOOD = route("- WsOp: {command: send, message: 'Echo: {{ message }}'}")
BAD = route("- WsOp: {command: send, message: '{{ mesage }}'}")


def test_a_good_file_becomes_a_program() -> None:
    compilation = compile_source("dir/route.yaml", GOOD.encode(), Settings())
    program = compilation.program
    assert program is not None
    verify(program)
    assert decode(encode(program)) == program
    assert (program.source_name, program.source_hash) == ("route.yaml", hashlib.sha256(GOOD.encode()).hexdigest())
    assert [r.name.value for r in compilation.routes] == ["Test"]
    assert compilation.hooks == 1


def test_a_bad_file_becomes_findings() -> None:
    compilation = compile_source("route.yaml", BAD.encode(), Settings())
    assert compilation.program is None
    assert [shown(d) for d in compilation.report.diagnostics] == ["W401 mesage"]


def test_checking_finds_the_same_and_makes_nothing() -> None:
    assert check_source("route.yaml", GOOD.encode(), Settings()).program is None
    checked = check_source("route.yaml", BAD.encode(), Settings()).report
    assert checked.diagnostics == compile_source("route.yaml", BAD.encode(), Settings()).report.diagnostics


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (b"", ["W109"]),
        (b"# only a comment\n", ["W109"]),
        (b"\xff\xfe\x00", ["W101"]),
        (b"a: [", ["W102"]),
        (b"- 1", ["W201"]),
        (b"a: &a [*a]", ["W108"]),
    ],
)
def test_what_is_no_route_at_all(raw: bytes, codes: list[str]) -> None:
    compilation = compile_source("route.yaml", raw, Settings())
    assert compilation.program is None
    assert [d.code.label for d in compilation.report.diagnostics] == codes


def test_several_routes_of_one_file_share_a_program() -> None:
    text = GOOD + "---\n" + GOOD.replace("Test", "Other").replace("/ws/test", "/ws/other")
    program = compiled(text).program
    assert program is not None
    assert [r.path for r in program.routes] == ["/ws/test/:room", "/ws/other/:room"]
    assert list(program.constants).count("Echo: ") == 1


def test_routes_of_one_file_must_not_clash() -> None:
    text = GOOD + "---\n" + GOOD.replace("Test", "Other")
    assert found(text) == ["W501 /ws/test/:room"]
    assert compile_source("r.yaml", text.encode(), Settings()).program is None
    checked = check_source("r.yaml", text.encode(), Settings())
    assert checked.report.diagnostics == []
    assert [shown(d) for d in check_together([checked], Settings()).diagnostics] == ["W501 /ws/test/:room"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- WsOp: {command: send, message: a}", "- ws_op: {message: a, command: send}"),
        ("- SetVar: {name: x, value: 1}", "- set: {var: x, value: 1}"),
        ("- Log: {message: a}", "- Log: {message: a, level: info}\n- Comment: {text: why}"),
        (
            "- If: {condition: message, then: [], else: []}",
            "- if: {condition: '{{ message }}', then: [], otherwise: []}",
        ),
        (
            "- Log: {message: '{{ message | startsWith(\"a\") }}'}",
            "- Log: {message: \"{{ starts_with(message, 'a') }}\"}",
        ),
        ("- Log: {message: '{{ (1 + 2) }}'}", "- Log: {message: '{{1+2}}'}"),
        ("- Log: {message: '{{ message ?? 1 }}'}", "- Log: {message: '{{ message | default(1) }}'}"),
        ("- Loop: {collection: [1], body: []}", "- for_each: {collection: [1], do: [], as: item}"),
        ("- Sleep: {ms: 5}", "- Sleep: {duration_ms: 5}"),
    ],
)
def test_spellings_make_no_difference(one: str, other: str) -> None:
    first, second = compiled(route(one)).program, compiled(route(other)).program
    assert first is not None
    assert first == second


def test_equal_files_give_equal_bytes_wherever_they_are() -> None:
    programs = [compile_source(name, GOOD.encode(), Settings()).program for name in ("a/r.yaml", "b\\r.yaml", "r.yaml")]
    assert len({encode(program) for program in programs if program is not None}) == 1


def test_an_ignored_error_still_leaves_no_program() -> None:
    text = BAD.replace("mesage }}'}", "mesage }}'} # worpen: ignore[unknown-variable] later")
    checked = check_source("r.yaml", text.encode(), Settings())
    assert (checked.report.diagnostics, len(checked.silenced)) == ([], 1)
    assert compile_source("r.yaml", text.encode(), Settings()).program is None


def test_programs_are_built_from_analyses() -> None:
    checked = check_source("r.yaml", GOOD.encode(), Settings())
    assert build_program(checked.source, GOOD.encode(), checked.analyses) == compiled(GOOD).program


@pytest.mark.parametrize("name", ["examples", "../shared/conformance/routes"])
def test_real_routes(name: str, project: Path) -> None:
    folder = project / name
    files = [file for file in sorted(folder.glob("*.yaml")) if ".test." not in file.name]
    if not files:
        pytest.skip(f"no routes at {folder}")
    for file in files:
        compilation = compile_source(file.name, file.read_bytes(), Settings())
        assert compilation.program is not None, file


# Numbers and texts that a file can hold, and a program cannot hold as they are.


def returning(value: str) -> str:
    """A route as JSON, whose hook returns a value that is written like this."""
    head = '{"name": "a", "path": "/a", "route_type": "ws", "ws_hooks": {"on_message": [{"Return": {"value": '
    return head + value + "}}]}}"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("123456789012345678901234567890", 123456789012345677877719597056),
        ("-0", 0),
        ("-0.0", 0),
        ("1.0", 1),
        ("1e3", 1000),
        ("0.1", 0.1),
        ("9007199254740993", 9007199254740992),
        ('"{{ 9007199254740993 }}"', 9007199254740992),
        ('"\\u0000"', "\0"),
    ],
)
@pytest.mark.parametrize("name", ["r.yaml", "r.json"])
def test_constants_are_in_normal_form(value: str, kept: object, name: str) -> None:
    program = compile_source(name, returning(f"[{value}]").encode(), Settings()).program
    assert program is not None
    assert repr(program.constants) == repr((kept,))


@pytest.mark.parametrize("value", ["1e999", "-1e999", '"\\ud800"'])
def test_what_is_no_value_is_a_finding(value: str) -> None:
    compilation = compile_source("r.json", returning(value).encode(), Settings())
    assert compilation.program is None
    assert compilation.report.has_errors


# Limits: as deep as the language allows, called from anywhere.


def below(frames: int, call: Callable[[], T]) -> T:
    """The result of a call with so many frames of the host under it."""
    return below(frames - 1, call) if frames else call()


def nested(depth: int, innermost: object) -> object:
    """Operations in operations: 15 loops and tries, the rest choices."""
    operation = innermost
    for level in range(depth):
        kind = level % 3 if level < 15 else 3
        operation = (
            {"Loop": {"collection": [1], "body": [operation]}},
            {"Try": {"operations": [operation], "catch": [{"Comment": {}}]}},
            {"While": {"condition": "message == 'a'", "body": [operation, {"Break": {}}]}},
            {"If": {"condition": "message == 'a'", "then": [operation]}},
        )[kind]
    return operation


EXPRESSIONS = {
    "lists": "[" * 199 + "message" + "]" * 199,
    "choices": "message ? 1 : (" * 199 + "1" + ")" * 199,
    "a chain of choices": "message ? 1 : " * 200 + "2",
    "a sum": "1" + " + message" * 1000,
    "filters": "message" + " | upper" * 200,
    "calls": "upper(" * 199 + "message" + ")" * 199,
    "members": "message" + ".a" * 1000,
}


VALUES: dict[str, object] = {name: "{{ " + expression + " }}" for name, expression in EXPRESSIONS.items()}
VALUES["a value"] = json.loads("[" * 99 + '{"a": ' * 100 + "1" + "}" * 100 + "]" * 99)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_the_deepest_routes_compile_far_down_the_stack(value: object) -> None:
    operation = nested(62, {"SetVar": {"name": "x", "value": value}})
    document = {"name": "T", "path": "/t", "route_type": "ws", "codec": "json", "ws_hooks": {"on_message": [operation]}}
    raw = json.dumps(document).encode()
    compilation = below(300, lambda: compile_source("r.json", raw, Settings()))
    assert compilation.program is not None, [shown(d) for d in compilation.report.sorted()]


@pytest.mark.parametrize(
    "line",
    [
        "- Log: {message: '{{ message | upper }}'}",
        "- set: {var: v%d, value: '{{ v%d ?? 1 }}'}",
        "- Log: {message: '{{ wrong%d }}'}",
        "- Log: {message: 'سلام {{ message }} %d'}",
        "- Log: {message: '{{ range(0, 9999) }}'}",
        "- Log: {message: '{{ message | nope%d }}'}",
        "- Loop: {collection: [1], body: [{Log: {message: '{{ item }}'}}]}",
        "- WsOp: {command: broadcast, message: m, channel: 'c%d{{ params.room }}'}",
    ],
)
def test_work_grows_with_size_alone(line: str) -> None:
    """Four times the text is about four times the work, not sixteen times."""
    small, large = (work(route("\n".join(numbered(line, n) for n in range(count)))) for count in (150, 600))
    assert large < 5 * small


def numbered(line: str, number: int) -> str:
    return line.replace("%d", str(number + 1), 1).replace("%d", str(number + 2))


def work(text: str) -> int:
    """How many functions are called to compile a route."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        compile_source("route.yaml", text.encode(), Settings())
    finally:
        sys.setprofile(before)
    return calls
