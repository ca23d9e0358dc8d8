"""An OpenAPI document of the vector store, which serves Qdrant's API and no document of its own."""

from typing import Any

Schema = dict[str, Any]

COLLECTION = "docs"  # exists, with vectors of two dimensions
DIMENSIONS = 2


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def one_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def list_of(schema: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": schema, **limits}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number", "minimum": -1e9, "maximum": 1e9}
WHOLE: Schema = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 1000}
FLAG: Schema = {"type": "boolean"}
DENSE = list_of(NUMBER, minItems=DIMENSIONS, maxItems=DIMENSIONS)
SPARSE = object_of(("indices", "values"), indices=list_of(WHOLE), values=list_of(NUMBER))
ID = one_of(WHOLE, {"type": "string", "format": "uuid"})
FIELD: Schema = {"type": "string", "enum": ["tenant", "namespace", "a.b", "a[]", ""]}
NAME: Schema = {"type": "string", "enum": [COLLECTION, "alias", "other", "odd name", "."]}
MATCH = one_of(
    object_of(("value",), value=one_of(TEXT, WHOLE, FLAG)),
    object_of(("any",), any=list_of(one_of(TEXT))),
    object_of(("except",), **{"except": list_of(TEXT)}),
    object_of(("text",), text=TEXT),
)
RANGE = object_of(**{bound: one_of(NUMBER, TEXT) for bound in ("gt", "gte", "lt", "lte")})
CONDITION = one_of(
    object_of(("key", "match"), key=FIELD, match=MATCH),
    object_of(("key", "range"), key=FIELD, range=RANGE),
    object_of(("has_id",), has_id=list_of(ID)),
    object_of(("is_empty",), is_empty=object_of(("key",), key=FIELD)),
    object_of(must_not=list_of(object_of(("is_empty",), is_empty=object_of(("key",), key=FIELD)))),
)
CONDITIONS = one_of(CONDITION, list_of(CONDITION, maxItems=4))
SELECTED = one_of(
    object_of(("points",), points=list_of(ID)), object_of(("filter",), filter=ref("Filter"))
)
PARTS = {"with_payload": one_of(FLAG, list_of(TEXT)), "with_vector": one_of(FLAG, list_of(TEXT))}
SEARCH = {
    "query": one_of(DENSE, SPARSE, ID, object_of(fusion={"type": "string", "enum": ["rrf"]})),
    "using": {"type": "string", "enum": ["dense", "sparse"]},
    "filter": ref("Filter"),
    "limit": LIMIT,
    "score_threshold": NUMBER,
    "prefetch": list_of(
        object_of(query=one_of(DENSE, SPARSE), using=TEXT, limit=LIMIT), maxItems=3
    ),
}
QUERY = object_of((), **SEARCH, **PARTS, offset=LIMIT)
POINT = object_of(
    ("id", "vector"),
    id=ID,
    vector=one_of(object_of(dense=DENSE, sparse=SPARSE), DENSE),
    payload={"type": "object"},
)
PAYLOAD = object_of(
    ("payload",),
    payload={"type": "object"},
    key=TEXT,
    points=list_of(ID),
    filter=ref("Filter"),
)
VECTORS = object_of(
    ("size", "distance"),
    size={"type": "integer", "minimum": 1, "maximum": 64},
    distance={"type": "string", "enum": ["Cosine", "Dot", "Euclid", "Manhattan"]},
)
ALIAS = one_of(
    object_of(
        ("create_alias",),
        create_alias=object_of(
            ("alias_name", "collection_name"), alias_name=NAME, collection_name=NAME
        ),
    ),
    object_of(("delete_alias",), delete_alias=object_of(("alias_name",), alias_name=NAME)),
)
BODIES: dict[tuple[str, str], Schema] = {
    ("post", "/collections/aliases"): object_of(("actions",), actions=list_of(ALIAS)),
    ("put", "/collections/{name}"): object_of(
        vectors={"type": "object", "additionalProperties": VECTORS},
        sparse_vectors={"type": "object", "additionalProperties": object_of()},
    ),
    ("put", "/collections/{name}/index"): object_of(
        ("field_name", "field_schema"),
        field_name=FIELD,
        field_schema={"type": "string", "enum": ["keyword", "integer", "bool", "datetime", "text"]},
    ),
    ("put", "/collections/{name}/points"): object_of(
        ("points",), points=list_of(POINT, maxItems=4), update_filter=ref("Filter")
    ),
    ("post", "/collections/{name}/points"): object_of(("ids",), ids=list_of(ID), **PARTS),
    ("post", "/collections/{name}/points/delete"): SELECTED,
    ("post", "/collections/{name}/points/payload"): PAYLOAD,
    ("post", "/collections/{name}/points/batch"): object_of(
        ("operations",),
        operations=list_of(object_of(("set_payload",), set_payload=PAYLOAD), maxItems=4),
    ),
    ("post", "/collections/{name}/points/scroll"): object_of(
        limit=LIMIT, offset=ID, filter=ref("Filter"), **PARTS
    ),
    ("post", "/collections/{name}/points/count"): object_of(filter=ref("Filter"), exact=FLAG),
    ("post", "/collections/{name}/points/query"): QUERY,
    ("post", "/collections/{name}/points/query/batch"): object_of(
        ("searches",), searches=list_of(QUERY, maxItems=3)
    ),
}
READ = ("/", "/healthz", "/livez", "/readyz", "/collections", "/aliases", "/collections/{name}")
ROUTES = [
    *(("get", path) for path in READ),
    ("get", "/collections/{name}/exists"),
    ("get", "/collections/{name}/aliases"),
    ("delete", "/collections/{name}"),
    *BODIES,
]
ENVELOPE: Schema = object_of(("time",), time={"type": "number", "minimum": 0})
REPLY = {"description": "Qdrant's envelope.", "content": {"application/json": {"schema": ENVELOPE}}}
REFUSALS = ("400", "401", "403", "404", "405", "409", "413", "422", "507")


def document() -> Schema:
    """The whole document."""
    paths: dict[str, Schema] = {}
    for method, path in ROUTES:
        operation: Schema = {"responses": {"200": REPLY} | dict.fromkeys(REFUSALS, REPLY)}
        if path in ("/healthz", "/livez", "/readyz"):
            text = {"text/plain": {"schema": TEXT}}
            operation["responses"] = {"200": {"description": "It runs.", "content": text}}
        elif path == "/":
            content = {"application/json": {"schema": {"type": "object"}}}
            operation["responses"] = {"200": {"description": "Version.", "content": content}}
        else:
            operation["security"] = [{"key": []}]
        if "{name}" in path:
            parameter = {"name": "name", "in": "path", "required": True, "schema": NAME}
            operation["parameters"] = [parameter]
        if (method, path) in BODIES:
            content = {"application/json": {"schema": BODIES[method, path]}}
            operation["requestBody"] = {"required": True, "content": content}
        paths.setdefault(path, {})[method] = operation
    groups = ("must", "should", "must_not")
    return {
        "openapi": "3.1.0",
        "info": {"title": "vectorstore", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {"Filter": object_of(**dict.fromkeys(groups, CONDITIONS))},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "api-key"}},
        },
    }
