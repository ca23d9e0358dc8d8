"""The reranker's client: it orders passages, and its failures leave the index's order."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from tests.fakes.openai_server import Running, running

from application.adapters.reranker import Reranker, order_of
from application.bootstrap import WEB_FAULTS
from application.errors import RetrievalUnavailable
from application.upstream import Deadline, Upstream
from contracts.answer import Passage

TEXTS = ("pump stopped", "annual leave", "lost badge")
RESULTS = [
    {"index": 1, "relevance_score": 0.9},
    {"index": 2, "relevance_score": 0.4},
    {"index": 0, "relevance_score": 0.1},
]


def passages() -> list[Passage]:
    return [
        Passage.model_construct(id=str(place), text=text, score=1 / (place + 1))
        for place, text in enumerate(TEXTS)
    ]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def client(session: aiohttp.ClientSession, url: str, key: str | None = None) -> Reranker:
    upstream = Upstream("reranker", RetrievalUnavailable, WEB_FAULTS, limit_seconds=5)
    return Reranker(session, url, "cross", key, upstream, candidates=30)


async def ordered(
    session: aiohttp.ClientSession, server: Running, status: int, body: Any, path: str = ""
) -> tuple[list[str], str]:
    server.script.refusals[:] = [(status, body, {"Content-Type": "application/json"})] * 3
    found, by = await client(session, server.url + path, "secret").ordered(
        "leave?", passages(), Deadline(10)
    )
    return [passage.text for passage in found], by


@pytest.mark.parametrize(("path", "asked"), [("", "/v1/rerank"), ("/v2", "/v2/rerank")])
async def test_passages_come_in_the_rerankers_order_and_its_model_is_told(
    session: aiohttp.ClientSession, path: str, asked: str
) -> None:
    with running() as server:
        reply = {"model": "cross-1", "results": RESULTS}
        texts, by = await ordered(session, server, 200, reply, path)
        assert (texts, by) == (["annual leave", "lost badge", "pump stopped"], "cross-1")
        (request,) = server.script.requests
    assert request["path"] == asked
    assert request["headers"]["authorization"] == "Bearer secret"
    assert request["body"] == {
        "query": "leave?",
        "documents": list(TEXTS),
        "top_n": 3,
        "model": "cross",
    }


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (401, {"error": {"message": "no"}}),
        (404, {}),
        (400, {}),
        (200, "<html>"),
        (200, []),
        (200, {}),
        (200, {"results": None}),
        (200, {"results": [{"index": 7, "relevance_score": 1}]}),
        (200, {"results": [{"index": -1, "relevance_score": 1}]}),
        (200, {"results": [RESULTS[0], RESULTS[0]]}),
        (200, {"results": [{"index": 0}]}),
        (200, {"results": ["0"]}),
        (200, json.dumps({"results": [{"index": 0, "relevance_score": float("nan")}]})),
    ],
)
async def test_where_the_reranker_fails_the_indexs_order_stays_and_provenance_says_so(
    session: aiohttp.ClientSession, status: int, body: Any
) -> None:
    with running() as server:
        assert await ordered(session, server, status, body) == (list(TEXTS), "unavailable")


async def test_nothing_is_asked_where_nothing_was_found(session: aiohttp.ClientSession) -> None:
    found, _ = await client(session, "http://127.0.0.1:9").ordered("q", [], Deadline(1))
    assert found == []


def test_passages_that_the_reply_leaves_out_come_last() -> None:
    assert order_of(RESULTS[:1], 3) == [1, 0, 2]
