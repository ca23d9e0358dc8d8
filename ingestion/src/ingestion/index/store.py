"""The store's plumbing, over the stock qdrant-client: collections, aliases, pages and errors."""

import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from contracts.index import DENSE, SPARSE, UNUSED_SPARSE, manifest_alias
from contracts.urls import authorization, qdrant_address
from ingestion.errors import Refused, Unavailable

POINTS_PER_REQUEST = 256
POINTS_PER_PAGE = 1000

OLDEST_STORE = (1, 16)  # that knows `update_filter`
KEYWORD, INTEGER = models.PayloadSchemaType.KEYWORD, models.PayloadSchemaType.INTEGER
DATETIME = models.PayloadSchemaType.DATETIME

ADVICE = {  # by status, where it says enough
    401: "set INGESTION_QDRANT_API_KEY to its key.",
    403: "this key may only read; set INGESTION_QDRANT_API_KEY to the one that may write.",
    404: "the collection is gone, or INGESTION_QDRANT_URL names something else.",
    507: "its disk is full; free some space and run this again.",
}

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def connect(url: str, api_key: SecretStr | None, timeout_seconds: float) -> QdrantClient:
    """A client for the store; it connects with the first request."""
    address, port = qdrant_address(url)
    with warnings.catch_warnings():
        # The store listens on loopback or inside a private network unless someone opens it.
        warnings.filterwarnings("ignore", "Api key is used with an insecure connection")
        return QdrantClient(
            url=address,
            port=port,
            api_key=api_key.get_secret_value() if api_key else None,
            headers=authorization(url),
            timeout=math.ceil(timeout_seconds),  # it takes whole seconds, and 0 for none
            check_compatibility=False,  # it would ask the server before anyone can catch its error
        )


def create_collections(client: QdrantClient, collection: str, dimensions: int) -> None:
    """The collection of chunks and that of their manifests, where they are missing."""
    manifests = manifest_alias(collection)
    with translated():
        _create(
            client,
            collection,
            {DENSE: models.VectorParams(size=dimensions, distance=models.Distance.COSINE)},
            {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        _create(client, manifests, {}, {UNUSED_SPARSE: models.SparseVectorParams()})
        own = ("tenant", "namespace", "source", "document_id", "version", "run_id", "tags")
        index_fields(client, collection, dict.fromkeys(own, KEYWORD))
        keywords = dict.fromkeys(("kind", "tenant", "source", "tags", "url"), KEYWORD)
        index_fields(client, manifests, keywords | {"token": INTEGER, "modified_at": DATETIME})


def index_fields(
    client: QdrantClient, collection: str, fields: Mapping[str, models.PayloadSchemaType]
) -> None:
    """Index the fields that are filtered by: in strict mode a store refuses others."""
    indexed = client.get_collection(collection).payload_schema
    for field, kind in fields.items():
        if field not in indexed:
            client.create_payload_index(collection, field, kind, wait=True)


def require_version(client: QdrantClient) -> None:
    """Raise Refused if the store is too old to write only where a condition holds.

    An older one ignores the condition without a word, so that a sync would lose documents.
    """
    with translated():
        version = str(client.info().version)
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_STORE:
        raise Refused(
            f"The vector store is Qdrant {version}, which ignores the conditions that keep two "
            f"syncs apart: update it to {'.'.join(map(str, OLDEST_STORE))} or later. Nothing was "
            "written."
        )


def create_vectorless(client: QdrantClient, name: str) -> None:
    """A collection of payloads alone, where it is missing."""
    _create(client, name, {}, {UNUSED_SPARSE: models.SparseVectorParams()})


def _create(
    client: QdrantClient,
    name: str,
    dense: dict[str, models.VectorParams],
    sparse: dict[str, models.SparseVectorParams],
) -> None:
    """Create a collection unless it is there, or the first sync of another source was faster."""
    if client.collection_exists(name):
        return
    try:
        client.create_collection(name, dense, sparse)
    except UnexpectedResponse:
        if not client.collection_exists(name):
            raise


def aliases(client: QdrantClient) -> dict[str, str]:
    """Every alias with the collection that it names now."""
    with translated():
        return {a.alias_name: a.collection_name for a in client.get_aliases().aliases}


def collections_of(client: QdrantClient, index: str, pins: bool = False) -> list[str]:
    """Collections of chunks that belong to an index; with `pins` the copies too, as the last."""
    with translated():
        existing = [each.name for each in client.get_collections().collections]
    copies = "(-pin-.+)?" if pins else ""
    own = re.compile(rf"{re.escape(index)}-[0-9a-f]{{16}}{copies}(?<!{manifest_alias('')})")
    found = [name for name in existing if own.fullmatch(name)]
    return sorted(found, key=lambda name: ("-pin-" in name, name))


def point_aliases(client: QdrantClient, targets: Mapping[str, str | None]) -> None:
    """Let each alias name its collection, or nothing where that is None: all in one call."""
    drop = [models.DeleteAlias(alias_name=alias) for alias in targets.keys() & aliases(client)]
    create = [
        models.CreateAlias(alias_name=alias, collection_name=collection)
        for alias, collection in targets.items()
        if collection
    ]
    with translated():
        client.update_collection_aliases(
            [models.DeleteAliasOperation(delete_alias=alias) for alias in drop]
            + [models.CreateAliasOperation(create_alias=alias) for alias in create]
        )


@contextmanager
def translated() -> Iterator[None]:
    """Errors of qdrant-client as ours."""
    try:
        yield
    except ResponseHandlingException as error:
        request = getattr(error.source, "_request", None)  # `.request` raises where there is none
        at = f" at {request.url.copy_with(path='/')}" if request else ""
        raise Unavailable(
            f"The vector store{at} does not answer ({error.source}): start it with "
            "`vectorstore serve`, or set INGESTION_QDRANT_URL."
        ) from error
    except UnexpectedResponse as error:
        content = _said(error.content)
        if error.status_code in ADVICE:
            advice = ADVICE[error.status_code]
            raise Refused(f"The vector store refused a request: {advice} It said: {content}") from (
                error
            )
        if error.status_code in (408, 429, 500, 502, 503, 504):
            raise Unavailable(
                f"The vector store is not ready: {error.status_code} {content}"
            ) from error
        raise Refused(
            f"The vector store refused a request: {error.status_code} {content}"
        ) from error


def _said(content: bytes) -> str:
    """The sentence in Qdrant's envelope, or the beginning of what another server sends."""
    try:
        return str(json.loads(content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return " ".join(content.decode(errors="replace").split())[:200]


def scroll(
    client: QdrantClient,
    collection: str,
    only: models.Filter | None = None,
    fields: list[str] | bool = True,
    vectors: bool = False,
) -> Iterator[models.Record]:
    """Every point that passes a filter, with its payload, or some fields or nothing of it."""
    offset: Any = None
    while True:
        with translated():
            points, offset = client.scroll(
                collection,
                only,
                POINTS_PER_PAGE,
                offset=offset,
                with_payload=fields,
                with_vectors=vectors,
            )
        yield from points
        if offset is None:
            return


def stored(model: type[M], payload: Any) -> M:
    """A payload of the store as its contract; Refused if this version cannot read it."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise Refused(
            f"The vector store holds a {model.__name__} that this version cannot read ({where}: "
            f"{first['msg']}). A newer release has probably written it: update this one. "
            "Nothing was changed."
        ) from error


def pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def equals(field: str, value: str) -> models.FieldCondition:
    """The condition that a field of the payload has this value."""
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))
