"""The index as ingestion writes it; layout in `contracts.index`.

A document's manifest is its commit point: chunks first, then the manifest, then what it replaces
is swept. Readers drop chunks whose version or namespace the manifest does not name.

Every change of a manifest is conditional on the lease's token (I8). A point that is not there yet
knows no condition, so its place is taken first, then the lease is checked: a successor that takes
it later raises the token of the place as well. Chunks are swept only as the run wrote them that
committed them, since a successor may have brought the same version back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from qdrant_client import QdrantClient, models

from contracts.endpoints import EmbedderManifest
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
from ingestion.errors import Fenced, IngestionError, NotProved, SpecMismatch
from ingestion.index import pins
from ingestion.index.counts import documents_and_chunks
from ingestion.index.embed import Vectors
from ingestion.index.lease import Lease
from ingestion.index.reader import Reader
from ingestion.index.store import (
    POINTS_PER_PAGE,
    POINTS_PER_REQUEST,
    aliases,
    create_collections,
    equals,
    pages,
    require_version,
    scroll,
    stored,
    translated,
)

RESERVED = "reserved"  # kind of a point that keeps the place of a manifest


@dataclass(frozen=True)
class Document:
    """A document ready to be written: its manifest, and its chunks with their vectors."""

    manifest: DocumentManifest
    chunks: list[tuple[ChunkPayload, Vectors]]


@dataclass(frozen=True)
class Audit:
    """How the chunks of a source differ from what its manifests say; both empty when proved."""

    orphans: dict[str, str]  # ids of chunks that no manifest names, with the run that wrote each
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
        self._owner = {"tenant": tenant, "source": source}
        self._own = [equals(field, value) for field, value in self._owner.items()]
        self._lease: Lease | None = None

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Be the only writer of this source meanwhile; raises Unavailable if another one stays."""
        with Lease(self._client, self.collection, **self._owner) as self._lease:
            if self._lease.took_over:
                self._fence_off()
            try:
                yield
            finally:
                self._leave_places()

    def exists(self) -> bool:
        """True if a sync has made this collection already."""
        with translated():
            return self._client.collection_exists(self._manifests)

    def open(self) -> None:
        """Create what is missing; SpecMismatch if the collection is another embedder's (I7)."""
        pins.refuse_reserved(self.name)
        require_version(self._client)
        create_collections(self._client, self.collection, self.spec.embedder.dimensions)
        with translated():
            self._check_spec()
        if self.live_collection() is None:
            self.switch()

    def _check_spec(self) -> None:
        found = self._client.retrieve(self._manifests, [SPEC_POINT_ID])
        if not found:
            self._upsert(
                self._manifests, [_point(SPEC_POINT_ID, self.spec.model_dump(mode="json"))]
            )
            return
        embedder = stored(CollectionSpec, found[0].payload).embedder
        if not embedder.matches(self.spec.embedder):
            raise SpecMismatch(
                f"The embedder calls itself {self.spec.embedder.model} as before, but its vectors "
                f"differ from those in {self.collection} (lowest cosine of the probe texts: "
                f"{embedder.lowest_cosine(self.spec.embedder):.3f}): bring the old embedder back, "
                "or give the new one a name of its own. Nothing was written."
            )

    def check_embedder(self, manifest: EmbedderManifest) -> None:
        """Raise SpecMismatch if another embedder than this collection's answers now (I7)."""
        now, spec = manifest.fingerprint, self.spec
        if manifest.sparse != spec.sparse or not spec.embedder.matches(now):
            raise SpecMismatch(
                f"The embedder was changed during the sync: {now.model} ({now.digest}) answers in "
                f"place of {spec.embedder.model} ({spec.embedder.digest}). What was committed "
                "before stays, and the last batch was not written: sync again."
            )

    def shown_instead(self) -> str | None:
        """What readers see instead, in words, while the index is restored or rolled back."""
        return pins.shown_instead(self._client, self.name)

    def _alias(self) -> str:
        """The alias that syncs move; a restored index's own one stays at its pin."""
        return pins.written_alias(self.name) if self.shown_instead() else self.name

    def live_collection(self) -> str | None:
        """The collection that readers see now, or will see again after `ingestion resume`."""
        named = aliases(self._client)
        return named.get(pins.written_alias(self.name), named.get(self.name))

    def switch(self) -> None:
        """Point both aliases at this collection, in one call."""
        pins.switch(self._client, self.name, self.collection)

    def manifests(self, collection: str | None = None) -> dict[str, DocumentManifest]:
        """Committed documents of this source, by path; in another collection if one is given."""
        found = self.reader(collection or self.collection).manifests()
        return {manifest.path: manifest for manifest in found}

    def reader(self, collection: str) -> Reader:
        """A reader of this source's part of a collection."""
        return Reader(self._client, collection, **self._owner)

    def holds(self, manifests: Mapping[str, DocumentManifest]) -> bool:
        """True if exactly these are committed; no second copy of them is held in memory."""
        same = 0
        for manifest in self.reader(self.collection).manifests():
            if manifests.get(manifest.path) != manifest:
                return False
            same += 1
        return same == len(manifests)

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
        with self._writing, translated():
            for page in pages(points, POINTS_PER_REQUEST):
                self._upsert(self.collection, page)
                self._verify([str(point.id) for point in page])
            self._commit([document.manifest for document in documents])
            return self._sweep(replaced, keep={str(point.id) for point in points})

    def remove(self, manifests: Sequence[DocumentManifest]) -> int:
        """Take documents out: invisible first, then swept; the number of chunks swept."""
        with translated():
            for page in pages(manifests, POINTS_PER_PAGE):
                ids = [_manifest_id(manifest) for manifest in page]
                selected = models.FilterSelector(filter=self._unfenced(ids))
                self._client.delete(self._manifests, selected, wait=True)
                if self._client.retrieve(self._manifests, ids):
                    raise self._refused("the deletion of a manifest")
            return self._sweep(manifests, keep=set())

    def audit(self, manifests: Sequence[DocumentManifest]) -> Audit:
        """Compare the chunks of this source with its manifests, id by id."""
        missing = {id for manifest in manifests for id in self._chunk_ids(manifest)}
        own, unknown = models.Filter(must=[*self._own]), []
        for point in scroll(self._client, self.collection, own, False):
            if str(point.id) in missing:
                missing.remove(str(point.id))
            else:
                unknown.append(str(point.id))
        damaged = [
            manifest.document_id
            for manifest in (manifests if missing else ())
            if not missing.isdisjoint(self._chunk_ids(manifest))
        ]
        return Audit(self._orphans(unknown, set(damaged)), damaged)

    def _orphans(self, unknown: Sequence[str], damaged: set[str]) -> dict[str, str]:
        """Runs that wrote these chunks, by id; readers may need those of damaged documents yet."""
        orphans = {}
        for page in pages(unknown, POINTS_PER_PAGE):
            with translated():
                fields = ["document_id", "run_id"]
                found = self._client.retrieve(self.collection, page, with_payload=fields)
            for point in found:
                chunk = point.payload or {}
                if chunk["document_id"] not in damaged:
                    orphans[str(point.id)] = chunk["run_id"]
        return orphans

    def sweep_orphans(self, orphans: Mapping[str, str]) -> int:
        """Delete what an audit found no manifest for; the number of chunks.

        Raises Fenced if this run stood still and was overtaken: the manifests it held the chunks
        against may be older than the chunks, which are the successor's then. Whoever has the lease
        after the audit has had it all along.
        """
        if orphans:
            self._held().check()
        return self._delete_chunks(orphans)

    def _delete_chunks(self, chunks: Mapping[str, str]) -> int:
        """Delete chunks by id, each only as that run wrote it; their number."""
        runs = models.MatchAny(any=sorted(set(chunks.values())))
        with translated():
            for page in pages(list(chunks), POINTS_PER_PAGE):
                written = models.FieldCondition(key="run_id", match=runs)
                only = models.Filter(must=[models.HasIdCondition(has_id=[*page]), written])
                selected = models.FilterSelector(filter=only)
                self._client.delete(self.collection, selected, wait=True)
        return len(chunks)

    def live_sources(self) -> set[tuple[str, str]]:
        """Tenant and source of every document in the live collection."""
        documents, _ = documents_and_chunks(self._client, self._alias())
        return set(documents)

    def _chunk_ids(self, manifest: DocumentManifest) -> list[str]:
        """Point ids of a document's chunks, by ordinal."""
        return chunk_ids(manifest, self.spec)

    def _sweep(self, manifests: Sequence[DocumentManifest], keep: set[str]) -> int:
        return self._delete_chunks(
            {
                id: manifest.run_id
                for manifest in manifests
                for id in self._chunk_ids(manifest)
                if id not in keep
            }
        )

    def _commit(self, manifests: Sequence[DocumentManifest]) -> None:
        token = self._held().token
        placed = {"kind": RESERVED, "token": token, **self._owner}
        places = [_point(_manifest_id(manifest), placed) for manifest in manifests]
        only_places = models.Filter(must=[equals("kind", RESERVED)])
        self._client.upsert(self._manifests, places, wait=True, update_filter=only_places)
        self._held().check()
        commits = [
            models.SetPayloadOperation(
                set_payload=models.SetPayload(
                    payload={**manifest.model_dump(mode="json"), "token": token},
                    filter=self._unfenced([_manifest_id(manifest)]),
                )
            )
            for manifest in manifests
        ]
        self._client.batch_update_points(self._manifests, commits, wait=True)
        ids = [_manifest_id(manifest) for manifest in manifests]
        found = self._client.retrieve(self._manifests, ids, with_payload=["version", "token"])
        committed = {str(point.id): point.payload for point in found}
        for manifest in manifests:  # a false condition is silent
            if committed.get(_manifest_id(manifest)) != {
                "version": manifest.version,
                "token": token,
            }:
                raise self._refused("a manifest")

    def _held(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("An index is written to under its lease only.")
        return self._lease

    def _later(self) -> models.FieldCondition:
        return models.FieldCondition(key="token", range=models.Range(gt=self._held().token))

    def _unfenced(self, ids: Sequence[str]) -> models.Filter:
        """These manifests, unless a later writer has been at them."""
        return models.Filter(must=[models.HasIdCondition(has_id=[*ids])], must_not=[self._later()])

    def _fence_off(self) -> None:
        """Raise the token of all that an earlier writer could still change."""
        everything = models.Filter(must=[*self._own], must_not=[self._later()])
        with translated():
            token = {"token": self._held().token}
            self._client.set_payload(self._manifests, token, points=everything, wait=True)

    def _leave_places(self) -> None:
        """Delete places of documents that were never committed."""
        kind = equals("kind", RESERVED)
        left = models.Filter(must=[kind, *self._own], must_not=[self._later()])
        with translated():
            if self._client.count(self._manifests, left, exact=True).count:
                selected = models.FilterSelector(filter=left)
                self._client.delete(self._manifests, selected, wait=True)

    def _refused(self, what: str) -> IngestionError:
        """Why a write had no effect."""
        try:
            self._held().check()
        except Fenced as error:
            return error
        return NotProved(
            f"The store did not keep {what} that it had accepted: see its log, then sync again. "
            "The documents were not committed."
        )

    def _upsert(self, collection: str, points: Sequence[models.PointStruct]) -> None:
        self._client.upsert(collection, points, wait=True)

    def _verify(self, ids: Sequence[str]) -> None:
        found = self._client.retrieve(self.collection, ids, with_payload=False, with_vectors=False)
        if len(found) != len(ids):
            raise self._refused(f"{len(ids) - len(found)} of {len(ids)} chunks")


def chunk_ids(manifest: DocumentManifest, spec: CollectionSpec) -> list[str]:
    """Point ids of the chunks of a committed document, by ordinal."""
    identity, digest = (manifest.tenant, manifest.document_id, manifest.version), spec.digest
    return [
        chunk_point_id(*identity, digest, ordinal, manifest.namespace)
        for ordinal in range(manifest.chunks)
    ]


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
