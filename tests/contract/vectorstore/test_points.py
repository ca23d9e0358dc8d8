"""Writing and reading points."""

import uuid

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

REFUSED = (ApiException, ValueError)  # local mode raises the latter


def point(
    id_: int | str, payload: dict[str, object] | None = None, dense: list[float] | None = None
) -> models.PointStruct:
    return models.PointStruct(id=id_, vector={"dense": dense or [1, 0, 0, 0]}, payload=payload)


def where(key: str, value: str | int | bool) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=key, match=models.MatchValue(value=value))]
    )


def ids(points: list[models.Record]) -> list[int | str]:
    return [p.id for p in points]


def payload_of(client: QdrantClient, name: str, id_: int | str) -> dict[str, object] | None:
    [record] = client.retrieve(name, [id_])
    return record.payload


def test_an_upsert_says_that_it_is_completed(client: QdrantClient, empty: str) -> None:
    assert client.upsert(empty, [point(1)], wait=True).status == models.UpdateStatus.COMPLETED


def test_a_written_point_is_read_back(client: QdrantClient, empty: str) -> None:
    client.upsert(empty, [point(1, {"a": 1})], wait=True)
    assert payload_of(client, empty, 1) == {"a": 1}


def test_a_point_may_have_a_uuid(client: QdrantClient, empty: str) -> None:
    id_ = str(uuid.uuid4())
    client.upsert(empty, [point(id_)], wait=True)
    assert ids(client.retrieve(empty, [id_])) == [id_]


def test_a_payload_of_every_json_type_is_read_back_as_it_was(
    client: QdrantClient, empty: str
) -> None:
    payload = {
        "text": 'größer ☃ \n\t"quoted"',
        "integer": -(2**53),
        "float": 0.1,
        "flag": False,
        "none": None,
        "list": [1, "two", None, {"three": [3]}],
        "object": {"nested": {"deep": {}}},
        "empty": [],
    }
    client.upsert(empty, [point(1, payload)], wait=True)
    assert payload_of(client, empty, 1) == payload


def test_a_second_upsert_replaces_the_whole_point(client: QdrantClient, empty: str) -> None:
    client.upsert(empty, [point(1, {"old": 1})], wait=True)
    client.upsert(empty, [point(1, {"new": 2})], wait=True)
    assert payload_of(client, empty, 1) == {"new": 2}


def test_points_that_are_not_there_are_left_out(client: QdrantClient, filled: str) -> None:
    assert ids(client.retrieve(filled, [1, 99])) == [1]


def test_cosine_vectors_are_stored_normalised(client: QdrantClient, empty: str) -> None:
    client.upsert(empty, [point(1, dense=[3, 4, 0, 0])], wait=True)
    [record] = client.retrieve(empty, [1], with_vectors=True)
    assert record.vector["dense"] == pytest.approx([0.6, 0.8, 0, 0])


def test_sparse_vectors_are_read_back(client: QdrantClient, filled: str) -> None:
    [record] = client.retrieve(filled, [3], with_vectors=["sparse"])
    assert record.vector["sparse"].indices == [7, 9]
    assert record.vector["sparse"].values == pytest.approx([0.6, 2.0])


def test_only_the_vectors_asked_for_are_returned(client: QdrantClient, filled: str) -> None:
    [record] = client.retrieve(filled, [3], with_vectors=["dense"])
    assert set(record.vector) == {"dense"}


def test_vectors_are_left_out_unless_asked_for(client: QdrantClient, filled: str) -> None:
    assert client.retrieve(filled, [1])[0].vector is None


def test_an_unnamed_vector_is_read_back_without_a_name(client: QdrantClient, name: str) -> None:
    client.create_collection(name, models.VectorParams(size=2, distance=models.Distance.DOT))
    client.upsert(name, [models.PointStruct(id=1, vector=[1.0, 2.0])], wait=True)
    assert client.retrieve(name, [1], with_vectors=True)[0].vector == [1.0, 2.0]


def test_a_point_may_lack_a_vector(client: QdrantClient, empty: str) -> None:
    client.upsert(empty, [models.PointStruct(id=1, vector={}, payload={})], wait=True)
    assert client.count(empty).count == 1


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (True, {"colour", "size", "tags", "when"}),
        (False, None),
        (["size"], {"size"}),
        (models.PayloadSelectorInclude(include=["size", "tags"]), {"size", "tags"}),
        (models.PayloadSelectorExclude(exclude=["size", "tags"]), {"colour", "when"}),
    ],
    ids=["all", "none", "list", "include", "exclude"],
)
def test_the_payload_fields_asked_for_are_returned(
    client: QdrantClient, filled: str, selector: object, expected: set[str] | None
) -> None:
    payload = client.retrieve(filled, [1], with_payload=selector)[0].payload
    assert (set(payload) if payload else None) == expected


def test_points_are_deleted_by_id(client: QdrantClient, filled: str) -> None:
    client.delete(filled, [1, 2, 99], wait=True)
    assert client.count(filled).count == 4


def test_points_are_deleted_by_filter(client: QdrantClient, filled: str) -> None:
    client.delete(filled, where("colour", "red"), wait=True)
    assert ids(client.scroll(filled)[0]) == [3, 4, 5, 6]


def test_a_conditional_upsert_updates_what_matches(client: QdrantClient, filled: str) -> None:
    client.upsert(filled, [point(1, {"size": 10})], wait=True, update_filter=where("size", 1))
    assert payload_of(client, filled, 1) == {"size": 10}


def test_a_conditional_upsert_leaves_what_does_not_match_in_silence(
    client: QdrantClient, filled: str
) -> None:
    client.upsert(filled, [point(1, {"size": 10})], wait=True, update_filter=where("size", 2))
    assert payload_of(client, filled, 1)["size"] == 1


def test_a_conditional_upsert_inserts_what_is_not_there(client: QdrantClient, filled: str) -> None:
    client.upsert(filled, [point(7, {"size": 7})], wait=True, update_filter=where("size", 2))
    assert payload_of(client, filled, 7) == {"size": 7}


def test_setting_a_payload_keeps_the_other_fields(client: QdrantClient, filled: str) -> None:
    client.set_payload(filled, {"size": 9, "more": True}, points=[2], wait=True)
    payload = payload_of(client, filled, 2)
    assert (payload["colour"], payload["size"], payload["more"]) == ("red", 9, True)


def test_a_payload_is_set_by_filter(client: QdrantClient, filled: str) -> None:
    client.set_payload(filled, {"seen": 1}, points=where("colour", "red"), wait=True)
    assert client.count(filled, count_filter=where("seen", 1)).count == 2


def test_a_payload_is_set_under_a_nested_key(client: QdrantClient, filled: str) -> None:
    client.set_payload(filled, {"key": "z"}, points=[4], key="nested.deep", wait=True)
    assert payload_of(client, filled, 4)["nested"] == {"deep": {"key": "z"}}


def setting(payload: dict[str, object], *conditions: object) -> models.SetPayloadOperation:
    selected = models.SetPayload(payload=payload, filter=models.Filter(must=[*conditions]))
    return models.SetPayloadOperation(set_payload=selected)


def test_a_batch_of_conditional_payloads_changes_those_that_hold_and_inserts_none(
    client: QdrantClient, filled: str
) -> None:
    small = models.Filter(must_not=[models.FieldCondition(key="size", range=models.Range(gt=1))])
    one, two, new = (models.HasIdCondition(has_id=[id]) for id in (1, 2, 7))
    updates = [setting({"seen": n}, has_id, small) for n, has_id in enumerate((one, two, new))]
    client.batch_update_points(filled, updates, wait=True)
    assert payload_of(client, filled, 1)["seen"] == 0
    assert "seen" not in payload_of(client, filled, 2)
    assert client.count(filled).count == 6


def test_a_range_lets_pass_what_lacks_the_field_where_it_must_not_hold(
    client: QdrantClient, filled: str
) -> None:
    later = models.FieldCondition(key="token", range=models.Range(gt=3))
    client.set_payload(filled, {"token": 4}, points=[1], wait=True)
    client.set_payload(filled, {"token": 3}, points=[2], wait=True)
    found, _ = client.scroll(filled, scroll_filter=models.Filter(must_not=[later]))
    assert ids(found) == [2, 3, 4, 5, 6]


@pytest.mark.memory_differs("it applies what comes before the bad one")
def test_a_batch_with_one_bad_update_changes_nothing(client: QdrantClient, filled: str) -> None:
    bad = {"set_payload": {"payload": {"seen": 1}}}
    with pytest.raises(REFUSED, match="points, filter"):
        client.batch_update_points(
            filled,
            [setting({"seen": 1}, models.HasIdCondition(has_id=[1])), bad],  # type: ignore[list-item]
            wait=True,
        )
    assert "seen" not in payload_of(client, filled, 1)


def test_a_scroll_returns_points_in_the_order_of_their_ids(
    client: QdrantClient, filled: str
) -> None:
    points, following = client.scroll(filled, limit=100)
    assert ids(points) == [1, 2, 3, 4, 5, 6]
    assert following is None


def test_a_scroll_page_says_where_the_next_one_starts(client: QdrantClient, filled: str) -> None:
    first, offset = client.scroll(filled, limit=4)
    second, end = client.scroll(filled, limit=4, offset=offset)
    assert (ids(first), offset, ids(second), end) == ([1, 2, 3, 4], 5, [5, 6], None)


def test_a_scroll_may_be_filtered(client: QdrantClient, filled: str) -> None:
    points, _ = client.scroll(filled, scroll_filter=where("colour", "blue"))
    assert ids(points) == [4, 5]


def test_scrolling_every_page_meets_every_uuid_once(client: QdrantClient, empty: str) -> None:
    written = {str(uuid.uuid5(uuid.NAMESPACE_URL, str(i))) for i in range(25)}
    client.upsert(empty, [point(id_) for id_ in written], wait=True)
    met, offset = [], None
    while True:
        page, offset = client.scroll(empty, limit=10, offset=offset, with_payload=False)
        met += ids(page)
        if offset is None:
            break
    assert len(met) == 25
    assert set(met) == written


def test_a_count_may_be_filtered(client: QdrantClient, filled: str) -> None:
    assert client.count(filled, count_filter=where("colour", "red")).count == 2


def test_points_are_uploaded_in_batches(client: QdrantClient, empty: str) -> None:
    client.upload_points(empty, (point(i) for i in range(50)), batch_size=16, wait=True)
    assert client.count(empty).count == 50


@pytest.mark.memory_differs("it writes the points before the bad one")
def test_a_batch_with_one_bad_vector_writes_nothing(client: QdrantClient, empty: str) -> None:
    with pytest.raises(REFUSED, match="dim"):
        client.upsert(empty, [point(1), point(2, dense=[1.0])], wait=True)
    assert client.count(empty).count == 0


@pytest.mark.memory_differs("it raises numpy's own words")
def test_a_vector_of_the_wrong_size_is_refused_with_both_sizes(
    client: QdrantClient, empty: str
) -> None:
    with pytest.raises(REFUSED, match="expected dim: 4, got 3"):
        client.upsert(empty, [point(1, dense=[1, 2, 3])], wait=True)


def test_a_vector_of_an_unknown_name_is_refused(client: QdrantClient, empty: str) -> None:
    with pytest.raises(REFUSED, match="unknown"):
        client.upsert(empty, [models.PointStruct(id=1, vector={"unknown": [1.0]})], wait=True)


@pytest.mark.memory_differs("it passes over points that are not there")
def test_setting_the_payload_of_a_point_that_is_not_there_names_it(
    client: QdrantClient, empty: str
) -> None:
    with pytest.raises(REFUSED, match="99"):
        client.set_payload(empty, {"a": 1}, points=[99], wait=True)
