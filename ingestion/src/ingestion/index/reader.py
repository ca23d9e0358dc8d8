"""Reads manifests and chunks of one collection, or of what an alias shows; it writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from qdrant_client import QdrantClient, models

from contracts.index import ChunkPayload, DocumentManifest, manifest_alias, manifest_point_id
from ingestion.index.store import POINTS_PER_REQUEST, equals, pages, scroll, stored, translated


class Reader:
    """Documents and chunks of an index; `owner` narrows it, e.g. to a tenant and a source.

    Every method raises what the store's adapter raises: Unavailable, Refused.
    """

    def __init__(self, client: QdrantClient, index: str, **owner: str) -> None:
        self._client = client
        self._chunks = index
        self._manifests = manifest_alias(index)
        self._own = [equals(field, value) for field, value in owner.items()]

    def manifests(self) -> Iterator[DocumentManifest]:
        """Every committed document, one at a time."""
        own = models.Filter(must=[equals("kind", "document"), *self._own])
        for point in scroll(self._client, self._manifests, own):
            yield stored(DocumentManifest, point.payload)

    def manifests_of(
        self, documents: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], DocumentManifest]:
        """Committed documents by tenant and id, of those asked for; some may be missing."""
        ids = list(dict.fromkeys(manifest_point_id(*document) for document in documents))
        found = {}
        for page in pages(ids, POINTS_PER_REQUEST):
            with translated():
                points = self._client.retrieve(self._manifests, page)
            for manifest in (stored(DocumentManifest, point.payload) for point in points):
                found[manifest.tenant, manifest.document_id] = manifest
        return found

    def chunks(self, **fields: str) -> dict[str, ChunkPayload]:
        """Chunks whose fields have these values, by point id, in the order of their text."""
        wanted = [equals(field, value) for field, value in fields.items()]
        points = scroll(self._client, self._chunks, models.Filter(must=[*self._own, *wanted]))
        found = {str(point.id): stored(ChunkPayload, point.payload) for point in points}
        return dict(sorted(found.items(), key=lambda item: item[1].ordinal))

    def chunks_at(self, ids: Sequence[str]) -> dict[str, ChunkPayload]:
        """Chunks with these point ids; some may be missing."""
        with translated():
            points = self._client.retrieve(self._chunks, ids)
        return {str(point.id): stored(ChunkPayload, point.payload) for point in points}

    def with_chunks(
        self, manifests: Sequence[DocumentManifest]
    ) -> Iterator[tuple[DocumentManifest, list[ChunkPayload]]]:
        """Documents with the chunks that readers see of them."""
        for page in pages(manifests, POINTS_PER_REQUEST):
            ids = models.MatchAny(any=[manifest.document_id for manifest in page])
            these = models.FieldCondition(key="document_id", match=ids)
            chunks = defaultdict(list)
            own = models.Filter(must=[*self._own, these])
            for point in scroll(self._client, self._chunks, own):
                chunk = stored(ChunkPayload, point.payload)
                chunks[chunk.document_id, chunk.version, chunk.namespace].append(chunk)
            for manifest in page:
                seen = (manifest.document_id, manifest.version, manifest.namespace)
                yield manifest, chunks[seen]
