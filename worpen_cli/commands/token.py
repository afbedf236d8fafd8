"""`worpen token`: a token for development, signed as a route expects it."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import ExitCode, Stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.services.tokens import Key

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d{1,9})([smhd]?)")


def parse_duration(_: click.Context, param: click.Parameter, written: str) -> int:
    """`90s`, `15m`, `1h`, `7d` or seconds. Raises BadParameter."""
    match = _DURATION.fullmatch(written)
    if match is None:
        raise click.BadParameter("a duration is a number with s, m, h or d", param=param)
    return int(match[1]) * _SECONDS[match[2] or "s"]


def parse_claim(written: str) -> tuple[str, Any]:
    """`role=admin`, `level=3`: a value that reads as JSON is that, any other a text. Raises Stop."""
    name, equals, value = written.partition("=")
    if not equals or not name:
        raise Stop(f"--claim {written}: a claim is set by `--claim name=value`")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def jwt_of(path: str, invocation: Invocation) -> Mapping[str, Any]:
    """What the first route with `auth` of a route file expects of tokens. Raises Stop."""
    from compiler.pipeline import check_source
    from worpen_cli.files import read_inputs

    (file, *_) = read_inputs([path])
    for route in check_source(file.name, file.raw, invocation.project.settings()).routes:
        auth = route.options.get("auth")
        if isinstance(auth, dict) and isinstance(jwt := auth.get("jwt"), dict):
            return jwt
    raise Stop(f"{path}: no route in it has `auth`")


def signing_key(jwt: Mapping[str, Any], file: str | None) -> Key:
    """The key to sign with: a private key's file, or the secret that the route names. Raises Stop."""
    from runtime.services.tokens import KeyTrouble, read_key, secret_key

    try:
        if file is not None:
            return read_key(Path(file))
        if "secret_env" not in jwt:
            raise Stop("the route checks tokens with a public key", help="give the private one: --key FILE")
        variable = str(jwt["secret_env"])
        return secret_key(os.environ.get(variable, ""), variable)
    except KeyTrouble as trouble:
        raise Stop(str(trouble)) from None


@click.command(
    "token",
    cls=Command,
    short_help="Make a token for a route with `auth`.",
    examples=(
        ("worpen token chat.yaml --sub ann", "signed with the secret that the route names"),
        ("worpen token chat.yaml --sub ann --claim role=admin --expires 15m", "with a claim of its own"),
        ("worpen token chat.yaml --sub ann --key private.pem", "for a route with a public key"),
    ),
)
@click.argument("route", type=click.Path())
@click.option("--sub", required=True, metavar="TEXT", help="Who the token is about: the claim `sub`.")
@click.option("--claim", "claims", metavar="NAME=VALUE", multiple=True, help="A further claim; repeatable.")
@click.option(
    "--expires", default="1h", show_default=True, callback=parse_duration, help="After how long: 90s, 15m, 1h, 7d.",
)  # fmt: skip
@click.option("--key", type=click.Path(), help="A private key in PEM form.")
@pass_invocation
def command(
    invocation: Invocation, route: str, sub: str, claims: tuple[str, ...], expires: int, key: str | None
) -> int:
    """Print a token that a route accepts, with the audience and issuer it asks for. For development: in production
    tokens come from whoever knows the users."""
    from runtime.services.tokens import KeyTrouble, mint

    jwt = jwt_of(route, invocation)
    now = int(time.time())
    content: dict[str, Any] = {"sub": sub, "iat": now, "exp": now + expires}
    content |= {claim: jwt[name] for name, claim in (("audience", "aud"), ("issuer", "iss")) if name in jwt}
    content |= dict(map(parse_claim, claims))
    try:
        token = mint(signing_key(jwt, key), content)
    except KeyTrouble as trouble:
        raise Stop(str(trouble)) from None
    invocation.console.print_line(token)
    invocation.console.talk(f"for development; it expires in {expires} s")
    return ExitCode.FINE
