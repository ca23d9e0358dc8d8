"""Rollback: readers see again, in one call, the collection that they saw before the last switch.

It shows that collection as `restore` shows a pin, so a sync cannot switch forward behind one's
back: syncs go on into their own collection, unseen, until `resume`; or until they have built the
earlier one again, with the settings that it was built with.
"""

import time

from pydantic import BaseModel
from qdrant_client import QdrantClient, models

from contracts.index import CollectionSpec, manifest_alias
from ingestion.errors import UsageError
from ingestion.index.pins import previous_alias, refuse_restored, show, spec_of
from ingestion.index.store import aliases, equals, translated


class Rollback(BaseModel):
    """What readers see after a rollback, and what it was built with that is otherwise now."""

    index: str
    shown: str  # the collection that readers see
    written: str  # the one that they saw until now, into which syncs go on
    documents: int
    chunks: int
    seconds: float  # that the switch took
    chunker: tuple[str, str] | None = None  # of the one that is shown and of the other, if they
    embedder: tuple[str, str] | None = None  # differ


def rollback(client: QdrantClient, index: str) -> Rollback:
    """Let readers of an index see its previous collection.

    Raises: UsageError if there is none, or if they do not see what syncs write now.
    """
    named = aliases(client)
    if index not in named:
        raise UsageError(f"There is no index {index}: `ingestion sync <folder>` makes one.")
    refuse_restored(client, index)
    earlier = named.get(previous_alias(index))
    if earlier is None:
        raise UsageError(
            f"{index} has not switched from another collection to {named[index]}, so there is "
            "none to roll back to. `ingestion pins` lists copies, `ingestion restore` shows one."
        )
    then, now = (spec_of(client, manifest_alias(each)) for each in (earlier, named[index]))
    documents = models.Filter(must=[equals("kind", "document")])
    with translated():
        counts = (
            client.count(manifest_alias(earlier), documents, exact=True).count,
            client.count(earlier, exact=True).count,
        )
    started = time.perf_counter()
    written = show(client, index, earlier)
    return Rollback(
        index=index,
        shown=earlier,
        written=written,
        documents=counts[0],
        chunks=counts[1],
        seconds=time.perf_counter() - started,
        chunker=(then.chunker, now.chunker) if then.chunker != now.chunker else None,
        embedder=(_embedder(then), _embedder(now)) if _embedder(then) != _embedder(now) else None,
    )


def _embedder(spec: CollectionSpec) -> str:
    return f"{spec.embedder.model} {spec.embedder.digest}"
