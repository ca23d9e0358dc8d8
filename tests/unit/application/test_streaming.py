import asyncio

import pytest
from fastapi import Request, Response
from tests.fakes.application import FakeChatModel, answerer, ask, passage

from application.streaming import EventStream, last, unless_disconnected
from contracts.answer import Answer

QUESTION = "How long is parental leave?"


async def test_a_reader_who_leaves_a_stream_ends_the_generation() -> None:
    model = FakeChatModel("26 ", "weeks.")
    model.hold.clear()  # the model waits after its first piece
    events = answerer(model, passage()).stream(ask(QUESTION))
    response = EventStream(await anext(events), events, "request-1")
    first_token = asyncio.Event()

    async def send(message: dict[str, object]) -> None:
        if b"event: token" in message.get("body", b""):  # type: ignore[operator]  # bytes
            first_token.set()

    async def receive() -> dict[str, str]:
        await first_token.wait()
        return {"type": "http.disconnect"}

    await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)  # type: ignore[arg-type]  # narrower than ASGI's
    assert model.closed.is_set()


async def test_a_reader_who_leaves_before_the_reply_ends_the_generation() -> None:
    model = FakeChatModel("26 ", "weeks.")
    model.hold.clear()
    work = last(answerer(model, passage()).stream(ask(QUESTION)))

    async def receive() -> dict[str, str]:
        await model.asked.wait()
        return {"type": "http.disconnect"}

    reply = await unless_disconnected(Request({"type": "http"}, receive), work)
    assert isinstance(reply, Response)
    await asyncio.wait_for(model.closed.wait(), 1)


async def test_a_reader_who_stays_gets_the_reply() -> None:
    work = last(answerer(FakeChatModel("26 weeks."), passage()).stream(ask(QUESTION)))

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        raise AssertionError

    assert isinstance(await unless_disconnected(Request({"type": "http"}, receive), work), Answer)


async def test_events_that_end_without_an_answer_are_a_bug_that_is_told() -> None:
    async def nothing():  # type: ignore[no-untyped-def]  # an empty generator
        return
        yield

    with pytest.raises(RuntimeError):
        await last(nothing())
