"""JSON Web Tokens (RFC 7519): a route's key, and what a token proves. The only importer of joserfc.

Which algorithms count is decided by the route and its key together, never by the token: a public key is no secret, so
that HS256 with one is refused when the key is read, and `none` is no algorithm at all.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from joserfc import jwk, jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
    SecurityWarning,
    UnsupportedAlgorithmError,
)

from compiler.language.faults import Fault
from compiler.language.values import Value, normalised, to_json

Key: TypeAlias = "jwk.OctKey | jwk.RSAKey | jwk.ECKey | jwk.OKPKey"

SECRET_BYTES: Final = 32
"""The least that a shared secret has: the size of HS256's hash (RFC 7518 section 3.2)."""
TOKEN_CHARACTERS: Final = 8 * 1024
"""A longer token is not looked at."""
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "oct": ("HS256", "HS384", "HS512"),
    "RSA": ("RS256", "RS384", "RS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""Algorithms by the type of key; the first counts where a route names none."""
_CURVES: Final[Mapping[str, str]] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_SIGNING_CURVES: Final = frozenset({*_CURVES, "Ed25519", "Ed448"})
_EDWARDS: Final = ("EdDSA", "Ed25519")
"""One algorithm under its old and its new name (RFC 8037, RFC 9864)."""


class KeyTrouble(Exception):
    """A route's key cannot be used; the sentence says why, and never shows the key."""


class BadToken(Exception):
    """A token that proves nothing; the sentence says why, and never shows the token."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a good token says. `expires_at`: seconds since 1970, None where it does not expire."""

    claims: dict[str, Value]
    expires_at: float | None

    @property
    def user(self) -> str:
        """Who it is about: the claim `sub` as text, empty where there is none."""
        subject = self.claims.get("sub")
        return "" if subject is None else str(subject)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A route's key with what its tokens must be."""

    key: Key
    algorithms: tuple[str, ...]
    audience: str | None = None
    issuer: str | None = None
    leeway: float = 0.0

    def verify(self, token: str, now: float) -> Proof:
        """What a token proves at a time in seconds since 1970. Raises BadToken."""
        if len(token) > TOKEN_CHARACTERS:
            raise BadToken("the token is too long")
        try:
            with _unwarned():
                claims = jwt.decode(token, self.key, algorithms=list(self.algorithms)).claims
            self._registry(now).validate(claims)
        except JoseError as error:
            raise BadToken(_sentence_of(error)) from None
        except (ValueError, TypeError, RecursionError, OverflowError):
            raise BadToken("the token is malformed") from None
        return _proof(claims, self.leeway)

    def _registry(self, now: float) -> jwt.JWTClaimsRegistry:
        wanted: dict[str, Any] = {}
        if self.audience is not None:
            wanted["aud"] = {"essential": True, "value": self.audience}
        if self.issuer is not None:
            wanted["iss"] = {"essential": True, "value": self.issuer}
        return jwt.JWTClaimsRegistry(now=lambda: int(now), leeway=int(self.leeway), **wanted)


def _proof(claims: Mapping[str, Any], leeway: float) -> Proof:
    expiry = claims.get("exp")
    try:
        values = cast("dict[str, Value]", _normal(dict(claims)))
        to_json(values).encode()  # no halves of surrogate pairs, and not without end
    except (Fault, RecursionError, UnicodeEncodeError):
        raise BadToken("the token's claims are out of bounds") from None
    return Proof(values, None if expiry is None else float(expiry) + leeway)


def _normal(value: Any) -> Value:
    if isinstance(value, dict):
        return {str(key): _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return normalised(value)


def _sentence_of(error: JoseError) -> str:
    match error:
        case ExpiredTokenError():
            return "the token has expired"
        case MissingClaimError() | InvalidClaimError():
            return f"the token's claim `{error.claim}` is not as it must be"
        case BadSignatureError():
            return "the token's signature is wrong"
        case UnsupportedAlgorithmError():
            return "the token's algorithm is not accepted"
        case _:
            return "the token is malformed"


@contextmanager
def _unwarned() -> Iterator[None]:
    """Without the library's warnings: which keys and algorithms are good enough is decided here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield


# A route's key.


def verifier_of(
    options: Mapping[str, Any], environment: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Verifier | None:
    """The verifier that a route's options ask for; None where they ask for none. Raises KeyTrouble.

    `folder` is where a key file's relative path begins: the working folder by default.
    """
    asked = options.get("auth")
    if not isinstance(asked, Mapping):
        return None
    settings = asked["jwt"]
    key = _key_of(settings, environment, folder or Path())
    return Verifier(
        key,
        _algorithms_of(settings.get("algorithms"), key),
        settings.get("audience"),
        settings.get("issuer"),
        float(settings.get("leeway", 0)),
    )


def _key_of(settings: Mapping[str, Any], environment: Mapping[str, str], folder: Path) -> Key:
    if (variable := settings.get("secret_env")) is not None:
        return secret_key(environment.get(str(variable), ""), str(variable))
    key = read_key(path := folder / str(settings["public_key_file"]))
    if key.is_private:
        raise KeyTrouble(f"the key file {path} holds a private key; a server that checks tokens needs the public one")
    return key


def secret_key(secret: str, variable: str) -> Key:
    """The key of a shared secret that this variable of the environment holds. Raises KeyTrouble."""
    if not secret:
        raise KeyTrouble(f"the environment variable {variable} is not set, and holds the secret of `auth`")
    if len(secret.encode("utf-8", "surrogateescape")) < SECRET_BYTES:
        raise KeyTrouble(f"the secret in {variable} is shorter than {SECRET_BYTES} bytes")
    try:
        return jwk.OctKey.import_key(secret.encode("utf-8", "surrogateescape"))
    except (JoseError, ValueError):
        raise KeyTrouble(f"{variable} holds a public key, and that is no secret") from None


def read_key(path: Path) -> Key:
    """The RSA, EC or Ed25519 key in a file, as PEM or as a JWK. Raises KeyTrouble."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise KeyTrouble(f"the key file {path} cannot be read: {error.strerror}") from None
    if raw.lstrip().startswith(b"{"):
        raw = _parse_jwk(raw)
    for load in (jwk.RSAKey.import_key, jwk.ECKey.import_key, jwk.OKPKey.import_key):
        try:
            with _unwarned():
                key = cast("Key", load(raw))
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        if not isinstance(key, jwk.ECKey | jwk.OKPKey) or key.curve_name in _SIGNING_CURVES:
            return key
    raise KeyTrouble(f"the key file {path} holds no RSA, EC or Ed25519 key as PEM or JWK")


def _parse_jwk(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _family_of(key: Key) -> tuple[str, ...]:
    """The algorithms that fit a key, the usual one first: of an EC key its curve decides."""
    if isinstance(key, jwk.ECKey):
        return (_CURVES.get(key.curve_name, ""),)
    return _FAMILIES[key.key_type]


def _algorithms_of(asked: Sequence[str] | None, key: Key) -> tuple[str, ...]:
    family = _family_of(key)
    chosen = tuple(asked) if asked else family[:1]
    if stray := [name for name in chosen if name not in family]:
        kind = "a shared secret" if key.key_type == "oct" else f"this {key.key_type} key"
        raise KeyTrouble(f"{', '.join(stray)} cannot be checked with {kind}; it takes {' or '.join(family)}")
    return tuple(name for chosen_one in chosen for name in (_EDWARDS if chosen_one == "EdDSA" else (chosen_one,)))


# Tokens for development.


def mint(key: Key, claims: Mapping[str, Any]) -> str:
    """A token with these claims, signed with a secret or a private key. Raises KeyTrouble for a public key."""
    algorithm = _family_of(key)[0]
    if not key.is_private:
        raise KeyTrouble("a token is signed with the private key, and this is a public one")
    with _unwarned():
        return jwt.encode({"alg": algorithm}, dict(claims), key, algorithms=[algorithm])
