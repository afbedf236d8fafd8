"""`worpen token`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from joserfc import jwk

from runtime.services.tokens import verifier_of
from tests.canary import CANARY
from tests.worpen_cli.commands.conftest import GOOD, Run

SECRET = f"{CANARY}-secret-of-at-least-32-characters"
JWT = {"secret_env": "TOKEN_KEY", "audience": "chat", "issuer": "me"}


@pytest.fixture
def route(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TOKEN_KEY", SECRET)
    auth = "auth: {jwt: {secret_env: TOKEN_KEY, audience: chat, issuer: me}}\n"
    (folder / "auth.yaml").write_text(auth + GOOD, encoding="utf-8")
    return "auth.yaml"


def test_the_route_accepts_it(run: Run, route: str) -> None:
    done = run("token", route, "--sub", "ann", "--claim", "role=admin", "--claim", "level=3", "--expires", "2m")
    assert done.code == 0
    assert SECRET not in done.out + done.err
    verifier = verifier_of({"auth": {"jwt": JWT}})
    assert verifier is not None
    proof = verifier.verify(done.out.strip(), time.time())
    assert (proof.user, proof.claims["role"], proof.claims["level"]) == ("ann", "admin", 3)
    assert proof.expires_at is not None
    assert 100 < proof.expires_at - time.time() <= 120


def test_a_private_key(run: Run, folder: Path) -> None:
    (folder / "auth.yaml").write_text("auth: {jwt: {public_key_file: public.pem}}\n" + GOOD, encoding="utf-8")
    private = jwk.RSAKey.generate_key(2048)
    (folder / "private.pem").write_bytes(private.as_pem(private=True))
    (folder / "public.pem").write_bytes(private.as_pem(private=False))
    done = run("token", "auth.yaml", "--sub", "ann", "--key", "private.pem")
    verifier = verifier_of({"auth": {"jwt": {"public_key_file": "public.pem"}}})
    assert verifier is not None
    assert verifier.verify(done.out.strip(), time.time()).user == "ann"
    assert run("token", "auth.yaml", "--sub", "ann").code == 2
    assert run("token", "auth.yaml", "--sub", "ann", "--key", "public.pem").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good.yaml", "--sub", "ann"], "no route in it has `auth`"),
        (["auth.yaml", "--sub", "ann", "--claim", "role"], "--claim name=value"),
        (["auth.yaml", "--sub", "ann", "--expires", "soon"], "a duration is"),
        (["auth.yaml"], "--sub"),
    ],
)
def test_what_is_wrong_is_said(run: Run, route: str, arguments: list[str], said: str) -> None:
    done = run("token", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_secret_that_is_not_set_is_named(run: Run, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_KEY")
    assert "TOKEN_KEY is not set" in run("token", route, "--sub", "ann").err
