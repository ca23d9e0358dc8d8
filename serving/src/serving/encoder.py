"""The model itself: sentence-transformers in this process; no other file imports torch."""

from importlib.metadata import version
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from serving.ports import Vectors
from serving.precision import choose_precision, processor_flags, usable_cores

# Lengths in steps: oneDNN and torch keep kernels for every shape they have seen, 2 MB each.
PADDING = {"text": {"pad_to_multiple_of": 16}}


class SentenceEncoder:
    """all-MiniLM-L6-v2 or another sentence-transformers folder; one thread calls it at a time."""

    def __init__(
        self,
        folder: Path,
        precision: str,
        pooling: str | None = None,
        max_tokens: int | None = None,
    ) -> None:
        """`pooling` counts where the folder declares none; `max_tokens` is an upper limit."""
        torch.set_num_threads(usable_cores())
        capability = torch.backends.cpu.get_cpu_capability()
        self.precision = choose_precision(precision, processor_flags(), capability)
        self.backend = f"sentence-transformers {version('sentence-transformers')}"
        self._model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            model_kwargs={"dtype": getattr(torch, self.precision)},
        ).eval()
        modules = list(self._model)
        if pooling and not (folder / "modules.json").is_file():
            size = int(self._model.get_embedding_dimension() or 0)
            modules = [modules[0], Pooling(size, pooling), Normalize()]
            self._model = SentenceTransformer(modules=modules, device="cpu").eval()
        self.pooling = next(
            (str(m.pooling_mode) for m in modules if isinstance(m, Pooling)), "none"
        )
        self.normalised = any(isinstance(module, Normalize) for module in modules)
        self.max_tokens = int(self._model.max_seq_length or 0)
        if max_tokens:
            self.max_tokens = min(max_tokens, self.max_tokens or max_tokens)

    @torch.inference_mode()
    def encode(self, texts: list[str]) -> Vectors:
        """Vectors of `texts` in one forward pass; pooled and normalised in float32."""
        features = self._model.preprocess(texts, processing_kwargs=PADDING)
        for module in self._model:
            features = module(features)
            features["token_embeddings"] = features["token_embeddings"].float()
        vectors: Vectors = features["sentence_embedding"].numpy()
        return vectors
