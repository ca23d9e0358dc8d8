"""The doors: thousands of slow clients without a key hold up nobody who has one."""

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from tests.resilience.client import ANSWERED, ask, client
from tests.resilience.conftest import Start, model

LINE = b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
SLOW = [b"", b"POST /v1/as", LINE, LINE + b'Content-Length: 60\r\n\r\n{"question": "How']
QUESTIONS = 10
SPARE = 200  # descriptors of both processes for all else


@pytest.fixture
def descriptors() -> Iterator[Callable[[int], None]]:
    """Allows so many open files here and in what is started from here, or skips."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(count: int) -> None:
        soft, hard = before
        if hard not in (-1, resource.RLIM_INFINITY) and hard < count:
            pytest.skip(f"this machine allows {hard} open files, and {count} are needed")
        if soft < count:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))

    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("slow", [64, 500, pytest.param(5_000, marks=pytest.mark.long)])
async def test_beside_slow_clients_without_a_key_one_with_a_key_is_answered_within_a_second(
    start: Start, slow: int, descriptors: Callable[[int], None], resilience: Callable[..., None]
) -> None:
    descriptors(slow + SPARE)
    with model() as server:
        application = start(server.url)
        port = int(application.url.rpartition(":")[2])
        writers = []
        async with client(application.url) as http:
            await ask(http)  # warm
            outcomes = []
            for number in range(slow):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(SLOW[number % len(SLOW)])
                writers.append(writer)
                if number % (slow // QUESTIONS) == 0:
                    outcomes.append(await ask(http))
            outcomes += [await ask(http) for _ in range(QUESTIONS)]
        for writer in writers:
            writer.close()
        for writer in writers:
            with suppress(OSError):
                await writer.wait_closed()
    slowest = max(outcome.seconds for outcome in outcomes)
    resilience(
        f"doors_{slow}_s", f"{slow:,} slow clients: slowest answer, s", slowest, len(outcomes)
    )
    assert {outcome.status for outcome in outcomes} == {ANSWERED}
    assert slowest < 1
    assert application.tracebacks == 0
