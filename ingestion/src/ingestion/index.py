"""The index as ingestion writes it, over the stock qdrant-client; layout in `contracts.index`.

A document's manifest is its commit point: chunks first, then the manifest, then what it replaces
is swept. Readers drop chunks whose version the manifest does not name.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from pydantic import SecretStr
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from contracts.index import (
    DENSE,
    SPARSE,
    SPEC_POINT_ID,
    UNUSED_SPARSE,
    ChunkPayload,
    CollectionSpec,
    DocumentManifest,
    chunk_point_id,
    manifest_alias,
    manifest_point_id,
)
from ingestion.embed import Vectors
from ingestion.errors import NotProved, Refused, SpecMismatch, Unavailable

POINTS_PER_REQUEST = 256
POINTS_PER_PAGE = 1000

T = TypeVar("T")


@dataclass(frozen=True)
class Document:
    """A document ready to be written: its manifest, and its chunks with their vectors."""

    manifest: DocumentManifest
    chunks: list[tuple[ChunkPayload, Vectors]]


@dataclass(frozen=True)
class Audit:
    """How the chunks of a source differ from what its manifests say; both empty when proved."""

    orphans: list[str]  # ids of chunks that no manifest names
    damaged: list[str]  # ids of documents with fewer chunks than their manifest says


class Index:
    """One source's part of one index, in the collection that belongs to `spec`."""

    def __init__(
        self, client: QdrantClient, name: str, spec: CollectionSpec, tenant: str, source: str
    ) -> None:
        self.name = name
        self.spec = spec
        self.collection = f"{name}-{spec.digest}"
        self._manifests = manifest_alias(self.collection)
        self._client = client
        self._writing = Lock()  # batches take turns here; what they share is the embedder
        self._own = [_equals("tenant", tenant), _equals("source", source)]

    def open(self) -> None:
        """Create what is missing; SpecMismatch if the collection is another embedder's (I7)."""
        with translated():
            if not self._client.collection_exists(self.collection):
                size = self.spec.embedder.dimensions
                self._client.create_collection(
                    self.collection,
                    {DENSE: models.VectorParams(size=size, distance=models.Distance.COSINE)},
                    {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                )
            if not self._client.collection_exists(self._manifests):
                self._client.create_collection(
                    self._manifests, {}, {UNUSED_SPARSE: models.SparseVectorParams()}
                )
            for collection, fields in (
                (self.collection, ("tenant", "namespace", "source", "document_id", "version")),
                (self._manifests, ("kind", "tenant", "source")),
            ):
                for field in fields:
                    self._client.create_payload_index(
                        collection, field, models.PayloadSchemaType.KEYWORD, wait=True
                    )
            self._check_spec()
            if self.live_collection() is None:
                self.switch()

    def _check_spec(self) -> None:
        stored = self._client.retrieve(self._manifests, [SPEC_POINT_ID])
        if not stored:
            self._upsert(
                self._manifests, [_point(SPEC_POINT_ID, self.spec.model_dump(mode="json"))]
            )
            return
        embedder = CollectionSpec.model_validate(stored[0].payload).embedder
        if not embedder.matches(self.spec.embedder):
            raise SpecMismatch(
                f"The embedder calls itself {self.spec.embedder.model} as before, but its vectors "
                f"differ from those in {self.collection} (lowest cosine of the probe texts: "
                f"{embedder.lowest_cosine(self.spec.embedder):.3f}): bring the old embedder back, "
                "or give the new one a name of its own. Nothing was written."
            )

    def live_collection(self) -> str | None:
        """The collection that readers of the index see now."""
        with translated():
            aliases = self._client.get_aliases().aliases
        return next((a.collection_name for a in aliases if a.alias_name == self.name), None)

    def switch(self) -> None:
        """Point both aliases at this collection, in one call."""
        live = self.live_collection()
        targets = {self.name: self.collection, manifest_alias(self.name): self._manifests}
        drop = [models.DeleteAlias(alias_name=alias) for alias in targets] if live else []
        create = [
            models.CreateAlias(alias_name=alias, collection_name=collection)
            for alias, collection in targets.items()
        ]
        with translated():
            self._client.update_collection_aliases(
                [models.DeleteAliasOperation(delete_alias=alias) for alias in drop]
                + [models.CreateAliasOperation(create_alias=alias) for alias in create]
            )

    def manifests(self) -> dict[str, DocumentManifest]:
        """Committed documents of this source, by path."""
        own = models.Filter(must=[_equals("kind", "document"), *self._own])
        manifests = (
            DocumentManifest.model_validate(point.payload)
            for point in scroll(self._client, self._manifests, own)
        )
        return {manifest.path: manifest for manifest in manifests}

    def write(self, documents: Sequence[Document], replaced: Sequence[DocumentManifest]) -> int:
        """Commit a batch of documents and sweep those they replace; the number of chunks swept."""
        if not documents:
            return 0
        points = [
            _point(point_id, payload.model_dump(mode="json"), vectors)
            for document in documents
            for point_id, (payload, vectors) in zip(
                self._chunk_ids(document.manifest), document.chunks, strict=True
            )
        ]
        manifests = [
            _point(_manifest_id(document.manifest), document.manifest.model_dump(mode="json"))
            for document in documents
        ]
        with self._writing, translated():
            for page in _pages(points, POINTS_PER_REQUEST):
                self._upsert(self.collection, page)
                self._verify([str(point.id) for point in page])
            self._upsert(self._manifests, manifests)
            return self._sweep(replaced, keep={str(point.id) for point in points})

    def remove(self, manifests: Sequence[DocumentManifest]) -> int:
        """Take documents out: invisible first, then swept; the number of chunks swept."""
        with translated():
            for page in _pages(manifests, POINTS_PER_PAGE):
                ids = [_manifest_id(manifest) for manifest in page]
                self._client.delete(self._manifests, models.PointIdsList(points=[*ids]), wait=True)
            return self._sweep(manifests, keep=set())

    def audit(self, manifests: Sequence[DocumentManifest]) -> Audit:
        """Compare the chunks of this source with its manifests: by count, in full if it differs."""
        own = models.Filter(must=[*self._own])
        with translated():
            count = self._client.count(self.collection, own, exact=True).count
        if count == sum(manifest.chunks for manifest in manifests):
            return Audit([], [])
        expected = {m.document_id: set(self._chunk_ids(m)) for m in manifests}
        found = {
            str(point.id): (point.payload or {})["document_id"]
            for point in scroll(self._client, self.collection, own, ["document_id"])
        }
        orphans = [i for i, document in found.items() if i not in expected.get(document, ())]
        damaged = [document for document, ids in expected.items() if not ids <= found.keys()]
        return Audit(orphans, damaged)

    def delete_chunks(self, ids: Sequence[str]) -> int:
        """Delete chunks by id; their number."""
        with translated():
            for page in _pages(ids, POINTS_PER_PAGE):
                points = models.PointIdsList(points=[*page])
                self._client.delete(self.collection, points, wait=True)
        return len(ids)

    def live_sources(self) -> set[tuple[str, str]]:
        """Tenant and source of every document that readers of the index see now."""
        documents, _ = documents_and_chunks(self._client, self.name)
        return set(documents)

    def _chunk_ids(self, manifest: DocumentManifest) -> list[str]:
        """Point ids of a document's chunks, by ordinal."""
        identity = (manifest.tenant, manifest.document_id, manifest.version, self.spec.digest)
        return [chunk_point_id(*identity, ordinal) for ordinal in range(manifest.chunks)]

    def _sweep(self, manifests: Sequence[DocumentManifest], keep: set[str]) -> int:
        ids = [i for manifest in manifests for i in self._chunk_ids(manifest) if i not in keep]
        return self.delete_chunks(ids)

    def _upsert(self, collection: str, points: Sequence[models.PointStruct]) -> None:
        self._client.upsert(collection, points, wait=True)

    def _verify(self, ids: Sequence[str]) -> None:
        found = self._client.retrieve(self.collection, ids, with_payload=False, with_vectors=False)
        if len(found) != len(ids):
            raise NotProved(
                f"The store kept {len(found)} of {len(ids)} chunks that it had accepted: "
                "see its log, then sync again. Their documents were not committed."
            )


def connect(url: str, api_key: SecretStr | None, timeout_seconds: float) -> QdrantClient:
    """A client for the store; it connects with the first request."""
    with warnings.catch_warnings():
        # The store listens on loopback or inside a private network unless someone opens it.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection")
        return QdrantClient(
            url=url,
            api_key=api_key.get_secret_value() if api_key else None,
            timeout=int(timeout_seconds),
            check_compatibility=False,  # it would ask the server before anyone can catch its error
        )


def documents_and_chunks(
    client: QdrantClient, index: str
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Committed documents and chunks of a live index, each by tenant and source."""
    documents: Counter[tuple[str, str]] = Counter()
    chunks: Counter[tuple[str, str]] = Counter()
    with translated():
        aliases = {alias.alias_name for alias in client.get_aliases().aliases}
    if index in aliases:
        kind = models.Filter(must=[_equals("kind", "document")])
        fields = ["tenant", "source", "chunks"]
        for point in scroll(client, manifest_alias(index), kind, fields):
            payload = point.payload or {}
            documents[payload["tenant"], payload["source"]] += 1
            chunks[payload["tenant"], payload["source"]] += payload["chunks"]
    return documents, chunks


@contextmanager
def translated() -> Iterator[None]:
    """Errors of qdrant-client as ours."""
    try:
        yield
    except ResponseHandlingException as error:
        raise Unavailable(
            f"The vector store does not answer ({error.source}): start it with `vectorstore serve`,"
            " or set INGESTION_QDRANT_URL."
        ) from error
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise Refused(
                "The vector store refused the key: set INGESTION_QDRANT_API_KEY."
            ) from error
        said = f"{error.status_code} {error.content.decode(errors='replace')[:300]}"
        if error.status_code in (408, 429, 500, 502, 503, 504):
            raise Unavailable(f"The vector store is not ready: {said}") from error
        raise Refused(f"The vector store refused a request: {said}") from error


def scroll(
    client: QdrantClient, collection: str, only: models.Filter, fields: list[str] | None = None
) -> Iterator[models.Record]:
    """Every point that passes a filter, with its payload or some fields of it."""
    offset: Any = None
    while True:
        with translated():
            points, offset = client.scroll(
                collection, only, POINTS_PER_PAGE, offset=offset, with_payload=fields or True
            )
        yield from points
        if offset is None:
            return


def _pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _equals(field: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def _manifest_id(manifest: DocumentManifest) -> str:
    return manifest_point_id(manifest.tenant, manifest.document_id)


def _point(
    point_id: str, payload: dict[str, Any], vectors: Vectors | None = None
) -> models.PointStruct:
    named: dict[str, Any] = {}
    if vectors:
        named[DENSE] = vectors.dense
        if vectors.sparse.indices:  # a text of stop words alone has no weights
            sparse = vectors.sparse
            named[SPARSE] = models.SparseVector(indices=sparse.indices, values=sparse.values)
    return models.PointStruct(id=point_id, vector=named, payload=payload)
