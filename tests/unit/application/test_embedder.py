"""The embedder's client against a scripted server: texts that are too long for it."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.fakes.openai_server import running, vector_of

from application.adapters.embedder import Embedder, TooLong, merged, pooled
from application.adapters.parts import parts_of
from application.errors import InvalidRequest, RetrievalUnavailable
from application.upstream import Breaker, Deadline, Upstream
from contracts.endpoints import SparseVector

LONG = "How many days of leave do I get? I work part time. " * 76  # 4,000 characters
WORDS = "leave " * 600


@asynccontextmanager
async def embedder(url: str, breaker: Breaker | None = None) -> AsyncIterator[Embedder]:
    async with aiohttp.ClientSession() as session:
        faults = (aiohttp.ClientError, ValueError, LookupError)
        yield Embedder(session, url, None, Upstream("e", RetrievalUnavailable, faults, breaker))


@pytest.mark.parametrize("text", [LONG[:4000], WORDS, "x" * 4000, "\u8bf7\u4fdd\u5b58\u3002" * 900])
@pytest.mark.parametrize("longest", [1200, 300, 100])
async def test_a_question_of_any_length_gets_a_vector(text: str, longest: int) -> None:
    with running(longest_input=longest) as server:
        async with embedder(server.url) as client:
            dense, _ = await client.embed(text, "dense", Deadline(5))
    assert dense is not None
    assert math.isclose(sum(x * x for x in dense), 1, rel_tol=1e-6)


async def test_a_long_question_is_near_to_what_it_is_about() -> None:
    with running(longest_input=300) as server:
        async with embedder(server.url) as client:
            near, far = await client.similarities(
                LONG, ["How many days of leave do I get?", "The pump stopped."], Deadline(5)
            )
            (short,) = await client.similarities("leave", ["leave"], Deadline(5))
    assert near > 0.7 > far
    assert math.isclose(short, 1)


async def test_a_short_question_is_asked_for_as_it_is_and_once() -> None:
    with running(longest_input=300) as server:
        async with embedder(server.url) as client:
            dense, _ = await client.embed("How long?", "dense", Deadline(5))
        assert [r["body"]["input"] for r in server.script.requests] == [["How long?"]]
    assert dense == vector_of("How long?")


async def test_texts_that_are_too_long_are_no_ill_health_of_the_embedder() -> None:
    breaker = Breaker(failures=2)
    with running(longest_input=1) as server:
        async with embedder(server.url, breaker) as client:
            for _ in range(3):
                with pytest.raises(TooLong):
                    await client.embed("How long?", "dense", Deadline(5))
    assert issubclass(TooLong, InvalidRequest)
    assert not breaker.is_open


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"error": {"message": "too long"}}),
        (400, {"error": {"message": "maximum context length is 256 tokens"}}),
        (413, "<html>"),
    ],
)
async def test_every_way_to_say_too_long_is_understood(status: int, body: object) -> None:
    with running(refusals=[(status, body, {})]) as server:
        async with embedder(server.url) as client:
            dense, _ = await client.embed(LONG, "dense", Deadline(5))
    assert dense


async def test_another_refusal_of_the_embedder_is_no_fault_of_the_question() -> None:
    refusal = (422, {"detail": [{"loc": ["body", "model"], "msg": "Field required"}]}, {})
    with running(refusals=[refusal]) as server:
        async with embedder(server.url) as client:
            with pytest.raises(RetrievalUnavailable, match="parameter model"):
                await client.embed(LONG, "dense", Deadline(5))


async def test_a_wrong_key_is_said_to_be_one() -> None:
    with running(key="other") as server:
        async with embedder(server.url) as client:
            with pytest.raises(RetrievalUnavailable, match="set EMBED_KEY"):
                await client.embed("How long?", "dense", Deadline(5))


@pytest.mark.parametrize("size", [1000, 60, 7])
def test_parts_hold_every_word_in_order_and_are_no_longer_than_asked(size: int) -> None:
    parts = parts_of(LONG, size)
    assert all(0 < len(part) <= size for part in parts)
    assert "".join("".join(parts).split()) == "".join(LONG.split())


def test_the_parts_of_a_question_weigh_the_same_whatever_the_length_of_their_vectors() -> None:
    first, second = pooled([[10.0, 0.0], [0.0, 1.0]])
    assert math.isclose(first, second)


def test_terms_of_all_parts_are_searched_each_with_its_highest_weight() -> None:
    one = SparseVector(indices=[1, 5], values=[1.0, 2.0])
    other = SparseVector(indices=[2, 5], values=[3.0, 1.0])
    assert merged([one, other]) == SparseVector(indices=[1, 2, 5], values=[1.0, 3.0, 2.0])
