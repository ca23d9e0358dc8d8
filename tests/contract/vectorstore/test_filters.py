"""Every kind of filter, over six points; each case says which ids it matches."""

from datetime import UTC, datetime

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.models import FieldCondition as Field
from qdrant_client.models import Filter


def field(key: str, **condition: object) -> Filter:
    return Filter(must=[Field(key=key, **condition)])


def value(key: str, value: str | int | bool) -> Field:
    return Field(key=key, match=models.MatchValue(value=value))


LID = [value("kind", "lid"), value("count", 2)]
CASES = {
    "no condition": (Filter(), [1, 2, 3, 4, 5, 6]),
    "a keyword": (field("colour", match=models.MatchValue(value="red")), [1, 2]),
    "an integer": (field("size", match=models.MatchValue(value=2)), [2]),
    "a flag": (field("flag", match=models.MatchValue(value=False)), [5]),
    "one element of a list": (field("tags", match=models.MatchValue(value="b")), [1, 2]),
    "a nested key": (field("nested.deep.key", match=models.MatchValue(value="y")), [5]),
    "a key inside a list": (field("parts[].kind", match=models.MatchValue(value="lid")), [6]),
    "any keyword": (field("colour", match=models.MatchAny(any=["green", "blue"])), [3, 4, 5]),
    "any integer": (field("size", match=models.MatchAny(any=[1, 3])), [1, 3]),
    "any of nothing": (field("colour", match=models.MatchAny(any=[])), []),
    "all keywords but": (
        field("colour", match=models.MatchExcept(**{"except": ["red"]})),
        [3, 4, 5],
    ),
    "words of a text": (field("text", match=models.MatchText(text="brown")), [6]),
    "a range": (field("size", range=models.Range(gt=2, lte=4.5)), [3, 4]),
    "a half-open range": (field("size", range=models.Range(gte=4.5)), [4, 5]),
    "a range of dates": (
        field("when", range=models.DatetimeRange(gte="2026-02-01T00:00:00Z")),
        [2, 3],
    ),
    "dates before a day": (
        field("when", range=models.DatetimeRange(lt=datetime(2026, 2, 1, tzinfo=UTC))),
        [1],
    ),
    "dates after the first day": (
        field("when", range=models.DatetimeRange(gte=datetime(1, 1, 1, tzinfo=UTC))),
        [1, 2, 3],
    ),
    "any element of a list": (field("tags", match=models.MatchAny(any=["a", "c"])), [1]),
    "dates in another time zone": (
        field("when", range=models.DatetimeRange(lt="2026-01-01T01:00:00+02:00")),
        [],
    ),
    "how many values": (field("tags", values_count=models.ValuesCount(gte=2)), [1]),
    "ids": (Filter(must=[models.HasIdCondition(has_id=[2, 4, 99])]), [2, 4]),
    "no ids": (Filter(must_not=[models.HasIdCondition(has_id=[2, 4])]), [1, 3, 5, 6]),
    "empty": (
        Filter(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="tags"))]),
        [3, 4, 5, 6],
    ),
    "null": (
        Filter(must=[models.IsNullCondition(is_null=models.PayloadField(key="note"))]),
        [3],
    ),
    "a vector": (Filter(must=[models.HasVectorCondition(has_vector="dense")]), [1, 2, 3, 4, 5, 6]),
    "both": (Filter(must=[value("colour", "red"), value("size", 1)]), [1]),
    "either": (Filter(should=[value("colour", "green"), value("size", 1)]), [1, 3]),
    "neither": (Filter(must_not=[value("colour", "red"), value("colour", "blue")]), [3, 6]),
    "must and should and must not": (
        Filter(
            must=[Field(key="size", range=models.Range(gte=2))],
            should=[value("colour", "red"), value("colour", "blue")],
            must_not=[value("flag", True)],
        ),
        [2, 5],
    ),
    "a condition alone, not in a list": (Filter(must=value("colour", "green")), [3]),
    "at least two of three": (
        Filter(
            min_should=models.MinShould(
                conditions=[value("colour", "red"), value("size", 1), value("tags", "b")],
                min_count=3,
            )
        ),
        [1],
    ),
    "a filter in a filter": (
        Filter(
            should=[
                Filter(must=[value("colour", "red"), value("size", 2)]),
                Filter(must=[value("colour", "blue"), value("flag", True)]),
            ]
        ),
        [2, 4],
    ),
    "one element that has both": (
        Filter(
            must=[
                models.NestedCondition(
                    nested=models.Nested(key="parts", filter=Filter(must=LID[:1]))
                )
            ]
        ),
        [6],
    ),
    "no one element that has both": (
        Filter(
            must=[
                models.NestedCondition(nested=models.Nested(key="parts", filter=Filter(must=LID)))
            ]
        ),
        [],
    ),
    "a key that no point has": (field("nowhere", match=models.MatchValue(value=1)), []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_filter_matches(client: QdrantClient, filled: str, case: str) -> None:
    condition, expected = CASES[case]
    points, _ = client.scroll(filled, scroll_filter=condition, limit=100)
    assert [point.id for point in points] == expected


INDEXED = ["a keyword", "any keyword", "all keywords but", "neither"]
INDEXED += ["one element of a list", "any element of a list"]
INDEXED += ["a range of dates", "dates before a day", "dates in another time zone"]


@pytest.mark.memory_differs("it has no payload indexes")
@pytest.mark.parametrize("case", INDEXED)
def test_an_index_changes_no_result(client: QdrantClient, filled: str, case: str) -> None:
    for key, kind in (("colour", "keyword"), ("tags", "keyword"), ("when", "datetime")):
        client.create_payload_index(filled, key, models.PayloadSchemaType(kind), wait=True)
    condition, expected = CASES[case]
    points, _ = client.scroll(filled, scroll_filter=condition, limit=100)
    assert [point.id for point in points] == expected


def test_a_text_index_matches_whole_words_in_any_order(client: QdrantClient, filled: str) -> None:
    client.create_payload_index(filled, "text", models.PayloadSchemaType.TEXT, wait=True)
    words = field("text", match=models.MatchText(text="brown quick"))
    assert client.count(filled, count_filter=words).count == 1
