"""The index's client: committed chunks inside a scope, read through the stock qdrant-client.

A chunk is visible only while its document's manifest names its version, so every search is
followed by the manifests of its hits.
"""

import warnings
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import UnexpectedResponse

from application.access import Scope
from application.errors import NotFound, RetrievalUnavailable
from application.ports import Query
from application.upstream import Deadline, Refused, Upstream
from contracts.answer import DocumentView, Passage
from contracts.endpoints import SparseVector
from contracts.index import (
    DENSE,
    SPARSE,
    SPEC_POINT_ID,
    ChunkPayload,
    CollectionSpec,
    DocumentManifest,
    manifest_alias,
    manifest_point_id,
)
from contracts.urls import authorization, qdrant_address

SCROLL_PAGE = 256
TOO_OFTEN = "The vector store is asked too often (429); try again in {:.0f} s."
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Collections(NamedTuple):
    """The two collections behind an index's aliases, so that one request reads one version."""

    chunks: str
    manifests: str


class Hit(NamedTuple):
    """One point that a search found."""

    chunk: ChunkPayload
    point_id: str
    score: float


def connect(url: str, api_key: str | None) -> AsyncQdrantClient:
    """A client; its warning about keys over plain http is dropped, since loopback is plain."""
    address, port = qdrant_address(url)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        return AsyncQdrantClient(
            url=address,
            port=port,
            api_key=api_key,
            headers=authorization(url),
            timeout=10,
            check_compatibility=False,
        )


def _refused(status: int) -> Refused:
    if status in (401, 403):
        return Refused(f"The vector store refused our key ({status}); set QDRANT_API_KEY.", status)
    if status == 404:
        sentence = "The vector store has no such collection (404); run `ingestion sync`."
        return Refused(sentence, status)
    return Refused(
        f"The vector store refused the request ({status}); is the index of this version? Run "
        "`ingestion sync`.",
        status,
    )


def visible(scope: Scope, *further: models.Condition) -> models.Filter:
    """The filter of every read, built here and nowhere else; an empty scope sees nothing."""
    if not scope.tenant or not scope.namespaces:
        raise NotFound("This key may read no namespace; ask for one that does.")
    return models.Filter(
        must=[
            models.FieldCondition(key="tenant", match=models.MatchValue(value=scope.tenant)),
            models.FieldCondition(
                key="namespace", match=models.MatchAny(any=sorted(scope.namespaces))
            ),
            *further,
        ]
    )


class Index:
    """Reads one Qdrant; every method raises RetrievalUnavailable or NotFound."""

    def __init__(self, client: AsyncQdrantClient, upstream: Upstream) -> None:
        self._client = client
        self._upstream = upstream

    async def _ask(self, attempt: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        """Qdrant's reply; its refusals are told apart from its failures."""

        async def asked() -> T:
            try:
                return await attempt()
            except UnexpectedResponse as error:
                if error.status_code is None or not 400 <= error.status_code < 500:
                    raise
                raise _refused(error.status_code) from None  # its text may hold payloads
            except ResourceExhaustedResponse as error:
                seconds = float(error.retry_after_s)
                raise Refused(TOO_OFTEN.format(seconds), 429, seconds) from None

        return await self._upstream.call(asked, deadline)

    async def resolve(self, index: str, deadline: Deadline) -> Collections:
        """What the aliases of `index` name now; a collection's own name stands for itself."""
        reply = await self._ask(self._client.get_aliases, deadline)
        named = {alias.alias_name: alias.collection_name for alias in reply.aliases}
        chunks = named.get(index, index)
        return Collections(chunks, named.get(manifest_alias(index), manifest_alias(chunks)))

    async def search(
        self,
        query: Query,
        collections: Collections,
        dense: list[float] | None,
        sparse: SparseVector | None,
    ) -> list[tuple[Hit, DocumentManifest]]:
        """Committed hits, best first, with their manifests; searched twice where a commit ran."""
        for _ in range(2):
            hits = await self._hits(query, collections.chunks, dense, sparse)
            manifests = await self._manifests(query, collections.manifests, hits)
            active = [
                (hit, manifests[hit.chunk.document_id])
                for hit in hits
                if _is_committed(hit.chunk, manifests.get(hit.chunk.document_id))
            ]
            found = {hit.chunk.document_id for hit in hits}
            if found == {hit.chunk.document_id for hit, _ in active}:
                break  # else a whole document was dropped: it may have been committed meanwhile
        return active

    async def best_lexical_score(
        self, query: Query, collections: Collections, sparse: SparseVector | None
    ) -> float | None:
        """BM25 score of the best chunk, which a fused rank does not tell; None without terms."""
        vector = _sparse_query(sparse)
        if vector is None:
            return None
        reply = await self._ask(
            lambda: self._client.query_points(
                collections.chunks,
                query=vector,
                using=SPARSE,
                query_filter=visible(query.scope),
                limit=1,
                with_payload=False,
            ),
            query.deadline,
        )
        return reply.points[0].score if reply.points else 0.0

    async def document(
        self, document_id: str, scope: Scope, index: str, deadline: Deadline
    ) -> DocumentView:
        """The committed text, put together again from the spans of its chunks."""
        collections = await self.resolve(index, deadline)
        records = await self._retrieve(
            collections.manifests, [manifest_point_id(scope.tenant, document_id)], deadline
        )
        manifest = next(iter(_manifests_of(records)), None)
        if manifest is None or not scope.permits(manifest.tenant, manifest.namespace):
            raise NotFound(f"There is no document {document_id!r} that this key may read.")
        chunks = await self._chunks(collections.chunks, manifest, scope, deadline)
        return DocumentView(
            document_id=document_id,
            version=manifest.version,
            title=manifest.title,
            path=manifest.path,
            source=manifest.source,
            format=manifest.format,
            text=joined(chunks),
        )

    async def spec(self, index: str, deadline: Deadline) -> CollectionSpec:
        """What the vectors of `index` have in common."""
        collections = await self.resolve(index, deadline)
        records = await self._retrieve(collections.manifests, [SPEC_POINT_ID], deadline)
        if not records:
            raise NotFound(f"The index {index!r} has no spec; run `ingestion sync`.")
        return _read(CollectionSpec, records[0].payload, SPEC_POINT_ID)

    async def _hits(
        self,
        query: Query,
        collection: str,
        dense: list[float] | None,
        sparse: SparseVector | None,
    ) -> list[Hit]:
        settings = query.bundle.retrieval
        limit = query.limit * settings.over_fetch
        depth = max(settings.candidates, limit)
        allowed = visible(query.scope)
        arms = [
            models.Prefetch(query=vector, using=name, filter=allowed, limit=depth)
            for name, vector in ((DENSE, dense), (SPARSE, _sparse_query(sparse)))
            if vector is not None
        ]
        if not arms:
            return []
        fused: dict[str, Any] = {"query": arms[0].query, "using": arms[0].using}
        if len(arms) == 2:
            fused = {"prefetch": arms, "query": models.RrfQuery(rrf=models.Rrf(k=settings.rrf_k))}
        reply = await self._ask(
            lambda: self._client.query_points(
                collection, query_filter=allowed, limit=limit, **fused
            ),
            query.deadline,
        )
        hits = [_hit(point) for point in reply.points]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point_id))  # fused ranks often tie

    async def _manifests(
        self, query: Query, collection: str, hits: Sequence[Hit]
    ) -> dict[str, DocumentManifest]:
        ids = {manifest_point_id(hit.chunk.tenant, hit.chunk.document_id) for hit in hits}
        records = await self._retrieve(collection, sorted(ids), query.deadline) if ids else []
        return {manifest.document_id: manifest for manifest in _manifests_of(records)}

    async def _retrieve(
        self, collection: str, ids: Sequence[str], deadline: Deadline
    ) -> list[models.Record]:
        return await self._ask(
            lambda: self._client.retrieve(collection, ids, with_payload=True), deadline
        )

    async def _chunks(
        self, collection: str, manifest: DocumentManifest, scope: Scope, deadline: Deadline
    ) -> list[ChunkPayload]:
        of_version = visible(
            scope,
            models.FieldCondition(
                key="document_id", match=models.MatchValue(value=manifest.document_id)
            ),
            models.FieldCondition(key="version", match=models.MatchValue(value=manifest.version)),
        )
        chunks: list[ChunkPayload] = []
        offset: Any = None
        while True:
            scroll = partial(
                self._client.scroll, collection, of_version, limit=SCROLL_PAGE, offset=offset
            )
            records, offset = await self._ask(scroll, deadline)
            chunks += [_read(ChunkPayload, record.payload, record.id) for record in records]
            if offset is None:
                return chunks


def joined(chunks: Sequence[ChunkPayload]) -> str:
    """The text that chunks cover; gaps hold white space only, so they become line ends."""
    text = ""
    for chunk in sorted(chunks, key=lambda chunk: chunk.ordinal):
        text += "\n" * (chunk.start - len(text))
        text += chunk.text[len(text) - chunk.start :]
    return text


def passage_of(hit: Hit, manifest: DocumentManifest) -> Passage:
    """A committed hit as the passage that answers cite."""
    chunk = hit.chunk
    return Passage(
        chunk_id=hit.point_id,
        document_id=chunk.document_id,
        version=chunk.version,
        title=manifest.title,
        path=manifest.path,
        source=chunk.source,
        headings=chunk.headings,
        table_header=chunk.table_header,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        score=hit.score,
        run_id=chunk.run_id,
    )


def _manifests_of(records: Sequence[models.Record]) -> list[DocumentManifest]:
    """Those of documents; ingestion keeps the place of one that it is about to commit."""
    return [
        _read(DocumentManifest, record.payload, record.id)
        for record in records
        if (record.payload or {}).get("kind") == "document"
    ]


def _read(form: type[M], payload: object, point_id: object) -> M:
    """A stored payload; pydantic's error holds the document's text, so it ends here."""
    try:
        return form.model_validate(payload)
    except ValidationError as error:
        fields = sorted({".".join(map(str, e["loc"])) for e in error.errors(include_input=False)})
    raise RetrievalUnavailable(
        f"Point {point_id} of the index is no {form.__name__} (fields: {', '.join(fields[:5])}); "
        "run `ingestion sync`."
    )


def _hit(point: models.ScoredPoint) -> Hit:
    return Hit(_read(ChunkPayload, point.payload, point.id), str(point.id), point.score)


def _is_committed(chunk: ChunkPayload, manifest: DocumentManifest | None) -> bool:
    return (
        manifest is not None
        and (manifest.tenant, manifest.namespace) == (chunk.tenant, chunk.namespace)
        and manifest.version == chunk.version
    )


def _sparse_query(vector: SparseVector | None) -> models.SparseVector | None:
    if vector is None or not vector.indices:
        return None
    return models.SparseVector(indices=vector.indices, values=vector.values)
