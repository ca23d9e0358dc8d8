"""Takes a source out of an index: its documents, and what is kept of it in the state folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from qdrant_client import QdrantClient, models

from contracts.index import manifest_alias
from ingestion.errors import NotProved, UsageError
from ingestion.index.lease import Lease
from ingestion.index.records import SourceRecords, every_record
from ingestion.index.store import aliases, collections_of, equals, scroll, translated
from ingestion.sync.quarantine import forget


class Removal(BaseModel):
    """What a removal took out, or would take out."""

    source: str
    tenant: str
    index: str
    documents: int  # that readers of the index see
    points: dict[str, int]  # chunks by collection, copies for rollbacks included
    is_done: bool


def tenants_with(client: QdrantClient, index: str, source: str) -> set[str]:
    """Tenants of which the index, or a record of it, has this source."""
    found = {r.tenant for r in every_record(client) if (r.index, r.source) == (index, source)}
    for collection in collections_of(client, index):
        own = models.Filter(must=[equals("source", source)])
        points = scroll(client, manifest_alias(collection), own, ["tenant"])
        found |= {str((point.payload or {})["tenant"]) for point in points}
    return found


def look(client: QdrantClient, index: str, tenant: str, source: str) -> Removal:
    """What the removal of a source would take out. Raises: UsageError if there is nothing."""
    live = aliases(client).get(index)
    points, documents = {}, 0
    for collection in collections_of(client, index):
        chunks, manifests = _counts(client, collection, tenant, source)
        if chunks or manifests:
            points[collection] = chunks
        if collection == live:
            documents = manifests
    known = any(
        (each.index, each.tenant, each.source) == (index, tenant, source)
        for each in every_record(client)
    )
    if not points and not known:
        raise UsageError(
            f"{index} has no source {source} of tenant {tenant}: `ingestion status` names those "
            "that it has."
        )
    return Removal(
        source=source,
        tenant=tenant,
        index=index,
        documents=documents,
        points=points,
        is_done=False,
    )


def remove(client: QdrantClient, state_dir: Path, index: str, tenant: str, source: str) -> Removal:
    """Remove every point of a source, prove that none is left, and forget what is kept of it.

    Readers lose the documents first, then the chunks are deleted. Pins are copies, and keep theirs.
    Raises: UsageError if there is nothing to remove, NotProved if a point is left.
    """
    found = look(client, index, tenant, source)
    for collection in found.points:
        with Lease(client, collection, tenant, source) as lease:
            own = models.FilterSelector(filter=_own(tenant, source))
            for name in (manifest_alias(collection), collection):
                lease.check()
                with translated():
                    client.delete(name, own, wait=True)
    for collection in collections_of(client, index):
        left = sum(_counts(client, collection, tenant, source))
        if left:
            raise NotProved(
                f"{left} points of {source} are left in {collection}: did a sync of it run beside "
                "this? Stop it, and remove the source again."
            )
    for folder in _kept(state_dir, index, tenant, source):
        shutil.rmtree(folder, ignore_errors=True)
    forget(state_dir, list(collections_of(client, index)), tenant, source)
    SourceRecords(client, index, tenant, source).forget()
    return found.model_copy(update={"is_done": True})


def _own(tenant: str, source: str) -> models.Filter:
    return models.Filter(must=[equals("tenant", tenant), equals("source", source)])


def _counts(client: QdrantClient, collection: str, tenant: str, source: str) -> tuple[int, int]:
    """Chunks of a source, and its manifests with the places of those that are being written."""
    own = _own(tenant, source)
    with translated():
        return (
            client.count(collection, own, exact=True).count,
            client.count(manifest_alias(collection), own, exact=True).count,
        )


def _kept(state_dir: Path, index: str, tenant: str, source: str) -> Iterator[Path]:
    """Folders of the state that belong to the source alone."""
    yield state_dir / "runs" / index / tenant / source
    yield state_dir / "samples" / index / tenant / source
    yield state_dir / "sources" / tenant / source
