"""F11: a client that goes away ends the generation that it asked for."""

import asyncio
from collections.abc import Callable

import pytest
from tests.resilience.client import streaming
from tests.resilience.conftest import Start, model

LEFT_SECONDS = 2.0


@pytest.mark.parametrize("streams", [200, pytest.param(1000, marks=pytest.mark.long)])
async def test_streams_whose_clients_leave_are_no_longer_generated(
    start: Start, streams: int, resilience: Callable[..., None]
) -> None:
    at_once = 100
    left = 0
    endless = "word " * 5_000
    drips = ["drip"] * streams
    with model(faults=drips, reply=lambda _: endless, drip_seconds=0.5) as server:
        application = start(server.url, max_in_flight=2 * at_once, deadline_seconds=120)
        for _ in range(streams // at_once):
            opened = await asyncio.gather(*(streaming(application.url) for _ in range(at_once)))
            await asyncio.gather(*(stream.until("token") for stream in opened))
            assert server.script.under_way == at_once
            await asyncio.gather(*(stream.close() for stream in opened))
            if not await asyncio.to_thread(server.script.wait_for, 0, LEFT_SECONDS):
                left += server.script.under_way
    resilience("F11_left", "streams whose client left: generations after 2 s", left, streams)
    assert left == 0
    assert application.tracebacks == 0
