"""Telling whoever started the server."""

from __future__ import annotations

import socket
from pathlib import Path

from worpen_cli.readiness import READY, VARIABLE, tell


def test_nobody_to_tell_is_no_trouble(tmp_path: Path) -> None:
    tell(READY, {})
    tell(READY, {VARIABLE: str(tmp_path / "nobody")})


def test_the_socket_that_the_environment_names_hears_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        tell(READY, {VARIABLE: str(tmp_path / "notify")})
        assert hearing.recv(64) == b"READY=1"


def test_names_of_the_abstract_space_begin_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind("\0worpen-test-readiness")
        tell(READY, {VARIABLE: "@worpen-test-readiness"})
        assert hearing.recv(64) == b"READY=1"
