"""An embedder without a model: vectors are hashes of words; tests of endpoints use it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
from tests.fakes.openai_server import DIMENSIONS, vector_of

from contracts.endpoints import PROBE_TEXTS, EmbedderFingerprint, EmbedderManifest
from serving.embedder import Embedder
from serving.ports import DenseEncoder, Priority, Vectors
from serving.settings import Settings
from serving.sparse import SETTINGS, SparseEncoder
from serving.tokenizer import ModelTokenizer


def encode(texts: Sequence[str]) -> Vectors:
    return np.array([vector_of(text) for text in texts], dtype=np.float32)


class HashEncoder:
    """Equal of the real encoders behind `serving.ports.DenseEncoder`; raises `error` where set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.priorities: list[Priority | None] = []  # of each request
        self.texts: list[str] = []  # of all requests

    async def embed(
        self, texts: Sequence[str], lengths: Sequence[int], priority: Priority | None = None
    ) -> Vectors:
        assert len(texts) == len(lengths)
        self.priorities.append(priority)
        self.texts += texts
        if self.error:
            raise self.error
        return encode(texts)


class HangingEncoder(HashEncoder):
    """Takes every request and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.cancelled = False

    async def embed(
        self, texts: Sequence[str], lengths: Sequence[int], priority: Priority | None = None
    ) -> Vectors:
        self.begun.set()
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


def opened_with(  # type: ignore[no-untyped-def]
    tokenizer: ModelTokenizer,
    dense: DenseEncoder,
    aliases: tuple[str, ...] = (),
    **prefixes: str,
):
    """What `create_app` takes in place of `open_embedder`."""
    fingerprint = EmbedderFingerprint(
        model="hashes",
        weights_sha256="0" * 64,
        tokenizer_sha256=tokenizer.sha256,
        pooling="mean",
        normalised=True,
        max_tokens=tokenizer.max_tokens,
        dimensions=DIMENSIONS,
        probe_vectors=encode(PROBE_TEXTS).tolist(),
        **prefixes,
    )
    manifest = EmbedderManifest(
        fingerprint=fingerprint, sparse=SETTINGS, precision="float32", backend="hashes 1"
    )

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Embedder]:
        yield Embedder(dense, SparseEncoder(), tokenizer, manifest, aliases)

    return opened
