"""WsOp, Log and Return."""

from __future__ import annotations

import pytest

from compiler.language.values import Value
from compiler.operations.messages import is_base64
from tests.compiler.checking import check, in_hook, instructions, shown


@pytest.mark.parametrize(
    ("fields", "effect"),
    [
        ("command: send, message: hi", ["CONST 'hi'", "FALSE", "EMIT send"]),
        ("command: send, message: aGk=, binary: true", ["CONST 'aGk='", "TRUE", "EMIT send"]),
        (
            "command: send, message: hi, to: '{{ query.to }}'",
            ["CONST 'hi'", "FALSE", "INPUT", "MEMBER 'to'", "TEXT", "EMIT send_to"],
        ),
        ("command: broadcast, message: hi", ["CONST 'hi'", "FALSE", "FALSE", "EMIT broadcast"]),
        ("command: broadcast, message: hi, exclude_self: true", ["CONST 'hi'", "FALSE", "TRUE", "EMIT broadcast"]),
        ("command: broadcast, message: hi, channel: a", ["CONST 'hi'", "FALSE", "FALSE", "CONST 'a'", "EMIT publish"]),
        ("command: subscribe, channel: a", ["CONST 'a'", "EMIT subscribe"]),
        ("command: subscribe, channel: '{{ message }}'", ["INPUT", "CHANNEL", "EMIT subscribe"]),
        ("command: unsubscribe, channel: a", ["CONST 'a'", "EMIT unsubscribe"]),
        ("command: close", ["CONST 1000", "CONST ''", "EMIT close"]),
        ("command: close, code: 4000, reason: bye", ["CONST 4000", "CONST 'bye'", "EMIT close"]),
    ],
)
def test_commands(fields: str, effect: list[str]) -> None:
    assert instructions(f"- WsOp: {{{fields}}}") == [*effect, "DROP"]


def test_the_result_in_a_variable() -> None:
    found = instructions(
        "- WsOp: {command: broadcast, message: hi, output_var: heard}\n- Log: {message: '{{ heard }}'}"
    )
    assert found[4] == "SET_LOCAL"


def test_with_a_codec_a_message_is_any_value() -> None:
    route = "- WsOp: {command: send, message: {a: ['{{ message.x }}', null]}}"
    assert instructions(route, more="codec: json\n")[-4:] == ["OBJECT", "FALSE", "EMIT send", "DROP"]
    assert shown(in_hook(route)) == ["wrong-type @ {a: ['{{ message.x }}', null]}"]
    null = "- WsOp: {command: send, message: null}"
    assert instructions(null, more="codec: json\n") == ["NULL", "FALSE", "EMIT send", "DROP"]
    assert shown(in_hook(null)) == ["wrong-type @ null"]


@pytest.mark.parametrize(
    ("fields", "findings"),
    [
        ("command: send", ["missing-key @ WsOp"]),
        ("command: broadcast, channel: a", ["missing-key @ WsOp"]),
        ("command: subscribe", ["missing-key @ WsOp"]),
        ("message: hi", ["missing-key @ WsOp"]),
        ("command: publish, message: hi", ["bad-value @ publish"]),
        ("command: '{{ message }}', message: hi", ["bad-value @ '{{ message }}'"]),
        ("command: send, message: 5", ["wrong-type @ 5"]),
        ("command: send, message: [a]", ["wrong-type @ [a]"]),
        ("command: broadcast, message: hi, channel: 5", ["wrong-type @ 5"]),
        ("command: broadcast, message: hi, channel: ''", ["empty-channel @ ''"]),
        ("command: broadcast, message: hi, chanel: a", ["unknown-key @ chanel"]),
        ("command: send, message: hi, channel: a", ["useless-key @ channel"]),
        (
            "command: send, message: hi, exclude_self: true, code: 1000",
            ["useless-key @ exclude_self", "useless-key @ code"],
        ),
        ("command: broadcast, message: hi, to: a", ["useless-key @ to"]),
        ("command: subscribe, channel: a, message: hi", ["useless-key @ message"]),
        ("command: close, message: hi", ["useless-key @ message"]),
        ("command: close, code: 999", ["bad-value @ 999"]),
        ("command: close, code: 1001", ["bad-value @ 1001"]),
        ("command: close, code: 2999", ["bad-value @ 2999"]),
        ("command: close, code: 3000", []),
        ("command: close, code: 4999", []),
        ("command: close, code: 5000", ["bad-value @ 5000"]),
        ("command: close, code: '1000'", ["wrong-type @ '1000'"]),
        (f"command: close, reason: {'é' * 61}", []),
        (f"command: close, reason: {'é' * 62}", [f"bad-value @ {'é' * 62}"]),
        ("command: send, message: 'no base64', binary: true", ["send-refused @ 'no base64'"]),
        ("command: send, message: '{{ message }}', binary: true", []),
        ("command: send, message: hi, binary: yes", ["wrong-type @ yes"]),
        ("command: send, message: hi, channel: null, to: null, binary: null", []),
    ],
)
def test_fields(fields: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- WsOp: {{{fields}}}")) == findings


def test_what_is_sent_nowhere_in_a_binary_frame_of_a_codec() -> None:
    for message, findings in (("[1]", ["send-refused @ [1]"]), ("5", ["send-refused @ 5"]), ("aGk=", [])):
        route = in_hook(f"- WsOp: {{command: send, message: {message}, binary: true}}", more="codec: json\n")
        assert shown(route) == findings


def test_a_useless_key_names_the_command_that_uses_it() -> None:
    (found,) = check(in_hook("- WsOp: {command: send, message: hi, channel: a}"))
    assert "broadcast" in found.help


def test_not_before_the_handshake() -> None:
    assert shown(in_hook("- WsOp: {command: send, message: hi}", "on_auth")) == ["misplaced-operation @ WsOp"]


def test_log() -> None:
    assert instructions("- Log: {message: hi}") == ["CONST 'info'", "CONST 'hi'", "EMIT log", "DROP"]
    assert instructions("- Log: {message: hi, level: error}")[0] == "CONST 'error'"
    assert shown(in_hook("- Log: {message: hi, level: warning}")) == ["bad-value @ warning"]


def test_return() -> None:
    assert instructions("- Return: {}") == ["NULL", "RETURN"]
    assert instructions("- Return:") == ["NULL", "RETURN"]
    assert instructions("- Return: {value: null}") == ["NULL", "RETURN"]
    assert instructions("- Return: {value: [a, '{{ message }}']}") == ["CONST 'a'", "INPUT", "LIST", "RETURN"]
    assert shown(in_hook("- Return: {message: hi}")) == ["unknown-key @ message"]


@pytest.mark.parametrize(
    ("value", "fits"), [("aGk=", True), ("", True), ("aGk", False), ("a b=", False), (5, False), (None, False)]
)
def test_base64(value: Value, fits: bool) -> None:
    assert is_base64(value) is fits
