"""OpenAI's API on the same answer path: `/v1/chat/completions` and `/v1/models`."""

import time
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Request

from application.dependencies import CallerDep, ServicesDep
from application.doors.openai_form import (
    MODEL,
    ChatRequest,
    Chunks,
    completion,
    cut_at,
    models,
    source_list,
)
from application.errors import NotFound
from application.streaming import EventStream, last, unless_disconnected
from contracts.answer import Answer, Citation

PLAIN_CHAT = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "How long is parental leave?"}],
}
FILTERED_CHAT = PLAIN_CHAT | {"filters": {"sources": ["handbook"], "path": "benefits/"}}
CHATS: dict[str, Any] = {
    "plain": {"summary": "A question", "value": PLAIN_CHAT},
    "filtered": {"summary": "Only from some documents", "value": FILTERED_CHAT},
}
CHUNK = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}
STARTED = int(time.time())
router = APIRouter()


@router.post(
    "/v1/chat/completions",
    responses={200: {"content": {"text/event-stream": {"schema": CHUNK}}}},
)
async def chat_completions(
    body: Annotated[ChatRequest, Body(openapi_examples=CHATS)],
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
) -> Any:
    """The answer to the last message, in OpenAI's form; as chunks where `stream` is true."""
    body.check()
    url_of = partial(place_of, str(request.base_url))
    listed = services.settings.chat_source_list

    def text_of(answer: Answer) -> str:
        sources = source_list(answer, url_of) if listed else ""
        return cut_at(answer.text + sources, body.stops)

    async def answered() -> dict[str, Any]:
        answer = await last(events)
        return completion(answer, text_of(answer), url_of)

    asked = caller.ask(body.question, body.filters)
    events = services.conversations.stream(asked, body.history)
    if not body.stream:
        return await unless_disconnected(request, answered())
    passages = await anext(events)  # first, so that a failing index is a 503 and no broken stream
    form = Chunks(body, caller.request_id, text_of, url_of)
    return EventStream(passages, events, caller.request_id, form)


@router.get("/v1/models")
async def list_models(caller: CallerDep) -> dict[str, Any]:
    """The one model that this server has."""
    return models(STARTED)


@router.get("/v1/models/{model}")
async def one_model(model: str, caller: CallerDep) -> Any:
    """The same, by its name."""
    if model != MODEL:
        raise NotFound(f"There is no model {model!r}; this server has {MODEL!r}.")
    return models(STARTED)["data"][0]


def place_of(base: str, citation: Citation) -> str:
    """The page's address of a cited span."""
    place = {"doc": citation.document_id, "start": citation.start, "end": citation.end}
    return f"{base}#{urlencode(place | {'version': citation.version})}"
