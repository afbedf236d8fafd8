"""Functions between text and its encodings."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from compiler.language.values import Value
from tests.compiler.language.functions.calls import fault, run


@pytest.mark.parametrize(
    ("name", "argument", "result"),
    [
        ("url_encode", "a/b?c=d&é~._-", "a%2Fb%3Fc%3Dd%26%C3%A9~._-"),
        ("url_decode", "%C3%A9%2b+", "é+ "),
        ("url_decode", "é", "é"),
        ("html_escape", '<a href="x">it\'s & more</a>', "&lt;a href=&quot;x&quot;&gt;it&#x27;s &amp; more&lt;/a&gt;"),
        ("html_unescape", "&lt;&amp;lt;&#x27;&#39;&eacute;&unknown;", "<&lt;''é&unknown;"),
        ("base64_encode", "é", "w6k="),
        ("base64_encode", "", ""),
        ("base64_decode", "w6k=", "é"),
        ("base64_decode", "", ""),
        ("md5", "", "d41d8cd98f00b204e9800998ecf8427e"),
        ("md5", "é", "66ddcd97cfdeabb2f6fb8a999b4bc76f"),
        ("sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("json_stringify", 'a"b', '"a\\"b"'),
        ("json_stringify", None, "null"),
        ("to_json", {"b": 2.0, "a": "é"}, '{"b":2,"a":"é"}'),
        ("json_pretty", [], "[]"),
        ("json_pretty", {"a": {"b": []}}, '{\n  "a": {\n    "b": []\n  }\n}'),
        ("json_parse", '"{\\"a\\": 1}"', '{"a": 1}'),
    ],
)
def test_results(name: str, argument: Value, result: Value) -> None:
    assert run(name, argument) == result


@pytest.mark.parametrize(
    ("name", "argument", "kind"),
    [
        ("url_encode", "é" * 200_000, codes.TOO_LARGE),
        ("url_decode", "%", codes.BAD_ARGUMENT),
        ("url_decode", "%g0", codes.BAD_ARGUMENT),
        ("url_decode", "%ff", codes.BAD_ARGUMENT),
        ("html_escape", "'" * 200_000, codes.TOO_LARGE),
        ("html_unescape", "&#" + "1" * 5_000 + ";", codes.BAD_ARGUMENT),
        ("base64_encode", "x" * 900_000, codes.TOO_LARGE),
        ("base64_decode", "!!", codes.BAD_ARGUMENT),
        ("base64_decode", "w6k", codes.BAD_ARGUMENT),
        ("base64_decode", "w6k=w6k=", codes.BAD_ARGUMENT),
        ("base64_decode", "w6k =", codes.BAD_ARGUMENT),
        ("base64_decode", "é", codes.BAD_ARGUMENT),
        ("base64_decode", "/w==", codes.BAD_ARGUMENT),
        ("json_stringify", ["x" * 1_048_576], codes.TOO_LARGE),
        ("json_parse", "nope", codes.BAD_ARGUMENT),
        ("json_parse", {"a": 1}, codes.TYPE_ERROR),
        ("sha256", "\ud800", codes.BAD_ARGUMENT),
    ],
)
def test_faults(name: str, argument: Value, kind: object) -> None:
    assert fault(name, argument) is kind


def test_a_keyed_digest() -> None:
    """The second test case of RFC 4231."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert run("hmac_sha256", "what do ya want for nothing?", "Jefe") == digest
