"""The gate compares each layer's change alone, and names the one that makes answers worse."""

import pytest

from evals.probes.selection import ProbeSet
from evals.watch.gate import judge
from evals.watch.model import CELLS, POOLED, CellReply, Probe

PROBES = [
    Probe(
        id=f"p{n}", question=f"q{n}", origin="golden", strata=(), values=("v",), documents=("s/d",)
    )
    for n in range(30)
]
ACCEPTED = ProbeSet(
    probes=PROBES,
    baseline={probe.id: 1.0 for probe in PROBES},
    variance={},
    deltas={POOLED: 0.03},
    rounds=3,
    seed=7,
    digest="d",
)


def replies(worse=(), retrieved=True, harmed=10):
    return [
        CellReply(
            probe=probe.id,
            cell=cell,
            score=0.0 if cell in worse and number < harmed else 1.0,
            status="answered",
            text="",
            retrieved=retrieved or not (cell in worse and number < harmed),
        )
        for number, probe in enumerate(PROBES)
        for cell in CELLS
    ]


@pytest.mark.parametrize(
    ("worse", "layer"),
    [
        (("10", "11"), "data"),
        (("00", "10", "01", "11"), "serving"),
        (("01", "11"), "application"),
    ],
)
def test_a_layer_that_makes_answers_worse_is_named_and_no_other(worse, layer):
    result = judge(ACCEPTED, replies(worse), "bundle", "build")
    assert not result.passed
    failed = {(row.layer, row.suite) for row in result.rows if not row.passed}
    assert failed == {(layer, "answers")}  # what was retrieved is as good as before
    assert result.summary == f"worse: {layer}"


def test_nothing_worse_passes_for_this_bundle_and_build():
    result = judge(ACCEPTED, replies(), "bundle", "build")
    assert (result.passed, result.bundle, result.build) == (True, "bundle", "build")
    assert result.summary == "no layer makes answers worse"


def test_a_loss_of_exactly_the_noise_passes():
    half = ACCEPTED.model_copy(update={"deltas": {POOLED: 0.5}})
    row = judge(half, replies(("01", "11"), harmed=15), "b", "b").rows[-2]
    assert (row.layer, row.harm.value, row.passed) == ("application", 0.5, True)
    assert row.harm.low > 0


def test_a_loss_within_the_noise_passes():
    assert judge(ACCEPTED, replies(("01", "11"), harmed=0), "b", "b").passed
    a_little = [r.model_copy(update={"score": 0.98}) if r.cell == "01" else r for r in replies()]
    row = next(r for r in judge(ACCEPTED, a_little, "b", "b").rows if r.layer == "application")
    assert (row.passed, row.harm.low > 0, row.harm.value < row.band) == (True, True, True)


def test_a_loss_beyond_the_noise_that_two_probes_may_have_by_chance_passes():
    row = judge(ACCEPTED, replies(("01", "11"), harmed=2), "b", "b").rows[-2]
    assert (row.layer, row.suite, row.passed) == ("application", "answers", True)
    assert row.harm.low <= 0 < row.band < row.harm.value < row.harm.high


def test_each_change_is_judged_alone_so_harm_that_needs_both_passes():
    assert judge(ACCEPTED, replies(("11",)), "b", "b").passed


def test_a_build_that_answers_nothing_at_all_fails_the_gate():
    dead = [
        r.model_copy(update={"status": "error", "score": 0.0, "retrieved": None})
        if r.cell in ("01", "11")
        else r
        for r in replies()
    ]
    result = judge(ACCEPTED, dead, "b", "b")
    assert (result.passed, result.summary) == (False, "worse: application")
    failed = [(row.layer, row.suite) for row in result.rows if not row.passed]
    assert failed == [("application", "answers"), ("application", "retrieval")]


def test_an_answer_that_did_not_come_is_no_loss_of_retrieval():
    lost = {"status": "error", "score": 0.0, "retrieved": None}
    some = {probe.id for probe in PROBES[:10]}
    answers = [
        r.model_copy(update=lost) if r.cell == "10" and r.probe in some else r for r in replies()
    ]
    result = judge(ACCEPTED, answers, "b", "b")
    assert [(r.layer, r.suite) for r in result.rows if not r.passed] == [("data", "answers")]


def test_retrieval_that_fails_is_a_row_of_its_own():
    result = judge(ACCEPTED, replies(("10", "11"), retrieved=False), "b", "b")
    assert {row.suite for row in result.rows if not row.passed} == {"answers", "retrieval"}
