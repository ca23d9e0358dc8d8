"""The access filter against a plain loop over all documents.

The store is qdrant-client in its local mode, as in the unit tests of the index.

The same check runs with each condition of the filter taken out, and must then find a leak.
"""

import asyncio
import inspect
import random
import re
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import ApiException
from tests.fakes.application import BUNDLE
from tests.fakes.index import CHUNKS, TERMS, VECTOR, commit, empty_index, write_chunks
from tests.security.noted import note

import application.adapters.index as index_module
from application.access import Scope
from application.adapters.index import Index
from application.adapters.retriever import IndexRetriever
from application.bundle import Mode
from application.errors import NotFound, RetrievalUnavailable
from application.ports import Query
from application.upstream import Deadline, Upstream
from contracts.endpoints import SparseVector

SHORT, LONG, CASES_PER_EXAMPLE = 1_000, 10_000, 100
WORDS = ("acme", "acme ", "Acme", "ac", "ac me", "default", "*", "%", "é", "e\u0301", "canary", "0")


class Document(NamedTuple):
    """Where a document is; its text says so."""

    tenant: str
    namespace: str
    name: str

    @property
    def text(self) -> str:
        return "|".join(self)


DOCUMENTS = [Document(t, n, f"d/{i}") for t in WORDS for n in WORDS for i in range(2)]


class FixedEmbedder:
    """Every text is as near as every other, so only the filter decides."""

    async def embed(
        self, text: str, mode: Mode, deadline: Deadline
    ) -> tuple[list[float] | None, SparseVector | None]:
        sparse = SparseVector(indices=TERMS.indices, values=TERMS.values)
        return VECTOR if mode != "sparse" else None, sparse if mode != "dense" else None


def readable(scope: Scope) -> set[str]:
    """The oracle: what the scope may read, by a loop."""
    return {
        d.text for d in DOCUMENTS if d.tenant == scope.tenant and d.namespace in scope.namespaces
    }


@asynccontextmanager
async def filled() -> AsyncIterator[AsyncQdrantClient]:
    client = await empty_index()
    for document in DOCUMENTS:
        where = {"tenant": document.tenant, "namespace": document.namespace}
        name = f"{document.name}-{document.namespace}"
        await write_chunks(client, name, document.text, **where)
        await commit(client, name, **where)
    yield client
    await client.close()


async def found_by(client: AsyncQdrantClient, scope: Scope, mode: Mode, whole: bool) -> set[str]:
    """What a search shows: of the retriever, or of the index alone, behind no second check."""
    upstream = Upstream("vector store", RetrievalUnavailable, (ApiException, ValueError))
    index = Index(client, upstream)
    query = Query("any", scope, CHUNKS, mode, 100, BUNDLE, Deadline(30))
    embedder = FixedEmbedder()
    try:
        if whole:
            retriever = IndexRetriever(embedder, index)  # type: ignore[arg-type]  # fake
            return {p.text for p in (await retriever.search(query)).passages}
        where = await index.resolve(CHUNKS, Deadline(30))
        dense, sparse = await embedder.embed("any", mode, Deadline(30))
        return {hit.chunk.text for hit, _ in await index.search(query, where, dense, sparse)}
    except NotFound:
        return set()


def scopes(seed: int) -> list[Scope]:
    """Scopes of random words, also empty ones and ones that nothing has."""
    rng = random.Random(seed)
    words = [*WORDS, "", "nobody"]
    return [
        Scope(rng.choice(words), frozenset(rng.sample(words, rng.randint(0, 3))))
        for _ in range(CASES_PER_EXAMPLE)
    ]


async def leaks(client: AsyncQdrantClient, tried: list[Scope], mode: Mode, whole: bool) -> int:
    """How many scopes were shown something that is not theirs, or not all of it."""
    wrong = 0
    for scope in tried:
        shown, mine = await found_by(client, scope, mode, whole), readable(scope)
        wrong += not shown <= mine or (bool(mine) and not shown)
    return wrong


@pytest.mark.parametrize("cases", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_no_search_shows_what_a_plain_loop_would_not(cases: int) -> None:
    counted = {"cases": 0, "leaks": 0}

    @settings(
        max_examples=cases // CASES_PER_EXAMPLE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32), st.sampled_from(["hybrid", "dense", "sparse"]), st.booleans())
    def check(seed: int, mode: Mode, whole: bool) -> None:
        counted["cases"] += CASES_PER_EXAMPLE
        counted["leaks"] += loop.run_until_complete(leaks(client, scopes(seed), mode, whole))
        assert not counted["leaks"]

    loop = asyncio.new_event_loop()
    opened = filled()
    client = loop.run_until_complete(opened.__aenter__())
    try:
        check()
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()
        note(
            "filter_leaks", "searches shown what is not theirs", counted["leaks"], counted["cases"]
        )
    assert counted["cases"] >= cases


SOURCE = inspect.getsource(index_module.visible)
LINES = {
    "tenant": re.compile(r'\n\s*models\.FieldCondition\(key="tenant".*?\n(?=\s*models)', re.DOTALL),
    "namespace": re.compile(
        r'\n\s*models\.FieldCondition\(\s*key="namespace".*?\),\n(?=\s*\*further)', re.DOTALL
    ),
}
FEW = [
    Scope("acme", frozenset({"default"})),
    Scope("default", frozenset({"acme"})),
    Scope("é", frozenset({"canary"})),
]


@pytest.mark.parametrize("condition", LINES)
async def test_a_filter_without_one_of_its_conditions_leaks(
    condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = LINES[condition].sub("\n", SOURCE)
    assert changed != SOURCE
    names: dict[str, Any] = dict(vars(index_module))
    exec(changed, names)
    async with filled() as client:
        assert await leaks(client, FEW, "hybrid", whole=False) == 0
        monkeypatch.setattr(index_module, "visible", names["visible"])
        assert await leaks(client, FEW, "hybrid", whole=False) > 0


@pytest.mark.parametrize("condition", ["tenant == self.tenant", "namespace in self.namespaces"])
async def test_the_second_check_without_one_of_its_conditions_leaks(condition: str) -> None:
    permits = inspect.getsource(Scope.permits)
    names: dict[str, Any] = {}
    exec(textwrap.dedent(permits.replace(condition, "True")), names)
    right = [(d, Scope("acme", frozenset({"default"}))) for d in DOCUMENTS]
    wrong = [
        document
        for document, scope in right
        if names["permits"](scope, document.tenant, document.namespace)
        and document.text not in readable(scope)
    ]
    assert wrong


@pytest.mark.parametrize("part", ["tenant", "namespaces"])
def test_a_scope_that_lacks_a_part_is_refused_and_without_that_line_it_is_not(part: str) -> None:
    scope = Scope(
        **{"tenant": "acme", "namespaces": frozenset({"default"})}
        | {part: type(getattr(Scope("a", frozenset()), part))()}
    )
    with pytest.raises(NotFound):
        index_module.visible(scope)
    names: dict[str, Any] = dict(vars(index_module))
    exec(SOURCE.replace(f"not scope.{part}", "False"), names)
    names["visible"](scope)


def test_the_filter_is_built_in_one_place() -> None:
    source = Path(inspect.getfile(index_module)).read_text()
    assert source.count("models.Filter(") == 1
