"""What every request passes first: an id, safe headers, a known host name, a last catch of errors.

Plain ASGI, because a stream pays for each layer once a token.
"""

import re
import uuid
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.errors import UnknownHost
from application.metrics import Metrics
from application.problems import log_unexpected, problem_response

REQUEST_ID = "X-Request-ID"
API = ("/v1/", "/mcp")
ACCEPTED_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
BODY_LIMIT = 64 * 1024  # bytes
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RequestEnvelope:
    """Gives each request its id and each response its headers; a route may set stricter ones.

    It sees every reply of the API, so it counts them. It also turns an error that nothing else
    caught into a 500, so that a crash has the same headers and is counted like any other reply.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent_id = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = sent_id if ACCEPTED_ID.fullmatch(sent_id) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(API):
                    self._metrics.replies.labels(str(message["status"])).inc()
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # nobody is left to tell
        except Exception as error:  # noqa: BLE001 - the last one who can still tell the caller
            if started:
                log_unexpected(error, request_id)  # the server then cuts the connection
                return
            response = problem_response(error, request_id, scope["path"])
            await response(scope, receive, send_with_headers)


class KnownHosts:
    """Refuses other host names, so that a foreign page cannot reach a server without keys."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and _name_of(Headers(scope=scope).get("host", "")) not in (
            self._hosts
        ):
            names = ", ".join(sorted(self._hosts))
            error = UnknownHost(
                f"This server asks for no key, so it answers to {names} only; use one of them, or "
                "set APPLICATION_REQUIRE_KEYS=true."
            )
            response = problem_response(error, scope["state"]["request_id"], scope["path"])
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _name_of(host: str) -> str:
    """The name in a Host header, without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
