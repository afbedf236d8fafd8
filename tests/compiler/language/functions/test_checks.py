"""Addresses."""

from __future__ import annotations

import pytest

from compiler.diagnostics import codes
from tests.compiler.language.functions.calls import fault, run

GOOD_EMAILS = ["user@example.com", "a.b+tag@sub.example.co.uk", "x_1%y@a-b.org", "jürgen@bücher.de", "1@2.io"]
BAD_EMAILS = [
    *("", "nope", "a@b", "@example.com", "user@", "a@@b.co", "a b@c.de", " a@b.co", "a@b.co ", "a@b.co\n", "a@b..co"),
    *("a@.co", "a@b.", ".a@b.co", "a.@b.co", "a..b@c.de", "a@-b.co", "a@b-.co", "a@b_c.de", "a,b@c.de", "<a@b.co>"),
    *("x" * 65 + "@b.co", "a@" + "b" * 64 + ".co", "a@" + "b." * 130 + "co", "a@b.co@c.de", "a\x00@b.co"),
]
GOOD_URLS = [
    *("http://a", "https://example.com", "HTTPS://EXAMPLE.COM/", "http://localhost:3000/ws?x=1#y", "http://127.0.0.1"),
    *(
        "https://user:pass@example.com:8443/a%20b",
        "http://[::1]:80/",
        "https://bücher.de/ü",
        "https://a.b./",
        "http://a?b",
    ),
]
BAD_URLS = [
    *(
        "",
        "example.com",
        "ftp://x",
        "ws://x",
        "http:",
        "http://",
        "https:///path",
        "http://a b",
        "http://a/b c",
        " http://a",
    ),
    *(
        "http://a\n",
        "http://a..b",
        "http://-a",
        "http://a:",
        "http://a:99999",
        "http://a:x",
        "http://[::g]",
        "http://[::1",
    ),
    *("http://a\x00b/", "http://a/\x00", "http\u017f://a", "http://a\\b", "//a", "javascript:alert(1)", "http://?x"),
]


@pytest.mark.parametrize("text", GOOD_EMAILS)
def test_email(text: str) -> None:
    assert run("is_email", text) is True
    assert f"{run('email_username', text)}@{run('email_domain', text)}" == text


@pytest.mark.parametrize("text", BAD_EMAILS)
def test_no_email(text: str) -> None:
    assert run("is_email", text) is False
    assert fault("email_username", text) is codes.BAD_ARGUMENT
    assert fault("email_domain", text) is codes.BAD_ARGUMENT


@pytest.mark.parametrize("text", GOOD_URLS)
def test_url(text: str) -> None:
    assert run("is_url", text) is True


@pytest.mark.parametrize("text", BAD_URLS)
def test_no_url(text: str) -> None:
    assert run("is_url", text) is False


@pytest.mark.parametrize("name", ["is_email", "is_url", "email_domain"])
def test_texts_only(name: str) -> None:
    assert fault(name, None) is codes.TYPE_ERROR
    assert fault(name, 5) is codes.TYPE_ERROR
