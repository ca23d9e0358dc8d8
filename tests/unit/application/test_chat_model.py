"""The streaming client against a scripted server on loopback: its faults, and what is sent."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.fakes.application import BUNDLE
from tests.fakes.openai_server import MODEL, running

from application.adapters.llm import FAULTS, StreamingChatModel
from application.errors import ModelUnavailable
from application.ports import Message, Usage
from application.upstream import Breaker, Deadline, Upstream


@asynccontextmanager
async def chat_model(
    url: str,
    key: str | None = None,
    breaker: Breaker | None = None,
    probe_url: str = "",
    sent: list[bytes] | None = None,
    quirks: Collection[Any] = (),
) -> AsyncIterator[StreamingChatModel]:
    trace = aiohttp.TraceConfig()

    async def keep(session: object, context: object, params: object) -> None:
        (sent if sent is not None else []).append(params.chunk)  # type: ignore[attr-defined]  # aiohttp's own parameters

    trace.on_request_chunk_sent.append(keep)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        upstream = Upstream("chat model", ModelUnavailable, FAULTS, breaker)
        probes = (probe_url, Upstream("probes", ModelUnavailable, FAULTS)) if probe_url else None
        yield StreamingChatModel(session, url, MODEL, key, upstream, probes, quirks)


async def reply(
    model: StreamingChatModel, text: str = "hello", seconds: float = 5, cycle: str | None = None
) -> list[object]:
    messages = [Message(role="user", content=text)]
    stream = model.stream(messages, BUNDLE.sampling, Deadline(seconds), cycle)
    return [piece async for piece in stream]


async def test_pieces_come_first_and_their_usage_last() -> None:
    with running(replies=["26 weeks at full pay."]) as server:
        async with chat_model(server.url) as model:
            *pieces, usage = await reply(model)
    assert "".join(map(str, pieces)) == "26 weeks at full pay."
    assert isinstance(usage, Usage)
    assert usage.finish_reason == "stop"


@pytest.mark.parametrize("suffix", ["", "/v1", "/v1/"])
async def test_the_address_may_end_in_v1_or_not(suffix: str) -> None:
    with running(replies=["yes"]) as server:
        async with chat_model(server.url + suffix) as model:
            assert (await reply(model))[0]
            assert model.endpoint == server.url


async def test_sampling_and_key_are_sent_with_every_request() -> None:
    with running(key="secret", replies=["yes"]) as server:
        async with chat_model(server.url, key="secret") as model:
            await reply(model)
        sent = server.script.requests[0]
    assert sent["headers"]["authorization"] == "Bearer secret"
    assert BUNDLE.sampling.model_dump().items() <= sent["body"].items()


@pytest.mark.parametrize("fault", ["500", "429", "401", "reset", "garbage", "utf8", "empty"])
async def test_every_fault_of_the_model_is_the_same_error(fault: str) -> None:
    with running(faults=[fault, fault]) as server:
        async with chat_model(server.url) as model:
            with pytest.raises(ModelUnavailable):
                await reply(model)


async def test_a_hanging_model_is_given_up_at_the_deadline() -> None:
    with running(faults=["hang", "hang"]) as server:
        async with chat_model(server.url) as model:
            with pytest.raises(ModelUnavailable):
                await reply(model, seconds=0.1)


async def test_a_failure_before_the_first_token_is_tried_once_more() -> None:
    with running(faults=["500", ""], replies=["yes"]) as server:
        async with chat_model(server.url) as model:
            assert (await reply(model))[0]
        assert len(server.script.requests) == 2


async def test_a_failure_after_the_first_token_is_never_tried_again() -> None:
    with running(faults=["reset"], replies=["a long reply that is cut in the middle"]) as server:
        async with chat_model(server.url) as model:
            with pytest.raises(ModelUnavailable):
                await reply(model)
        assert len(server.script.requests) == 1


async def test_a_model_that_keeps_failing_is_left_alone() -> None:
    with running(faults=["500"] * 9) as server:
        async with chat_model(server.url, breaker=Breaker(failures=2)) as model:
            for _ in range(3):
                with pytest.raises(ModelUnavailable):
                    await reply(model)
        assert len(server.script.requests) == 2


async def test_a_cycle_goes_the_probes_way_with_the_same_key_and_the_same_bytes() -> None:
    sent: list[bytes] = []
    with running(key="secret") as users, running(key="secret") as probes:
        async with chat_model(
            users.url, key="secret", probe_url=probes.url + "/v1", sent=sent
        ) as model:
            await reply(model, "Zürich?")
            await reply(model, "Zürich?", cycle="c-1")
            told = model.request([Message(role="user", content="Zürich?")], BUNDLE.sampling)
    (by_user,), (by_probe,) = users.script.requests, probes.script.requests
    assert (by_probe["path"], by_probe["headers"]["x-probe-cycle"]) == (by_user["path"], "c-1")
    assert "x-probe-cycle" not in by_user["headers"]
    assert sent[0] == sent[1] == json.dumps(told, ensure_ascii=False).encode()


async def test_a_cycle_takes_the_users_way_where_no_other_is_set() -> None:
    with running() as users:
        async with chat_model(users.url) as model:
            await reply(model, cycle="c-1")
        assert "x-probe-cycle" not in users.script.requests[0]["headers"]


async def test_a_dead_way_of_the_probes_costs_users_nothing() -> None:
    with running() as users, running(faults=["500"] * 20) as probes:
        async with chat_model(users.url, probe_url=probes.url) as model:
            for _ in range(9):
                with pytest.raises(ModelUnavailable):
                    await reply(model, cycle="c-1")
            assert await reply(model)


@pytest.mark.parametrize("fault", ["reset", "stall"])
async def test_generations_that_break_after_their_first_token_open_the_breaker(fault: str) -> None:
    with running(faults=[fault] * 12, replies=["a long reply that is cut"] * 12) as server:
        async with chat_model(server.url, breaker=Breaker(failures=3)) as model:
            for _ in range(12):
                with pytest.raises(ModelUnavailable):
                    await reply(model, seconds=0.1)
        assert len(server.script.requests) == 3


async def test_questions_that_the_model_refuses_do_not_degrade_the_next_one() -> None:
    with running(refusals=[(400, {"error": "too long"}, {})] * 9, replies=["yes"]) as server:
        async with chat_model(server.url, breaker=Breaker(failures=2)) as model:
            for _ in range(9):
                with pytest.raises(ModelUnavailable, match="too long"):
                    await reply(model)
            assert (await reply(model))[0] == "yes"


async def test_readers_who_leave_say_nothing_of_the_model() -> None:
    with running(faults=["drip"] * 9) as server:
        async with chat_model(server.url, breaker=Breaker(failures=2)) as model:
            for _ in range(4):
                messages = [Message(role="user", content="hello")]
                stream = model.stream(messages, BUNDLE.sampling, Deadline(5))
                await anext(stream)
                await stream.aclose()
            assert (await reply(model))[0]
