"""What the runs of a source tell later runs, on any host: one point per source, in the store."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from qdrant_client import QdrantClient, models

from contracts.status import Hold
from ingestion.index.store import create_vectorless, scroll, stored, translated

RECORDS = "ingestion-sources"  # collection, a point for each source of each index


class Loss(BaseModel):
    """A document that a run took from readers, or damaged."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    path: str  # digests, so that the record stays small and holds no names
    version: str


class SourceRecord(BaseModel):
    """One source of one index, as its last run on any host left it."""

    model_config = ConfigDict(frozen=True)

    index: str
    tenant: str
    source: str
    declared: bool = False  # at its last run, in sources.yaml or INGESTION_SOURCES
    location: str = ""  # a path or URL, of the last run
    collection: str = ""  # that the last good run wrote into
    hold: Hold | None = None  # the run that waits for approval
    request: dict[str, Any] | None = None  # of that run, as JSON
    lost: list[Loss] = []  # lately, by runs that no guard stopped
    damaged: list[Loss] = []


class SourceRecords:
    """The record of one source; `change` writes only the fields that are given."""

    def __init__(self, client: QdrantClient, index: str, tenant: str, source: str) -> None:
        self._client = client
        self._own = {"index": index, "tenant": tenant, "source": source}
        self._id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{index}/{tenant}/{source}"))

    def of(self, tenant: str, source: str) -> Self:
        """The record of another source of the same index."""
        return type(self)(self._client, self._own["index"], tenant, source)

    def read(self) -> SourceRecord:
        """What is known of the source; an empty record if no run has left one."""
        with translated():
            if not self._client.collection_exists(RECORDS):
                return SourceRecord.model_validate(self._own)
            found = self._client.retrieve(RECORDS, [self._id])
        return stored(SourceRecord, found[0].payload if found else self._own)

    def change(self, **fields: Any) -> None:
        """Change some fields; nothing is written if they have these values already."""
        now = self.read()
        changed = now.model_copy(update=fields)
        if changed == now:
            return
        payload = changed.model_dump(mode="json", include={*self._own, *fields})
        with translated():
            create_vectorless(self._client, RECORDS)
            if self._client.retrieve(RECORDS, [self._id], with_payload=False):
                self._client.set_payload(RECORDS, payload, points=[self._id], wait=True)
            else:
                point = models.PointStruct(id=self._id, vector={}, payload=payload)
                self._client.upsert(RECORDS, [point], wait=True)

    def forget(self) -> None:
        """Remove the record."""
        with translated():
            if self._client.collection_exists(RECORDS):
                self._client.delete(RECORDS, models.PointIdsList(points=[self._id]), wait=True)


def every_record(client: QdrantClient) -> Iterator[SourceRecord]:
    """The records of every source of every index."""
    with translated():
        exists = client.collection_exists(RECORDS)
    if exists:
        yield from (stored(SourceRecord, point.payload) for point in scroll(client, RECORDS))
