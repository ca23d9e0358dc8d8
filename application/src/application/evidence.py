"""Evidence: the calibrated chance that an answer is right, before and after the model is asked.

Before the reply only the passages speak; its own features are then taken at their best. So a model
is not asked where even the best reply could not be trusted.
"""

import math
from collections.abc import Mapping, Sequence

from application.bundle import Evidence
from application.excerpts import Excerpt
from contracts.answer import Statement

PASSAGES = ("similarity", "excerpt", "lexical")
REPLY = ("refusal", "confidence", "support")
FEATURES = (*PASSAGES, *REPLY)
BEST_REPLY = {"refusal": 0.0, "confidence": 0.0, "support": 1.0}


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


def reply_features(
    refusal: float | None, confidence: float | None, statements: Sequence[Statement]
) -> dict[str, float]:
    """What the model's reply adds; a model that tells no probabilities is taken at its word.

    `refusal` is the chance that it would have refused, on a logarithmic scale from 0 (one in
    10,000 or less) to 1 (certain); `confidence` is the mean log probability of its tokens, and
    `support` the share of its statements that the passages support, less those they contradict.
    """
    weights = {"supported": 1, "unsupported": 0, "contradicted": -1}
    support = sum(weights[statement.support] for statement in statements)
    return {
        "refusal": max(0.0, 1 + math.log10(max(refusal or 0.0, 1e-9)) / 4),
        "confidence": confidence or 0.0,
        "support": support / len(statements) if statements else 0.0,
    }


def evidence(model: Evidence, observed: Mapping[str, float]) -> float:
    """Logistic score in [0, 1]; a feature without a weight counts for nothing."""
    known = BEST_REPLY | dict(observed)
    weighted = sum(model.weights.get(name, 0.0) * value for name, value in known.items())
    return 1 / (1 + math.exp(-(model.intercept + weighted)))
