"""What tokens prove, and what they cannot."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jws, jwt

from runtime.services.tokens import BadToken, KeyTrouble, Verifier, mint, read_key, secret_key, verifier_of
from tests.canary import CANARY

NOW = 1_800_000_000.0
SECRET = f"{CANARY}-" + "s" * 32
ENVIRONMENT = {"KEY": SECRET, "SHORT": "short"}


def options(**jwt_settings: Any) -> dict[str, Any]:
    return {"auth": {"jwt": {"secret_env": "KEY", **jwt_settings}}}


def verifier(**jwt_settings: Any) -> Verifier:
    made = verifier_of(options(**jwt_settings), ENVIRONMENT)
    assert made is not None
    return made


def token(**claims: Any) -> str:
    return mint(secret_key(SECRET, "KEY"), claims)


def test_a_good_token_gives_its_claims() -> None:
    proof = verifier().verify(token(sub="ann", role="admin", exp=int(NOW) + 60, level=2.0), NOW)
    assert proof.claims == {"sub": "ann", "role": "admin", "exp": int(NOW) + 60, "level": 2}
    assert (proof.user, proof.expires_at) == ("ann", NOW + 60)


@pytest.mark.parametrize(
    ("settings", "claims", "said"),
    [
        ({}, {"exp": int(NOW) - 1}, "the token has expired"),
        ({}, {"nbf": int(NOW) + 60}, "nbf"),
        ({}, {"exp": "soon"}, "exp"),
        ({"audience": "chat"}, {"aud": "mail"}, "`aud`"),
        ({"audience": "chat"}, {}, "`aud`"),
        ({"issuer": "me"}, {"iss": "you"}, "`iss`"),
    ],
)
def test_claims_that_are_not_as_they_must_be(settings: dict[str, Any], claims: dict[str, Any], said: str) -> None:
    with pytest.raises(BadToken) as bad:
        verifier(**settings).verify(token(**claims), NOW)
    assert said in str(bad.value) or "not valid yet" in str(bad.value)


def test_audiences_in_a_list_and_clocks_that_differ() -> None:
    assert verifier(audience="chat").verify(token(aud=["mail", "chat"]), NOW).expires_at is None
    late = token(exp=int(NOW) - 20)
    assert verifier(leeway=30).verify(late, NOW).expires_at == NOW + 10
    with pytest.raises(BadToken):
        verifier(leeway=10).verify(late, NOW)


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join(parts) + "."


def test_forgeries_are_refused() -> None:
    good = token(sub="ann")
    head, body, signature = good.split(".")
    forged = [
        unsigned({"alg": "none"}, {"sub": "root"}),
        unsigned({"alg": "HS256"}, {"sub": "root"}),
        f"{head}.{unsigned({}, {'sub': 'root'}).split('.')[1]}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        mint(secret_key("t" * 32, "OTHER"), {"sub": "ann"}),
        "", ".", "..", "a.b.c", "a" * 20_000, "\x00", "é.é.é", good + ".x",
    ]  # fmt: skip
    for bad in forged:
        with pytest.raises(BadToken) as refused:
            verifier().verify(bad, NOW)
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_public_keys(kind: str, tmp_path: Path) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "RSA": lambda: jwk.RSAKey.generate_key(2048),
        "EC": lambda: jwk.ECKey.generate_key("P-256"),
        "OKP": lambda: jwk.OKPKey.generate_key("Ed25519"),
    }
    private = makers[kind]()
    public = tmp_path / "public.pem"
    public.write_bytes(private.as_pem(private=False))
    asked = {"auth": {"jwt": {"public_key_file": "public.pem"}}}
    made = verifier_of(asked, {}, tmp_path)
    assert made is not None
    assert made.verify(mint(private, {"sub": "ann"}), NOW).user == "ann"
    # The old trick: the public key's text as the secret of an HMAC.
    signed = unsigned({"alg": "HS256"}, {"sub": "root"}).rstrip(".")
    digest = hmac.digest(public.read_bytes(), signed.encode(), "sha256")
    confused = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    with pytest.raises(BadToken):
        made.verify(confused, NOW)
    with pytest.raises(KeyTrouble, match="HS256 cannot be checked"):
        verifier_of({"auth": {"jwt": {"public_key_file": "public.pem", "algorithms": ["HS256"]}}}, {}, tmp_path)
    with pytest.raises(KeyTrouble, match="public one"):
        mint(read_key(public), {})


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
def test_a_jwk_counts_and_a_private_key_does_not(kind: str, tmp_path: Path) -> None:
    private: Any = jwk.generate_key(kind, {"RSA": 2048, "EC": "P-384", "OKP": "Ed25519"}[kind])  # type: ignore[call-overload]
    (tmp_path / "public.json").write_text(json.dumps(private.as_dict(private=False)))
    (tmp_path / "private.json").write_text(json.dumps(private.as_dict(private=True)))
    made = verifier_of({"auth": {"jwt": {"public_key_file": "public.json"}}}, {}, tmp_path)
    assert made is not None
    assert made.verify(mint(read_key(tmp_path / "private.json"), {"sub": "ann"}), NOW).user == "ann"
    with pytest.raises(KeyTrouble, match="private key"):
        verifier_of({"auth": {"jwt": {"public_key_file": "private.json"}}}, {}, tmp_path)


def test_a_public_key_is_no_secret() -> None:
    public = jwk.RSAKey.generate_key(2048).as_pem(private=False).decode()
    with pytest.raises(KeyTrouble, match="no secret"):
        verifier_of(options(), {"KEY": public})


@pytest.mark.parametrize("curve", ["secp256k1", "X25519"])
def test_a_curve_that_signs_nothing_here(curve: str, tmp_path: Path) -> None:
    maker: Any = jwk.OKPKey if curve == "X25519" else jwk.ECKey
    (tmp_path / "public.pem").write_bytes(maker.generate_key(curve).as_pem(private=False))
    with pytest.raises(KeyTrouble, match="holds no RSA"):
        verifier_of({"auth": {"jwt": {"public_key_file": "public.pem"}}}, {}, tmp_path)


HEADERS = (
    b'{"alg":"none"}', b'{"alg":"NONE"}', b'{"alg":"HS512"}', b'{"alg":[1]}', b'{"alg":null}', b"{}", b"[]", b"1",
    b"null", b"\xff", b"[" * 9000, b'{"alg":"HS256","crit":["x"],"x":1}', b'{"alg":"HS256","crit":1}',
    b'{"alg":"HS256","b64":false,"crit":["b64"]}', b'{"alg":"RS256"}',
)  # fmt: skip
PAYLOADS = (
    b"", b"[]", b"1", b"null", b"{", b'{"a":NaN}', b"\xff", b"[" * 5000, b'{"exp":null}', b'{"exp":true}',
    b'{"exp":1e400}', b'{"exp":[]}', b'{"nbf":null}', b'{"iat":"x"}', b'{"iat":1e12}', b'{"exp":' + b"9" * 5000 + b"}",
    b'{"sub":"\\ud800"}', b'{"a":{"\\udfff":1}}', b'{"exp":Infinity}',
)  # fmt: skip


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("number", range(len(HEADERS)))
def test_hostile_headers_are_refused(number: int) -> None:
    _, body, signature = token(sub="ann").split(".")
    with pytest.raises(BadToken):
        verifier().verify(f"{encoded(HEADERS[number])}.{body}.{signature}", NOW)


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_hostile_claims_are_refused_also_when_they_are_signed(number: int) -> None:
    signed = jws.serialize_compact({"alg": "HS256"}, PAYLOADS[number], secret_key(SECRET, "KEY"))
    with pytest.raises(BadToken):
        verifier().verify(signed, NOW)


def test_an_old_name_of_eddsa_counts_too() -> None:
    private = jwk.OKPKey.generate_key("Ed25519")
    made = Verifier(private, ("EdDSA", "Ed25519"))
    for name in ("EdDSA", "Ed25519"):
        with pytest.warns() if name == "EdDSA" else nullcontext():
            signed = jwt.encode({"alg": name}, {"sub": "ann"}, private, algorithms=[name])
        assert made.verify(signed, NOW).user == "ann"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"secret_env": "UNSET"}, "UNSET is not set"),
        ({"secret_env": "SHORT"}, "shorter than 32 bytes"),
        ({"secret_env": "KEY", "algorithms": ["RS256"]}, "RS256 cannot be checked with a shared secret"),
        ({"public_key_file": "missing.pem"}, "cannot be read"),
        ({"public_key_file": "junk.pem"}, "holds no"),
    ],
)
def test_keys_that_cannot_be_used(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(KeyTrouble, match=said) as trouble:
        verifier_of({"auth": {"jwt": settings}}, ENVIRONMENT, tmp_path)
    assert "short" not in str(trouble.value).replace("shorter", "")


def test_a_route_without_auth_has_no_verifier() -> None:
    assert verifier_of({}) is None
