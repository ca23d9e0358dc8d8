"""Strict mode: a filter by a field without an index of its type is refused."""

from typing import Any

import pytest

from vectorstore.errors import Refused
from vectorstore.strict import require_indexes

TYPES = {"colour": "keyword", "size": "integer", "when": "datetime", "parts[].kind": "keyword"}
RED = {"key": "colour", "match": {"value": "red"}}
KIND = {"key": "kind", "match": {"value": "lid"}}
BARE = {"key": "bare", "match": {"value": "red"}}

SERVED = [
    {"filter": {"must": [RED, {"key": "size", "range": {"gt": 2}}]}},
    {"filter": {"must": [{"key": "when", "range": {"gt": "2026-01-01"}}, {"has_id": [1]}]}},
    {"filter": {"should": {"key": "colour", "match": {"any": ["red", "blue"]}}}},
    {"filter": {"must": [{"nested": {"key": "parts", "filter": {"must": [KIND]}}}]}},
    {"prefetch": [{"query": [1.0], "filter": {"must_not": [RED]}}], "query": {"fusion": "rrf"}},
    {"points": [{"id": 1, "vector": [1.0], "payload": {"filter": {"must": [BARE]}}}]},
    {"filter": {"must": [{"is_empty": {"key": "size"}}]}},
    {"ids": [1]},
]
REFUSED = [
    ({"filter": {"must": [RED, BARE]}}, "bare"),
    ({"filter": {"must": [{"should": [{"must_not": [BARE]}]}]}}, "bare"),
    ({"filter": {"min_should": {"conditions": [BARE], "min_count": 1}}}, "bare"),
    ({"points": [], "update_filter": {"must": BARE}}, "bare"),
    ({"prefetch": {"prefetch": [{"filter": {"must": [BARE]}}]}}, "bare"),
    ({"params": {"idf": {"corpus": {"must": [BARE]}}}}, "bare"),
    ({"operations": [{"set_payload": {"payload": {}, "filter": {"must": [BARE]}}}]}, "bare"),
    ({"searches": [{"filter": {"must": [BARE]}}]}, "bare"),
    ({"filter": {"must": [{"is_null": {"key": "bare"}}]}}, "bare"),
    ({"filter": {"must": [{"nested": {"key": "other", "filter": {"must": [KIND]}}}]}}, "other"),
    ({"filter": {"must": [{"key": "colour", "range": {"gt": 2}}]}}, "colour"),
    ({"filter": {"must": [{"key": "size", "match": {"value": "2"}}]}}, "size"),
    ({"filter": {"must": [{"key": "size", "range": {"gt": "2026-01-01"}}]}}, "size"),
    ({"filter": {"must": [{"key": "colour", "match": {"text": "red"}}]}}, "colour"),
]


@pytest.mark.parametrize("body", SERVED)
def test_a_filter_by_indexed_fields_is_served(body: dict[str, Any]) -> None:
    require_indexes(body, TYPES)


@pytest.mark.parametrize(("body", "field"), REFUSED)
def test_a_filter_by_a_field_without_an_index_of_its_type_is_refused(
    body: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused, match=f'Index required but not found for "{field}') as caught:
        require_indexes(body, TYPES)
    assert caught.value.status == 400
