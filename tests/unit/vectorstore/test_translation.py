"""From Qdrant's JSON to the engine's types: what is taken, and which field an error names."""

import pytest
import qdrant_edge as edge
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorstore import requests
from vectorstore.errors import Refused
from vectorstore.filters import filter_of

SPEC = {"vectors": {"dense": {"size": 2, "distance": "Dot"}}, "sparse_vectors": {"sparse": {}}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["must", "should", "key", "match", "value", "range", "gt", "nested", "filter", "has_id"]
)
FILTERS = st.recursive(JSON, lambda inner: st.dictionaries(NAMES, inner), max_leaves=8)


def refusal(call: object, *arguments: object) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value


def test_a_boolean_is_matched_as_a_boolean() -> None:
    condition = filter_of({"must": {"key": "flag", "match": {"value": True}}}, "filter")
    assert condition.must[0].match.value is True


def test_a_bound_that_is_a_date_makes_a_range_of_dates() -> None:
    condition = filter_of({"must": [{"key": "when", "range": {"gt": "2026-01-01"}}]}, "filter")
    assert isinstance(condition.must[0].range, edge.RangeDateTime)


def test_an_unknown_field_is_refused_by_its_name() -> None:
    assert "unknown field mist" in str(refusal(filter_of, {"mist": []}, "filter"))


def test_an_error_deep_in_a_filter_names_its_path() -> None:
    nested = {"must": [{"key": "a"}, {"nested": {"key": "b", "filter": {"should": [{"x": 1}]}}}]}
    message = str(refusal(filter_of, nested, "filter"))
    assert "filter.must[1].nested.filter.should[0]" in message


def test_null_is_the_same_as_left_out() -> None:
    assert requests.scroll({"filter": None, "limit": None}, "").limit == 10


def test_a_bare_vector_is_a_query_by_nearness() -> None:
    assert isinstance(requests.query({"query": [1.0], "using": "dense"}, "").query, edge.Query)


def test_fusion_without_parameters_has_the_constant_of_qdrant() -> None:
    query = requests.query({"query": {"fusion": "rrf"}, "prefetch": []}, "").query
    assert query.k == 2


@pytest.mark.parametrize("constant", [0, -1, 2**32, True, 1.5])
def test_a_constant_of_fusion_that_makes_scores_infinite_or_is_no_count_is_refused(
    constant: object,
) -> None:
    body = {"query": {"rrf": {"k": constant}}, "prefetch": []}
    assert refusal(requests.query, body, "").status == 422


def test_a_name_that_is_too_long_for_a_file_is_refused() -> None:
    vectors = {"\u00e9" * 150: {"size": 2, "distance": "Dot"}}
    refused = refusal(requests.collection, {"vectors": vectors})
    assert (refused.status, "200 bytes" in str(refused)) == (422, True)


def test_a_collection_without_vectors_gets_one_that_no_point_uses() -> None:
    spec, config = requests.collection({})
    assert spec == {"vectors": {}, "sparse_vectors": {}}
    assert len(config.sparse_vectors) == 1


def test_a_dense_vector_under_a_sparse_name_is_refused() -> None:
    point = {"id": 1, "vector": {"sparse": [1.0, 2.0]}}
    error = refusal(requests.upsert, {"points": [point]}, SPEC)
    assert "expected dim: sparse, got 2 (.points[0].vector.sparse)" in str(error)


def outcome(call: object, *arguments: object) -> object:
    """What the call returns, or the status with which it is refused."""
    try:
        return call(*arguments)
    except Refused as refused:
        return refused.status


@settings(max_examples=60, deadline=None)
@given(FILTERS)
def test_any_json_is_a_filter_or_is_refused(raw: object) -> None:
    result = outcome(filter_of, raw, "filter")
    assert isinstance(result, edge.Filter) or result == 422


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["points", "update_filter"]), st.lists(JSON) | JSON))
def test_any_json_is_an_upsert_or_is_refused(raw: object) -> None:
    result = outcome(requests.upsert, raw, SPEC)
    assert isinstance(result, edge.UpdateOperation) or result in (400, 422)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["query", "prefetch", "limit", "using", "params"]), JSON))
def test_any_json_is_a_query_or_is_refused(raw: object) -> None:
    result = outcome(requests.query, raw, "")
    assert isinstance(result, edge.QueryRequest) or result == 422
