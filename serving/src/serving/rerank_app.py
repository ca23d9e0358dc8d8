"""The reranker's HTTP endpoints, in the shape of Cohere's and vLLM's: `serving rerank`."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from contracts.answer import Problem
from serving.embed_app import refuse_web_pages
from serving.reranker import Reranker
from serving.settings import Settings

LONGEST = 1000  # documents of one request


class Document(BaseModel):
    """A document as an object, as some of Cohere's clients send it."""

    text: str


class RerankRequest(BaseModel):
    """The body; fields of other servers that are not here are left unread."""

    query: str = Field(min_length=1)
    documents: list[str | Document] = Field(min_length=1, max_length=LONGEST)
    model: str | None = None
    top_n: int | None = Field(default=None, ge=0)  # 0 and None: all, as vLLM reads them
    return_documents: bool = False

    @property
    def texts(self) -> list[str]:
        """The documents' texts, in order."""
        return [each if isinstance(each, str) else each.text for each in self.documents]


def create_app(settings: Settings, reranker: Reranker) -> FastAPI:
    """The app around a loaded reranker."""
    app = FastAPI(title="Faultline reranker", openapi_url=None)
    registry = CollectorRegistry()
    documents = Counter("serving_rerank_documents", "Documents scored", registry=registry)
    seconds = Histogram(
        "serving_rerank_request_seconds", "Seconds of each request", registry=registry
    )
    for error in (RequestValidationError, StarletteHTTPException, Exception):
        app.add_exception_handler(error, _problem)

    async def rerank(body: RerankRequest) -> dict[str, Any]:
        if body.model and body.model.casefold() != reranker.model.casefold():
            raise HTTPException(404, f"The model here is {reranker.model!r}: name it, or none.")
        texts = body.texts
        with seconds.time():
            scores = await run_in_threadpool(reranker.scores, body.query, texts)
        documents.inc(len(texts))
        best = sorted(range(len(texts)), key=lambda index: -scores[index])
        results = [
            {"index": index, "relevance_score": scores[index]}
            | ({"document": {"text": texts[index]}} if body.return_documents else {})
            for index in best[: body.top_n or None]
        ]
        return {"id": f"rerank-{secrets.token_hex(8)}", "model": reranker.model, "results": results}

    guarded = [Depends(_guard(settings))]
    for path in ("/v1/rerank", "/v2/rerank", "/rerank"):  # OpenAI-like, Cohere's, and vLLM's
        app.post(path, dependencies=guarded)(rerank)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        await run_in_threadpool(reranker.scores, "ready?", [secrets.token_hex(4)])
        return {"status": "ready"}

    @app.get("/manifest", dependencies=guarded)
    async def manifest() -> dict[str, str]:
        return {"model": reranker.model, "weights_sha256": reranker.weights_sha256}

    @app.get("/metrics", dependencies=guarded)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return app


def _guard(settings: Settings) -> Callable[..., None]:
    """Refuses who has no key; where there is none, refuses web pages."""

    def check(request: Request, authorization: Annotated[str, Header()] = "") -> None:
        if settings.rerank_api_key is None:
            refuse_web_pages(request.headers)
            return
        expected = f"Bearer {settings.rerank_api_key.get_secret_value()}"
        if not secrets.compare_digest(authorization.encode(), expected.encode()):
            raise HTTPException(401, "Send the reranker's key as `Authorization: Bearer <key>`.")

    return check


async def _problem(_: Request, error: Exception) -> JSONResponse:
    """Any error as problem-details JSON (RFC 9457), with the message where clients look for it."""
    if isinstance(error, RequestValidationError):
        status, first = HTTPStatus.UNPROCESSABLE_ENTITY, error.errors()[0]
        detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    elif isinstance(error, StarletteHTTPException):
        status, detail = HTTPStatus(error.status_code), str(error.detail)
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = "The reranker failed on this request: look at its log."
    problem = Problem(title=status.phrase, status=status, detail=detail).model_dump()
    problem["error"] = {"message": detail, "type": status.phrase, "code": status}
    return JSONResponse(problem, status, media_type="application/problem+json")
