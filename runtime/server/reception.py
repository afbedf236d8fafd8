"""Answers requests: to which route a handshake goes, or why it goes nowhere (language sections 3 and 9)."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

from compiler.language.values import Value
from runtime.envelope import PROTOCOL, RECOVER, BadRecovery, Position, parse_recovery
from runtime.events import Refused
from runtime.limits import route_limit
from runtime.metrics import count
from runtime.router import BadPath, Match
from runtime.server.admission import BadQuery, header_variables, is_origin_allowed, parse_query
from runtime.server.catalogue import Catalogue, Condition, Served
from runtime.server.console import Console
from runtime.server.floor import Floor
from runtime.server.identity import BEARER, prove, without_token
from runtime.server.link import Link
from runtime.transport.seam import Acceptance, Admission, Connection, HttpResponse, Request, refusal

OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, UPGRADE_REQUIRED, UNAVAILABLE = 200, 400, 403, 404, 426, 503
METRICS_SECONDS: Final = 0.25
"""So long one text of metrics is as good as another: with thousands of connections each takes milliseconds to make, and
anybody may ask for as many as they like."""
_PLAIN_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Reception:
    """The `Application` of a transport: routes requests to routes. Mutable, one owner."""

    def __init__(
        self,
        floor: Floor,
        catalogue: Catalogue[Link],
        *,
        message_bytes: int,
        compression: bool,
        exposition: Callable[[], str] | None,
        console: Console | None = None,
    ) -> None:
        """`message_bytes`: the server's limit; `compression`: of routes that do not say; `exposition`: its counters as
        text, None where nobody may see them."""
        self._compression = compression
        self._floor = floor
        self._catalogue = catalogue
        self._message_bytes = message_bytes
        self._exposition = exposition
        self._metrics = b""
        self._metrics_until = 0.0
        self._console = console
        self.is_draining = False
        """Set when the server stops: nobody is taken any more."""

    # Plain HTTP.

    def respond(self, request: Request) -> HttpResponse:
        """Answer a plain request: the server's own addresses, or how to reach a route."""
        match request.path:
            case "/healthz":
                return HttpResponse(OK, b"ok\n")
            case "/readyz":
                return refusal(UNAVAILABLE, "draining") if self.is_draining else HttpResponse(OK, b"ready\n")
            case "/metrics" if self._exposition is not None:
                return HttpResponse(OK, self._metrics_now(self._exposition), content_type=_PLAIN_METRICS)
            case _:
                response = self._answer_plainly(request)
                return response if response.status == OK else self._noted(request, response)

    def _metrics_now(self, exposition: Callable[[], str]) -> bytes:
        now = asyncio.get_running_loop().time()
        if now >= self._metrics_until:
            self._metrics = exposition().encode()
            self._metrics_until = now + METRICS_SECONDS
        return self._metrics

    def _answer_plainly(self, request: Request) -> HttpResponse:
        if self._console is not None and self._console.owns_plainly(request):
            return self._console.respond(request)
        found = self._find(request)
        if isinstance(found, HttpResponse):
            return found
        text = f"this is a WebSocket route: connect with a WebSocket client to {request.path}"
        return refusal(UPGRADE_REQUIRED, text, (("Upgrade", "websocket"),))

    # Handshakes.

    def admit(self, request: Request, connection: Connection) -> Admission | Awaitable[Admission]:
        """Accept a handshake for a route that is served and takes it, or refuse; later where `on_auth` waits."""
        admission: Admission | Awaitable[Admission]
        if self._console is not None and self._console.owns(request):
            admission = self._console.admit(request, connection)
        else:
            admission = self._decide(request, connection)
        if isinstance(admission, Acceptance):
            return admission
        return (
            self._noted(request, admission) if isinstance(admission, HttpResponse) else self._later(request, admission)
        )

    async def _later(self, request: Request, waiting: Awaitable[Admission]) -> Admission:
        admission = await waiting
        return self._noted(request, admission) if isinstance(admission, HttpResponse) else admission

    def _decide(self, request: Request, connection: Connection) -> Admission | Awaitable[Admission]:
        found = self._find(request)
        if isinstance(found, HttpResponse):
            return found
        served = found.target
        assert served.version is not None
        options = served.version.route.program.options
        if not is_origin_allowed(cast("Sequence[str] | None", options.get("origins")), request.headers):
            return refusal(FORBIDDEN, _origin_refusal(request))
        if (objection := self._objection(served, connection.remote_address)) is not None:
            return self._full(objection)  # before the work: a query of 8 KiB takes milliseconds
        try:
            query = parse_query(request.query)
        except BadQuery as bad:
            return refusal(BAD_REQUEST, str(bad))
        try:
            seen = _position_of(request, query)
        except BadRecovery as bad:
            return refusal(BAD_REQUEST, str(bad))
        given: dict[str, Any] = {
            "params": found.params,
            "query": query,
            "headers": header_variables(request.headers),
            "remote_addr": connection.remote_address,
        }
        proof = None
        if served.verifier is not None:
            proven = prove(served.verifier, request, query)
            if isinstance(proven, HttpResponse):
                return proven
            if (objection := self._floor.gate.objection_to_user(proven.user)) is not None:
                return self._full(objection)
            proof = proven
            given = {**without_token(given), "user": proof.claims}
        link = Link(self._floor, served, connection, request.path, cast("dict[str, Value]", given), seen, proof=proof)
        subprotocol = PROTOCOL if seen is not None else BEARER if proof and BEARER in request.subprotocols else None
        compression = bool(options.get("compression", self._compression))
        vetted = link.vet()
        if vetted is None:
            return self._accept(link, compression, subprotocol)
        if isinstance(vetted, HttpResponse):
            return vetted
        return self._vetted(vetted, link, compression, subprotocol)

    def _accept(self, link: Link, compression: bool, subprotocol: str | None) -> Acceptance:
        most = route_limit(link.session.route.program.options, "max_message_bytes", self._message_bytes)
        return Acceptance(link, max_message_bytes=int(most), compression=compression, subprotocol=subprotocol)

    async def _vetted(
        self, waiting: Awaitable[HttpResponse | None], link: Link, compression: bool, subprotocol: str | None
    ) -> Admission:
        """What `on_auth` says; others may have taken the room meanwhile, and the route may have other limits."""
        refused = await waiting
        if refused is None:
            gate = self._floor.gate
            objection = (
                self._closure(link.served) or gate.fullness(link.remote_address) or gate.objection_to_user(link.user)
            )
            refused = None if objection is None else self._full(objection)
        return refused or self._accept(link, compression, subprotocol)

    def _full(self, objection: str) -> HttpResponse:
        return refusal(UNAVAILABLE, objection, (("Retry-After", str(math.ceil(self.reconnect_delay()))),))

    def _find(self, request: Request) -> Match[Served[Link]] | HttpResponse:
        """The route of a request, where it is served; else the answer that says why not."""
        try:
            found = self._catalogue.find(request.path)
        except BadPath as bad:
            return refusal(BAD_REQUEST, str(bad))
        if found is None or found.target.condition is Condition.DISABLED:
            return refusal(NOT_FOUND, "no route has this address")
        if not found.target.is_serving:
            return refusal(UNAVAILABLE, found.target.reason)
        return found

    def _objection(self, served: Served[Link], address: str) -> str | None:
        if (closure := self._closure(served)) is not None:
            return closure
        return self._floor.gate.objection(address, asyncio.get_running_loop().time())

    def _closure(self, served: Served[Link]) -> str | None:
        """Why nobody can be taken, or nobody on this route; None where it is open."""
        if self.is_draining:
            return "the server is stopping"
        assert served.version is not None
        if len(served.links) >= route_limit(served.version.route.program.options, "max_connections", math.inf):
            return "the route is full"
        return None

    def reconnect_delay(self) -> float:
        """Seconds after which a client may come back: random, so that many do not come at once."""
        return random.uniform(1, max(1, self._floor.limits.retry_seconds))

    def _noted(self, request: Request, response: HttpResponse) -> HttpResponse:
        count(self._floor.counters.refusals, str(response.status))
        events = self._floor.node.events
        if events.wanted:
            reason = response.body.decode("utf-8", "replace").strip()
            events.publish(Refused(request.path, request.remote_address, response.status, reason))
        return response


def _origin_refusal(request: Request) -> str:
    if request.headers.get("origin") == "null":
        return "pages of the origin `null` (files, sandboxed frames) may not connect; `origins: ['*']` lets them"
    return "pages of this origin may not connect"


def _position_of(request: Request, query: Mapping[str, Value]) -> dict[str, Position] | None:
    """Where a client stood that speaks `worpen.v1`; None for one that does not. Raises BadRecovery."""
    if PROTOCOL not in request.subprotocols:
        return None
    written = query.get(RECOVER)
    return parse_recovery(written) if isinstance(written, str) and written else {}
