from __future__ import annotations

import pytest

from runtime.transport.http import encode_response, header_lines, not_found, unavailable, version_required
from runtime.transport.seam import HttpResponse, refusal


def test_an_answer_is_whole() -> None:
    lines = encode_response(HttpResponse(200, b"hello")).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert b"Connection: close" in lines
    assert b"Content-Length: 5" in lines
    assert lines[-2:] == [b"", b"hello"]


def test_head_keeps_the_length_and_leaves_the_body() -> None:
    answer = encode_response(HttpResponse(200, b"hello"), without_body=True)
    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("response", "line"),
    [
        (not_found(), b"HTTP/1.1 404 Not Found\r\n"),
        (version_required(), b"HTTP/1.1 426 Upgrade Required\r\n"),
        (unavailable(3), b"HTTP/1.1 503 Service Unavailable\r\n"),
        (refusal(499, "odd"), b"HTTP/1.1 499 Unknown\r\n"),
    ],
)
def test_status_lines(response: HttpResponse, line: bytes) -> None:
    assert encode_response(response).startswith(line)


@pytest.mark.parametrize("name_and_value", [("X", "a\r\nb"), ("X", "a\nb"), ("X:", "a"), ("", "a"), ("X", "\u20ac")])
def test_headers_that_are_none(name_and_value: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        header_lines((name_and_value,))


@pytest.mark.parametrize("status", [0, 101, 199, 600])
def test_a_status_that_ends_nothing(status: int) -> None:
    with pytest.raises(ValueError):
        encode_response(HttpResponse(status))
