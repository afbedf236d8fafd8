"""What commands that serve have in common."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import pytest

from worpen_cli.command import Invocation
from worpen_cli.console import ExitCode, Stop
from worpen_cli.listening import cannot_listen, free_port_after, run_to_the_end


class Left(BaseException):
    """The process would have ended."""


def leave(code: int) -> NoReturn:
    raise Left(code)


async def fine() -> int:
    return 130


async def stopped() -> int:
    raise Stop("no room", code=ExitCode.REFUSED)


@pytest.mark.parametrize(("main", "code", "said"), [(fine, 130, ""), (stopped, 3, "error: no room\n")])
def test_the_process_ends_with_the_server(
    main: Callable[[], Coroutine[Any, Any, int]], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Left, match=f"^{code}$"):
        run_to_the_end(main(), Invocation(leave=leave))
    assert capsys.readouterr().err == said
    assert run_to_the_end(main(), Invocation()) == code


def test_the_suggested_port_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if port < 65535:
            assert free_port_after(port - 1) != port
    assert free_port_after(65535) is None


def test_why_it_cannot_listen() -> None:
    taken = cannot_listen("serve", "localhost", 3000, OSError(errno.EADDRINUSE, "Address in use"))
    assert taken.message == "port 3000 is in use"
    assert taken.help.startswith("worpen serve --port 3")
    refused = cannot_listen("serve", "nowhere", 80, OSError(errno.EACCES, "Permission denied"))
    assert refused.message == "cannot listen on nowhere port 80: permission denied"
