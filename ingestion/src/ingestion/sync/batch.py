"""The work of a run, batch by batch: read -> parse -> validate -> chunk -> embed -> commit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.index import ChunkPayload, DocumentManifest, path_tree
from ingestion.documents.chunk import Chunk, Chunker
from ingestion.documents.described import described
from ingestion.documents.duplicates import Duplicates
from ingestion.documents.languages import Languages
from ingestion.documents.validate import check_contract, validate
from ingestion.errors import DocumentError, InputRefused
from ingestion.index.embed import Embedder
from ingestion.index.writer import Document, Index
from ingestion.parse import Parse, Parsed
from ingestion.sources import Found, Source
from ingestion.sources.settings import SourceSettings
from ingestion.sync.plan import Pending


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: every document of it is committed or refused."""

    committed: list[Pending]
    refused: list[tuple[Found, str]]  # with the reason
    chunks_embedded: int
    chunks_swept: int
    notes: list[str]  # by path: what the parser of a committed document left out


@dataclass(frozen=True)
class Prepared:
    """A document read and cut, before it has vectors."""

    pending: Pending
    manifest: DocumentManifest
    chunks: list[Chunk]


@dataclass(frozen=True)
class Indexer:
    """Indexes documents of one source; a batch may be run again at any point of it (I4)."""

    source: Source
    name: str
    tenant: str
    namespace: str
    run_id: str
    chunker: Chunker
    embedder: Embedder
    parse: Parse
    index: Index
    reads: SourceSettings
    duplicates: Duplicates
    languages: Languages

    def index_batch(self, batch: Sequence[Pending]) -> BatchResult:
        """Commit what can be indexed; raises Unavailable when the batch should be tried again."""
        prepared, refused = [], []
        for pending in batch:
            try:
                prepared.append(self._prepare(pending))
            except DocumentError as error:
                refused.append((pending.found, str(error)))
        documents = self._embed(prepared, refused)
        if documents:  # the vectors are still to be written, and the embedder may be another by now
            self.index.check_embedder(self.embedder.current())
        committed = [item.pending for item, _ in documents]
        replaced = [pending.replaces for pending in committed if pending.replaces]
        swept = self.index.write([document for _, document in documents], replaced)
        embedded = sum(len(document.chunks) for _, document in documents)
        notes = [
            f"{item.manifest.path}: {note}" for item, _ in documents for note in item.manifest.notes
        ]
        return BatchResult(committed, refused, embedded, swept, notes)

    def read(self, found: Found) -> str:
        """The text of a document as the source has it; DocumentError if it cannot be read."""
        return self._parsed(found)[1].text

    def _parsed(self, found: Found) -> tuple[bytes, Parsed]:
        raw = self.source.read(found.path)
        return raw, self.parse(raw, found.format, found.path)

    def _prepare(self, pending: Pending) -> Prepared:
        found = pending.found
        raw, parsed = self._parsed(found)
        validate(parsed)
        check_contract(parsed, found.format, self.reads.document)
        facts = described(found.path, parsed, self.reads, self.namespace)
        chunks = self.chunker.chunks(parsed)
        self.duplicates.add(found.path, parsed.text)
        if pending.outcome == "added":  # an edit changes no language, and identifying takes time
            self.languages.add(found.path, parsed.text)
        manifest = DocumentManifest(
            tenant=self.tenant,
            namespace=facts.namespace,
            source=self.name,
            document_id=f"{self.name}/{found.path}",
            path=found.path,
            title=parsed.title,
            format=found.format,
            version=hashlib.sha256(raw).hexdigest(),  # of what was read, not of what was found
            text_sha256=hashlib.sha256(parsed.text.encode()).hexdigest(),
            characters=len(parsed.text),
            chunks=len(chunks),
            raw_bytes=len(raw),
            run_id=self.run_id,
            committed_at=datetime.now(UTC),
            modified_at=parsed.stated_at,
            notes=parsed.notes,
            kept=self.reads.digest(self.namespace),
            url=facts.url,
            tags=facts.tags,
        )
        return Prepared(pending, manifest, chunks)

    def _embed(
        self, prepared: list[Prepared], refused: list[tuple[Found, str]]
    ) -> list[tuple[Prepared, Document]]:
        """Documents with vectors; one that the embedder cannot take is found and refused."""
        chunks = [chunk for item in prepared for chunk in item.chunks]
        if not prepared:
            return []
        try:
            vectors = iter(
                self.embedder.embed(
                    [chunk.dense_text for chunk in chunks], [chunk.sparse_text for chunk in chunks]
                )
            )
        except InputRefused as error:
            if len(prepared) > 1:
                return [pair for item in prepared for pair in self._embed([item], refused)]
            refused.append((prepared[0].pending.found, str(error)))
            return []
        return [
            (
                item,
                Document(
                    item.manifest,
                    [
                        (self._payload(item.manifest, ordinal, chunk), next(vectors))
                        for ordinal, chunk in enumerate(item.chunks)
                    ],
                ),
            )
            for item in prepared
        ]

    def _payload(self, manifest: DocumentManifest, ordinal: int, chunk: Chunk) -> ChunkPayload:
        return ChunkPayload(
            tenant=manifest.tenant,
            namespace=manifest.namespace,
            source=manifest.source,
            document_id=manifest.document_id,
            version=manifest.version,
            ordinal=ordinal,
            text=chunk.text,
            start=chunk.start,
            end=chunk.end,
            headings=list(chunk.headings),
            table_header=chunk.table_header,
            tags=manifest.tags,
            path_tree=path_tree(manifest.path),
            modified_at=manifest.modified_at,
            page=chunk.page,
            run_id=self.run_id,
        )
