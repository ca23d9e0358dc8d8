"""Metrics against values computed by hand."""

from math import log2

import pytest

from evals.suite.metrics import Part, f1_part, ranking, ratio


def test_a_mean_is_the_sum_over_the_count() -> None:
    estimate = ratio(Part(unit, value) for unit, value in enumerate([1, 1, 0, 0]))
    assert estimate is not None
    assert (estimate.value, estimate.n) == (0.5, 4)
    assert 0.0 <= estimate.low < 0.5 < estimate.high <= 1.0


def test_the_interval_of_a_constant_is_a_point() -> None:
    estimate = ratio(Part(unit, 1) for unit in range(20))
    assert estimate is not None
    assert (estimate.low, estimate.high) == (1, 1)


def test_the_interval_agrees_with_the_normal_one_on_a_large_sample() -> None:
    estimate = ratio(Part(unit, unit % 2) for unit in range(1000))
    assert estimate is not None
    half_width = 1.96 * (0.25 / 1000) ** 0.5
    assert estimate.low == pytest.approx(0.5 - half_width, abs=0.004)
    assert estimate.high == pytest.approx(0.5 + half_width, abs=0.004)


def test_equal_input_gives_an_equal_interval() -> None:
    parts = [Part(unit, unit % 3 == 0) for unit in range(50)]
    assert ratio(parts) == ratio(parts)


def test_cases_of_one_unit_are_resampled_together() -> None:
    alone = ratio(Part(unit, unit % 2) for unit in range(400))
    in_pairs = ratio(Part(unit // 2, unit // 2 % 2) for unit in range(400))
    assert alone is not None
    assert in_pairs is not None
    assert in_pairs.n == alone.n
    wider = (in_pairs.high - in_pairs.low) / (alone.high - alone.low)
    assert wider == pytest.approx(2**0.5, rel=0.15)


def test_nothing_to_count_is_no_estimate_rather_than_zero() -> None:
    assert ratio([]) is None
    assert ratio([Part(1, 0, 0)]) is None


def test_draws_of_cases_that_count_for_nothing_are_left_out() -> None:
    estimate = ratio([Part(0, 1.0, 1.0), Part(1, 0.0, 0.0)])
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (1, 1, 1, 1)


def test_a_case_weighs_as_much_as_its_denominator() -> None:
    estimate = ratio([Part(0, 0.0, 1.0), Part(1, 3.0, 3.0)])
    assert estimate is not None
    assert (estimate.value, estimate.n) == (0.75, 2)


def test_f1_counts_hits_twice_and_each_kind_of_error_once() -> None:
    truth = [(True, True), (True, True), (True, False), (False, True), (False, False)]
    estimate = ratio(f1_part(n, predicted=p, actual=a) for n, (p, a) in enumerate(truth))
    assert estimate is not None
    assert estimate.value == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert estimate.n == 4  # a right answer says nothing about abstention


@pytest.mark.parametrize("always", [True, False])
def test_a_system_that_always_or_never_abstains_does_not_reach_the_goal(always: bool) -> None:
    truth = [True] * 20 + [False] * 60
    estimate = ratio(f1_part(n, predicted=always, actual=a) for n, a in enumerate(truth))
    assert estimate is not None
    assert estimate.value == pytest.approx(0.4 if always else 0.0)


def test_ndcg_and_recall_are_those_computed_by_hand() -> None:
    qrels = {"a": {"d1": 1, "d2": 1}, "b": {"d3": 1}}
    measures = ranking(qrels, {"a": ["d1", "x", "d2"], "b": ["y", "d3"]})
    of_a = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    of_b = 1 / log2(3)
    assert measures["ndcg10"].value == pytest.approx((of_a + of_b) / 2)
    assert measures["recall_at_5"].value == 1.0
    assert measures["ndcg10"].n == 2


def test_a_document_below_the_cut_does_not_count() -> None:
    found_sixth = ranking({"a": {"d": 1}}, {"a": ["1", "2", "3", "4", "5", "d"]})
    assert found_sixth["recall_at_5"].value == 0.0
    assert found_sixth["recall_at_10"].value == 1.0


def test_a_hundred_documents_count_for_the_widest_recall() -> None:
    found = ranking({"a": {"d": 1}}, {"a": [*map(str, range(99)), "d"]})
    assert (found["recall_at_10"].value, found["recall_at_100"].value) == (0.0, 1.0)
    missed = ranking({"a": {"d": 1}}, {"a": [*map(str, range(100)), "d"]})
    assert missed["recall_at_100"].value == 0.0


def test_a_document_of_a_higher_grade_belongs_higher() -> None:
    qrels = {"a": {"best": 2, "good": 1}}
    right = ranking(qrels, {"a": ["best", "good"]})["ndcg10"].value
    assert right == 1.0
    assert ranking(qrels, {"a": ["good", "best"]})["ndcg10"].value < right


def test_a_query_that_found_nothing_scores_zero_and_is_counted() -> None:
    measures = ranking({"a": {"d": 1}, "b": {"d": 1}}, {"a": ["d"], "b": []})
    assert measures["ndcg10"].value == 0.5
    assert measures["ndcg10"].n == 2


def test_a_reversed_ranking_scores_lower() -> None:
    qrels = {"a": {"d1": 1}}
    right = ranking(qrels, {"a": ["d1", "x", "y"]})["ndcg10"].value
    assert ranking(qrels, {"a": ["y", "x", "d1"]})["ndcg10"].value < right


def test_there_is_no_measure_of_no_query() -> None:
    assert ranking({}, {}) == {}
