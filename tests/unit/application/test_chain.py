"""LangChain's entry and the API's are one path: the same request to the model, the same answer."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.fakes.application import (
    BUNDLE,
    FakeAnswerLog,
    FakeManifests,
    FakeRetriever,
    FakeSimilarity,
    ask,
    passage,
)
from tests.fakes.openai_server import MODEL, running

from application.adapters.chain import PassageRetriever, answer_chain
from application.adapters.llm import FAULTS, StreamingChatModel
from application.adapters.prompt import ChatPrompt
from application.answer import Answerer
from application.errors import ModelUnavailable
from application.upstream import Upstream
from contracts.answer import Answer

QUESTION = "How long is parental leave?"
TIMED = {"timings"}  # all else must agree


class Path:
    """Both entries over one model, and the bytes that each sent."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        upstream = Upstream("chat model", ModelUnavailable, FAULTS)
        self.model = StreamingChatModel(session, url, MODEL, None, upstream)
        self.prompt = ChatPrompt(b"key")
        self.answerer = Answerer(
            retriever=FakeRetriever([passage()]),
            similarity=FakeSimilarity(),
            prompt=self.prompt,
            model=self.model,
            manifests=FakeManifests(),
            logs=[FakeAnswerLog()],
            build="0.1.0+test",
        )
        self.sent: list[bytes] = []

    async def by_chain(self, question: str) -> Answer:
        chain = answer_chain(self.answerer, ask, self.prompt, self.model, BUNDLE, 30)
        return await chain.ainvoke(question)

    async def by_stream(self, question: str) -> Answer:
        events = [event async for event in self.answerer.stream(ask(question))]
        assert isinstance(events[-1], Answer)
        return events[-1]


async def path(url: str) -> AsyncIterator[Path]:
    sent: list[bytes] = []
    trace = aiohttp.TraceConfig()

    async def keep(session: object, context: object, params: object) -> None:
        sent.append(params.chunk)  # type: ignore[attr-defined]  # aiohttp's own parameters

    trace.on_request_chunk_sent.append(keep)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        made = Path(session, url)
        made.sent = sent
        yield made


@pytest.mark.parametrize(
    ("replies", "faults"),
    [
        (["26 weeks at full pay."] * 2, []),
        (["52 weeks."] * 2, []),
        ([], ["401", "401", "401", "401"]),
    ],
    ids=["answered", "quoted", "degraded"],
)
async def test_both_entries_send_the_same_bytes_and_give_the_same_answer(
    replies: list[str], faults: list[str]
) -> None:
    with running(replies=replies, faults=faults) as server:
        async for both in path(server.url):
            streamed, chained = await both.by_stream(QUESTION), await both.by_chain(QUESTION)
    half = len(both.sent) // 2
    assert half >= 1
    assert both.sent[:half] == both.sent[half:]
    assert streamed.model_dump_json(exclude=TIMED) == chained.model_dump_json(exclude=TIMED)


async def test_both_entries_abstain_alike_and_ask_no_model() -> None:
    with running() as server:
        async for both in path(server.url):
            both.answerer._retriever.passages = []  # type: ignore[attr-defined]  # the fake's
            streamed, chained = await both.by_stream(QUESTION), await both.by_chain(QUESTION)
        assert server.script.requests == []
    assert streamed.status == "abstained"
    assert streamed.model_dump_json(exclude=TIMED) == chained.model_dump_json(exclude=TIMED)


async def test_the_retriever_gives_passages_as_documents() -> None:
    async for both in path("http://unused"):
        retriever = PassageRetriever(answerer=both.answerer, start=ask)
        documents = await retriever.ainvoke(QUESTION)
    assert [document.page_content for document in documents] == [passage().text]
    assert documents[0].metadata["document_id"] == "handbook/leave.md"
