import traceback
from itertools import product
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException
from tests.fakes.application import BUNDLE
from tests.fakes.index import CHUNKS, TERMS, VECTOR, commit, empty_index, write_chunks

from application.access import OPEN_SCOPE, Scope
from application.adapters.index import Index, joined
from application.adapters.retriever import IndexRetriever
from application.bundle import Mode
from application.errors import NotFound, RetrievalUnavailable
from application.ports import Query
from application.upstream import Deadline, Upstream
from contracts.endpoints import SparseVector


class FixedEmbedder:
    """Every text has the same vectors."""

    async def embed(
        self, text: str, mode: Mode, deadline: Deadline
    ) -> tuple[list[float] | None, SparseVector | None]:
        dense = VECTOR if mode != "sparse" else None
        sparse = SparseVector(indices=TERMS.indices, values=TERMS.values)
        return dense, sparse if mode != "dense" else None


def retriever(client: AsyncQdrantClient) -> IndexRetriever:
    upstream = Upstream("vector store", RetrievalUnavailable, (ApiException, ValueError))
    return IndexRetriever(FixedEmbedder(), Index(client, upstream))  # type: ignore[arg-type]  # fake


def query(scope: Scope = OPEN_SCOPE, mode: Mode = "hybrid", limit: int = 10) -> Query:
    return Query("any", scope, CHUNKS, mode, limit, BUNDLE, Deadline(10))


@pytest.mark.parametrize("mode", ["hybrid", "dense", "sparse"])
async def test_a_committed_document_is_found_with_its_place_in_the_text(mode: Mode) -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "first", "second")
    await commit(client, "handbook/a.md")
    found = await retriever(client).search(query(mode=mode))
    assert {(p.text, p.start, p.end) for p in found.passages} == {
        ("first", 0, 5),
        ("second", 6, 12),
    }
    assert {(p.title, p.path) for p in found.passages} == {("Title", "a.md")}
    assert found.collection == CHUNKS
    assert (found.lexical is None) == (mode == "dense")


async def test_chunks_of_a_version_that_is_not_committed_are_never_found() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "old", version="v1")
    await commit(client, "handbook/a.md", version="v1")
    await write_chunks(client, "handbook/a.md", "new", version="v2")
    assert [p.text for p in (await retriever(client).search(query())).passages] == ["old"]
    await commit(client, "handbook/a.md", version="v2")
    assert [p.text for p in (await retriever(client).search(query())).passages] == ["new"]


async def test_passages_of_equal_score_have_one_order_whatever_the_store_says() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "one", "two", "three")
    await commit(client, "handbook/a.md")
    one = (await retriever(client).search(query(mode="dense"))).passages
    search = client.query_points

    async def reversed_ties(*args: Any, **kwargs: Any) -> Any:
        reply = await search(*args, **kwargs)
        reply.points.reverse()
        return reply

    client.query_points = reversed_ties  # type: ignore[method-assign]  # a store's other mood
    other = (await retriever(client).search(query(mode="dense"))).passages
    assert len({passage.score for passage in one}) == 1
    assert other == one


async def test_a_document_committed_while_it_was_searched_is_found_by_the_second_search() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "text")
    retrieve = client.retrieve

    async def commit_after_first_look(*args: object, **kwargs: object) -> object:
        records = await retrieve(*args, **kwargs)  # type: ignore[arg-type]  # passed through
        await commit(client, "handbook/a.md")
        return records

    client.retrieve = commit_after_first_look  # type: ignore[method-assign,assignment]  # a hook
    assert [p.text for p in (await retriever(client).search(query())).passages] == ["text"]


async def test_no_caller_reads_another_tenant_or_namespace() -> None:
    client = await empty_index()
    places = list(product(("acme", "other"), ("default", "legal", "canary")))
    for tenant, namespace in places:
        document_id = f"handbook/{namespace}.md"
        where = {"tenant": tenant, "namespace": namespace}
        await write_chunks(client, document_id, f"{tenant} {namespace}", **where)
        await commit(client, document_id, **where)
    for tenant, namespace in places:
        scope = Scope(tenant, frozenset({namespace}))
        passages = (await retriever(client).search(query(scope))).passages
        assert [p.text for p in passages] == [f"{tenant} {namespace}"]


async def test_the_filter_alone_keeps_a_search_inside_its_scope() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "hidden", namespace="legal")
    await commit(client, "handbook/a.md", namespace="legal")
    index = Index(client, Upstream("vector store", RetrievalUnavailable, (ApiException,)))
    where = await index.resolve(CHUNKS, Deadline(10))
    sparse = SparseVector(indices=TERMS.indices, values=TERMS.values)
    assert await index.search(query(), where, VECTOR, sparse) == []
    assert await index.best_lexical_score(query(), where, sparse) == 0.0


async def test_a_hit_outside_the_scope_is_dropped_though_the_index_returned_it() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "hidden", namespace="legal")
    await commit(client, "handbook/a.md", namespace="legal")
    search = retriever(client)
    wide = query(Scope("default", frozenset({"legal"})))
    leaking = search._index.search

    async def leak(narrow: Query, *rest: Any) -> Any:
        return await leaking(wide, *rest)

    search._index.search = leak  # type: ignore[method-assign]  # an index that forgot its filter
    assert (await search.search(query())).passages == []


@pytest.mark.parametrize(
    "scope", [Scope("", frozenset({"default"})), Scope("default", frozenset())]
)
async def test_an_empty_scope_reads_nothing(scope: Scope) -> None:
    with pytest.raises(NotFound):
        await retriever(await empty_index()).search(query(scope))


async def test_a_document_is_put_together_again_character_for_character() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "# Title", "first", "second", gap=2)
    await commit(client, "handbook/a.md")
    view = await retriever(client).document("handbook/a.md", OPEN_SCOPE, CHUNKS, Deadline(5))
    assert view.text == "# Title\n\nfirst\n\nsecond"


async def test_a_document_outside_the_scope_is_as_absent_as_one_that_never_was() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "secret", namespace="legal")
    await commit(client, "handbook/a.md", namespace="legal")
    for document_id in ("handbook/a.md", "handbook/never.md"):
        with pytest.raises(NotFound, match="no document"):
            await retriever(client).document(document_id, OPEN_SCOPE, CHUNKS, Deadline(5))


async def test_overlapping_chunks_repeat_nothing() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "one two", "two three", gap=-3)
    await commit(client, "handbook/a.md")
    view = await retriever(client).document("handbook/a.md", OPEN_SCOPE, CHUNKS, Deadline(5))
    assert view.text == "one two three"
    assert joined([]) == ""


async def test_an_index_that_does_not_answer_is_unavailable() -> None:
    client = await empty_index()
    await client.delete_collection(CHUNKS)
    with pytest.raises(RetrievalUnavailable):
        await retriever(client).search(query())


async def test_a_broken_payload_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "Ada earns 41,000 euros")
    await commit(client, "handbook/a.md")
    await client.set_payload(CHUNKS, {"start": "Ada earns 41,000 euros"}, points=models.Filter())
    for _ in range(2):
        with pytest.raises(RetrievalUnavailable, match="ingestion sync") as raised:
            await retriever(client).document("handbook/a.md", OPEN_SCOPE, CHUNKS, Deadline(5))
    told = "".join(traceback.format_exception(raised.value))
    assert "41,000" not in told + caplog.text


class Backwards:
    """A reranker that turns the order around."""

    candidates = 5

    async def ordered(
        self, question: str, passages: list[Any], deadline: Deadline
    ) -> tuple[list[Any], str]:
        self.read = len(passages)
        return passages[::-1], "backwards"


async def test_a_reranker_reads_more_passages_than_are_asked_for_and_decides_their_order() -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "first", "second", "third")
    await commit(client, "handbook/a.md")
    plain = await retriever(client).search(query(limit=3))
    turned = Backwards()
    upstream = Upstream("vector store", RetrievalUnavailable, (ApiException, ValueError))
    searching = IndexRetriever(FixedEmbedder(), Index(client, upstream), turned)  # type: ignore[arg-type]  # fakes
    found = await searching.search(query(limit=1))
    assert turned.read == 3
    assert [p.text for p in found.passages] == [plain.passages[-1].text]
    assert (plain.reranker, found.reranker) == ("none", "backwards")
