import asyncio
from collections.abc import AsyncGenerator

import pytest
from fastapi import Request, Response
from tests.fakes.application import FakeChatModel, answerer, ask, passage

from application import streaming
from application.streaming import HEARTBEAT, Event, EventStream, last, unless_disconnected
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


async def held_back(
    release: asyncio.Event, *pieces: str, failure: Exception | None = None
) -> AsyncGenerator[Event, None]:
    """The pieces at once, then nothing until it is released."""
    for piece in pieces:
        yield piece
    await release.wait()
    if failure:
        raise failure
    yield " weeks."


def frames_of(events: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    return EventStream([], events, "request-1")._frames


async def test_a_stream_asks_proxies_not_to_hold_it() -> None:
    events = held_back(asyncio.Event())
    assert EventStream([], events, "request-1").headers["X-Accel-Buffering"] == "no"
    await events.aclose()


async def test_while_a_stream_waits_it_sends_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.01)
    frames = frames_of(held_back(asyncio.Event()))
    assert (await anext(frames)).startswith(b"event: passages")
    assert [await anext(frames), await anext(frames)] == [HEARTBEAT, HEARTBEAT]
    await frames.aclose()


async def test_a_piece_that_shares_a_write_goes_out_without_waiting_for_the_next() -> None:
    release = asyncio.Event()
    frames = frames_of(held_back(release, "12", " or", " 26"))
    sent = b""
    async with asyncio.timeout(2):
        while b" 26" not in sent:
            sent += await anext(frames)
    release.set()
    rest = [frame async for frame in frames]
    assert b"weeks." in b"".join(rest)


async def test_nothing_is_lost_where_the_last_events_come_during_a_write() -> None:
    release = asyncio.Event()
    frames = frames_of(held_back(release, "26"))
    assert b"passages" in await anext(frames)
    assert b"26" in await anext(frames)
    release.set()  # the reader is busy with that write
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"weeks." in b"".join([frame async for frame in frames])


async def test_what_came_before_a_failure_is_sent_before_its_error() -> None:
    release = asyncio.Event()
    release.set()
    frames = frames_of(held_back(release, "26", failure=ZeroDivisionError("secret")))
    sent = b"".join([frame async for frame in frames])
    assert sent.index(b"26") < sent.index(b"event: error")
    assert b"secret" not in sent
