"""Who a client says it is: where a handshake carries its token, and what becomes of that place (language section 9).

A token comes, the first that is there, from `Authorization: Bearer TOKEN`, from the query key `token`, or from the
subprotocols `bearer, TOKEN`: browsers can send no header of their own, but subprotocols. Hooks of a route with `auth`
see `user`, and none of these three: what they log or send back holds no token.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runtime.transport.seam import HttpResponse, Request, refusal

if TYPE_CHECKING:
    from runtime.services.tokens import Proof, Verifier

UNAUTHORIZED: Final = 401
BEARER: Final = "bearer"
"""The subprotocol before the token; the answer chooses it where there is none else to choose."""
TOKEN_KEY: Final = "token"
HIDDEN_HEADERS: Final = ("authorization", "sec_websocket_protocol")


def find_token(request: Request, query: Mapping[str, str]) -> str:
    """The token that a handshake carries; empty where it carries none."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == BEARER and rest.strip():
        return rest.strip()
    if query.get(TOKEN_KEY):
        return query[TOKEN_KEY]
    offered = request.subprotocols
    if BEARER in offered:
        return next(iter(offered[offered.index(BEARER) + 1 :]), "")
    return ""


def prove(verifier: Verifier, request: Request, query: Mapping[str, str]) -> Proof | HttpResponse:
    """What a handshake's token proves, or the 401 that says why it proves nothing (RFC 6750 section 3)."""
    from runtime.services.tokens import BadToken  # whoever has a verifier has paid for it

    token = find_token(request, query)
    if not token:
        return refusal(UNAUTHORIZED, "this route needs a token", (("WWW-Authenticate", "Bearer"),))
    try:
        return verifier.verify(token, time.time())
    except BadToken as bad:
        challenge = f'Bearer error="invalid_token", error_description="{bad}"'
        return refusal(UNAUTHORIZED, str(bad), (("WWW-Authenticate", challenge),))


def without_token(given: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a handshake without the places where tokens are."""
    query = {key: value for key, value in given["query"].items() if key != TOKEN_KEY}
    headers = {key: value for key, value in given["headers"].items() if key not in HIDDEN_HEADERS}
    return {**given, "query": query, "headers": headers}
