"""Evidence: the calibrated chance, before any model is asked, that passages hold the answer."""

import math
from collections.abc import Sequence

from application.bundle import Evidence
from application.terms import content_terms, sentences, specifics, values
from contracts.answer import Passage

FEATURES = ("cosine", "coverage", "sentence", "specifics")


def features(question: str, passages: Sequence[Passage], cosine: float | None) -> dict[str, float]:
    """Four numbers in [0, 1].

    `cosine` of the nearest passage; the greatest share of the question's terms found in one
    passage (`coverage`) and in one sentence of one (`sentence`); the share of its names and
    values found in any (`specifics`).
    """
    asked = content_terms(question)
    named = specifics(question)
    read = [(p, content_terms(" ".join([p.title, *p.headings, p.text]))) for p in passages]
    anywhere = set().union(*(terms | values(p.text) for p, terms in read)) if read else set()
    in_sentences = (
        _share(asked, content_terms(p.text[start:end]))
        for p in passages
        for start, end in sentences(p.text)
    )
    return {
        "cosine": max(0.0, cosine or 0.0),
        "coverage": max((_share(asked, terms) for _, terms in read), default=0.0),
        "sentence": max(in_sentences, default=0.0),
        "specifics": _share(named, anywhere) if read else 0.0,
    }


def evidence(model: Evidence, observed: dict[str, float]) -> float:
    """Logistic score in [0, 1]; a feature without a weight counts for nothing."""
    weighted = sum(model.weights.get(name, 0.0) * value for name, value in observed.items())
    return 1 / (1 + math.exp(-(model.intercept + weighted)))


def _share(wanted: set[str], found: set[str]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0
