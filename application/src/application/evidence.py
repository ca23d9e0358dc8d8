"""Evidence: the calibrated chance, before any model is asked, that passages hold the answer."""

import math
from collections.abc import Sequence

from application.bundle import Evidence
from application.excerpts import Excerpt

FEATURES = ("similarity", "excerpt", "lexical")


def features(excerpts: Sequence[Excerpt], lexical: float | None) -> dict[str, float]:
    """The greatest `similarity` and score of an `excerpt`, and the best hit's BM25 (`lexical`).

    BM25 weighs terms by how rare they are in the whole index: a question about something that no
    document names scores low, however much of it some passage repeats.
    """
    return {
        "similarity": max((excerpt.similarity for excerpt in excerpts), default=0.0),
        "excerpt": max((excerpt.score for excerpt in excerpts), default=0.0),
        "lexical": lexical or 0.0,
    }


def evidence(model: Evidence, observed: dict[str, float]) -> float:
    """Logistic score in [0, 1]; a feature without a weight counts for nothing."""
    weighted = sum(model.weights.get(name, 0.0) * value for name, value in observed.items())
    return 1 / (1 + math.exp(-(model.intercept + weighted)))
