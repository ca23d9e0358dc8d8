"""The index as it lies in Qdrant: committed chunks by scroll, over its REST API (contract 1)."""

from collections.abc import Collection, Iterator
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.endpoints import digest_of
from contracts.index import DENSE, ChunkPayload, CollectionSpec, DocumentManifest, manifest_alias
from contracts.urls import authorization, without_credentials
from evals.errors import Unavailable
from evals.settings import Settings

PAGE = 1000  # points a request
F = TypeVar("F", bound=BaseModel)


class IndexedChunk(BaseModel):
    """A committed chunk, with what its document's manifest says."""

    model_config = ConfigDict(frozen=True)

    path: str
    format: str
    chunk: ChunkPayload


class IndexContent(BaseModel):
    """A whole index as readers see it: manifests by document id, chunks and vectors by point id."""

    model_config = ConfigDict(frozen=True)

    documents: dict[str, DocumentManifest]
    chunks: dict[str, ChunkPayload]
    dense: dict[str, list[float]]
    spec: CollectionSpec | None
    unreadable: int = 0  # chunks whose payload breaks the contract

    @property
    def digest(self) -> str:
        """Of the words and where they belong; run ids, dates and vectors aside."""
        return self.digest_without(())

    def digest_without(self, documents: Collection[str]) -> str:
        """The digest of all other documents."""
        return digest_of(
            sorted(
                (id, _words(chunk))
                for id, chunk in self.chunks.items()
                if chunk.document_id not in documents
            )
        )

    def indexed(self) -> list[IndexedChunk]:
        """The chunks in the order of document and position."""
        return sorted(
            (
                IndexedChunk(path=document.path, format=document.format, chunk=chunk)
                for chunk in self.chunks.values()
                if (document := self.documents.get(chunk.document_id))
            ),
            key=lambda found: (found.path, found.chunk.ordinal),
        )


def _words(chunk: ChunkPayload) -> str:
    return chunk.model_dump_json(exclude={"run_id"})


def content(
    settings: Settings, index: str, transport: httpx.BaseTransport | None = None
) -> IndexContent:
    """Everything that a live or pinned index shows its readers.

    Raises: Unavailable when Qdrant does not answer, refuses the key, or has no such index.
    """
    with _client(settings, transport) as http:
        manifests = [point["payload"] for point in _points(http, manifest_alias(index))]
        points = {str(p["id"]): p for p in _points(http, index, with_vector=True)}
    documents = {
        manifest.document_id: manifest
        for payload in manifests
        if payload.get("kind") == "document" and (manifest := _parsed(DocumentManifest, payload))
    }
    specs = [_parsed(CollectionSpec, p) for p in manifests if p.get("kind") == "spec"]
    chunks = {id: _parsed(ChunkPayload, point["payload"]) for id, point in points.items()}
    active = {
        id: chunk
        for id, chunk in chunks.items()
        if chunk
        and (document := documents.get(chunk.document_id))
        and (document.version, document.namespace) == (chunk.version, chunk.namespace)
    }
    vectors = {id: points[id].get("vector") or {} for id in active}
    return IndexContent(
        documents=documents,
        chunks=active,
        dense={id: vector.get(DENSE, []) for id, vector in vectors.items()},
        spec=next(iter(specs), None),
        unreadable=sum(chunk is None for chunk in chunks.values()),
    )


def _parsed(form: type[F], payload: dict[str, Any]) -> F | None:
    """None where somebody wrote what the contract does not allow: a finding, not our error."""
    try:
        return form.model_validate(payload)
    except ValidationError:
        return None


def committed_chunks(
    settings: Settings, index: str, transport: httpx.BaseTransport | None = None
) -> list[IndexedChunk]:
    """Every chunk of every active version in an index, in the order of document and position.

    Raises: Unavailable when Qdrant does not answer or refuses the key.
    """
    return content(settings, index, transport).indexed()


def _client(settings: Settings, transport: httpx.BaseTransport | None) -> httpx.Client:
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else ""
    return httpx.Client(
        base_url=without_credentials(settings.qdrant_url),
        headers=authorization(settings.qdrant_url) | ({"api-key": key} if key else {}),
        timeout=settings.timeout_seconds,
        transport=transport,
    )


def _points(
    http: httpx.Client, collection: str, with_vector: bool = False
) -> Iterator[dict[str, Any]]:
    offset = None
    while True:
        body = {"limit": PAGE, "offset": offset, "with_payload": True, "with_vector": with_vector}
        try:
            reply = http.post(f"/collections/{collection}/points/scroll", json=body)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(
                f"Cannot read {collection} from Qdrant at {http.base_url} ({error}): "
                "check EVALS_QDRANT_URL and EVALS_QDRANT_API_KEY."
            ) from error
        page = reply.json()["result"]
        yield from page["points"]
        offset = page["next_page_offset"]
        if offset is None:
            return
