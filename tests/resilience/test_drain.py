"""F12: an application that is told to stop first ends the streams that it has begun."""

import asyncio
import re
import signal
import threading
from collections.abc import Callable

import pytest
from tests.resilience.client import ANSWERED, streaming
from tests.resilience.conftest import SAID, Start, model

STREAMS = 50
DRAIN_SECONDS = 25


@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.long)])
async def test_streams_under_way_at_a_sigterm_are_told_to_their_end(
    start: Start, rounds: int, resilience: Callable[..., None]
) -> None:
    broken = 0
    for _ in range(rounds):
        hold = threading.Event()
        with model(hold=hold, reply=lambda _: SAID) as server:
            application = start(server.url)
            opened = await asyncio.gather(*(streaming(application.url) for _ in range(STREAMS)))
            await asyncio.gather(*(stream.until("token") for stream in opened))
            application.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(application.wait_for, re.compile("Shutting down"), 10)
            hold.set()  # the models go on only now
            ends = await asyncio.gather(*(stream.rest() for stream in opened))
            await asyncio.to_thread(application.process.wait, DRAIN_SECONDS)
        broken += sum(end.get("status") != ANSWERED for end in ends)
        assert application.tracebacks == 0
    resilience("F12_broken", "SIGTERM during 50 streams: broken streams", broken, STREAMS * rounds)
    assert broken == 0
