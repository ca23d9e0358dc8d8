"""How an answer travels: as server-sent events or as one reply, while the client listens."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from starlette.types import Receive, Scope, Send

from application.problems import problem_of
from contracts.answer import Answer, Passage

T = TypeVar("T")
Event = list[Passage] | str | Answer
CLIENT_CLOSED_REQUEST = 499  # nginx's; only logs ever see it
FLUSH_SECONDS = 0.05  # pieces that come faster share a write: writes cost more than tokens
PASSAGES = TypeAdapter(list[Passage])


class EventStream(StreamingResponse):
    """`first` and `rest` as the events of contracts.answer.STREAM_EVENTS.

    A client that goes away ends the generation: the events are closed with the response.
    """

    media_type = "text/event-stream"

    def __init__(self, first: Event, rest: AsyncGenerator[Event, None], request_id: str) -> None:
        self._frames = _frames(first, rest, request_id)
        super().__init__(self._frames)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._frames.aclose()


async def last(events: AsyncGenerator[Event, None]) -> Answer:
    """The answer that ends `events`."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise RuntimeError("events ended without an answer")


async def unless_disconnected(request: Request, work: Coroutine[None, None, T]) -> T | Response:
    """Result of `work`; where the client goes away before, `work` is cancelled and nobody told."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnect(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        gone.cancel()
        task.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _frames(
    first: Event, rest: AsyncGenerator[Event, None], request_id: str
) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        try:
            yield _frame(first)
            held, flushed_at = "", 0.0
            async for event in rest:
                if isinstance(event, str):
                    held += event
                    if time.monotonic() - flushed_at < FLUSH_SECONDS:
                        continue
                if held:
                    yield _frame(held)
                    held, flushed_at = "", time.monotonic()
                if not isinstance(event, str):
                    yield _frame(event)
        except Exception as error:  # noqa: BLE001 - the headers are gone, so the stream must tell
            problem = problem_of(error, request_id)
            yield b"event: error\ndata: %b\n\n" % problem.model_dump_json().encode()


def _frame(event: Event) -> bytes:
    if isinstance(event, str):
        return b'event: token\ndata: {"text": %b}\n\n' % json.dumps(event).encode()
    if isinstance(event, Answer):
        return b"event: answer\ndata: %b\n\n" % event.model_dump_json().encode()
    return b"event: passages\ndata: %b\n\n" % PASSAGES.dump_json(event)
