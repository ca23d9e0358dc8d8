"""What the embedder's endpoints ask of an encoder, whoever runs the model."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # (texts, dimensions)
Priority = Literal["interactive", "bulk"]  # somebody waits for the answer, or nobody does


class DenseEncoder(Protocol):
    """Turns texts into vectors: our own model behind its queue, or a hosted one."""

    async def embed(
        self, texts: Sequence[str], lengths: Sequence[int], priority: Priority | None = None
    ) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens.

        Interactive requests go before bulk ones; None lets the size of the request decide.
        """
        ...
