"""The embedder as one thing: dense vectors (local or hosted), sparse ones, tokenizer, manifest."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contracts.endpoints import PROBE_TEXTS, EmbedderFingerprint, EmbedderManifest
from serving.batching import BatchingEncoder
from serving.catalog import CatalogEntry, find_model, load_catalog
from serving.errors import UpstreamUnavailableError
from serving.hashing import files_sha256
from serving.ports import DenseEncoder, Priority, Vectors
from serving.prefixes import Kind, Prefixes, prefixes_of
from serving.settings import Settings
from serving.sparse import SETTINGS as SPARSE_SETTINGS
from serving.sparse import SparseEncoder
from serving.tokenizer import ModelTokenizer, declared_max_tokens
from serving.upstream import UpstreamEncoder

READY_SECONDS = 4  # health checks of compose wait 5


@dataclass(frozen=True)
class Embedder:
    """Everything the endpoints need."""

    dense: DenseEncoder
    sparse: SparseEncoder
    tokenizer: ModelTokenizer
    manifest: EmbedderManifest
    aliases: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether requests may name the model so; case does not matter."""
        names = (self.manifest.fingerprint.model, *self.aliases)
        return name.casefold() in {each.casefold() for each in names}

    async def embed(
        self,
        texts: Sequence[str],
        priority: Priority | None = None,
        kind: Kind = "document",
    ) -> tuple[Vectors, int]:
        """Vectors of `texts` with the prefix of their kind, and their tokens in all.

        Raises InputTooLongError.
        """
        fingerprint = self.manifest.fingerprint
        prefix = Prefixes(fingerprint.query_prefix, fingerprint.document_prefix).of(kind)
        texts = [prefix + text for text in texts]
        lengths = await asyncio.to_thread(self.tokenizer.lengths, texts)
        return await self.dense.embed(texts, lengths, priority), sum(lengths)

    async def check(self) -> None:
        """Compute one vector that nobody remembers. Raises a ServingError where that fails."""
        new = f"ready {secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.embed([new], "interactive")
        except TimeoutError as error:
            raise UpstreamUnavailableError(
                f"The model gave no vector within {READY_SECONDS} s: restart the embedder if this "
                "lasts, or look at the hosted endpoint."
            ) from error


@asynccontextmanager
async def open_embedder(settings: Settings) -> AsyncIterator[Embedder]:
    """Load the model, or connect to the hosted one; either way its probe texts are embedded.

    Raises ModelError, UpstreamRefusedError, UpstreamUnavailableError.
    """
    entry = find_model(settings.catalog, settings.embed_model, "embedder")
    folder = Path(entry.location(settings.models_dir))
    hosted = settings.embed_upstream_url
    opened = _hosted(settings, folder) if hosted else _local(settings, entry, folder)
    async with opened as embedder:
        yield embedder


@asynccontextmanager
async def _local(settings: Settings, entry: CatalogEntry, folder: Path) -> AsyncIterator[Embedder]:
    from serving.encoder import SentenceEncoder  # imports torch: not for a hosted model

    prefixes = prefixes_of(entry, folder)
    model = SentenceEncoder(folder, settings.embed_precision, entry.pooling, entry.max_tokens)
    tokenizer = ModelTokenizer(folder / "tokenizer.json", model.max_tokens)
    with BatchingEncoder(model.encode, settings.embed_remembered) as dense:
        probes = await dense.embed(PROBE_TEXTS, tokenizer.lengths(PROBE_TEXTS))
        fingerprint = EmbedderFingerprint(
            model=folder.name,
            weights_sha256=files_sha256(folder, "**/*.safetensors"),
            tokenizer_sha256=tokenizer.sha256,
            pooling=model.pooling,
            normalised=model.normalised,
            max_tokens=model.max_tokens - tokenizer.longest(prefixes.query, prefixes.document),
            dimensions=probes.shape[1],
            probe_vectors=_rounded(probes),
            query_prefix=prefixes.query,
            document_prefix=prefixes.document,
        )
        manifest = EmbedderManifest(
            fingerprint=fingerprint,
            sparse=SPARSE_SETTINGS,
            precision=model.precision,
            backend=model.backend,
            languages=list(entry.languages),
        )
        yield Embedder(dense, SparseEncoder(), tokenizer, manifest, other_names(entry))


@asynccontextmanager
async def _hosted(settings: Settings, folder: Path) -> AsyncIterator[Embedder]:
    """Lengths are counted by our own tokenizer: what the hosted one does with more is unknown."""
    max_tokens = settings.embed_upstream_max_tokens or declared_max_tokens(folder)
    tokenizer = ModelTokenizer(folder / "tokenizer.json", max_tokens)
    async with UpstreamEncoder(settings) as upstream:
        probes = await upstream.embed(PROBE_TEXTS, tokenizer.lengths(PROBE_TEXTS))
        entry = _entry_called(settings, upstream.model)
        prefixes = prefixes_of(entry) if entry else Prefixes()
        fingerprint = EmbedderFingerprint(
            model=upstream.model,
            weights_sha256="unknown",
            tokenizer_sha256="unknown",
            pooling="unknown",
            normalised=bool(np.allclose(np.linalg.norm(probes, axis=1), 1, atol=1e-3)),
            max_tokens=max_tokens - tokenizer.longest(prefixes.query, prefixes.document),
            dimensions=probes.shape[1],
            probe_vectors=_rounded(probes),
            query_prefix=prefixes.query,
            document_prefix=prefixes.document,
        )
        manifest = EmbedderManifest(
            fingerprint=fingerprint,
            sparse=SPARSE_SETTINGS,
            precision="unknown",
            backend=f"hosted at {upstream.host}",
            languages=list(entry.languages) if entry else [],
            declared=True,
        )
        names = other_names(entry) if entry else ()
        yield Embedder(upstream, SparseEncoder(), tokenizer, manifest, names)


def other_names(entry: CatalogEntry) -> tuple[str, ...]:
    """Names that a request may use beside the one that is served."""
    return (entry.name, *entry.aliases, *([entry.hub] if entry.hub else []))


def _entry_called(settings: Settings, name: str) -> CatalogEntry | None:
    """The catalogue's embedder of this name, where the hosted model is one that it describes."""
    for entry in load_catalog(settings.catalog).values():
        called = {each.casefold() for each in other_names(entry)}
        if entry.kind == "embedder" and name.casefold() in called:
            return entry
    return None


def _rounded(vectors: Vectors) -> list[list[float]]:
    return [[round(float(value), 6) for value in vector] for vector in vectors]
