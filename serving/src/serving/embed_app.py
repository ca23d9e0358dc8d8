"""The embedder's HTTP endpoints, in OpenAI's shape where OpenAI has one: `serving embed`."""

import base64
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException

from contracts.answer import Problem
from contracts.endpoints import EmbedderManifest, SparseRequest, SparseResponse
from contracts.status import Check, Readiness
from serving.checks import is_loopback
from serving.embedder import Embedder, open_embedder
from serving.errors import (
    InputTooLongError,
    ServingError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from serving.metrics import Metrics
from serving.settings import Settings

Open = Callable[[Settings], AbstractAsyncContextManager[Embedder]]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=2048), BeforeValidator(_as_list)]

STATUS_OF: dict[type[ServingError], HTTPStatus] = {
    InputTooLongError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UpstreamRefusedError: HTTPStatus.BAD_GATEWAY,
    UpstreamUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class EmbeddingsRequest(BaseModel):
    """Body of `POST /v1/embeddings`: OpenAI's, less inputs given as token ids."""

    input: Texts
    model: str = ""  # ours, or nothing
    encoding_format: Literal["float", "base64"] = "float"  # base64: little-endian float32


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
        raise HTTPException(401, "Send the embedder's key as `Authorization: Bearer <key>`.")


def refuse_web_pages(headers: Headers) -> None:
    """Raise 403 where a web page asks, or a name that another site gave this machine."""
    name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if "origin" in headers or not is_loopback(name):
        raise HTTPException(403, "Without SERVING_EMBED_API_KEY no web page may ask.")


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

    @app.get("/health/ready")
    async def ready(embedder: EmbedderDep, response: Response) -> Readiness:
        try:
            await embedder.embed(["ready"])
        except ServingError as error:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
            return Readiness(status="down", checks={"model": Check(ok=False, detail=str(error))})
        detail = embedder.manifest.fingerprint.model
        return Readiness(status="ready", checks={"model": Check(ok=True, detail=detail)})


def _add_endpoints(app: FastAPI) -> None:
    guarded = [Depends(_check_key)]

    @app.post("/v1/embeddings", dependencies=guarded)
    async def embeddings(
        body: EmbeddingsRequest, embedder: EmbedderDep, metrics: MetricsDep
    ) -> Response:
        model = embedder.manifest.fingerprint.model
        if body.model and body.model != model:
            raise HTTPException(404, f"The model here is {model!r}: name it, or name none.")
        started = time.perf_counter()
        vectors, tokens = await embedder.embed(body.input)
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

    @app.post("/v1/sparse", dependencies=guarded)
    async def sparse(body: SparseRequest, embedder: EmbedderDep) -> SparseResponse:
        data = await run_in_threadpool(embedder.sparse.encode, body.input, body.kind)
        return SparseResponse(data=data)

    @app.get("/v1/tokenizer", dependencies=guarded)
    async def tokenizer(embedder: EmbedderDep) -> Response:
        headers = {"ETag": f'"{embedder.tokenizer.sha256}"'}
        return Response(embedder.tokenizer.content, media_type="application/json", headers=headers)

    @app.get("/v1/models", dependencies=guarded)
    async def models(embedder: EmbedderDep) -> dict[str, object]:
        model = {
            "id": embedder.manifest.fingerprint.model,
            "object": "model",
            "owned_by": "serving",
        }
        return {"object": "list", "data": [model]}

    @app.get("/manifest", dependencies=guarded)
    async def manifest(embedder: EmbedderDep) -> EmbedderManifest:
        return embedder.manifest

    @app.get("/metrics", dependencies=guarded)
    async def metrics_page(metrics: MetricsDep) -> Response:
        return Response(metrics.page(), media_type="text/plain; version=0.0.4")


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
    elif isinstance(error, ServingError):
        status, detail = STATUS_OF[type(error)], str(error)
    elif isinstance(error, UnicodeEncodeError):
        status, detail = HTTPStatus.UNPROCESSABLE_ENTITY, "An input holds half a character."
    else:  # a bug, or a library's error: it is in the log, and nobody else's business
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = "The embedder failed on this request: look at its log."
    if isinstance(error, InputTooLongError):
        extra = {"index": error.index, "tokens": error.tokens, "limit": error.limit}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    problem = Problem(title=status.phrase, status=status, detail=detail).model_dump() | extra
    return JSONResponse(problem, status, headers, media_type="application/problem+json")
