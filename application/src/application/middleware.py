"""What every request passes: an id, a size limit, a place in the house, and safe headers.

Plain ASGI, since a stream pays for each layer once a token.
"""

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.errors import Overloaded, RequestTooLarge
from application.metrics import Metrics
from application.problems import problem_response

REQUEST_ID = "X-Request-ID"
API = "/v1/"
ACCEPTED_ID = re.compile(r"[\w.:-]{1,64}")
BODY_LIMIT = 64 * 1024  # bytes
SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RequestEnvelope:
    """Gives each request its id and each response its headers; a route may set stricter ones.

    It also counts replies of the API, since it sees them all.
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

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(API):
                    self._metrics.replies.labels(str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses bodies above BODY_LIMIT, whether they say their length or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        declared = Headers(scope=scope).get("content-length", "0") if "headers" in scope else "0"
        received = 0
        too_large = RequestTooLarge(f"Send at most {BODY_LIMIT} bytes.")

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT:
                raise too_large
            return message

        if declared.isdigit() and int(declared) > BODY_LIMIT:
            response = problem_response(too_large, scope["state"]["request_id"])
            await response(scope, receive, send)
            return
        await self._app(scope, receive_within_limit, send)


class LoadShedding:
    """Refuses work at once above `limit` requests in flight, rather than being late for all."""

    def __init__(self, app: ASGIApp, limit: int, metrics: Metrics) -> None:
        self._app = app
        self._limit = limit
        self._metrics = metrics
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if not scope.get("path", "").startswith(API):
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._limit:
            self._metrics.shed.inc()
            error = Overloaded("Too many requests are under way; try again in a second.")
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        self._in_flight += 1
        self._metrics.in_flight.set(self._in_flight)
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            self._metrics.in_flight.set(self._in_flight)
