"""Half-open TCP: clients behind a line that goes dead, beside a healthy client that is not behind it.

In a network of our own (`unshare -rn`) the server and the healthy client share a loopback; 900 clients, fewer than one
address may have, come over a pair of virtual interfaces from a second such network, and then their end goes down. No
packet of theirs says so: only the server's own heartbeat can find out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.attacks.healthy import Healthy, hurry, p99
from tests.bench.pairs import pin
from tests.bench.serving import await_listening, command
from tests.bench.soak.model import resident_kib, scrape
from tests.runtime.transport.harness import upgrade_request

MODULE: Final = "tests.bench.attacks.severed"
CLIENTS: Final = 900
QUIET_SECONDS: Final = 20.0
DEAD_SECONDS: Final = 40.0
"""The server pings after 20 s and waits 10 s more."""
SLOWER: Final = 1.2
REMAINS: Final = 1.05
SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
PORT: Final = 3000
ROUTES: Final = Path(__file__).with_name("routes.yaml")


def severed() -> bool:
    """Run it in networks of its own, or say that this is not permitted; whether all holds."""
    probe = subprocess.run(["unshare", "-rn", "ip", "link"], capture_output=True, text=True, check=False)
    if probe.returncode:
        print(f"half-open TCP: SKIPPED, no network of our own here: {probe.stderr.strip()}")
        return True
    return subprocess.run(["unshare", "-rn", sys.executable, "-m", MODULE], check=False).returncode == 0


def ip(*words: str) -> None:
    """Arrange the network."""
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def clients() -> Iterator[subprocess.Popen[str]]:
    """The process in the second network, joined to this one; it answers lines by lines."""
    own = ["unshare", "-n", sys.executable, "-m", MODULE, "clients"]
    process = subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        answer(process)  # its network is there
        ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(process.pid))
        ip("addr", "add", f"{SERVER}/24", "dev", "near")
        ip("link", "set", "near", "up")
        yield process
    finally:
        process.kill()
        process.communicate()


def answer(process: subprocess.Popen[str], command: str = "") -> str:
    """Say something, where there is something to say; the line that comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    if command:
        process.stdin.write(command + "\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


@contextlib.contextmanager
def served() -> Iterator[int]:
    """The server on all addresses of this network: its process id."""
    with tempfile.TemporaryDirectory() as folder:
        own = [*command(ROUTES, str(PORT), ()), "--host", "0.0.0.0"]
        process = subprocess.Popen(
            own, stdout=subprocess.DEVNULL, cwd=folder, env={**os.environ, "PYTHONPATH": _root()}
        )
        try:
            await_listening(PORT, process)
            pin(process.pid, 0)
            yield process.pid
        finally:
            process.terminate()
            process.wait(40)


def _root() -> str:
    return str(Path(__file__).parents[3])


def near() -> int:
    """The side of the server; the exit code."""
    ip("link", "set", "lo", "up")
    with served() as pid, clients() as far:
        pin(os.getpid(), 1)
        hurry()
        client = Healthy(PORT)
        came = int(answer(far, "come"))
        client.window(1)
        quiet = client.window(QUIET_SECONDS)
        before = resident_kib(pid)
        answer(far, "down")
        dead = client.window(DEAD_SECONDS)
        said = scrape(PORT)
        client.window(6)
        after = resident_kib(pid)
        client.close()
    ended = int(said.sum("drops_total", reason="heartbeat"))
    left = int(said.sum("connections"))
    ratio = p99(dead) / p99(quiet)
    holds = (came, ended, left) == (CLIENTS, CLIENTS, 1) and ratio <= SLOWER and after <= before * REMAINS
    print(f"half-open TCP: p99 {p99(quiet):.2f} ms quiet, {p99(dead):.2f} ms while {came} lines are dead, "
          f"ratio {ratio:.2f}; {ended} ended by the heartbeat, {left} connection left; memory {before / 1024:.1f} MiB, "
          f"afterwards {after / 1024:.1f}; {'holds' if holds else 'DOES NOT HOLD'}", flush=True)  # fmt: skip
    return 0 if holds else 1


def far() -> None:
    """The side of the clients."""
    print("there", flush=True)
    held = []
    for line in sys.stdin:
        if line.strip() == "come":
            ip("addr", "add", f"{CLIENT}/24", "dev", "far")
            ip("link", "set", "far", "up")
            held = [_client() for _ in range(CLIENTS)]
            print(len(held), flush=True)
        else:
            ip("link", "set", "far", "down")
            print("down", flush=True)


def _client() -> socket.socket:
    one = socket.create_connection((SERVER, PORT), 10)
    one.sendall(upgrade_request("/ws/echo"))
    assert one.recv(4096).startswith(b"HTTP/1.1 101 ")
    return one


if __name__ == "__main__":
    if sys.argv[1:] == ["clients"]:
        far()
    else:
        sys.exit(near())
