import numpy as np

from application.calibrate import fit
from application.evidence import FEATURES, evidence, features
from application.excerpts import ranked_excerpts
from tests.fakes.application import BUNDLE, passage


def observed(question: str, cosine: float = 0.6) -> dict[str, float]:
    passages = [passage()]
    return features(question, passages, ranked_excerpts(question, passages), cosine)


def test_every_feature_of_the_bundle_is_observed() -> None:
    assert set(BUNDLE.evidence.weights) <= set(observed("How long is leave?")) == set(FEATURES)


def test_a_question_that_the_passage_speaks_of_has_more_evidence_than_another() -> None:
    near = evidence(BUNDLE.evidence, observed("How long is parental leave?", cosine=0.7))
    far = evidence(BUNDLE.evidence, observed("What does the Zürich garage charge?", cosine=0.2))
    assert 0 <= far < near <= 1


def test_a_name_that_no_passage_holds_is_missed() -> None:
    assert observed("How long is parental leave in Porto?")["specifics"] == 0


def test_no_passages_leave_little_evidence() -> None:
    assert evidence(BUNDLE.evidence, features("How long is leave?", [], [], None)) < 0.2


def test_the_fit_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    labels = [bool(i % 2) for i in range(200)]
    rows = [
        {name: float(label) * 0.5 + rng.normal(0, 0.05) for name in FEATURES} for label in labels
    ]
    fitted = fit(rows, labels)
    assert fitted.abstention_f1 > 0.99
    assert fitted.rows == 200
