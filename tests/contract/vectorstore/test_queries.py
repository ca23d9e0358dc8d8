"""Searching: dense, sparse, fused, filtered."""

import random

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

REFUSED = (ApiException, ValueError)  # local mode raises the latter
RED = models.Filter(
    must=[models.FieldCondition(key="colour", match=models.MatchValue(value="red"))]
)
NEAR_ONE = [1.0, 0.05, 0.0, 0.0]
WORDS = models.SparseVector(indices=[1, 9], values=[1.0, 1.0])


def ids(response: models.QueryResponse) -> list[int | str]:
    return [point.id for point in response.points]


def prefetches(limit: int = 10) -> list[models.Prefetch]:
    return [
        models.Prefetch(query=NEAR_ONE, using="dense", limit=limit),
        models.Prefetch(query=WORDS, using="sparse", limit=limit),
    ]


def test_the_nearest_points_come_first(client: QdrantClient, filled: str) -> None:
    assert ids(client.query_points(filled, query=NEAR_ONE, using="dense", limit=3))[:2] == [1, 2]


def test_a_cosine_score_is_the_cosine(client: QdrantClient, filled: str) -> None:
    response = client.query_points(filled, query=[0, 0, 2, 0], using="dense", limit=1)
    assert response.points[0].score == pytest.approx(1.0)


def test_a_dot_score_is_the_dot_product(client: QdrantClient, name: str) -> None:
    client.create_collection(name, models.VectorParams(size=2, distance=models.Distance.DOT))
    client.upsert(name, [models.PointStruct(id=1, vector=[2.0, 3.0])], wait=True)
    assert client.query_points(name, query=[10.0, 1.0]).points[0].score == pytest.approx(23.0)


def test_a_query_returns_no_more_than_its_limit(client: QdrantClient, filled: str) -> None:
    assert len(ids(client.query_points(filled, query=NEAR_ONE, using="dense", limit=2))) == 2


def test_an_offset_leaves_out_the_first(client: QdrantClient, filled: str) -> None:
    ask = {"query": NEAR_ONE, "using": "dense"}
    everything = ids(client.query_points(filled, limit=6, **ask))
    assert ids(client.query_points(filled, limit=2, offset=2, **ask)) == everything[2:4]


def test_a_score_threshold_leaves_out_the_far_ones(client: QdrantClient, filled: str) -> None:
    ask = {"query": NEAR_ONE, "using": "dense", "score_threshold": 0.9}
    assert ids(client.query_points(filled, **ask)) == [1, 2]


def test_a_filter_narrows_a_query(client: QdrantClient, filled: str) -> None:
    ask = {"query": [0, 1, 0, 0], "using": "dense", "query_filter": RED}
    assert sorted(ids(client.query_points(filled, **ask))) == [1, 2]


def test_hits_carry_the_payload_asked_for(client: QdrantClient, filled: str) -> None:
    ask = {"query": NEAR_ONE, "using": "dense", "limit": 1, "with_payload": ["size"]}
    assert client.query_points(filled, **ask).points[0].payload == {"size": 1}


def test_hits_carry_no_payload_when_none_is_asked_for(client: QdrantClient, filled: str) -> None:
    ask = {"query": NEAR_ONE, "using": "dense", "limit": 1, "with_payload": False}
    assert client.query_points(filled, **ask).points[0].payload is None


def test_hits_carry_the_vectors_asked_for(client: QdrantClient, filled: str) -> None:
    ask = {"query": NEAR_ONE, "using": "dense", "limit": 1, "with_vectors": ["dense"]}
    vectors = client.query_points(filled, **ask).points[0].vector
    assert vectors == {"dense": pytest.approx([1.0, 0.0, 0.0, 0.0])}


def test_a_sparse_query_finds_only_points_that_share_a_dimension(
    client: QdrantClient, filled: str
) -> None:
    query = models.SparseVector(indices=[3], values=[1.0])
    assert ids(client.query_points(filled, query=query, using="sparse")) == [5, 6]


def test_a_rare_dimension_weighs_more_than_a_common_one(client: QdrantClient, empty: str) -> None:
    sparse = [[1], [1], [1], [2]]
    client.upsert(
        empty,
        [
            models.PointStruct(
                id=i, vector={"sparse": models.SparseVector(indices=indices, values=[1.0])}
            )
            for i, indices in enumerate(sparse)
        ],
        wait=True,
    )
    query = models.SparseVector(indices=[1, 2], values=[1.0, 1.0])
    assert ids(client.query_points(empty, query=query, using="sparse", limit=1)) == [3]


def test_reciprocal_rank_fusion_joins_dense_and_sparse(client: QdrantClient, filled: str) -> None:
    fusion = models.FusionQuery(fusion=models.Fusion.RRF)
    response = client.query_points(filled, prefetch=prefetches(), query=fusion, limit=6)
    assert set(ids(response)[:2]) == {1, 3}  # first in one, third in the other
    assert set(ids(response)) == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("k", [1, 2, 60])
def test_the_constant_of_rank_fusion_sets_the_scores(
    client: QdrantClient, filled: str, k: int
) -> None:
    prefetch = models.Prefetch(query=NEAR_ONE, using="dense", limit=2)
    query = models.RrfQuery(rrf=models.Rrf(k=k))
    hits = client.query_points(filled, prefetch=[prefetch], query=query).points
    assert [hit.score for hit in hits] == pytest.approx([1 / k, 1 / (k + 1)])


def test_the_weights_of_rank_fusion_favour_a_prefetch(client: QdrantClient, filled: str) -> None:
    query = models.RrfQuery(rrf=models.Rrf(k=2, weights=[0.1, 10.0]))
    response = client.query_points(filled, prefetch=prefetches(), query=query, limit=6)
    sparse = client.query_points(filled, query=WORDS, using="sparse", limit=1)
    assert ids(response)[0] == ids(sparse)[0]


def test_fusion_by_distribution_finds_the_same_points(client: QdrantClient, filled: str) -> None:
    fusion = models.FusionQuery(fusion=models.Fusion.DBSF)
    response = client.query_points(filled, prefetch=prefetches(), query=fusion, limit=6)
    assert set(ids(response)) == {1, 2, 3, 4, 5, 6}


def test_a_prefetch_has_its_own_filter(client: QdrantClient, filled: str) -> None:
    prefetch = models.Prefetch(query=NEAR_ONE, using="dense", filter=RED)
    response = client.query_points(
        filled, prefetch=[prefetch], query=models.FusionQuery(fusion=models.Fusion.RRF)
    )
    assert ids(response) == [1, 2]


def test_the_outer_filter_holds_for_the_prefetches(client: QdrantClient, filled: str) -> None:
    response = client.query_points(
        filled,
        prefetch=prefetches(limit=1),
        query=models.FusionQuery(fusion=models.Fusion.RRF),
        query_filter=models.Filter(must=[models.HasIdCondition(has_id=[3, 5])]),
    )
    assert set(ids(response)) <= {3, 5}
    assert ids(response)


def test_a_dense_query_scores_the_hits_of_a_sparse_prefetch_again(
    client: QdrantClient, filled: str
) -> None:
    prefetch = models.Prefetch(
        query=models.SparseVector(indices=[3], values=[1.0]), using="sparse", limit=5
    )
    response = client.query_points(filled, prefetch=prefetch, query=DENSE_SIX, using="dense")
    assert ids(response) == [6, 5]


DENSE_SIX = [0.0, 0.0, 0.1, 1.0]


def test_several_searches_are_answered_in_their_order(client: QdrantClient, filled: str) -> None:
    queries = [[1.0, 0, 0, 0], [0, 0, 1.0, 0]]
    requests = [models.QueryRequest(query=q, using="dense", limit=1) for q in queries]
    assert [ids(r) for r in client.query_batch_points(filled, requests)] == [[1], [5]]


def test_a_query_without_a_vector_returns_points_by_id(client: QdrantClient, filled: str) -> None:
    assert ids(client.query_points(filled, limit=2)) == [1, 2]


def test_deleted_points_are_found_no_more(client: QdrantClient, filled: str) -> None:
    client.delete(filled, [1], wait=True)
    assert 1 not in ids(client.query_points(filled, query=NEAR_ONE, using="dense"))


def test_deleted_points_count_in_the_scores_of_others_no_more(
    client: QdrantClient, filled: str
) -> None:
    def score() -> float:
        query = models.SparseVector(indices=[1], values=[1.0])
        return client.query_points(filled, query=query, using="sparse", limit=1).points[0].score

    before = score()
    passing = [models.PointStruct(id=i, vector={"sparse": WORDS}, payload={}) for i in (10, 11)]
    client.upsert(filled, passing, wait=True)
    assert score() != pytest.approx(before)
    client.delete(filled, [10, 11], wait=True)
    assert score() == pytest.approx(before)


def test_a_point_moves_when_its_vector_changes(client: QdrantClient, filled: str) -> None:
    moved = models.PointStruct(id=5, vector={"dense": NEAR_ONE}, payload={})
    client.upsert(filled, [moved], wait=True)
    assert ids(client.query_points(filled, query=NEAR_ONE, using="dense", limit=1)) == [5]


@pytest.mark.memory_differs("it computes IDF over all points, and warns")
def test_idf_may_be_computed_over_a_part_of_the_points(client: QdrantClient, filled: str) -> None:
    def score(params: models.SearchParams | None) -> float:
        query = models.SparseVector(indices=[1], values=[1.0])
        hits = client.query_points(filled, query=query, using="sparse", search_params=params).points
        return hits[0].score

    corpus = models.SearchParams(idf=models.IdfCorpusParams(corpus=RED))
    assert score(corpus) < score(None)


@pytest.mark.memory_differs("it raises numpy's own words")
def test_a_query_of_the_wrong_size_is_refused_with_both_sizes(
    client: QdrantClient, filled: str
) -> None:
    with pytest.raises(REFUSED, match="expected dim: 4, got 2"):
        client.query_points(filled, query=[1.0, 2.0], using="dense")


def test_a_query_of_an_unknown_vector_is_refused(client: QdrantClient, filled: str) -> None:
    with pytest.raises(REFUSED, match="unknown"):
        client.query_points(filled, query=[1.0], using="unknown")


def random_points(seed: int, how_many: int) -> list[models.PointStruct]:
    rng = random.Random(seed)
    return [
        models.PointStruct(
            id=i,
            vector={
                "dense": [rng.gauss(0, 1) for _ in range(16)],
                "sparse": models.SparseVector(
                    indices=sorted(rng.sample(range(60), 8)),
                    values=[rng.uniform(0.1, 2) for _ in range(8)],
                ),
            },
            payload={"tenant": f"t{i % 3}", "size": rng.randrange(100)},
        )
        for i in range(how_many)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_hybrid_results_are_those_of_local_mode(server, name: str, seed: int) -> None:
    """Ids and scores over 500 random points; to 1e-4, for the engines sum in other orders."""
    rng = random.Random(1000 + seed)
    points = random_points(seed, 500)
    clients = [server.client(), QdrantClient(":memory:")]
    for client in clients:
        client.create_collection(
            name,
            vectors_config={"dense": models.VectorParams(size=16, distance="Cosine")},
            sparse_vectors_config={"sparse": models.SparseVectorParams(modifier="idf")},
        )
        client.upsert(name, points, wait=True)
    for _ in range(10):
        tenant = models.FieldCondition(
            key="tenant", match=models.MatchValue(value=f"t{rng.randrange(3)}")
        )
        ask = {
            "prefetch": [
                models.Prefetch(
                    query=[rng.gauss(0, 1) for _ in range(16)], using="dense", limit=40
                ),
                models.Prefetch(
                    query=models.SparseVector(
                        indices=rng.sample(range(60), 4), values=[1.0, 0.5, 2.0, 1.5]
                    ),
                    using="sparse",
                    limit=40,
                ),
            ],
            "query": models.RrfQuery(rrf=models.Rrf(k=rng.choice([2, 20, 60]))),
            "query_filter": models.Filter(must=[tenant]),
            "limit": 80,
        }
        ours, theirs = (
            {hit.id: hit.score for hit in client.query_points(name, **ask).points}
            for client in clients
        )
        assert ours == pytest.approx(theirs, abs=1e-4)
    for client in clients:
        client.close()
