"""The index as ingestion writes it; layout in `contracts.index`.

A document's manifest is its commit point: chunks first, then the manifest, then what it replaces
is swept. Readers drop chunks whose version the manifest does not name.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from qdrant_client import QdrantClient, models

from contracts.index import (
    DENSE,
    SPARSE,
    SPEC_POINT_ID,
    ChunkPayload,
    CollectionSpec,
    DocumentManifest,
    chunk_point_id,
    manifest_alias,
    manifest_point_id,
)
from ingestion import pins
from ingestion.embed import Vectors
from ingestion.errors import NotProved, SpecMismatch
from ingestion.store import (
    POINTS_PER_PAGE,
    POINTS_PER_REQUEST,
    aliases,
    create_collections,
    equals,
    pages,
    scroll,
    translated,
)


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
        self._own = [equals("tenant", tenant), equals("source", source)]

    def open(self) -> None:
        """Create what is missing; SpecMismatch if the collection is another embedder's (I7)."""
        pins.refuse_reserved(self.name)
        create_collections(self._client, self.collection, self.spec.embedder.dimensions)
        with translated():
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

    def shown_instead(self) -> str | None:
        """What readers see instead, in words, while the index is restored or rolled back."""
        return pins.shown_instead(self._client, self.name)

    def _alias(self) -> str:
        """The alias that syncs move; a restored index's own one stays at its pin."""
        return pins.written_alias(self.name) if self.shown_instead() else self.name

    def live_collection(self) -> str | None:
        """The collection that readers see now, or will see again after `ingestion resume`."""
        return aliases(self._client).get(self._alias())

    def switch(self) -> None:
        """Point both aliases at this collection, in one call."""
        pins.switch(self._client, self.name, self.collection)

    def manifests(self) -> dict[str, DocumentManifest]:
        """Committed documents of this source, by path."""
        own = models.Filter(must=[equals("kind", "document"), *self._own])
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
            for page in pages(points, POINTS_PER_REQUEST):
                self._upsert(self.collection, page)
                self._verify([str(point.id) for point in page])
            self._upsert(self._manifests, manifests)
            return self._sweep(replaced, keep={str(point.id) for point in points})

    def remove(self, manifests: Sequence[DocumentManifest]) -> int:
        """Take documents out: invisible first, then swept; the number of chunks swept."""
        with translated():
            for page in pages(manifests, POINTS_PER_PAGE):
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
            for page in pages(ids, POINTS_PER_PAGE):
                points = models.PointIdsList(points=[*page])
                self._client.delete(self.collection, points, wait=True)
        return len(ids)

    def live_sources(self) -> set[tuple[str, str]]:
        """Tenant and source of every document in the live collection."""
        documents, _ = documents_and_chunks(self._client, self._alias())
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


def documents_and_chunks(
    client: QdrantClient, index: str
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Committed documents and chunks of a live index, each by tenant and source."""
    documents: Counter[tuple[str, str]] = Counter()
    chunks: Counter[tuple[str, str]] = Counter()
    if index in aliases(client):
        kind = models.Filter(must=[equals("kind", "document")])
        fields = ["tenant", "source", "chunks"]
        for point in scroll(client, manifest_alias(index), kind, fields):
            payload = point.payload or {}
            documents[payload["tenant"], payload["source"]] += 1
            chunks[payload["tenant"], payload["source"]] += payload["chunks"]
    return documents, chunks


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
