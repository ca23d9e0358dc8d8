"""The embedder's HTTP endpoints, in OpenAI's shape where OpenAI has one: `serving embed`."""

import asyncio
import base64
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Request,
    Response,
    Security,
)
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException

from contracts.answer import PROBLEM_TYPE, Problem, problems
from contracts.endpoints import (
    PRIORITY_HEADER,
    EmbedderManifest,
    SparseRequest,
    SparseResponse,
)
from contracts.status import Check, Readiness
from serving.checks import is_loopback
from serving.embedder import Embedder, open_embedder
from serving.embeddings import EmbeddingsRequest
from serving.errors import (
    InputRefusedError,
    InputTooLongError,
    ServingError,
    UpstreamBusyError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from serving.metrics import Metrics
from serving.ports import Priority
from serving.settings import Settings

CLIENT_CLOSED_REQUEST = 499  # as nginx logs it; nobody is there to read the reply

REFUSALS = problems(  # what OpenAPI says of the routes that ask for a key
    {
        400: "The request cannot be read.",
        401: "No valid key.",
        403: "A web page asked, and no key is set.",
    }
)
OF_INPUTS = problems(
    {
        404: "The model has another name.",
        413: "An input has more tokens than the embedder reads.",
        422: "The request is not valid.",
        429: "The hosted endpoint is asked too often.",
        502: "The hosted endpoint refused our request.",
        503: "The hosted endpoint does not answer.",
    }
)
T = TypeVar("T")

Open = Callable[[Settings], AbstractAsyncContextManager[Embedder]]


STATUS_OF: dict[type[ServingError], HTTPStatus] = {
    InputTooLongError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InputRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UpstreamBusyError: HTTPStatus.TOO_MANY_REQUESTS,
    UpstreamRefusedError: HTTPStatus.BAD_GATEWAY,
    UpstreamUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def _embedder(request: Request) -> Embedder:
    embedder: Embedder = request.app.state.embedder
    return embedder


def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def _check_key(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    key = request.app.state.settings.embed_api_key
    if key is None:
        refuse_web_pages(request.headers)
        return
    expected = f"Bearer {key.get_secret_value()}"
    if not secrets.compare_digest(authorization.encode(), expected.encode()):
        sentence = "Send the embedder's key as `Authorization: Bearer <key>`."
        raise HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})


def refuse_web_pages(headers: Headers) -> None:
    """Raise 403 where a web page asks, or a name that another site gave this machine."""
    name = urlsplit(f"//{headers.get('host', 'localhost')}").hostname or ""
    if "origin" in headers or not is_loopback(name):
        raise HTTPException(403, "Without a key no web page may ask.")


EmbedderDep = Annotated[Embedder, Depends(_embedder)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]


def create_app(settings: Settings, opened: Open = open_embedder) -> FastAPI:
    """The app; the model is loaded before the first request is taken."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings) as embedder:
            app.state.embedder = embedder
            app.state.metrics = Metrics(embedder.manifest)
            yield

    app = FastAPI(title="Faultline embedder", lifespan=lifespan, openapi_url=None)
    app.state.settings = settings
    handled = (ServingError, RequestValidationError, StarletteHTTPException, UnicodeEncodeError)
    for error in (*handled, Exception):
        app.add_exception_handler(error, _problem)
    _add_health(app)
    _add_endpoints(app)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", responses={503: {"model": Readiness}})
    async def ready(embedder: EmbedderDep, response: Response) -> Readiness:
        try:
            await embedder.check()
        except ServingError as error:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return Readiness(status="down", checks={"model": Check(ok=False, detail=str(error))})
        detail = embedder.manifest.fingerprint.model
        return Readiness(status="ready", checks={"model": Check(ok=True, detail=detail)})


def _add_endpoints(app: FastAPI) -> None:
    bearer = Security(HTTPBearer(auto_error=False))  # documents the key, which _check_key checks
    guarded = APIRouter(dependencies=[bearer, Depends(_check_key)], responses=REFUSALS)

    @guarded.post("/v1/embeddings", responses=OF_INPUTS)
    async def embeddings(
        request: Request,
        body: EmbeddingsRequest,
        embedder: EmbedderDep,
        metrics: MetricsDep,
        priority: Annotated[Priority | None, Header(alias=PRIORITY_HEADER)] = None,
    ) -> Response:
        _check_served(embedder, body)
        model = embedder.manifest.fingerprint.model
        started = time.perf_counter()
        work = embedder.embed(body.input, priority, body.input_type)
        embedded = await _unless_gone(request, work)
        if embedded is None:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        vectors, tokens = embedded
        metrics.embedded(len(body.input), tokens, time.perf_counter() - started)
        as_base64 = body.encoding_format == "base64"
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(vector).decode() if as_base64 else vector.tolist(),
            }
            for index, vector in enumerate(vectors.astype("<f4"))
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": data, "model": model, "usage": usage})

    @guarded.post("/v1/sparse", responses=OF_INPUTS)
    async def sparse(body: SparseRequest, embedder: EmbedderDep) -> SparseResponse:
        data = await run_in_threadpool(embedder.sparse.encode, body.input, body.kind)
        return SparseResponse(data=data)

    @guarded.get("/v1/tokenizer")
    async def tokenizer(embedder: EmbedderDep) -> Response:
        headers = {"ETag": f'"{embedder.tokenizer.sha256}"'}
        return Response(embedder.tokenizer.content, media_type="application/json", headers=headers)

    @guarded.get("/v1/models")
    async def models(embedder: EmbedderDep) -> dict[str, object]:
        model = {
            "id": embedder.manifest.fingerprint.model,
            "object": "model",
            "owned_by": "serving",
        }
        return {"object": "list", "data": [model]}

    @guarded.get("/manifest")
    async def manifest(embedder: EmbedderDep) -> EmbedderManifest:
        return embedder.manifest

    @guarded.get("/metrics", response_class=PlainTextResponse)
    async def metrics_page(metrics: MetricsDep) -> Response:
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")

    app.include_router(guarded)


def _check_served(embedder: Embedder, body: EmbeddingsRequest) -> None:
    """Refuses another model's name, and a number of dimensions that is not this model's."""
    served = embedder.manifest.fingerprint
    if body.model and not embedder.is_called(body.model):
        others = [name for name in embedder.aliases if name != served.model]
        also = f" (or {', '.join(map(repr, others))})" if others else ""
        raise HTTPException(
            404, f"The model here is {served.model!r}{also}: name it, or name none."
        )
    if body.dimensions not in (None, served.dimensions):
        raise HTTPException(
            422,
            f"Vectors of {served.model} have {served.dimensions} dimensions, and it can give no "
            "other number. Leave `dimensions` out.",
        )


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, which is cancelled where the client goes away; None then."""
    task = asyncio.create_task(work)
    gone = asyncio.ensure_future(request.receive())  # the body is read: what comes is the goodbye
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    """Any error of ours, of the body or of the route as problem-details JSON (RFC 9457)."""
    headers: dict[str, str] = {}
    extra: dict[str, int] = {}
    if isinstance(error, RequestValidationError):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        first = error.errors()[0]
        detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    elif isinstance(error, StarletteHTTPException):
        status, detail = HTTPStatus(error.status_code), str(error.detail)
        headers |= error.headers or {}  # what HTTP asks for, such as Allow beside a 405
    elif isinstance(error, ServingError):
        status, detail = STATUS_OF[type(error)], str(error)
    elif isinstance(error, UnicodeEncodeError):
        status, detail = HTTPStatus.UNPROCESSABLE_ENTITY, "An input holds half a character."
    else:  # a bug, or a library's error: it is in the log, and nobody else's business
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = "The embedder failed on this request: look at its log."
    if isinstance(error, InputTooLongError):
        extra = {"index": error.index, "tokens": error.tokens, "limit": error.limit}
    if isinstance(error, UpstreamBusyError):
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    problem = Problem(title=status.phrase, status=status, detail=detail).model_dump() | extra
    # OpenAI's clients show this message and nothing else of the body.
    problem["error"] = {"message": detail, "type": status.phrase, "code": status}
    return JSONResponse(problem, status, headers, media_type=PROBLEM_TYPE)
