"""The index as it lies in Qdrant: committed chunks by scroll, over its REST API (contract 1)."""

from collections.abc import Iterator
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from contracts.index import ChunkPayload, DocumentManifest, manifest_alias
from evals.errors import Unavailable
from evals.settings import Settings

PAGE = 1000  # points a request


class IndexedChunk(BaseModel):
    """A committed chunk, with what its document's manifest says."""

    model_config = ConfigDict(frozen=True)

    path: str
    format: str
    chunk: ChunkPayload


def committed_chunks(
    settings: Settings, index: str, transport: httpx.BaseTransport | None = None
) -> list[IndexedChunk]:
    """Every chunk of every active version in an index, in the order of document and position.

    Raises: Unavailable when Qdrant does not answer or refuses the key.
    """
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else ""
    with httpx.Client(
        base_url=settings.qdrant_url,
        headers={"api-key": key} if key else {},
        timeout=settings.timeout_seconds,
        transport=transport,
    ) as http:
        manifests = {
            payload["document_id"]: DocumentManifest.model_validate(payload)
            for payload in _scroll(http, manifest_alias(index))
            if payload["kind"] == "document"
        }
        chunks = [ChunkPayload.model_validate(payload) for payload in _scroll(http, index)]
    active = [
        IndexedChunk(path=manifest.path, format=manifest.format, chunk=chunk)
        for chunk in chunks
        if (manifest := manifests.get(chunk.document_id)) and manifest.version == chunk.version
    ]
    return sorted(active, key=lambda found: (found.path, found.chunk.ordinal))


def _scroll(http: httpx.Client, collection: str) -> Iterator[dict[str, Any]]:
    offset = None
    while True:
        body = {"limit": PAGE, "offset": offset, "with_payload": True, "with_vector": False}
        try:
            reply = http.post(f"/collections/{collection}/points/scroll", json=body)
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(
                f"Cannot read {collection} from Qdrant at {http.base_url} ({error}): "
                "check EVALS_QDRANT_URL and EVALS_QDRANT_API_KEY."
            ) from error
        page = reply.json()["result"]
        yield from (point["payload"] for point in page["points"])
        offset = page["next_page_offset"]
        if offset is None:
            return
