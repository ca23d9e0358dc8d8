"""How many documents and chunks an index holds, by tenant and source."""

from collections import Counter
from collections.abc import Iterable

from qdrant_client import QdrantClient, models

from contracts.index import manifest_alias
from ingestion.index.store import aliases, equals, scroll, translated


def counted(
    client: QdrantClient, index: str, sources: Iterable[tuple[str, str]]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Documents and chunks by counts, of known sources.

    Every manifest is read only if documents of other sources are there too.
    """
    documents: Counter[tuple[str, str]] = Counter()
    chunks: Counter[tuple[str, str]] = Counter()
    if index not in aliases(client):
        return documents, chunks
    kind = equals("kind", "document")
    with translated():
        for tenant, source in sources:
            own = [equals("tenant", tenant), equals("source", source)]
            of_source, of_manifests = models.Filter(must=[*own]), models.Filter(must=[kind, *own])
            found = client.count(manifest_alias(index), of_manifests, exact=True).count
            if found:
                documents[tenant, source] = found
                chunks[tenant, source] = client.count(index, of_source, exact=True).count
        every = client.count(manifest_alias(index), models.Filter(must=[kind]), exact=True).count
    if every != documents.total():
        return documents_and_chunks(client, index)
    return documents, chunks


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
