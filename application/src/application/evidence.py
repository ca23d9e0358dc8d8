"""Evidence: the calibrated chance, before any model is asked, that passages hold the answer."""

import math
from collections.abc import Sequence

from application.bundle import Evidence
from application.excerpts import Excerpt
from application.terms import content_terms, specifics, values
from contracts.answer import Passage

FEATURES = ("cosine", "excerpt", "coverage", "specifics")


def features(
    question: str,
    passages: Sequence[Passage],
    excerpts: Sequence[Excerpt],
    cosine: float | None,
) -> dict[str, float]:
    """Four numbers, each up to 1.

    `cosine` of the nearest passage; the score of the best `excerpt`; the greatest share of the
    question's terms found in one passage (`coverage`); the share of its names and values found
    in any (`specifics`).
    """
    asked, named = content_terms(question), specifics(question)
    texts = [" ".join([p.title, *p.headings, p.text]) for p in passages]
    anywhere = {term for text in texts for term in content_terms(text) | values(text)}
    return {
        "cosine": cosine or 0.0,
        "excerpt": excerpts[0].score if excerpts else 0.0,
        "coverage": max((_share(asked, content_terms(text)) for text in texts), default=0.0),
        "specifics": _share(named, anywhere),
    }


def evidence(model: Evidence, observed: dict[str, float]) -> float:
    """Logistic score in [0, 1]; a feature without a weight counts for nothing."""
    weighted = sum(model.weights.get(name, 0.0) * value for name, value in observed.items())
    return 1 / (1 + math.exp(-(model.intercept + weighted)))


def _share(wanted: set[str], found: set[str]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0
