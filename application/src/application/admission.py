"""The door of the API: who asks, how often, whether the body arrives, and whether a slot is free.

The order matters. Nothing is read from a caller without a key, and a slot is taken only when the
whole request is there, so a caller who sends slowly blocks nobody.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.access import Principal, verified
from application.errors import (
    ApplicationError,
    BodyTooSlow,
    Overloaded,
    RequestTooLarge,
    TooManyRequests,
)
from application.metrics import Metrics
from application.middleware import API, BODY_LIMIT
from application.problems import problem_response
from application.quotas import Quotas
from application.settings import Settings

GUARDED = (*API, "/metrics")


class Shares:
    """Counts what each key holds of `limit` slots; one key may hold `per_key` of them."""

    def __init__(self, limit: float, per_key: int) -> None:
        self._limit = limit
        self._per_key = per_key
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Slots that are taken now."""
        return self._held.total()

    @contextmanager
    def one_for(self, key_id: str) -> Iterator[None]:
        """Holds one slot. Raises Overloaded, or TooManyRequests where only this key has too many.

        A slot is free again when the block ends.
        """
        if self.held >= self._limit:
            raise Overloaded("Too many requests are under way; try again in a second.")
        if self._held[key_id] >= self._per_key:
            raise TooManyRequests(
                f"This key has {self._per_key} requests under way, its share; wait for one to end."
            )
        self._held[key_id] += 1
        try:
            yield
        finally:
            self._held[key_id] -= 1
            if not self._held[key_id]:
                del self._held[key_id]


class Admission:
    """Lets a request of the API in, or refuses it with a problem document.

    `/metrics` asks for a key too, but takes no slot, so that it answers while the API is full.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        limit = settings.max_in_flight
        # Where no key is asked for, everybody is the same caller.
        share = settings.share_per_key if settings.require_keys else limit
        self._slots = Shares(limit, share)
        metrics.in_flight.set_function(lambda: self._slots.held)
        self._readers = Shares(float("inf"), limit)
        self._quotas = Quotas(settings.quota)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        headers, request_id = Headers(scope=scope), scope["state"]["request_id"]
        unread = _has_body(headers)
        with ExitStack() as held:
            try:
                principal = self._verified(scope, headers)
                with self._readers.one_for(principal.key_id):
                    body = await _read(headers, receive, self._settings.body_seconds)
                unread = False
                if path.startswith(API):
                    held.enter_context(self._slots.one_for(principal.key_id))
            except ApplicationError as error:
                if isinstance(error, (Overloaded, TooManyRequests)):
                    self._metrics.shed.inc()
                response = problem_response(error, request_id, path)
                if unread:
                    response.headers["Connection"] = "close"  # or the rest would be waited for
                await response(scope, receive, send)
                return
            await self._app(scope, _replayed(body, receive), send)

    def _verified(self, scope: Scope, headers: Headers) -> Principal:
        keys = scope["app"].state.services.keys
        principal = verified(headers.get("authorization", ""), keys, self._settings.require_keys)
        self._quotas.take(principal.key_id, principal.quota)
        scope["state"]["principal"] = principal
        return principal


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _read(headers: Headers, receive: Receive, seconds: float) -> bytes:
    """The whole body. Raises RequestTooLarge, BodyTooSlow or ClientDisconnect."""
    too_large = RequestTooLarge(f"The body is too large; send at most {BODY_LIMIT} bytes.")
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise too_large
    body = b""
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk: bytes = message.get("body", b"")
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise too_large
                if not message.get("more_body", False):
                    return body
    except TimeoutError as error:
        raise BodyTooSlow(
            f"The body did not arrive within {seconds:g} s; send the request again."
        ) from error


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` first, then what the server says: that the client left."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
