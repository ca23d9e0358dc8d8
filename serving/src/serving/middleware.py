"""Runs inside vLLM's process (`--middleware`): serves `/manifest` and holds the allowed routes.

vLLM's own key guards `/v1` only and its server has routes that nobody here should reach, so any
path that is not listed is 404, and everything but `/health` needs the key.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.endpoints import LlmManifest
from serving.checks import is_loopback
from serving.engine_manifest import observe

MANIFEST_SECONDS = 30.0  # a manifest is observed again once it is older than this
OPEN = {"/health"}
ALLOWED = {
    "/v1/chat/completions": "POST",
    "/v1/models": "GET",
    "/tokenize": "POST",
    "/metrics": "GET",
    "/version": "GET",
    "/manifest": "GET",
    "/health": "GET",
}


class ManifestMiddleware:
    """vLLM builds it with the app inside; state of the running engine is at `scope["app"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lock = asyncio.Lock()
        self._manifest: LlmManifest | None = None
        self._observed_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on; answer `/manifest`; refuse everything else."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if scope["type"] != "http" or ALLOWED.get(path) != scope["method"]:
            await _refusal(404, f"There is no {path} here.")(scope, receive, send)
        elif path not in OPEN and not _keys(scope) and _is_a_web_page(scope):
            await _refusal(403, "Without SERVING_LLM_API_KEY no web page may ask.")(
                scope, receive, send
            )
        elif path not in OPEN and not _has_key(scope):
            await _refusal(401, "Send the model's key as `Authorization: Bearer <key>`.")(
                scope, receive, send
            )
        elif path == "/manifest":
            reply = await self._reply(scope)
            await reply(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _reply(self, scope: Scope) -> JSONResponse:
        try:
            manifest = await self._current(scope)
        except httpx.HTTPError as error:
            return _refusal(503, f"The engine does not answer its probes: {error}")
        return JSONResponse(manifest.model_dump(mode="json"))

    async def _current(self, scope: Scope) -> LlmManifest:
        async with self._lock:
            age = time.monotonic() - self._observed_at
            if self._manifest is None or age > MANIFEST_SECONDS:
                async with self._engine(scope) as client:
                    self._manifest = await observe(scope["app"].state, client)
                self._observed_at = time.monotonic()
            return self._manifest

    def _engine(self, scope: Scope) -> httpx.AsyncClient:
        """A client of the routes behind this middleware, without a socket."""

        async def behind(inner: Scope, receive: Receive, send: Send) -> None:
            await self.app({**inner, "app": scope["app"]}, receive, send)

        keys = _keys(scope)
        headers = {"Authorization": f"Bearer {keys[0]}"} if keys else {}
        transport = httpx.ASGITransport(app=behind)
        return httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers)


def _keys(scope: Scope) -> list[str]:
    """The keys that vLLM itself goes by: its flag, or its variable."""
    flag = getattr(scope["app"].state.args, "api_key", None)
    return [key for key in (flag or [os.environ.get("VLLM_API_KEY")]) if key]


def _has_key(scope: Scope) -> bool:
    keys = _keys(scope)
    sent: Mapping[bytes, bytes] = dict(scope["headers"])
    given = sent.get(b"authorization", b"")
    matches = [secrets.compare_digest(given, f"Bearer {key}".encode()) for key in keys]
    return not keys or any(matches)


def _is_a_web_page(scope: Scope) -> bool:
    """True if a page sent it, or if it came by a name that another site gave this machine."""
    headers = Headers(scope=scope)
    name = urlsplit(f"//{headers.get('host', 'localhost')}").hostname or ""
    return "origin" in headers or not is_loopback(name)


def _refusal(status: int, message: str) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "code": status}
    return JSONResponse({"error": error}, status)
