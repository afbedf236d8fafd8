"""The browser console of `worpen dev`: its page, and who may open it and the feed behind it.

The page is static and the same for everybody; what happens on the server comes over the feed alone. Both answer only
requests that name this server as a browser on this machine does (a name that leads here by another's DNS does not),
and that no other origin's page made. The feed also wants the token that `worpen dev` made up when it started.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import runtime
from runtime.server.admission import BadQuery, parse_query
from runtime.server.feed import Feed
from runtime.transport.seam import Acceptance, Admission, Connection, HttpResponse, Request, refusal

PAGE: Final = "/"
OWN: Final = "/__worpen__/"
"""What is below this address is the console's, whatever routes there are."""
FEED: Final = OWN + "feed"
FOLDER: Final = Path(runtime.__file__).parent / "console"
_HTML, _SCRIPT, _STYLE = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"
FILES: Final = {
    PAGE: ("index.html", _HTML),
    OWN + "console.css": ("console.css", _STYLE),
    OWN + "worpen.js": ("../clients/worpen.js", _SCRIPT),
    **{OWN + name: (name, _SCRIPT) for name in ("console.js", "client.js", "elements.js", "feed.js", "payload.js")},
}
"""Every file of the page by its address."""

_FORBIDDEN, _NOT_FOUND, _UPGRADE_REQUIRED, _UNAVAILABLE, _BAD_REQUEST = 403, 404, 426, 503, 400
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{feed}; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""`{feed}`: browsers differ in whether `'self'` covers this server's WebSockets."""
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
ANYWHERE: Final = frozenset({"", "0.0.0.0", "::"})
"""Addresses to listen on that are no name of this server."""


@dataclass(slots=True)
class Console:
    """Answers what is asked of the console. `port` is set once the server listens; until then nobody may in."""

    token: str
    host: str
    feed: Feed
    port: int = 0

    @staticmethod
    def owns(request: Request) -> bool:
        """Whether a request is for the console and not for a route."""
        return request.path.startswith(OWN)

    @staticmethod
    def owns_plainly(request: Request) -> bool:
        """The same for plain HTTP, where the page itself is asked for as well."""
        return request.path == PAGE or request.path.startswith(OWN)

    def respond(self, request: Request) -> HttpResponse:
        """The page and its files; of the feed only whether the token is right."""
        if (objection := self._objection(request)) is not None:
            return _refused(_FORBIDDEN, objection)
        if request.path == FEED:
            return self._wrong_token(request) or _refused(_UPGRADE_REQUIRED, "the feed is a WebSocket")
        if request.path not in FILES:
            return _refused(_NOT_FOUND, "the console has no such file")
        if request.path == PAGE and "token=" in request.query and (wrong := self._wrong_token(request)) is not None:
            return wrong
        name, content_type = FILES[request.path]
        return HttpResponse(200, (FOLDER / name).read_bytes(), content_type, headers(request.headers["host"]))

    def admit(self, request: Request, connection: Connection) -> Admission:
        """The feed, for a page of our own that has the token."""
        if request.path != FEED:
            return _refused(_NOT_FOUND, "the console has no such feed")
        if (objection := self._objection(request)) is not None:
            return _refused(_FORBIDDEN, objection)
        if "origin" not in request.headers:
            return _refused(_FORBIDDEN, "the feed wants an Origin header that names this server")
        if (wrong := self._wrong_token(request)) is not None:
            return wrong
        peer = self.feed.open(connection)
        return _refused(_UNAVAILABLE, "too many consoles are open") if peer is None else Acceptance(peer)

    # Who may.

    def _objection(self, request: Request) -> str | None:
        """Why a request is not one of a browser on this machine, from a page of ours; None where it is."""
        host = request.headers.get("host", "")
        if not is_own_host(host, self.host, self.port):
            return "the console answers only under this machine's own name and the server's port"
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "pages of this origin may not look into the server"
        return None

    def _wrong_token(self, request: Request) -> HttpResponse | None:
        try:
            given = parse_query(request.query).get("token", "")
        except BadQuery as bad:
            return _refused(_BAD_REQUEST, str(bad))
        if hmac.compare_digest(given.encode(errors="replace"), self.token.encode()):
            return None
        return _refused(_FORBIDDEN, "the token is not this server's: open the address that `worpen dev` printed")


def is_own_host(host: str, listening: str, port: int) -> bool:
    """Whether a Host header names this machine itself, or the one address that was listened on, and the port."""
    try:
        parts = urlsplit(f"//{host}")
        named, given_port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in host or "/" in host or not port or (given_port or 80) != port:
        return False
    return _is_loopback(named) or (named == listening.lower() and listening not in ANYWHERE)


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def headers(host: str = "") -> tuple[tuple[str, str], ...]:
    """What every answer of the console carries; `host` is the verified name under which WebSockets may be opened."""
    return (("Content-Security-Policy", _POLICY.format(feed=f" ws://{host}" if host else "")), *_HEADERS)


def _refused(status: int, text: str) -> HttpResponse:
    extra = (("Upgrade", "websocket"),) if status == _UPGRADE_REQUIRED else ()
    return refusal(status, text, (*headers(), *extra))
