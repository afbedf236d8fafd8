"""`worpen serve` for the conformance suite: serves `echo.yaml` on a free port, which its log tells.

The suite sends messages of up to 16 MiB, in many fragments, as fast as it can, and takes its time to read: limits are
raised for it. Values of the language may have 1 MiB, which is no setting: here, and nowhere else, the constant is
changed before anything reads it.
"""

from __future__ import annotations

import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[2]))

from compiler.language import limits  # noqa: E402

MIB = 1 << 20
RAISED = {
    "message_rate": "0",
    "byte_rate": "0",
    "control_rate": "0",
    "connection_rate": "0",
    "penalty_rate": "0",
    "ping_seconds": "0",
    "max_message_bytes": "16MiB",
    "unsent_bytes": "64MiB",
    "fragments": "1000000",
    "assembly_seconds": "100",
    "stall_seconds": "100",
}


def arguments() -> list[str]:
    """The command line."""
    raised = [word for name, amount in RAISED.items() for word in ("--limit", f"{name}={amount}")]
    return ["serve", str(FOLDER / "echo.yaml"), "--host", "127.0.0.1", "--port", "0", "--compression", *raised]


if __name__ == "__main__":
    limits.TEXT_BYTES = 32 * MIB  # type: ignore[misc]
    from worpen_cli.main import main

    sys.exit(main(arguments()))
