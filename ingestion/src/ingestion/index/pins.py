"""Pins: immutable copies of an index, and letting readers see one instead of what syncs write.

What readers see instead may also be the collection that they saw before the last switch: a
rollback (rollback.py). `<index>-previous` names it.

All that is known of them lies in the store. A pin is two collections of its own; the aliases by
which it is read are made last, once the copy is proved. While an index is restored to a pin, its
own aliases name the pin, and `<index>-written` names the collection that syncs write.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from qdrant_client import QdrantClient, models

from contracts.index import SPEC_POINT_ID, CollectionSpec, manifest_alias
from contracts.status import Pin
from ingestion.errors import NotProved, UsageError
from ingestion.index.store import (
    POINTS_PER_REQUEST,
    aliases,
    create_collections,
    point_aliases,
    scroll,
    stored,
    translated,
)

PIN_POINT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "faultline/pin"))  # beside the spec's point
NAME = re.compile(r"(?!.*-manifest$)[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
RESERVED = re.compile(r"-pin-|-written$|-previous$|-manifest$")


def pin_alias(index: str, name: str) -> str:
    """The index name by which a pin is read."""
    return f"{index}-pin-{name}"


def written_alias(index: str) -> str:
    """Names the collection that syncs write, while readers of the index see a pin."""
    return f"{index}-written"


def previous_alias(index: str) -> str:
    """Names the collection that readers saw before the last switch, if there was one."""
    return f"{index}-previous"


def refuse_reserved(index: str) -> None:
    """UsageError if an index of this name could be taken for a pin, so that none is written to."""
    if RESERVED.search(index):
        raise UsageError(
            f"{index} is no name for an index that is written to: -pin-, -written, -previous and "
            "-manifest belong to copies and their parts. Use another --index."
        )


def pin(client: QdrantClient, index: str, name: str) -> Pin:
    """Copy what readers of an index see now, prove the copy, then name it.

    Raises: UsageError if the name is taken or there is nothing to copy, NotProved if the index
    changed meanwhile.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name} cannot name a pin: use up to 40 letters, digits, '.', '_', '-'.")
    named = aliases(client)
    alias = pin_alias(index, name)
    if alias in named:
        raise UsageError(
            f"{index} has a pin {name}: name it otherwise, or `ingestion unpin {name}`."
        )
    if index not in named:
        raise UsageError(f"There is no index {index}: `ingestion sync <folder>` makes one.")
    refuse_restored(client, index)

    live, live_manifests = named[index], named[manifest_alias(index)]
    copy = f"{live}-pin-{name}"
    manifests = manifest_alias(copy)
    _delete(client, copy, manifests)  # what an interrupted pin of this name left
    try:
        create_collections(client, copy, spec_of(client, live_manifests).embedder.dimensions)
        _copy(client, live, copy)
        _copy(client, live_manifests, manifests)
        chunks = _proved(client, live, copy, payloads=False)
        points = _proved(client, live_manifests, manifests, payloads=True)
    except BaseException:
        _delete(client, copy, manifests)
        raise
    made = Pin(
        name=name,
        index=alias,
        of=index,
        collection=live,
        documents=points - 1,  # the other is the spec
        chunks=chunks,
        created_at=datetime.now(UTC),
    )
    payload = {"kind": "pin", **made.model_dump(mode="json")}
    with translated():
        point = models.PointStruct(id=PIN_POINT_ID, vector={}, payload=payload)
        client.upsert(manifests, [point], wait=True)
    point_aliases(client, {alias: copy, manifest_alias(alias): manifests})
    return made


def pins(client: QdrantClient, index: str) -> list[Pin]:
    """The pins of an index, oldest first."""
    prefix = pin_alias(index, "")
    found = []
    for alias in aliases(client):
        if alias.startswith(prefix) and not alias.endswith(manifest_alias("")):
            with translated():
                [point] = client.retrieve(manifest_alias(alias), [PIN_POINT_ID])
            payload = {k: v for k, v in (point.payload or {}).items() if k != "kind"}
            found.append(stored(Pin, payload))
    return sorted(found, key=lambda pin: pin.created_at)


def unpin(client: QdrantClient, index: str, name: str) -> None:
    """Remove a pin; UsageError if there is none, or readers see it."""
    alias, collection, manifests = _existing(client, index, name)
    if shown(client, index) == name:
        raise UsageError(f"Readers of {index} see pin {name} now: `ingestion resume` first.")
    point_aliases(client, {alias: None, manifest_alias(alias): None})
    _delete(client, collection, manifests)


def switch(client: QdrantClient, index: str, collection: str) -> None:
    """Let an index name this collection, in one call; what it named before is its previous one.

    While readers see something else, the alias that syncs move is switched; if what they see is
    this collection, they see what syncs write again, and the rollback is at its end.
    """
    named, written = aliases(client), written_alias(index)
    alias = written if written in named else index
    targets: dict[str, str | None] = {
        alias: collection,
        manifest_alias(alias): manifest_alias(collection),
    }
    if alias in named:
        targets[previous_alias(index)] = named[alias]
    if named.get(index) == collection:
        targets |= {written: None, manifest_alias(written): None}
    point_aliases(client, targets)


def restore(client: QdrantClient, index: str, name: str) -> str:
    """Let readers of an index see a pin of it, in one call; the collection that syncs go on with.

    UsageError if there is no such pin.
    """
    _, collection, _ = _existing(client, index, name)
    return show(client, index, collection)


def show(client: QdrantClient, index: str, collection: str) -> str:
    """Let readers of an index see this collection, in one call; the one that syncs go on with."""
    named, written = aliases(client), written_alias(index)
    targets: dict[str, str | None] = {
        index: collection,
        manifest_alias(index): manifest_alias(collection),
    }
    if written not in named:  # else another pin is shown now, and syncs have their alias
        targets[written] = named[index]
        targets[manifest_alias(written)] = named[manifest_alias(index)]
    point_aliases(client, targets)
    return targets.get(written) or named[written]


def resume(client: QdrantClient, index: str) -> str:
    """Let readers see what syncs write again; the name of its collection."""
    named, written = aliases(client), written_alias(index)
    if written not in named:
        raise UsageError(f"{index} is not restored: readers see what syncs write already.")
    targets: dict[str, str | None] = {
        index: named[written],
        manifest_alias(index): named[manifest_alias(written)],
        written: None,
        manifest_alias(written): None,
    }
    if "-pin-" not in named[index]:  # after a rollback; a pin is no collection to roll back to
        targets[previous_alias(index)] = named[index]
    point_aliases(client, targets)
    return named[written]


def shown(client: QdrantClient, index: str) -> str | None:
    """Name of the pin, or of the earlier collection, that readers of a restored index see.

    None if they see what syncs write.
    """
    named, prefix = aliases(client), pin_alias(index, "")
    if written_alias(index) not in named:
        return None
    shown_now = (a for a in named if a.startswith(prefix) and named[a] == named[index])
    return next(shown_now, named[index]).removeprefix(prefix)


def shown_instead(client: QdrantClient, index: str) -> str | None:
    """The same in words, such as "pin good" or "the earlier faultline-0123456789abcdef"."""
    name = shown(client, index)
    if name is None:
        return None
    return f"pin {name}" if pin_alias(index, name) in aliases(client) else f"the earlier {name}"


def refuse_restored(client: QdrantClient, index: str) -> None:
    """UsageError while readers see something else than what syncs write."""
    if instead := shown_instead(client, index):
        raise UsageError(f"Readers of {index} see {instead} now: `ingestion resume` first.")


def _existing(client: QdrantClient, index: str, name: str) -> tuple[str, str, str]:
    named, alias = aliases(client), pin_alias(index, name)
    if alias not in named or not NAME.fullmatch(name):
        raise UsageError(f"{index} has no pin {name}: `ingestion pins` lists them.")
    return alias, named[alias], named[manifest_alias(alias)]


def spec_of(client: QdrantClient, manifests: str) -> CollectionSpec:
    """What the collection with these manifests was built with."""
    with translated():
        [point] = client.retrieve(manifests, [SPEC_POINT_ID])
    return stored(CollectionSpec, point.payload)


def _copy(client: QdrantClient, source: str, target: str) -> None:
    page: list[models.PointStruct] = []
    for point in scroll(client, source, vectors=True):
        vector: Any = point.vector or {}  # what is read may be written, but its type is wider
        page.append(models.PointStruct(id=point.id, vector=vector, payload=point.payload))
        if len(page) == POINTS_PER_REQUEST:
            _upsert(client, target, page)
            page = []
    _upsert(client, target, page)


def _upsert(client: QdrantClient, collection: str, points: list[models.PointStruct]) -> None:
    if points:
        with translated():
            client.upsert(collection, points, wait=True)


def _proved(client: QdrantClient, source: str, copy: str, payloads: bool) -> int:
    """The number of points in a copy that has the ids, and payloads, of its source as it is now.

    Ids of chunks hold their content's version; those of manifests do not.
    """
    wanted, found = (
        {point.id: point.payload for point in scroll(client, collection, fields=payloads)}
        for collection in (source, copy)
    )
    with translated():
        count = client.count(copy, exact=True).count
    if wanted != found or count != len(wanted):
        raise NotProved(
            f"{source} has {len(wanted)} points, its copy {count}, and they differ: did a sync "
            "run meanwhile? Nothing was pinned; pin again."
        )
    return count


def _delete(client: QdrantClient, *collections: str) -> None:
    with translated():
        for collection in collections:
            if client.collection_exists(collection):
                client.delete_collection(collection)
