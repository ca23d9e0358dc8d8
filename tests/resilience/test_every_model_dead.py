"""F9: with every model dead, answers are degraded, and soon at once."""

from collections.abc import Callable

import pytest
from tests.resilience.client import DEGRADED, ask, client, each, percentile
from tests.resilience.conftest import Start

DEAD = "http://127.0.0.1:9"  # nothing listens there
OPENING = 10  # questions that the breakers need to open


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.long)])
async def test_with_every_model_dead_each_answer_is_degraded_within_a_second(
    start: Start, count: int, resilience: Callable[..., None]
) -> None:
    application = start(DEAD, secondary_llm_url=DEAD)
    async with client(application.url) as http:
        first = [await ask(http) for _ in range(OPENING)]
        later = await each(count, 2, lambda _: ask(http))
    outcomes = first + later
    degraded = sum(o.status == DEGRADED for o in outcomes) / len(outcomes)
    p95 = percentile([o.seconds for o in later], 0.95)
    resilience("F9_degraded", "every model dead: answers degraded, share", degraded, len(outcomes))
    resilience("F9_p95_s", "every model dead, breaker open: p95 of an answer, s", p95, count)
    assert degraded == 1
    assert all(o.body["passages"] and o.body["citations"] for o in outcomes)
    assert p95 < 1
    assert application.tracebacks == 0
