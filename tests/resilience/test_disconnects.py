"""F11: a client that goes away ends the generation that it asked for, and frees its slot."""

import asyncio
from collections.abc import Callable

import pytest
from tests.resilience.client import ANSWERED, ask, client, streaming
from tests.resilience.conftest import SAID, Start, model

LEFT_SECONDS = 2.0
AFTER = 10  # questions at once; the next round of streams needs every slot


@pytest.mark.parametrize("streams", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_streams_whose_clients_leave_are_no_longer_generated(
    start: Start, streams: int, resilience: Callable[..., None]
) -> None:
    at_once = 100
    left = 0
    endless = "word " * 5_000
    drips = [*["drip"] * at_once, *[""] * AFTER] * (streams // at_once)
    replies = [*[endless] * at_once, *[SAID] * AFTER] * (streams // at_once)
    after = []
    with model(faults=drips, replies=replies, drip_seconds=0.5) as server:
        application = start(server.url, max_in_flight=at_once, deadline_seconds=120)
        for _ in range(streams // at_once):
            opened = await asyncio.gather(*(streaming(application.url) for _ in range(at_once)))
            await asyncio.gather(*(stream.until("token") for stream in opened))
            assert server.script.under_way == at_once
            await asyncio.gather(*(stream.close() for stream in opened))
            if not await asyncio.to_thread(server.script.wait_for, 0, LEFT_SECONDS):
                left += server.script.under_way
            async with client(application.url) as http:  # slots are free at once
                after += await asyncio.gather(*(ask(http) for _ in range(AFTER)))
    resilience("F11_left", "streams whose client left: generations after 2 s", left, streams)
    assert left == 0
    assert {(outcome.code, outcome.status) for outcome in after} == {(200, ANSWERED)}
    assert application.tracebacks == 0
