"""Functions between text and its encodings: addresses, HTML, base64, digests, JSON."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from compiler.language.functions.arguments import refuse, utf8
from compiler.language.functions.json_text import parse_json
from compiler.language.functions.registry import function
from compiler.language.values import Value, check_size, to_json

_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HTML_ESCAPES: Final = {"&": 4, "<": 3, ">": 3, '"': 5, "'": 5}
"""How much longer each of these characters gets."""


@function("encoding", examples=[("'hello world@test.com' | url_encode", "hello%20world%40test.com")])
def url_encode(text: str) -> str:
    """Ready for an address: all but letters, digits and `-_.~` as `%` and two digits."""
    encoded = utf8(text)
    check_size(len(encoded) + 2 * len(encoded.translate(None, _UNRESERVED)))
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(encoded, safe="")


@function("encoding", examples=[("'a%20b+c' | url_decode", "a b c")])
def url_decode(text: str) -> str:
    """What an encoded part of an address stands for; `+` is a blank. Escapes that are not UTF-8 are an error."""
    if (broken := _BROKEN_ESCAPE.search(text)) is not None:
        raise refuse(f"`url_decode` needs two hexadecimal digits after the `%` at place {broken.start()}", text)
    from urllib.parse import unquote_to_bytes

    try:
        return unquote_to_bytes(utf8(text.replace("+", " "))).decode()
    except UnicodeDecodeError:
        raise refuse("the text that `url_decode` makes is not UTF-8", text) from None


@function("encoding", aliases=["escape"], examples=[("'<b>' | html_escape", "&lt;b&gt;")])
def html_escape(text: str) -> str:
    """Ready for HTML: `&`, `<`, `>` and both quotes as character references."""
    check_size(len(text) + sum(text.count(character) * growth for character, growth in _HTML_ESCAPES.items()))
    import html

    return html.escape(text, quote=True)


@function("encoding", examples=[("'&lt;b&gt; &eacute;' | html_unescape", "<b> é")])
def html_unescape(text: str) -> str:
    """What text of an HTML page stands for: character references become characters."""
    import html

    try:
        return html.unescape(text)
    except ValueError:
        raise refuse("a character reference has too many digits", text) from None


@function("encoding", examples=[("'Hello World' | base64_encode", "SGVsbG8gV29ybGQ=")])
def base64_encode(text: str) -> str:
    """The text's UTF-8 bytes as base64."""
    encoded = utf8(text)
    check_size((len(encoded) + 2) // 3 * 4)
    return base64.b64encode(encoded).decode("ascii")


@function("encoding", examples=[("'SGVsbG8gV29ybGQ=' | base64_decode", "Hello World")])
def base64_decode(text: str) -> str:
    """The text that base64 stands for. Anything but complete base64 of UTF-8 text is an error."""
    try:
        return binascii.a2b_base64(text, strict_mode=True).decode()
    except UnicodeDecodeError:
        raise refuse("the bytes that `base64_decode` makes are not UTF-8 text", text) from None
    except ValueError:
        raise refuse("`base64_decode` takes base64, and this is not", text) from None


@function("encoding", examples=[("'test' | md5", "098f6bcd4621d373cade4e832627b4f6")])
def md5(text: str) -> str:
    """The MD5 digest in hexadecimal digits. Fit for cache keys; for anything secret use `sha256` or `hmac_sha256`."""
    import hashlib

    return hashlib.md5(utf8(text), usedforsecurity=False).hexdigest()


@function("encoding", examples=[("'abc' | sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")])
def sha256(text: str) -> str:
    """The SHA-256 digest in hexadecimal digits."""
    import hashlib

    return hashlib.sha256(utf8(text)).hexdigest()


@function(
    "encoding",
    examples=[("'hello' | hmac_sha256('key')", "9307b3b915efb5171ff14d8cb55fbcc798c6c0ef1456d66ded1a6aa723a58b7b")],
)
def hmac_sha256(text: str, key: str) -> str:
    """The HMAC-SHA-256 of the text under a key, in hexadecimal digits."""
    import hmac

    return hmac.new(utf8(key), utf8(text), "sha256").hexdigest()


@function("encoding", examples=[('json_parse(\'{"n": 1.0, "list": [true, null]}\')', {"n": 1, "list": [True, None]})])
def json_parse(text: str) -> Value:
    """The value that JSON text stands for. Anything but one complete JSON value is an error."""
    return parse_json(text)


@function("encoding", aliases=["to_json"], examples=[("{a: [1, 'é']} | json_stringify", '{"a":[1,"é"]}')])
def json_stringify(value: Value) -> str:
    """The value as compact JSON, keys in their order."""
    return to_json(value)


@function("encoding", examples=[("{a: [1]} | json_pretty", '{\n  "a": [\n    1\n  ]\n}')])
def json_pretty(value: Value) -> str:
    """The value as JSON over several lines, 2 blanks for each level."""
    return to_json(value, indent=2)
