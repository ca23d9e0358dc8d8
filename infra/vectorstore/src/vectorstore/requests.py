"""Bodies of requests: from Qdrant's JSON to the engine's queries and operations."""

from collections.abc import Callable
from functools import partial
from typing import Any

import qdrant_edge as edge

from vectorstore.errors import Refused
from vectorstore.filters import filter_of
from vectorstore.translate import (
    Translation,
    as_is,
    constant,
    each,
    limit,
    made,
    named,
    naming,
    object_of,
    one_of,
    point_id,
    vector,
    word,
)

Spec = dict[str, Any]  # a collection's "vectors" and "sparse_vectors", named, as it was created

# Reading
some_fields = one_of(
    include=made(edge.PayloadSelector.Include), exclude=made(edge.PayloadSelector.Exclude)
)
PARTS: dict[str, Translation] = {
    "with_payload": lambda raw, path: some_fields(raw, path) if isinstance(raw, dict) else raw,
    "with_vector": as_is,
}
retrieve = object_of(
    lambda ids, with_payload=True, with_vector=False: (ids, with_payload, with_vector),
    ids=each(point_id),
    **PARTS,
)
scroll = object_of(
    partial(edge.ScrollRequest, limit=10), offset=point_id, limit=limit, filter=filter_of, **PARTS
)
count = object_of(edge.CountRequest, filter=filter_of, exact=as_is)

# Searching
scoring = one_of(
    nearest=vector,
    fusion=word({"rrf": edge.Fusion.Rrf(k=2), "dbsf": edge.Fusion.Dbsf()}),  # 2 is Qdrant's k
    rrf=object_of(partial(edge.Fusion.Rrf, k=2), k=constant, weights=as_is),
)
idf = object_of(edge.IdfParams, corpus=filter_of)
params = object_of(edge.SearchParams, hnsw_ef=as_is, exact=as_is, indexed_only=as_is, idf=idf)


def scoring_of(raw: Any, path: str) -> Any:
    """How to score; a bare vector means by nearness to it."""
    bare = isinstance(raw, list) or (isinstance(raw, dict) and "indices" in raw)
    return (vector if bare else scoring)(raw, path)


def search(make: Callable[..., Any], **more: Translation) -> Translation:
    """A search, over all points or over the hits of its prefetches."""

    def assemble(query: Any = None, using: Any = None, prefetch: Any = None, **rest: Any) -> Any:
        if isinstance(query, list | edge.SparseVector):
            query = edge.Query.Nearest(query, using)
        return make(**{"limit": 10, "query": query, "prefetches": prefetch, **rest})

    return object_of(
        assemble,
        prefetch=each(lambda raw, path: search(edge.Prefetch)(raw, path), or_one=True),
        query=scoring_of,
        using=as_is,
        filter=filter_of,
        params=params,
        score_threshold=as_is,
        limit=limit,
        **more,
    )


query = search(edge.QueryRequest, offset=as_is, **PARTS)
queries = object_of(lambda searches: searches, searches=each(query))


# Writing
def upsert(raw: Any, spec: Spec) -> Any:
    """Points to write, all of them or only where `update_filter` holds."""
    point = object_of(edge.Point, id=point_id, vector=partial(vectors, spec=spec), payload=as_is)
    return object_of(
        lambda points, update_filter=None: edge.UpdateOperation.upsert_points(
            points, update_filter
        ),
        points=each(point),
        update_filter=filter_of,
    )(raw, "")


def vectors(raw: Any, path: str, spec: Spec) -> Any:
    """Vectors of a point, checked here: the engine would store the points before a bad one."""
    translated = named(vector)({"": raw} if isinstance(raw, list) else raw, path)
    for name, value in translated.items():
        if name not in spec["vectors"] and name not in spec["sparse_vectors"]:
            raise Refused(400, f"Wrong input: Not existing vector name error: {name} ({path})")
        expected = spec["vectors"][name]["size"] if name in spec["vectors"] else "sparse"
        got = len(value) if isinstance(value, list) else "sparse"
        if expected != got:
            problem = f"Vector dimension error: expected dim: {expected}, got {got}"
            raise Refused(400, f"Wrong input: {problem} ({path}.{name})")
    return translated


def which(points: Any = None, filter: Any = None) -> Any:
    """Filter of the points that ids or a filter select."""
    if (points is None) == (filter is None):
        raise TypeError("give exactly one of points, filter")
    return edge.Filter(must=[edge.HasIdCondition(set(points))]) if filter is None else filter


def payload_set(points: Any = None, filter: Any = None, **rest: Any) -> Any:
    """Payload of points, by filter only where no ids are given: an unknown id is an error."""
    chosen = which(points, filter)
    if filter is None:
        return edge.UpdateOperation.set_payload(points, **rest)
    return edge.UpdateOperation.set_payload_by_filter(chosen, **rest)


SELECTED: dict[str, Translation] = {"points": each(point_id), "filter": filter_of}
delete = object_of(which, **SELECTED)
set_payload = object_of(payload_set, payload=as_is, key=as_is, **SELECTED)
updates = object_of(lambda operations: operations, operations=each(one_of(set_payload=set_payload)))


def index_type(raw: Any, path: str) -> Any:
    """Type of a payload index; its options are left at the engine's defaults."""
    name = raw.get("type") if isinstance(raw, dict) else raw
    types = ("keyword", "integer", "float", "bool", "datetime", "uuid", "text", "geo")
    return word({t: getattr(edge.PayloadSchemaType, t.title()) for t in types})(name, path)


create_index = object_of(
    lambda field_name, field_schema: edge.UpdateOperation.create_field_index(
        field_name, field_schema
    ),
    field_name=as_is,
    field_schema=index_type,
)


# Creating; what only says how to store and to index is a hint, and changes nothing here
distances = ("Cosine", "Dot", "Euclid", "Manhattan")
dense = object_of(
    lambda size, distance, **hints: edge.EdgeVectorParams(size, distance),
    size=limit,
    distance=word({name: getattr(edge.Distance, name) for name in distances}),
    on_disk=as_is,
    hnsw_config=as_is,
)
sparse = object_of(
    lambda modifier=None, **hints: edge.EdgeSparseVectorParams(modifier=modifier),
    modifier=word({"idf": edge.Modifier.Idf, "none": None}),
    index=as_is,
)


# Searches are exact: no graph is built. A start sweeps out deleted points if they are a fifth
OPTIMIZERS = edge.EdgeOptimizersConfig(
    deleted_threshold=0.2, vacuum_min_vector_number=1000, indexing_threshold=2**40
)


def collection(raw: Any) -> tuple[Spec, edge.EdgeConfig]:
    """What a collection holds, as the client named it and as the engine takes it."""
    with naming(""):
        spec = {kind: raw.get(kind, {}) for kind in ("vectors", "sparse_vectors")}
        if "size" in spec["vectors"]:
            spec["vectors"] = {"": spec["vectors"]}
    config = {
        "vectors": named(dense)(spec["vectors"], "vectors"),
        "sparse_vectors": named(sparse)(spec["sparse_vectors"], "sparse_vectors"),
    }
    if not any(config.values()):  # the engine knows no shard without vectors
        config["sparse_vectors"] = {"__none__": edge.EdgeSparseVectorParams()}
    return spec, edge.EdgeConfig(**config, optimizers=OPTIMIZERS)
