"""Filters by every way in: the API, OpenAI's form and MCP; and what is told of documents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from mcp.client.client import Client
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import ApiException
from tests.fakes.application import LEAVE
from tests.fakes.index import CHUNKS, TERMS, VECTOR, commit, empty_index, write_chunks
from tests.unit.application.conftest import Application, Running

from application.access import OPEN_SCOPE
from application.adapters.index import Index
from application.adapters.retriever import IndexRetriever
from application.answer import NO_PASSAGE, NO_PASSAGE_LEFT
from application.bundle import Mode
from application.dependencies import Caller
from application.doors.mcp_server import OwnLibrary, mcp_server
from application.doors.openai_form import ChatRequest
from application.errors import RetrievalUnavailable
from application.upstream import Deadline, Upstream
from contracts.answer import Answer, AskRequest
from contracts.endpoints import SparseVector
from contracts.filters import Filters

QUESTION = "How long is parental leave?"
GIVEN: dict[str, Any] = {
    "sources": ["handbook"],
    "namespaces": ["default"],
    "tags": ["policy"],
    "path": "benefits/",
    "updated_after": "2026-01-01",
    "updated_before": "2026-12-31",
}
URL = "https://wiki.example.com/leave"
TOLD = {"url": URL, "tags": ["policy"], "updated_at": "2026-05-01T00:00:00Z"}


class NearEmbedder:
    """Every question is near every text."""

    async def embed(
        self, text: str, mode: Mode, deadline: Deadline
    ) -> tuple[list[float], SparseVector]:
        return VECTOR, SparseVector(indices=TERMS.indices, values=[5.0, 5.0])


def searching(client: AsyncQdrantClient) -> Any:
    upstream = Upstream("vector store", RetrievalUnavailable, (ApiException, ValueError))
    return IndexRetriever(NearEmbedder(), Index(client, upstream))  # type: ignore[arg-type]  # fake


async def one_document() -> Any:
    """A retriever over a document that meets all of GIVEN."""
    client = await empty_index()
    labels: Any = {"tags": ["policy"], "modified_at": datetime(2026, 5, 1, tzinfo=UTC)}
    await write_chunks(client, "handbook/benefits/leave.md", LEAVE, **labels)
    await commit(client, "handbook/benefits/leave.md", url=URL, **labels)
    return searching(client)


async def asked(app: Application, filters: dict[str, Any] | None) -> Answer:
    app.client.headers.update(app.auth)
    body = {"question": QUESTION, "filters": filters}
    reply = await app.client.post("/v1/ask", json=body)
    return Answer.model_validate_json(reply.content)


OTHERS: dict[str, dict[str, Any]] = {
    "sources": {"sources": ["wiki"]},
    "namespaces": {"namespaces": ["staff"]},
    "tags": {"tags": ["pay"]},
    "path": {"path": "legal/"},
    "updated_after": {"updated_after": "2026-05-02", "updated_before": None},
    "updated_before": {"updated_before": "2026-05-01"},
}


@pytest.mark.parametrize("field", [None, *OTHERS])
async def test_a_question_whose_document_is_filtered_out_is_abstained_from(
    application: Running, field: str | None
) -> None:
    filters = GIVEN | (OTHERS[field] if field else {})
    async with application("26 weeks.", retriever=await one_document(), index=CHUNKS) as app:
        answer = await asked(app, filters)
    if field is None:
        assert (answer.status, answer.text) == ("answered", "26 weeks. [1]")
    else:
        assert (answer.status, answer.reason) == ("abstained", NO_PASSAGE_LEFT)
        assert (answer.citations, answer.passages) == ([], [])


async def test_only_a_filter_is_named_as_the_reason_where_there_is_one(
    application: Running,
) -> None:
    async with application(retriever=searching(await empty_index()), index=CHUNKS) as app:
        reasons = [(await asked(app, filters)).reason for filters in (None, {}, {"path": "a"})]
    assert reasons == [NO_PASSAGE, NO_PASSAGE, NO_PASSAGE_LEFT]


async def test_passages_citations_and_documents_tell_url_tags_and_date(
    application: Running,
) -> None:
    async with application("26 weeks.", retriever=await one_document(), index=CHUNKS) as app:
        answer = (await asked(app, None)).model_dump(mode="json")
        path = f"/v1/documents/{answer['citations'][0]['document_id']}"
        document = (await app.client.get(path)).json()
        body = {"model": "faultline", "messages": [{"role": "user", "content": QUESTION}]}
        chat = (await app.client.post("/v1/chat/completions", json=body)).json()
    for shown in (answer["citations"][0], answer["passages"][0], document, chat["citations"][0]):
        assert shown.items() >= TOLD.items()


async def test_filters_reach_the_search_by_every_route(application: Running) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    async with application("26 weeks.") as app:
        send, auth = app.client.post, {"headers": app.auth}
        for more in ({}, {"stream": True}):
            body = {"question": QUESTION, "filters": GIVEN} | more
            assert (await send("/v1/ask", json=body, **auth)).status_code == 200
            body = {"model": "faultline", "messages": messages, "filters": GIVEN} | more
            assert (await send("/v1/chat/completions", json=body, **auth)).status_code == 200
        query = {"q": QUESTION, "filters": json.dumps(GIVEN)}
        assert (await app.client.get("/v1/search", params=query, **auth)).status_code == 200
    assert [query.filters for query in app.retriever.queries] == [Filters(**GIVEN)] * 5


async def test_filters_stay_with_a_question_that_is_rewritten(application: Running) -> None:
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": LEAVE}]
    async with application("And for how long is it paid?") as app:
        body = {"question": "And is it paid?", "history": history, "filters": GIVEN}
        await app.client.post("/v1/ask", json=body, headers=app.auth)
    assert app.retriever.queries[0].filters == Filters(**GIVEN)


BAD: list[tuple[Any, str]] = [
    ({"colour": "red"}, "there is no field 'colour'; use some of sources, namespaces, tags"),
    ({"updated_after": "soon"}, "updated_after: write the day as YYYY-MM-DD"),
    ({"sources": []}, "sources"),
    ({"path": "a" * 1001}, "path"),
    ([], "filters"),
    ("handbook", "filters"),
]


@pytest.mark.parametrize(("filters", "says"), BAD)
async def test_a_filter_that_cannot_be_read_is_a_422_that_says_what_to_do(
    application: Running, filters: Any, says: str
) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    async with application("26 weeks.") as app:
        app.client.headers.update(app.auth)
        reply = await app.client.post("/v1/ask", json={"question": QUESTION, "filters": filters})
        query = {"q": QUESTION, "filters": json.dumps(filters)}
        searched = await app.client.get("/v1/search", params=query)
        body = {"model": "faultline", "messages": messages, "filters": filters}
        chat = await app.client.post("/v1/chat/completions", json=body)
    assert [reply.status_code, searched.status_code, chat.status_code] == [422, 422, 400]
    for told in (
        reply.json()["detail"],
        searched.json()["detail"],
        chat.json()["error"]["message"],
    ):
        assert says in told
        assert "Value error" not in told
    assert app.retriever.queries == []


async def test_mcp_takes_filters_and_tells_what_is_known_of_a_document(
    application: Running,
) -> None:
    async with application("26 weeks.", retriever=await one_document(), index=CHUNKS) as app:
        library = library_of(app)
        async with Client(mcp_server(lambda _: library)) as client:
            for filters, count in (({"sources": ["wiki"]}, 0), (GIVEN, 1)):
                given = {"question": QUESTION, "filters": filters}
                found = (await client.call_tool("search", given)).structured_content
                answer = (await client.call_tool("ask", given)).structured_content
                assert found is not None
                assert answer is not None
                assert len(found["passages"]) == len(answer["citations"]) == count
            part = {"document_id": "handbook/benefits/leave.md"}
            read = (await client.call_tool("read_document", part)).structured_content
            bad = {"question": QUESTION, "filters": {"colour": "red"}}
            refused = [await client.call_tool(tool, bad) for tool in ("search", "ask")]
    for shown in (found["passages"][0], answer["citations"][0], read):
        assert shown is not None
        assert shown.items() >= TOLD.items()
    assert all(reply.is_error and "use some of sources" in str(reply.content) for reply in refused)


def library_of(app: Application) -> OwnLibrary:
    """The library of this application's own caller."""
    services = app.client._transport.app.state.services  # type: ignore[attr-defined]  # httpx's own
    caller = Caller(OPEN_SCOPE, CHUNKS, services.bundles.live, "r-1", Deadline(10), None)
    return OwnLibrary(caller, services)


async def test_the_examples_of_openapi_are_requests_that_are_taken(application: Running) -> None:
    async with application() as app:
        document = app.client._transport.app.openapi()  # type: ignore[attr-defined]  # httpx's own
    for path, model in (("/v1/ask", AskRequest), ("/v1/chat/completions", ChatRequest)):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        examples = content["application/json"]["examples"].values()
        read = [model.model_validate(example["value"]) for example in examples]
        assert any(request.filters for request in read)
    assert {"url", "tags", "updated_at"} <= document["components"]["schemas"]["Citation"][
        "properties"
    ].keys()
