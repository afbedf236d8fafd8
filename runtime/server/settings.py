"""How a server is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.limits import ServerLimits, WireLimits
from runtime.router import API_PREFIX
from runtime.services import Addresses


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, and what is allowed."""

    host: str = "localhost"
    """A name or IP address; `localhost` is 127.0.0.1 and ::1."""
    port: int = 3000
    """0 takes any free port."""
    prefix: str = API_PREFIX
    """Routes are served under this prefix too; empty for none."""
    environment: frozenset[str] = frozenset()
    """Environment variables that `env` may read."""
    console_token: str = ""
    """What opens the browser console of `worpen dev`; empty: there is none."""
    bus_url: str = ""
    """The Redis or Valkey that joins nodes into one server (`redis://host:port/db`); empty: this node is alone."""
    reuse_port: bool = False
    """Whether other processes may listen on the same port; the kernel shares connections out among them."""
    metrics: bool = True
    """Whether `/metrics` is answered."""
    siblings: tuple[str, str] | None = None
    """Of a process that shares its port: the folder where such processes tell each other what they counted, and the
    number of its place. None: it answers for itself."""
    compression: bool = False
    """Whether routes that do not say otherwise compress their messages (permessage-deflate)."""
    services: Addresses = field(default_factory=Addresses)
    """Where databases, Redis and the hosts of HTTP requests are."""
    limits: ServerLimits = field(default_factory=ServerLimits)
    wire: WireLimits = field(default_factory=WireLimits)
