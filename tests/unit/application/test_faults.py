"""Short forms of F7, F9 and F11: a faulty model costs time and answers as little as promised."""

import time

import pytest
from tests.fakes.openai_server import running
from tests.unit.application.test_chat_model import chat_model, reply

from application.errors import ModelUnavailable
from application.upstream import Breaker

FAULTS = ("500", "reset", "garbage", "utf8", "hang", "stall", "empty")
REQUESTS = 42


async def test_faults_of_the_model_are_one_error_in_time_and_cost_few_calls() -> None:
    faults = [fault for _ in range(REQUESTS) for fault in FAULTS][: REQUESTS * 2]
    overruns: list[float] = []
    with running(faults=faults, replies=["26 weeks at full pay."] * 99) as server:
        async with chat_model(server.url, breaker=Breaker(failures=REQUESTS * 2)) as model:
            for _ in range(REQUESTS):
                began = time.monotonic()
                with pytest.raises(ModelUnavailable):
                    await reply(model, seconds=0.2)
                overruns.append(time.monotonic() - began - 0.2)
        calls = len(server.script.requests)
    assert sorted(overruns)[-1] < 0.5
    assert calls <= REQUESTS * 1.1 + 5  # with the reserve of the retry budget


async def test_once_the_breaker_is_open_a_dead_model_costs_no_time() -> None:
    with running(faults=["500"] * 99) as server:
        async with chat_model(server.url, breaker=Breaker(failures=3)) as model:
            for _ in range(3):
                with pytest.raises(ModelUnavailable):
                    await reply(model)
            asked = len(server.script.requests)
            began = time.monotonic()
            for _ in range(100):
                with pytest.raises(ModelUnavailable, match="keeps failing"):
                    await reply(model)
            assert time.monotonic() - began < 1
        assert len(server.script.requests) == asked
