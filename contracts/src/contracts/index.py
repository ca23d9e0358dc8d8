"""Contract 1, the index: what ingestion writes into Qdrant and the application reads.

An index named `X` is two aliases, switched in one call: `X` names the collection of chunks,
`X-manifest` that of its documents. A chunk is visible only while its document's manifest
names its version and its namespace; so one point, written last, commits a document. Points of
the manifest collection whose `kind` is not "document" are no documents.
"""

import uuid
from datetime import datetime
from typing import Literal

from contracts import Record
from contracts.endpoints import EmbedderFingerprint, digest_of

DENSE = "dense"  # vector names in the chunk collection
SPARSE = "sparse"
UNUSED_SPARSE = "unused"  # qdrant-edge has no vectorless shard, so manifests carry this, empty
DEFAULT_NAMESPACE = "default"

_IDS = uuid.UUID("6f0c6a52-5b3b-5c1c-9a53-0d6a8f2f7a11")


def manifest_alias(index: str) -> str:
    """Alias of the manifest collection that belongs to the chunk alias `index`."""
    return f"{index}-manifest"


def chunk_point_id(
    tenant: str,
    document_id: str,
    version: str,
    spec: str,
    ordinal: int,
    namespace: str = DEFAULT_NAMESPACE,
) -> str:
    """Point id of a chunk: the same input gives the same id on every machine (invariant I1).

    It depends on all that decides who may read the chunk. So a document that moves to another
    namespace gets new points beside its old ones, and no half of it can be read by both (I3).
    """
    parts = [tenant, document_id, version, spec, str(ordinal)]
    if namespace != DEFAULT_NAMESPACE:  # ids of the default one are older than namespaces in ids
        parts.append(namespace)
    return str(uuid.uuid5(_IDS, "\x1f".join(parts)))


def manifest_point_id(tenant: str, document_id: str) -> str:
    """Point id of a document's manifest."""
    return str(uuid.uuid5(_IDS, "\x1f".join(("manifest", tenant, document_id))))


SPEC_POINT_ID = str(uuid.uuid5(_IDS, "spec"))  # the collection spec, in the manifest collection


class ChunkPayload(Record):
    """Payload of one point of the chunk collection.

    The chunks of a version cover its extracted text in order: spans may overlap, and gaps
    between them hold white space only. `text == document_text[start:end]`, in characters.
    """

    contract: Literal["index/1"] = "index/1"
    tenant: str
    namespace: str = DEFAULT_NAMESPACE
    source: str
    document_id: str  # "<source>/<path in the source>"
    version: str  # sha256 of the document's raw bytes, hex
    ordinal: int  # position in the document, from 0
    text: str
    start: int
    end: int
    headings: list[str]  # outermost first; they are embedded with the text
    table_header: str = ""  # of the table that the text goes on with, if it opens inside of one
    tags: tuple[str, ...] = ()  # of its document, sorted, in lower case
    page: int | None = None  # from 1, for formats with pages
    run_id: str  # the ingestion run that wrote it


class DocumentManifest(Record):
    """Payload of one document's point in the manifest collection: its committed version."""

    contract: Literal["index/1"] = "index/1"
    kind: Literal["document"] = "document"
    tenant: str
    namespace: str = DEFAULT_NAMESPACE
    source: str
    document_id: str
    path: str
    title: str
    format: str  # a name of ingestion's registry of formats, e.g. "markdown"
    version: str
    text_sha256: str
    characters: int
    chunks: int
    raw_bytes: int
    run_id: str
    committed_at: datetime
    modified_at: datetime | None = None  # the date that the document states of itself, if any
    url: str | None = None  # where a person reads it, as it says itself or its source declares
    tags: tuple[str, ...] = ()  # sorted, in lower case
    token: int = 0  # of the lease under which it was committed; a later writer's is higher
    notes: tuple[str, ...] = ()  # what its parser left out, and the pages that it could not read
    kept: str = ""  # digest of the document contract that it was found to keep; "" for none


class CollectionSpec(Record):
    """What every vector of a collection has in common; it lies at SPEC_POINT_ID."""

    contract: Literal["index/1"] = "index/1"
    kind: Literal["spec"] = "spec"
    embedder: EmbedderFingerprint
    precision: str
    backend: str
    sparse: str
    chunker: str  # e.g. "tokens:size=200,overlap=20;parsers=1"

    @property
    def digest(self) -> str:
        """Names the collection: another embedder, chunker or sparse setting is another one."""
        return digest_of([self.embedder.digest, self.sparse, self.chunker])
