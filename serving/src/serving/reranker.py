"""The reranker: sentence-transformers' CrossEncoder scores documents against a query."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from sentence_transformers import CrossEncoder

from serving.hashing import files_sha256
from serving.precision import usable_cores

PAIRS_PER_PASS = 16


class Reranker(Protocol):
    """Scores documents; the higher, the more a document says on the query."""

    model: str
    weights_sha256: str

    def scores(self, query: str, documents: Sequence[str]) -> list[float]:
        """One score for each document, in order."""
        ...


class CrossEncoderReranker:
    """A cross-encoder from a folder; a pair of texts that is too long is cut by its tokenizer."""

    def __init__(self, folder: Path, name: str, max_tokens: int | None = None) -> None:
        torch.set_num_threads(usable_cores())
        self.model = name
        self.weights_sha256 = files_sha256(folder, "**/*.safetensors")
        self._lock = threading.Lock()  # two passes at once would take twice the memory
        self._encoder = CrossEncoder(
            str(folder),
            device="cpu",
            local_files_only=True,
            max_length=max_tokens,
            num_labels=1,
            activation_fn=torch.nn.Sigmoid(),  # scores in 0 to 1, as Cohere's and vLLM's
        )

    def scores(self, query: str, documents: Sequence[str]) -> list[float]:
        """Scores from 0 to 1, one for each document, in order."""
        pairs = [(query, document) for document in documents]
        with self._lock, torch.inference_mode():
            found = self._encoder.predict(pairs, batch_size=PAIRS_PER_PASS, show_progress_bar=False)
        return [float(score) for score in found]
