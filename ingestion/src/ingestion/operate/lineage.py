"""Where a chunk comes from: source, run, parser, chunker, embedder; and whether readers see it."""

import uuid

from pydantic import BaseModel
from qdrant_client import QdrantClient

from contracts.index import (
    ChunkPayload,
    CollectionSpec,
    DocumentManifest,
    manifest_alias,
)
from ingestion.errors import UsageError
from ingestion.index.pins import shown_instead, spec_of
from ingestion.index.reader import Reader
from ingestion.index.store import aliases, collections_of

HOW_IDS_LOOK = (
    "a chunk goes by its point id (`chunk_id` of an answer's citations and passages, such as "
    "0b7c1f0e-5c0e-5d51-9a3e-6f2b8f1f7c11) or by DOCUMENT#ORDINAL (handbook/leave.md#0); "
    "a document by SOURCE/PATH (handbook/leave.md)"
)


class Lineage(BaseModel):
    """A chunk, the document that it belongs to, and what its collection was built with."""

    chunk_id: str
    collection: str
    seen: bool  # by readers of the index, now
    visibility: str  # that as a sentence, with the reason
    chunk: ChunkPayload
    document: DocumentManifest | None  # its committed version; None: there is none now
    built_with: CollectionSpec

    @property
    def chunker(self) -> str:
        """The chunker's name and sizes."""
        return self.built_with.chunker.partition(";parsers=")[0]

    @property
    def parser(self) -> str:
        """The format that was parsed, and the version of the parsers."""
        format = self.document.format if self.document else "unknown format"
        return f"{format}, parsers {self.built_with.chunker.partition(';parsers=')[2]}"


def lineages(client: QdrantClient, index: str, wanted: str) -> list[Lineage]:
    """The chunk with this id, or every chunk of the document, as readers see it where they do.

    `wanted` is in one of the forms of HOW_IDS_LOOK. Looks where readers of the index do, then in
    its other collections. Raises: UsageError if there is no such index or chunk.
    """
    named = aliases(client)
    if index not in named:
        raise UsageError(f"There is no index {index}: `ingestion sync <folder>` makes one.")
    for collection in _collections(client, index, named[index]):
        if found := _chunks(client, collection, wanted):
            return _lineages(client, index, collection, found)
    raise UsageError(
        f"No collection of {index} has a chunk {wanted}: {HOW_IDS_LOOK}. A chunk of an older "
        "answer is gone once its document changed: ask for the document."
    )


def _collections(client: QdrantClient, index: str, live: str) -> list[str]:
    """The one that readers see, then the others of the index, copies last."""
    every = collections_of(client, index, pins=True)
    return [live, *(name for name in every if name != live)]


def _chunks(client: QdrantClient, collection: str, wanted: str) -> dict[str, ChunkPayload]:
    reader = Reader(client, collection)
    if _is_uuid(wanted):
        return reader.chunks_at([wanted])
    for document_id, ordinal in ((wanted, None), _document_and_ordinal(wanted)):
        chunks = reader.chunks(document_id=document_id)
        if found := {id: c for id, c in chunks.items() if ordinal in (None, c.ordinal)}:
            return found
    return {}


def _lineages(
    client: QdrantClient, index: str, collection: str, chunks: dict[str, ChunkPayload]
) -> list[Lineage]:
    documents = [(chunk.tenant, chunk.document_id) for chunk in chunks.values()]
    manifests = Reader(client, collection).manifests_of(documents)
    spec = spec_of(client, manifest_alias(collection))
    elsewhere = _seen_instead(client, index, collection)
    found = []
    for chunk_id, chunk in chunks.items():
        manifest = manifests.get((chunk.tenant, chunk.document_id))
        unseen = elsewhere or _uncommitted(chunk, manifest)
        found.append(
            Lineage(
                chunk_id=chunk_id,
                collection=collection,
                seen=unseen is None,
                visibility=unseen or f"readers of {index} see it",
                chunk=chunk,
                document=manifest,
                built_with=spec,
            )
        )
    return found


def _seen_instead(client: QdrantClient, index: str, collection: str) -> str | None:
    """Why readers of the index see nothing of this collection; None if they read it."""
    live = aliases(client)[index]
    if live == collection:
        return None
    instead = shown_instead(client, index)
    until = f" ({instead}, until `ingestion resume`)" if instead else ""
    return f"readers of {index} do not see it: they see {live}{until}"


def _uncommitted(chunk: ChunkPayload, manifest: DocumentManifest | None) -> str | None:
    """Why readers of the collection drop this chunk; None if its version is the committed one."""
    if manifest is None:
        return "readers do not see it: its document is not committed; the next sync sweeps it"
    if manifest.namespace != chunk.namespace:
        return f"readers do not see it: its document is in namespace {manifest.namespace} now"
    if manifest.version != chunk.version:
        return f"readers do not see it: version {manifest.version[:12]} of its document replaced it"
    return None


def _document_and_ordinal(wanted: str) -> tuple[str, int | None]:
    document_id, _, ordinal = wanted.rpartition("#")
    return (document_id, int(ordinal)) if ordinal.isdecimal() else (wanted, None)


def _is_uuid(wanted: str) -> bool:
    try:
        return str(uuid.UUID(wanted)) == wanted.lower()
    except ValueError:
        return False
