"""HttpRequest: requests to the hosts that the settings allow (runtime section 5).

No proxy of the environment, no cookies, no compression, nothing is tried again. A redirect is followed where it stays
with the same scheme, host and port; any other is the answer.
"""

from __future__ import annotations

import asyncio
import base64
import re
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpcore
import httpx

from compiler.diagnostics import codes
from compiler.language import values
from compiler.language.faults import Fault
from compiler.language.values import Value
from runtime.codecs import from_json
from runtime.limits import ServerLimits
from runtime.services.guard import Guard, GuardedNetwork

_REDIRECTS: Final = 5
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_HEADER: Final = re.compile(r"[\x00\r\n]")
_OWN_HEADERS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Headers that say how the request travels, which is not for routes to say."""
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\b", re.IGNORECASE)


class Http:
    """The HTTP client of a server. Belongs to one running loop."""

    def __init__(self, allowed: tuple[str, ...], limits: ServerLimits) -> None:
        """Connects to nothing yet."""
        self._guard = Guard(allowed)
        self._most = limits.http_body_bytes
        transport = httpx.AsyncHTTPTransport(trust_env=False)
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=limits.http_connections,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=GuardedNetwork(self._guard),
        )
        self._client = httpx.AsyncClient(
            transport=transport,
            headers={"accept-encoding": "identity", "user-agent": "worpen"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=None,
            trust_env=False,
        )

    async def perform(self, method: str, url: str, headers: Value, body: Value, timeout_ms: Value) -> Value:
        """Make one request: `{status, headers, body}`. Raises Fault."""
        seconds = _seconds(timeout_ms)
        address = self._address(url)
        try:
            request = self._client.build_request(
                method, address, headers=_headers(headers, body), content=_content(body)
            )
            async with asyncio.timeout(seconds):
                return await self._exchange(request)
        except TimeoutError:
            message = f"`{address.host}` did not answer within {seconds * 1000:g} ms"
            raise Fault(codes.HTTP_TIMEOUT, message, address.host) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            message = f"the request to `{address.host}` failed: {str(error) or type(error).__name__}"
            raise Fault(codes.HTTP_ERROR, message, address.host) from None

    async def _exchange(self, request: httpx.Request) -> Value:
        for _ in range(_REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                body = await self._body(response)
            finally:
                await response.aclose()
            following = response.next_request
            if following is None or _origin(following.url) != _origin(request.url):
                return {
                    "status": response.status_code,
                    "headers": dict(response.headers.items()),
                    "body": _shown(response, body),
                }
            request = following
        raise Fault(codes.HTTP_ERROR, f"`{request.url.host}` redirects more than {_REDIRECTS} times")

    async def _body(self, response: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > self._most:
                fault = Fault(codes.HTTP_ERROR, f"the answer is larger than {self._most} bytes")
                fault.limit = "http_body_bytes"
                raise fault
            parts.append(part)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Fault(codes.HTTP_ERROR, "the answer is in an encoding that was not asked for")
        return b"".join(parts)

    def host_of(self, url: str) -> str:
        """See `Services`."""
        return self._read(url).raw_host.decode("ascii").lower()

    def _address(self, url: str) -> httpx.URL:
        """The address, allowed. Raises Fault."""
        address = self._read(url)
        self._guard.admit(address.host)
        return address

    @staticmethod
    def _read(url: str) -> httpx.URL:
        """The address, well-formed. Raises Fault."""
        try:
            address = httpx.URL(url)
            host = address.host  # read back from punycode, which may be none
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise Fault(codes.HTTP_REFUSED, "the address of the request is none", url) from None
        if address.scheme not in ("http", "https") or not host:
            raise Fault(codes.HTTP_REFUSED, "the address of a request begins with https:// or http://", url)
        if address.userinfo:
            raise Fault(codes.HTTP_REFUSED, "a login does not belong into an address; write an Authorization header")
        return address

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _seconds(timeout_ms: Value) -> float:
    number = values.to_operand(timeout_ms, "timeout_ms")
    if isinstance(number, float) or number < 1:
        message = "`timeout_ms` is a whole number of milliseconds, at least 1"
        raise Fault(codes.BAD_ARGUMENT, message, timeout_ms)
    return number / 1000


def _headers(given: Value, body: Value) -> list[tuple[bytes, bytes]]:
    """The headers of the request. Raises Fault for those that cannot be, or are not for routes to set."""
    if given is not None and not isinstance(given, dict):
        raise Fault(codes.TYPE_ERROR, f"`headers` is an object, not {values.describe(given)}", given)
    headers = {}
    if body is not None:
        headers["content-type"] = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    for name, value in (given or {}).items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise Fault(codes.HTTP_REFUSED, f"the header `{name}` cannot be set", name)
        if _BAD_IN_HEADER.search(text := values.text(value)):
            raise Fault(codes.HTTP_REFUSED, f"the value of the header `{name}` has a line break in it", name)
        headers[name.lower()] = text.strip(" \t")
    return [(name.encode(), text.encode()) for name, text in headers.items()]


def _content(body: Value) -> bytes | None:
    if body is None:
        return None
    return (body if isinstance(body, str) else values.to_json(body)).encode()


def _shown(response: httpx.Response, body: bytes) -> Value:
    """The body as a value: JSON decoded, text as text, anything else as base64."""
    try:
        text = body.decode(response.charset_encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return values.bounded(base64.b64encode(body).decode("ascii"))
    if _JSON.match(response.headers.get("content-type", "")):
        return from_json(text)
    return text
