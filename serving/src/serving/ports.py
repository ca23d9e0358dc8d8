"""What the embedder's endpoints ask of an encoder, whoever runs the model."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # (texts, dimensions)


class DenseEncoder(Protocol):
    """Turns texts into vectors: our own model behind its queue, or a hosted one."""

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens."""
        ...
