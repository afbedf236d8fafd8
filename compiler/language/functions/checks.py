"""Functions that check whether a text is an e-mail address or a web address."""

from __future__ import annotations

import re
from typing import Final

from compiler.language.functions.arguments import refuse
from compiler.language.functions.registry import function

_ADDRESS_LENGTH: Final = 254
_LOCAL_LENGTH: Final = 64
_HOST_LENGTH: Final = 253
_LOCAL_PART: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL: Final = re.compile(r"[^\W_](?:[^\W_]|-)*")
_URL: Final = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[^\s/?#@\\]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\\\[\]]+)(?::(?P<port>[0-9]{1,5}))?(?:[/?#][^\s\x00-\x1f\x7f]*)?"
)


@function("checks", examples=[("'user@example.com' | is_email", True), ("'a@b' | is_email", False)])
def is_email(text: str) -> bool:
    """Whether the text is one e-mail address, with a dot in its domain."""
    local, at, domain = text.rpartition("@")
    return (
        bool(at)
        and len(text) <= _ADDRESS_LENGTH
        and len(local) <= _LOCAL_LENGTH
        and _LOCAL_PART.fullmatch(local) is not None
        and "." in domain
        and _is_host_name(domain)
    )


@function("checks", examples=[("'https://example.com/a?b=1' | is_url", True), ("'ftp://x' | is_url", False)])
def is_url(text: str) -> bool:
    """Whether the text is one complete web address: `http` or `https`, and a host."""
    match = _URL.fullmatch(text)
    if match is None or int(match["port"] or 0) > 65535:
        return False
    host = match["host"]
    return _is_ipv6(host[1:-1]) if host.startswith("[") else _is_host_name(host.removesuffix("."))


@function("checks", examples=[("'ann@example.com' | email_username", "ann")])
def email_username(text: str) -> str:
    """The part of an e-mail address before the `@`. A text that is no address is an error."""
    return _parts(text, "email_username")[0]


@function("checks", examples=[("'ann@example.com' | email_domain", "example.com")])
def email_domain(text: str) -> str:
    """The part of an e-mail address after the `@`. A text that is no address is an error."""
    return _parts(text, "email_domain")[1]


def _parts(text: str, name: str) -> tuple[str, str]:
    if not is_email(text):
        raise refuse(f"`{name}` takes an e-mail address, and this is none", text)
    local, _, domain = text.rpartition("@")
    return local, domain


def _is_host_name(host: str) -> bool:
    """Labels of letters (of any script), digits and inner `-`, with dots between them."""
    return len(host) <= _HOST_LENGTH and all(
        len(label) <= 63 and _LABEL.fullmatch(label) and not label.endswith("-") for label in host.split(".")
    )


def _is_ipv6(address: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address  # rarely needed

    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True
