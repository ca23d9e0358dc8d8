"""Filters against a plain loop over all documents; each line of the filter is then taken out."""

import asyncio
import inspect
import re
from datetime import UTC, date, datetime, time
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException
from tests.fakes.application import BUNDLE
from tests.fakes.index import CHUNKS, TERMS, VECTOR, commit, empty_index, write_chunks

import application.adapters.filters as filters_module
import application.adapters.index as index_module
from application.access import Scope
from application.adapters.index import Index
from application.bundle import Mode
from application.errors import RetrievalUnavailable
from application.ports import Query
from application.upstream import Deadline, Upstream
from contracts.endpoints import SparseVector
from contracts.filters import Filters
from contracts.index import CHUNK_FILTERS

FOLDERS = ("", "legal/", "legal/deep/", "legally/")
LABELS: list[tuple[tuple[str, ...], date | None]] = [
    ((), None),
    (("policy",), date(2026, 1, 1)),
    (("policy", "pay"), date(2025, 12, 31)),
]
DAYS = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2), date(1, 1, 1), date(9999, 12, 31)]
EVERYTHING = Scope("acme", frozenset({"default", "staff"}))


class Document(NamedTuple):
    """Where a document is, and what is known of it; its text is its id."""

    tenant: str
    namespace: str
    source: str
    path: str
    tags: tuple[str, ...]
    day: date | None

    @property
    def id(self) -> str:
        return f"{self.source}/{self.path}"

    @property
    def text(self) -> str:
        return f"{self.tenant}|{self.id}"

    @property
    def modified_at(self) -> datetime | None:
        return self.day and datetime.combine(self.day, time(), UTC)


PLACES = product(("acme", "other"), ("default", "staff"), ("handbook", "wiki"), FOLDERS, LABELS)
DOCUMENTS = [
    Document(tenant, namespace, source, f"{folder}{number}.md", tags, day)
    for number, (tenant, namespace, source, folder, (tags, day)) in enumerate(PLACES)
]


def allowed(scope: Scope, filters: Filters) -> set[str]:
    """The oracle: what the scope may read and the filters let through, by a loop."""
    return {
        d.text
        for d in DOCUMENTS
        if d.tenant == scope.tenant
        and d.namespace in scope.namespaces
        and (filters.sources is None or d.source in filters.sources)
        and (filters.namespaces is None or d.namespace in filters.namespaces)
        and (filters.tags is None or set(filters.tags) & set(d.tags))
        and (filters.path is None or lies_in(d.path, filters.path))
        and (filters.updated_after is None or (d.day and d.day >= filters.updated_after))
        and (filters.updated_before is None or (d.day and d.day < filters.updated_before))
    }


def lies_in(path: str, place: str) -> bool:
    return path.startswith(place) if place.endswith("/") else f"{path}/".startswith(f"{place}/")


async def _filled() -> AsyncQdrantClient:
    client = await empty_index()
    for d in DOCUMENTS:
        where: Any = {"tenant": d.tenant, "namespace": d.namespace}
        labels: Any = {"tags": d.tags, "modified_at": d.modified_at}
        await write_chunks(client, d.id, d.text, **where, **labels)
        await commit(client, d.id, **where, **labels)
    return client


@pytest.fixture(scope="module")
def filled() -> AsyncQdrantClient:
    """An index of all documents, which the tests only read."""
    return asyncio.run(_filled())


def query(filters: Filters | None, scope: Scope = EVERYTHING, limit: int = 100) -> Query:
    return Query("any", scope, CHUNKS, "hybrid", limit, BUNDLE, Deadline(30), filters)


def index_of(client: AsyncQdrantClient) -> Index:
    return Index(client, Upstream("vector store", RetrievalUnavailable, (ApiException, ValueError)))


async def found_by(client: AsyncQdrantClient, asked: Query, mode: Mode = "hybrid") -> set[str]:
    """What the index shows, behind no second check."""
    index = index_of(client)
    where = await index.resolve(CHUNKS, Deadline(30))
    sparse = SparseVector(indices=TERMS.indices, values=TERMS.values)
    dense, terms = VECTOR if mode != "sparse" else None, sparse if mode != "dense" else None
    best = await index.best_lexical_score(asked, where, sparse)
    found = {hit.chunk.text for hit, _ in await index.search(asked, where, dense, terms)}
    assert bool(best) == bool(found), "the best score is of another document than the hits"
    return found


def some(*words: str) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(words), min_size=1, max_size=3)


PATHS = ["legal", "legal/", "legal/deep", "legal/deep/", "leg", "legally/", "nowhere/", "/"]
PATHS += [d.path for d in DOCUMENTS[::7]]
days = st.none() | st.sampled_from(DAYS)
filters_of = st.builds(
    dict,
    sources=some("handbook", "wiki", "nobody", "Wiki"),
    namespaces=some("default", "staff", "canary", "*"),
    tags=some("policy", "POLICY", "pay", "unknown"),
    path=st.none() | st.sampled_from(PATHS),
    updated_after=days,
    updated_before=days,
).filter(
    lambda f: (
        not (f["updated_after"] and f["updated_before"]) or f["updated_after"] < f["updated_before"]
    )
)
scopes = st.builds(
    Scope,
    st.sampled_from(["acme", "other", "nobody"]),
    st.frozensets(st.sampled_from(["default", "staff", "canary"]), min_size=1),
)


def test_a_filtered_search_shows_what_a_plain_loop_would_and_never_more_than_the_key(
    filled: AsyncQdrantClient,
) -> None:
    @settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(scopes, filters_of, st.sampled_from(["hybrid", "dense", "sparse"]))
    def check(scope: Scope, given_fields: dict[str, Any], mode: Mode) -> None:
        filters = Filters.model_validate(given_fields)
        found = loop.run_until_complete(found_by(filled, query(filters, scope), mode))
        assert found == allowed(scope, filters)
        assert found <= allowed(scope, Filters())

    loop = asyncio.new_event_loop()
    try:
        check()
    finally:
        loop.close()


ALONE: dict[str, dict[str, Any]] = {
    "sources": {"sources": ["wiki"]},
    "namespaces": {"namespaces": ["staff", "canary"]},
    "tags": {"tags": ["Pay"]},
    "path, a folder": {"path": "legal/"},
    "path, a folder without its slash": {"path": "legal"},
    "path, a document": {"path": DOCUMENTS[0].path},
    "updated_after": {"updated_after": "2026-01-01"},
    "updated_before": {"updated_before": "2026-01-01"},
}


@pytest.mark.parametrize("case", ALONE)
async def test_each_filter_alone_narrows_a_search(case: str, filled: AsyncQdrantClient) -> None:
    filters = Filters.model_validate(ALONE[case])
    found = await found_by(filled, query(filters))
    assert found == allowed(EVERYTHING, filters)
    assert 0 < len(found) < len(allowed(EVERYTHING, Filters()))


def without(source: str) -> dict[str, str]:
    """The source again and again, each time without one of its conditions."""
    pairs = re.findall(r"    if filters\.\w+ is not None:\n        found\.append\(.*\n", source)
    return {pair: source.replace(pair, "") for pair in pairs}


CONDITIONS = inspect.getsource(filters_module.conditions)
MUTANTS = {f"conditions {number}": text for number, text in enumerate(without(CONDITIONS).values())}
ALLOWED = inspect.getsource(index_module.allowed)
MUTANTS["allowed"] = ALLOWED.replace(", *conditions(query.filters)", "")


def test_every_filter_has_a_condition_that_is_taken_out_below() -> None:
    assert len(MUTANTS) == len(Filters.model_fields) + 1
    assert ALLOWED not in MUTANTS.values()


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_filter_without_one_of_its_lines_shows_too_much(
    mutant: str, filled: AsyncQdrantClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = index_module if mutant == "allowed" else filters_module
    names: dict[str, Any] = dict(vars(module))
    exec(MUTANTS[mutant], names)
    changed = "allowed" if mutant == "allowed" else "conditions"
    monkeypatch.setattr(index_module, changed, names[changed])
    wrong = 0
    for fields in ALONE.values():
        filters = Filters.model_validate(fields)
        wrong += await found_by(filled, query(filters)) != allowed(EVERYTHING, filters)
    assert wrong


async def test_a_document_is_found_though_many_that_the_filter_leaves_out_match_better() -> None:
    client = await empty_index()
    many = BUNDLE.retrieval.candidates + 5
    await write_chunks(client, "wiki/many.md", *(f"better {n}" for n in range(many)))
    await commit(client, "wiki/many.md")
    await write_chunks(client, "handbook/one.md", "worse")
    worse = models.PointVectors(
        id=(await client.scroll(CHUNKS, source_is("handbook")))[0][0].id,
        vector={"dense": [0.5, 0.5], "sparse": models.SparseVector(indices=[1], values=[0.1])},
    )
    await client.update_vectors(CHUNKS, [worse])
    await commit(client, "handbook/one.md")
    assert await found_by(client, query(Filters(sources=["handbook"]), OPEN, 1)) == {"worse"}


OPEN = Scope("default", frozenset({"default"}))


def source_is(source: str) -> models.Filter:
    match = models.MatchValue(value=source)
    return models.Filter(must=[models.FieldCondition(key="source", match=match)])


@pytest.mark.parametrize("case", ALONE)
async def test_an_index_that_was_written_before_answers_without_an_error(case: str) -> None:
    client = await empty_index()
    await write_chunks(client, "handbook/a.md", "old")
    await commit(client, "handbook/a.md")
    later = ["tags", "path_tree", "modified_at"]
    await client.delete_payload(CHUNKS, later, points=models.Filter())
    assert await found_by(client, query(None, OPEN)) == {"old"}
    assert await found_by(client, query(Filters.model_validate(ALONE[case]), OPEN)) == set()


def test_every_field_that_is_filtered_by_is_one_that_ingestion_indexes() -> None:
    full = Filters.model_validate(
        {"path": "a/", "updated_after": "2026-01-01", "updated_before": "2026-02-01"}
        | {name: ["a"] for name in ("sources", "namespaces", "tags")}
    )
    keys = {condition.key: condition for condition in filters_module.conditions(full)}  # type: ignore[union-attr]  # they are all of fields
    assert keys.keys() <= CHUNK_FILTERS.keys()
    dated = {key for key, condition in keys.items() if condition.range}  # type: ignore[union-attr]  # as above
    assert dated == {key for key, kind in CHUNK_FILTERS.items() if kind == "datetime"}


def test_no_filter_is_built_but_where_access_is_decided() -> None:
    assert "models.Filter(" not in inspect.getsource(filters_module)
