"""Evidence: the calibrated chance that an answer is right, before and after the model is asked.

Before the reply only the passages speak; its own features are then taken at their best. So a model
is not asked where even the best reply could not be trusted.
"""

import math
from collections.abc import Mapping, Sequence

from application.bundle import Evidence
from application.excerpts import Excerpt

PASSAGES = ("similarity", "excerpt", "lexical")
REPLY = ("refusal", "verified")
SURE = 8.0  # log odds from which on a Yes or a No counts as certain
FEATURES = (*PASSAGES, *REPLY)
MEANING = ("excerpt", *REPLY)  # those that mean the same in every collection
BEST_REPLY = {"refusal": 0.0, "verified": 1.0}


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


def reply_features(refusal: float | None, verified: float | None) -> dict[str, float]:
    """What the model's reply adds; a model that tells no probabilities is taken at its word.

    `refusal` is the chance that it would have refused, on a logarithmic scale from 0 (one in
    10,000 or less) to 1 (certain), and `verified` the log odds of its Yes when it is asked again,
    which become a number from -1 (a certain No) to 1.
    """
    return {
        "refusal": max(0.0, 1 + math.log10(max(refusal or 0.0, 1e-9)) / 4),
        "verified": 1.0 if verified is None else max(-1.0, min(1.0, verified / SURE)),
    }


def evidence(model: Evidence, observed: Mapping[str, float]) -> float:
    """Logistic score in [0, 1]; a feature without a weight counts for nothing."""
    known = BEST_REPLY | dict(observed)
    weighted = sum(model.weights.get(name, 0.0) * value for name, value in known.items())
    return 1 / (1 + math.exp(-(model.intercept + weighted)))
