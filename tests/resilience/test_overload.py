"""F10: ten times the load that it can bear: what it answers goes on, the rest is told at once."""

import asyncio
from collections.abc import Callable

import pytest
from tests.resilience.client import ANSWERED, Outcome, ask, client, each, percentile
from tests.resilience.conftest import Start, model

SLOTS = 4
WORK_SECONDS = 0.5  # of the model for each answer
TIMES = 10


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.long)])
async def test_at_ten_times_its_capacity_it_answers_as_much_and_sheds_the_rest_at_once(
    start: Start, seconds: int, resilience: Callable[..., None]
) -> None:
    loop = asyncio.get_running_loop()
    with model(work_seconds=WORK_SECONDS) as server:
        application = start(server.url, max_in_flight=SLOTS)
        async with client(application.url) as http:
            await each(2 * SLOTS, SLOTS, lambda _: ask(http))  # warm
            began = loop.time()
            await each(6 * SLOTS, SLOTS, lambda _: ask(http))
            capacity = 6 * SLOTS / (loop.time() - began)
            memory = application.resident_bytes
            count, began = int(capacity * TIMES * seconds), loop.time()
            arrivals: list[asyncio.Task[Outcome]] = []
            for number in range(count):  # an open loop: nobody waits for anybody
                at = began + number / (capacity * TIMES)
                await asyncio.sleep(max(0.0, at - loop.time()))
                arrivals.append(asyncio.create_task(ask(http)))
            outcomes = await asyncio.gather(*arrivals)
            took = loop.time() - began
            growth = application.resident_bytes / memory - 1
    answered = [o for o in outcomes if o.status == ANSWERED]
    shed = [o for o in outcomes if o.code in (429, 503)]
    goodput = len(answered) / took / capacity
    p99 = 1000 * percentile([o.seconds for o in shed], 0.99)
    resilience("F10_goodput", "10x overload: answers / answers at capacity", goodput, count)
    resilience("F10_shed_p99_ms", "10x overload: time to be refused, p99, ms", p99, len(shed))
    resilience("F10_growth", "10x overload: growth of memory, share", growth, count)
    assert len(answered) + len(shed) == count
    assert application.tracebacks == 0
    if seconds < 60:
        return  # the bars are for a minute: in a few seconds other work on the machine decides
    assert (goodput >= 0.8, growth < 0.2) == (True, True), (goodput, growth)
    assert p99 < 100
