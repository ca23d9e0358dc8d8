"""A small index in qdrant-client's local mode, laid out as ingestion lays it out."""

from collections.abc import Sequence
from datetime import UTC, datetime

from qdrant_client import AsyncQdrantClient, models

from contracts.index import (
    DENSE,
    SPARSE,
    UNUSED_SPARSE,
    ChunkPayload,
    DocumentManifest,
    chunk_point_id,
    manifest_alias,
    manifest_point_id,
    path_tree,
)

CHUNKS = "faultline-1"
VECTOR = [1.0, 0.0]
TERMS = models.SparseVector(indices=[1, 2], values=[1.0, 1.0])


async def empty_index() -> AsyncQdrantClient:
    client = AsyncQdrantClient(":memory:")
    await client.create_collection(
        CHUNKS,
        vectors_config={
            DENSE: models.VectorParams(size=2, distance=models.Distance.COSINE),
        },
        sparse_vectors_config={SPARSE: models.SparseVectorParams()},
    )
    await client.create_collection(
        manifest_alias(CHUNKS),
        vectors_config={},
        sparse_vectors_config={UNUSED_SPARSE: models.SparseVectorParams()},
    )
    return client


async def write_chunks(
    client: AsyncQdrantClient,
    document_id: str,
    *texts: str,
    version: str = "v1",
    tenant: str = "default",
    namespace: str = "default",
    gap: int = 1,
    tags: Sequence[str] = (),
    modified_at: datetime | None = None,
) -> None:
    """Chunks of one version, `gap` characters of white space between them; not yet visible."""
    source, _, path = document_id.partition("/")
    start, points = 0, []
    for ordinal, text in enumerate(texts):
        chunk = ChunkPayload(
            tenant=tenant,
            namespace=namespace,
            source=source,
            document_id=document_id,
            version=version,
            ordinal=ordinal,
            text=text,
            start=start,
            end=start + len(text),
            headings=["Heading"],
            tags=tuple(tags),
            path_tree=path_tree(path),
            modified_at=modified_at,
            run_id="run-1",
        )
        points.append(
            models.PointStruct(
                id=chunk_point_id(tenant, document_id, version, "spec", ordinal),
                vector={DENSE: VECTOR, SPARSE: TERMS},
                payload=chunk.model_dump(mode="json"),
            )
        )
        start += len(text) + gap
    await client.upsert(CHUNKS, points)


async def commit(
    client: AsyncQdrantClient,
    document_id: str,
    version: str = "v1",
    tenant: str = "default",
    namespace: str = "default",
    tags: Sequence[str] = (),
    modified_at: datetime | None = None,
    url: str | None = None,
) -> None:
    """Makes `version` the visible one."""
    source, _, path = document_id.partition("/")
    manifest = DocumentManifest(
        tenant=tenant,
        namespace=namespace,
        source=source,
        document_id=document_id,
        path=path,
        title="Title",
        format="markdown",
        version=version,
        text_sha256="0" * 64,
        characters=1,
        chunks=1,
        raw_bytes=1,
        run_id="run-1",
        committed_at=datetime.now(UTC),
        tags=tuple(tags),
        modified_at=modified_at,
        url=url,
    )
    point = models.PointStruct(
        id=manifest_point_id(tenant, document_id),
        vector={},
        payload=manifest.model_dump(mode="json"),
    )
    await client.upsert(manifest_alias(CHUNKS), [point])
