"""The Layers page as a Starlette application; it reads the ledger and changes nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evals.feedback import ByVersion
from evals.watch.card_text import prompt_text, readings, signed
from evals.watch.model import LAYERS, Verdict
from evals.web import metrics
from evals.web.ports import Ledger
from evals.web.state import State, current, duration

WEB = Path(__file__).parent
LOOPBACK = ("127.0.0.1", "localhost")
SHOWN = 30  # verdicts on the page
HISTORY = 200  # in /api/history
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_VERDICTS = TypeAdapter(list[Verdict])


class Headers:
    """Adds HEADERS to every response, also of errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


def create_app(
    ledger: Ledger,
    *,
    interval_seconds: float,
    hosts: Sequence[str] = LOOPBACK,
    application_url: str = "",
    feedback: Callable[[], ByVersion] = dict,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The page for a ledger whose cycles start every `interval_seconds`.

    `feedback` gives users' votes by layer and version. `hosts` are the names by which it may be
    asked, against DNS rebinding.
    """
    templates = Jinja2Templates(WEB / "templates")  # escapes every value
    templates.env.globals |= {
        "application_url": application_url,
        "layers": LAYERS,
        "readings": readings,
    }
    templates.env.filters |= {"duration": duration, "prompt": prompt_text, "signed": signed}

    def state() -> State:
        return current(ledger, clock(), interval_seconds)

    def page(request: Request) -> Response:
        now = state()
        known = {
            "state": now,
            "card": now.card,
            "at": clock(),
            "refresh": "still" not in request.query_params,
            "history": ledger.verdicts(SHOWN),
            "feedback": feedback(),
        }
        return templates.TemplateResponse(request, "page.html", known)

    def past(request: Request) -> Response:
        card = ledger.card(request.path_params["cycle"])
        if card is None:
            raise HTTPException(404, "No such cycle: / lists those that there are.")
        return templates.TemplateResponse(request, "past.html", {"card": card})

    def health(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    def verdict(request: Request) -> Response:
        return _json(state().card.model_dump_json())

    def history(request: Request) -> Response:
        return _json(_VERDICTS.dump_json(ledger.verdicts(HISTORY)))

    def prometheus(request: Request) -> Response:
        return PlainTextResponse(metrics.text(state()), media_type="text/plain; version=0.0.4")

    return Starlette(
        routes=[
            Route("/", page),
            Route("/history/{cycle}", past),
            Route("/health", health),
            Route("/api/verdict", verdict),
            Route("/api/history", history),
            Route("/metrics", prometheus),
            Mount("/static", StaticFiles(directory=WEB / "static")),
        ],
        middleware=[
            Middleware(Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )


def _json(body: Any) -> Response:
    return Response(body, media_type="application/json")
