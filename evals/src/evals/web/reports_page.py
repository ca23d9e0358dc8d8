"""evidently's page for looking only: it changes nothing, and no other site may ask it anything.

As evidently ships it, whoever reaches its API may delete projects and have templates rendered.
"""

# evidently ships no types.
# mypy: disable-error-code="import-untyped"

import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from evidently.ui.service.app import create_app, get_config
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

READS = re.compile(r"/api/v2/snapshots/[0-9a-f-]{36}/data_series_batch")  # a read sent by POST


class ReadOnly:
    """Lets reads through; a page of another origin may not even send those that need a POST."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] == "lifespan" or self._reads(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = PlainTextResponse("This page only shows reports: it changes nothing.", 403)
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    @staticmethod
    def _reads(scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            return bool(scope["type"] == "http")
        headers = Headers(scope=scope)
        own = f"http://{headers.get('host', '')}"
        is_own = headers.get("origin", own) == own
        return bool(scope["method"] == "POST" and READS.fullmatch(scope["path"]) and is_own)


def page(workspace: Path, hosts: Sequence[str]) -> ASGIApp:
    """evidently's app for the reports of a workspace; `hosts` are the names that it answers to."""
    nobody = secrets.token_urlsafe(24)  # evidently asks for it before it writes; nobody has it
    app = create_app(get_config(workspace=str(workspace), secret=nobody))
    return TrustedHostMiddleware(ReadOnly(app), allowed_hosts=list(hosts), www_redirect=False)


def serve(workspace: Path, hosts: Sequence[str], host: str, port: int) -> None:
    """Serve the page until it is stopped."""
    uvicorn.run(page(workspace, hosts), host=host, port=port, log_level="warning")
