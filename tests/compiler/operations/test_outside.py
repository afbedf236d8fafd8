"""Sleep, RedisOp and HttpRequest."""

from __future__ import annotations

import pytest

from tests.compiler.checking import in_hook, instructions, shown


def test_sleep() -> None:
    assert instructions("- Sleep: {ms: 10}") == ["CONST 10", "EMIT sleep", "DROP"]
    assert instructions("- Sleep: {duration_ms: '{{ message }}'}") == ["INPUT", "EMIT sleep", "DROP"]


def test_redis() -> None:
    assert instructions("- RedisOp: {command: GET, key: a}") == [
        "CONST 'GET'",
        "CONST 'a'",
        "NULL",
        "NULL",
        "EMIT redis",
        "SET_LOCAL",
    ]
    found = instructions("- RedisOp: {command: SET, key: a, value: [1], ttl_seconds: 5}")
    assert found[2:6] == ["CONST 1", "LIST", "CONST 5", "EMIT redis"]
    assert instructions("- RedisOp: {command: SET, key: a, value: null}")[2] == "NULL"


def test_http() -> None:
    assert instructions("- http: {url: 'http://a'}") == [
        "CONST 'GET'",
        "CONST 'http://a'",
        "NULL",
        "NULL",
        "CONST 5000",
        "EMIT http",
        "SET_LOCAL",
    ]
    assert instructions("- http: {url: 'http://a', method: POST, timeout_ms: '10'}")[::4] == [
        "CONST 'POST'",
        "CONST '10'",
    ]


def test_the_result_has_a_name_without_being_asked() -> None:
    asks = "- RedisOp: {command: GET, key: a}\n- http: {url: 'http://a'}\n"
    assert shown(in_hook(asks + "- Log: {message: '{{ redis_result }}{{ http_response.status }}'}")) == []


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        ("Sleep: {ms: soon}", ["wrong-type @ soon"]),
        ("Sleep: {ms: -5}", ["bad-value @ -5"]),
        ("Sleep: {ms: 1.5}", ["wrong-type @ 1.5"]),
        ("Sleep: {ms: true}", ["wrong-type @ true"]),
        ("Sleep: {ms: [1]}", ["wrong-type @ [1]"]),
        ("Sleep: {ms: '100'}", []),
        ("Sleep: {ms: 60000}", []),
        ("Sleep: {ms: 60001}", ["hook-timeout @ 60001"]),
        ("Sleep: {}", ["missing-key @ Sleep"]),
        ("Sleep: {ms: 1, duration_ms: 2}", ["duplicate-field @ duration_ms"]),
        ("RedisOp: {command: get, key: a}", ["bad-value @ get"]),
        ("RedisOp: {command: PUT, key: a, value: 1}", ["bad-value @ PUT"]),
        ("RedisOp: {command: SET, key: a}", ["missing-key @ RedisOp"]),
        ("RedisOp: {command: EXPIRE, key: a}", ["missing-key @ RedisOp"]),
        ("RedisOp: {command: EXPIRE, key: a, ttl_seconds: -1}", ["bad-value @ -1"]),
        ("RedisOp: {command: GET}", ["missing-key @ RedisOp"]),
        ("RedisOp: {command: GET, key: a, value: 1}", ["useless-key @ value"]),
        ("RedisOp: {command: INCR, key: a, ttl_seconds: 1}", ["useless-key @ ttl_seconds"]),
        ("RedisOp: {command: GET, key: 5}", ["wrong-type @ 5"]),
        ("HttpRequest: {}", ["missing-key @ HttpRequest"]),
        ("HttpRequest: {url: 'http://a', method: get}", ["bad-value @ get"]),
        ("HttpRequest: {url: 'http://a', headers: x}", ["wrong-type @ x"]),
        ("HttpRequest: {url: 'http://a', headers: '{{ query }}'}", []),
        ("HttpRequest: {url: 'http://a', headers: {A: '{{ message }}'}}", []),
        ("HttpRequest: {url: 'http://a', timeout_ms: soon}", ["wrong-type @ soon"]),
        ("HttpRequest: {uri: 'http://a'}", ["unknown-key @ uri"]),
    ],
)
def test_fields(operation: str, findings: list[str]) -> None:
    assert shown(in_hook(f"- {operation}")) == findings
