"""What a sync talks to, and what the embedder decides: the chunker and the collection's spec."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from qdrant_client import QdrantClient

from contracts.index import CollectionSpec
from ingestion.documents.chunk import Chunker, TokenChunker, WholeChunker
from ingestion.documents.parse_pool import Limits, ParsePool
from ingestion.errors import UsageError
from ingestion.index.embed import Embedder, HttpEmbedder
from ingestion.index.store import connect
from ingestion.parse import Parse, parse
from ingestion.settings import Settings
from ingestion.sync.request import SyncRequest


@dataclass(frozen=True)
class Services:
    """What a sync talks to; neither is asked anything before it is used."""

    embedder: Embedder
    store: QdrantClient
    parse: Parse = parse
    close: Callable[[], None] = lambda: None  # what `parse` has started

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The services that the settings name; documents are parsed in processes of their own."""
        pool = ParsePool(
            Limits(settings.parse_seconds, settings.parse_cpu_seconds, settings.parse_memory_mb)
        )
        return cls(
            HttpEmbedder(settings),
            connect(settings.qdrant_url, settings.qdrant_api_key, settings.timeout_seconds),
            pool.parse,
            pool.close,
        )


def chunker_of(request: SyncRequest, embedder: Embedder) -> Chunker:
    """The chunker that a request asks for, at the embedder's length; UsageError if it cannot be."""
    max_tokens = embedder.manifest().fingerprint.max_tokens
    tokenizer = embedder.tokenizer()
    if request.chunker == "whole":
        return WholeChunker(tokenizer, max_tokens, request.truncate)
    if request.truncate:
        raise UsageError("--truncate goes with --chunker whole: token chunks are never cut.")
    return TokenChunker(tokenizer, max_tokens, request.chunk_tokens, request.overlap_tokens)


def spec_of(embedder: Embedder, chunker: Chunker) -> CollectionSpec:
    """What the vectors of the collection have in common."""
    manifest = embedder.manifest()
    return CollectionSpec(
        embedder=manifest.fingerprint,
        precision=manifest.precision,
        backend=manifest.backend,
        sparse=manifest.sparse,
        chunker=chunker.name,
    )
