"""The routes: they verify, translate, and hand over to the use case."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, Security
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPBearer

from application.bundle import Mode
from application.dependencies import CallerDep, ServicesDep
from application.streaming import EventStream, last, unless_disconnected
from contracts.answer import (
    STREAM_EVENTS,
    Answer,
    AskRequest,
    DocumentView,
    SearchResponse,
    problems,
)
from contracts.status import BundleStatus, Readiness

# What OpenAPI documents for every route that needs a key; `Admission` is what checks the key.
REFUSALS = problems(
    {
        400: "The request cannot be read.",
        401: "No valid key.",
        403: "Probe headers without the probe key.",
        404: "No such document, index or bundle that this key may read.",
        408: "The body did not arrive in time.",
        413: "The body is too large.",
        422: "The request is not valid.",
        429: "This key asks too much.",
        503: "The application is full, or the index or the embedder does not answer.",
    }
)
EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {"event": {"enum": [*STREAM_EVENTS]}, "data": {"type": "string"}},
}

router = APIRouter()
DOOR = Security(HTTPBearer(auto_error=False))
guarded = APIRouter(dependencies=[DOOR], responses=REFUSALS)


@guarded.post(
    "/v1/ask",
    response_model=Answer,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}},
)
async def ask(body: AskRequest, request: Request, caller: CallerDep, services: ServicesDep) -> Any:
    """An answer with citations; as a stream of events where `stream` is true."""
    events = services.conversations.stream(caller.ask(body.question), body.history)
    if not body.stream:
        return await unless_disconnected(request, last(events))
    passages = await anext(events)  # first, so that a failing index is a 503 and no broken stream
    return EventStream(passages, events, caller.request_id)


@guarded.get("/v1/search")
async def search(
    q: Annotated[str, Query(min_length=1, max_length=4000)],
    caller: CallerDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    mode: Mode | None = None,
) -> SearchResponse:
    """Passages, best first, without an answer."""
    query = caller.query(q, mode or caller.bundle.retrieval.mode, limit)
    found = await services.retriever.search(query)
    return SearchResponse(
        passages=found.passages,
        index=found.collection,
        embedder=await services.manifests.embedder(caller.deadline),
        bundle=caller.bundle.digest,
    )


@guarded.get("/v1/documents/{document_id:path}")
async def document(document_id: str, caller: CallerDep, services: ServicesDep) -> DocumentView:
    """The committed text that citations point into."""
    return await services.retriever.document(
        document_id, caller.scope, caller.index, caller.deadline
    )


@guarded.get("/v1/status")
async def status(caller: CallerDep, services: ServicesDep) -> BundleStatus:
    """The build, the bundle that answers, and the one that was released last."""
    released = services.releases.last
    return BundleStatus(
        build=services.build,
        bundle=caller.bundle.digest,
        released=released.bundle if released else None,
        prompts={name: prompt.version for name, prompt in caller.bundle.prompts.items()},
        settings=caller.bundle.settings,
    )


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Whether this process runs; no dependency is asked."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"model": Readiness}})
async def ready(response: Response, services: ServicesDep) -> Readiness:
    """Whether questions can be answered; 503 where not even passages can be found."""
    readiness = await services.readiness.check()
    if readiness.status == "down":
        response.status_code = 503
    return readiness


@guarded.get("/metrics", response_class=PlainTextResponse)
async def metrics(caller: CallerDep, services: ServicesDep) -> Response:
    """What Prometheus reads."""
    return Response(services.metrics.text(), media_type="text/plain; version=0.0.4")


router.include_router(guarded)
