"""The embedder as one thing: dense vectors (local or hosted), sparse ones, tokenizer, manifest."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.endpoints import PROBE_TEXTS, EmbedderFingerprint, EmbedderManifest
from serving.batching import BatchingEncoder
from serving.catalog import find_model
from serving.hashing import files_sha256
from serving.settings import Settings
from serving.sparse import SETTINGS as SPARSE_SETTINGS
from serving.sparse import SparseEncoder
from serving.tokenizer import ModelTokenizer, declared_max_tokens
from serving.upstream import UpstreamEncoder

Vectors = NDArray[np.float32]  # (texts, dimensions)


class DenseEncoder(Protocol):
    """What turns texts into vectors: our own model behind its queue, or a hosted one."""

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens."""
        ...


@dataclass(frozen=True)
class Embedder:
    """Everything the endpoints need."""

    dense: DenseEncoder
    sparse: SparseEncoder
    tokenizer: ModelTokenizer
    manifest: EmbedderManifest

    async def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors of `texts`, and their tokens in all. Raises InputTooLongError."""
        lengths = self.tokenizer.lengths(texts)
        return await self.dense.embed(texts, lengths), sum(lengths)


@asynccontextmanager
async def open_embedder(settings: Settings) -> AsyncIterator[Embedder]:
    """Load the model, or connect to the hosted one; either way its probe texts are embedded.

    Raises ModelError, UpstreamRefusedError, UpstreamUnavailableError.
    """
    entry = find_model(settings.catalog, settings.embed_model, "embedder")
    folder = Path(entry.location(settings.models_dir))
    if settings.embed_upstream_url:
        async with UpstreamEncoder(settings) as upstream:
            tokenizer = ModelTokenizer(
                folder / "tokenizer.json",
                settings.embed_upstream_max_tokens or declared_max_tokens(folder),
            )
            manifest = await _declared_manifest(upstream, tokenizer)
            yield Embedder(upstream, SparseEncoder(), tokenizer, manifest)
        return

    from serving.encoder import SentenceEncoder  # imports torch: not for a hosted model

    model = SentenceEncoder(folder, settings.embed_precision)
    tokenizer = ModelTokenizer(folder / "tokenizer.json", model.max_tokens)
    dense = BatchingEncoder(model.encode)
    try:
        probes = await dense.embed(PROBE_TEXTS, tokenizer.lengths(PROBE_TEXTS))
        fingerprint = EmbedderFingerprint(
            model=entry.name,
            weights_sha256=files_sha256(folder, "**/*.safetensors"),
            tokenizer_sha256=tokenizer.sha256,
            pooling=model.pooling,
            normalised=model.normalised,
            max_tokens=model.max_tokens,
            dimensions=probes.shape[1],
            probe_vectors=_rounded(probes),
        )
        manifest = EmbedderManifest(
            fingerprint=fingerprint,
            sparse=SPARSE_SETTINGS,
            precision=model.precision,
            backend=model.backend,
        )
        yield Embedder(dense, SparseEncoder(), tokenizer, manifest)
    finally:
        dense.close()


async def _declared_manifest(
    upstream: UpstreamEncoder, tokenizer: ModelTokenizer
) -> EmbedderManifest:
    probes = await upstream.embed(PROBE_TEXTS, [])
    norms = np.linalg.norm(probes, axis=1)
    fingerprint = EmbedderFingerprint(
        model=upstream.model,
        weights_sha256="unknown",
        tokenizer_sha256="unknown",
        pooling="unknown",
        normalised=bool(np.allclose(norms, 1, atol=1e-3)),
        max_tokens=tokenizer.max_tokens,
        dimensions=probes.shape[1],
        probe_vectors=_rounded(probes),
    )
    return EmbedderManifest(
        fingerprint=fingerprint,
        sparse=SPARSE_SETTINGS,
        precision="unknown",
        backend=f"hosted at {upstream.host}",
        declared=True,
    )


def _rounded(vectors: Vectors) -> list[list[float]]:
    return [[round(float(value), 6) for value in vector] for vector in vectors]
