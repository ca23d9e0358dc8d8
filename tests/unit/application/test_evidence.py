import numpy as np
import pytest
from tests.fakes.application import BUNDLE, TINY, passage

from application.calibrate import fit
from application.evidence import (
    FEATURES,
    PASSAGES,
    REPLY,
    evidence,
    features,
    reply_features,
)
from application.excerpts import ranked_excerpts, reranked


def observed(question: str, cosine: float, lexical: float = 0.0) -> dict[str, float]:
    excerpts = ranked_excerpts(question, [passage()])
    return features(reranked(question, excerpts, [cosine] * len(excerpts), {}).excerpts, lexical)


def test_every_weight_of_the_bundle_is_of_a_feature_that_is_observed() -> None:
    assert set(observed("How long?", 0.5)) == set(PASSAGES)
    assert set(reply_features(None, None)) == set(REPLY)
    for bundle in (BUNDLE, TINY):
        assert set(bundle.evidence.weights) <= set(FEATURES)


def test_a_question_that_the_passage_speaks_of_has_more_evidence_than_another() -> None:
    near = evidence(BUNDLE.evidence, observed("How long is parental leave?", 0.7, 12.0))
    far = evidence(BUNDLE.evidence, observed("What does the Zürich garage charge?", 0.2, 1.0))
    assert 0 <= far < near <= 1


def test_no_passages_leave_little_evidence() -> None:
    assert evidence(TINY.evidence, features([], None)) < TINY.evidence.least_evidence


def test_the_fit_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    labels = [bool(i % 2) for i in range(200)]
    rows = [{n: float(label) * 0.5 + rng.normal(0, 0.05) for n in FEATURES} for label in labels]
    fitted = fit(rows, labels)
    assert fitted.abstention_f1 > 0.99
    assert fitted.rows == 200


def test_the_best_reply_that_one_could_wish_for_never_lowers_the_evidence() -> None:
    before = observed("How long is parental leave?", 0.5, 8.0)
    worse = before | {"refusal": 1.0, "confidence": -2.0, "support": -1.0}
    assert evidence(BUNDLE.evidence, worse) < evidence(BUNDLE.evidence, before)


def test_a_refusal_is_weighed_on_a_logarithmic_scale() -> None:
    scale = [reply_features(p, None)["refusal"] for p in (None, 1e-6, 1e-4, 1e-2, 1.0)]
    assert scale == pytest.approx([0, 0, 0, 0.5, 1])
