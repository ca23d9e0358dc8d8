"""How an answer travels: as server-sent events or as one reply, while the client listens."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Protocol, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from application.problems import problem_of
from contracts.answer import Answer, Passage, Problem

T = TypeVar("T")
Event = list[Passage] | str | Answer
CLIENT_CLOSED_REQUEST = 499  # nginx's; only logs ever see it
FLUSH_SECONDS = 0.05  # pieces that come faster share a write: writes cost more than tokens
HEARTBEAT_SECONDS = 15.0  # proxies cut connections that are silent for a minute
HEARTBEAT = b": waiting\n\n"
STALLED_SECONDS = 30.0  # for one write to be taken
PASSAGES = TypeAdapter(list[Passage])


class Form(Protocol):
    """How events are written: as our own, or as another API's clients expect them."""

    def event(self, event: Event) -> bytes:
        """The frames of one event; empty where the form has none for it."""
        ...

    def error(self, problem: Problem) -> bytes:
        """The frames that end a stream which failed."""
        ...


class OwnForm:
    """The events of contracts.answer.STREAM_EVENTS."""

    def event(self, event: Event) -> bytes:
        """One frame."""
        if isinstance(event, str):
            return b'event: token\ndata: {"text": %b}\n\n' % json.dumps(event).encode()
        if isinstance(event, Answer):
            return b"event: answer\ndata: %b\n\n" % event.model_dump_json().encode()
        return b"event: passages\ndata: %b\n\n" % PASSAGES.dump_json(event)

    def error(self, problem: Problem) -> bytes:
        """One frame."""
        return b"event: error\ndata: %b\n\n" % problem.model_dump_json().encode()


OWN_FORM = OwnForm()


class EventStream(StreamingResponse):
    """`first` and `rest` as server-sent events, written in `form`.

    A client that goes away ends the generation: the events are closed with the response.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        first: Event,
        rest: AsyncGenerator[Event, None],
        request_id: str,
        form: Form = OWN_FORM,
    ) -> None:
        self._rest = rest
        self._frames = _frames(first, rest, request_id, form)
        super().__init__(self._frames, headers={"X-Accel-Buffering": "no"})  # nginx would hold it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):  # a reader who reads nothing is gone
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError as error:
            raise ClientDisconnect from error
        finally:
            await self._frames.aclose()
            await self._rest.aclose()  # where the client left before the first frame


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
    first: Event, rest: AsyncGenerator[Event, None], request_id: str, form: Form
) -> AsyncGenerator[bytes, None]:
    """Writes of the response: pieces gathered for FLUSH_SECONDS, and comments while it waits."""
    yield form.event(first)
    arrived: list[Event] = []
    news = asyncio.Event()
    pump = asyncio.create_task(_pump(rest, arrived, news))
    try:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await news.wait()
            except TimeoutError:
                yield HEARTBEAT
                continue
            news.clear()
            if arrived:
                yield _joined(arrived, form.event)
            if pump.done() and not arrived:
                break
            # What comes meanwhile shares the next write, and waits no longer than this.
            await asyncio.wait((pump,), timeout=FLUSH_SECONDS)
        error = pump.exception()
        if isinstance(error, Exception):  # the headers are gone, so the stream must tell
            yield form.error(problem_of(error, request_id))
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _pump(
    events: AsyncGenerator[Event, None], arrived: list[Event], news: asyncio.Event
) -> None:
    """Appends events as they come, so that no waiting for a write holds up the generation."""
    try:
        async with aclosing(events):
            async for event in events:
                arrived.append(event)
                news.set()
    finally:
        news.set()


def _joined(arrived: list[Event], frame: Callable[[Event], bytes]) -> bytes:
    """Frames of all that arrived, in order; pieces that follow one another share one."""
    frames, text = [], ""
    for event in arrived:
        if isinstance(event, str):
            text += event
            continue
        if text:
            frames.append(frame(text))
            text = ""
        frames.append(frame(event))
    if text:
        frames.append(frame(text))
    arrived.clear()
    return b"".join(frames)
