"""The HTTP side: a table of what is served, and the one handler that serves it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hmac import compare_digest
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic_core import from_json, to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from vectorstore import requests
from vectorstore.collection import Collection
from vectorstore.errors import Refused, engine_errors
from vectorstore.settings import Settings, is_loopback
from vectorstore.store import Store
from vectorstore.strict import require_indexes
from vectorstore.translate import Translation, naming

VERSION = {
    "title": "faultline vectorstore",
    "version": "1.20.0",  # of the Qdrant whose API this follows; clients compare it with their own
    "engine": "qdrant-edge 0.9.0",
}


class Operation(NamedTuple):
    """One route: `call` gets the store or collection, the path's parameters, and a JSON body."""

    method: str
    path: str
    call: Callable[..., Any]
    writes: bool = False
    grows: bool = False  # needs room on the disk


def update(translation: Translation) -> Callable[[Collection, Any], Any]:
    """An operation on a collection that is nothing but the engine's own."""
    return lambda collection, raw: collection.update(translation(raw, ""))


set_payload = update(requests.set_payload)
COLLECTION = "/collections/{name}"
ON_STORE = (
    Operation("GET", "/collections", Store.names),
    Operation("GET", "/aliases", Store.aliases),
    Operation("POST", "/collections/aliases", Store.change_aliases, writes=True),
    Operation("PUT", COLLECTION, Store.create, writes=True, grows=True),
    Operation("DELETE", COLLECTION, Store.delete, writes=True),
    Operation("GET", COLLECTION + "/exists", Store.exists),
    Operation("GET", COLLECTION + "/aliases", Store.aliases),
)
ON_COLLECTION = (
    Operation("GET", "", Collection.info),
    Operation("PUT", "/index", update(requests.create_index), writes=True, grows=True),
    Operation("PUT", "/points", Collection.upsert, writes=True, grows=True),
    Operation("POST", "/points/delete", Collection.delete, writes=True),
    Operation("POST", "/points/payload", set_payload, writes=True, grows=True),
    Operation("POST", "/points/batch", Collection.update_batch, writes=True, grows=True),
    Operation("POST", "/points", Collection.retrieve),
    Operation("POST", "/points/scroll", Collection.scroll),
    Operation("POST", "/points/count", Collection.count),
    Operation("POST", "/points/query", Collection.query),
    Operation("POST", "/points/query/batch", Collection.query_batch),
)


def authorise(request: Request, settings: Settings, writes: bool) -> None:
    """Raise 401 without a right key, 403 where the read-only key would write.

    Without any key set, raise 403 where a web page asks, also by a name of its own for us.
    """
    if not settings.api_key:
        name = urlsplit(f"//{request.headers.get('host', 'localhost')}").hostname or ""
        if "origin" in request.headers or not is_loopback(name):
            raise Refused(403, "Without VECTORSTORE_API_KEY no web page may ask")
        return
    sent = request.headers.get("api-key", "").encode()
    keys = [settings.api_key, settings.read_only_api_key]
    full, reader = (key and compare_digest(sent, key.get_secret_value().encode()) for key in keys)
    if full:
        return
    if not reader:
        raise Refused(401, "Must provide the API key, in the header api-key")
    if writes:
        raise Refused(403, "Forbidden: this API key may only read")


def reply(
    request: Request,
    content: dict[str, Any],
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer in Qdrant's envelope, whose time is in seconds."""
    now = perf_counter()
    content["time"] = now - request.scope.get("started", now)
    body = to_json(content, fallback=lambda v: {"indices": v.indices, "values": v.values})
    return Response(body, status, headers, media_type="application/json")


def perform(
    request: Request, body: bytes, operation: Operation, target: Any, strict: bool
) -> Response:
    """Carry out one request; runs in a thread of its own."""
    arguments = list(request.path_params.values())
    if operation.method in ("PUT", "POST"):
        with naming(""):
            arguments.append(from_json(body, allow_inf_nan=False))
    if operation in ON_COLLECTION:
        target = target.find(arguments.pop(0))
        if strict and arguments:
            require_indexes(arguments[-1], target.index_types())
    with engine_errors():
        result = operation.call(target, *arguments)
    return reply(request, {"result": result, "status": "ok"})


def methods_of(request: Request) -> list[str]:
    """The methods that the routes of this path answer."""
    path = request.url.path
    routes = [route for route in request.app.routes if route.path_regex.match(path)]
    return sorted({method for route in routes for method in route.methods})


def fail(request: Request, error: Exception) -> Response:
    """Answer an error in the form that Qdrant's clients read."""
    status = getattr(error, "status_code", getattr(error, "status", 500))
    message = getattr(error, "detail", str(error))
    headers = getattr(error, "headers", None)  # what HTTP asks for
    if status == 405:  # Starlette names the methods of the path's first route alone
        headers = {"Allow": ", ".join(methods_of(request))}
    return reply(request, {"status": {"error": message}}, status, headers)


def create_app(settings: Settings, store: Store) -> Starlette:
    """Vector store's ASGI application; it closes the store when it ends."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    def route(operation: Operation) -> Route:
        async def serve(request: Request) -> Response:
            request.scope["started"] = perf_counter()
            authorise(request, settings, operation.writes)
            if operation.grows:
                store.require_space()
            body = await request.body()
            return await run_in_threadpool(
                perform, request, body, operation, store, settings.strict
            )

        prefix = COLLECTION if operation in ON_COLLECTION else ""
        return Route(prefix + operation.path, serve, methods=[operation.method])

    def healthy(request: Request) -> Response:
        return PlainTextResponse("healthz check passed")

    return Starlette(
        routes=[
            Route("/", lambda request: JSONResponse(VERSION)),
            *(Route(path, healthy) for path in ("/healthz", "/livez", "/readyz")),
            *map(route, ON_STORE + ON_COLLECTION),
        ],
        lifespan=lifespan,
        exception_handlers={Refused: fail, HTTPException: fail, Exception: fail},
        max_body_size=settings.max_body_mb * 2**20,
    )
