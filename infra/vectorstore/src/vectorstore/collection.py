"""One collection: a shard of the engine, what it was made for, and answers in Qdrant's form."""

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import qdrant_edge as edge

from vectorstore import requests
from vectorstore.errors import engine_errors

UPDATES_PER_FLUSH = 64  # a start replays no more than these from the write-ahead log
QUIET_SECONDS = 0.2  # without an update, before what was deleted is swept out
_log = logging.getLogger(__name__)

DONE = {"operation_id": None, "status": "completed"}


def answer_of(point: edge.Record | edge.ScoredPoint) -> dict[str, Any]:
    """Qdrant's form of a point; an unnamed vector stands alone."""
    vector: Any = point.vector
    if isinstance(vector, dict) and "" in vector:
        vector = vector[""]
    answer = {"id": point.id, "payload": point.payload, "vector": vector}
    if isinstance(point, edge.ScoredPoint):
        answer |= {"version": point.version, "score": point.score}
    return answer


def answers_of(points: Sequence[Any]) -> dict[str, Any]:
    """Qdrant's form of a list of hits."""
    return {"points": [answer_of(point) for point in points]}


class Collection:
    """A collection on disk. The engine does its own locking, so any thread may call."""

    def __init__(
        self, directory: Path, spec: requests.Spec, config: edge.EdgeConfig, *, new: bool
    ) -> None:
        self.spec = spec
        self._updates = itertools.count(1)
        with engine_errors():
            opened = edge.EdgeShard.create if new else edge.EdgeShard.load
            self._shard = opened(str(directory), config)
        self._written, self._closing = Event(), False
        self._written.set()  # a crash may have left something to sweep
        self._vacuum = Thread(target=self._vacuum_when_quiet, daemon=True)
        self._vacuum.start()

    def close(self) -> None:
        """Flush, and let go of the files."""
        self._closing = True
        self._written.set()
        self._vacuum.join()
        self._shard.flush()
        self._shard.close()

    def info(self) -> dict[str, Any]:
        """What the collection holds; it has no HNSW graph, which `m: 0` says."""
        info = self._shard.info()
        schema = {
            field: {"data_type": str(index.data_type).split(".")[1].lower(), "points": index.points}
            for field, index in info.payload_schema.items()
        }
        unnamed = "" in self.spec["vectors"]
        params = self.spec | {"vectors": self.spec["vectors"][""]} if unnamed else self.spec
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": info.points_count,
            "indexed_vectors_count": 0,
            "segments_count": info.segments_count,
            "payload_schema": schema,
            "config": {
                "params": params,
                "hnsw_config": {"m": 0, "ef_construct": 0, "full_scan_threshold": 0},
                "optimizer_config": {"default_segment_number": 1, "flush_interval_sec": 0},
            },
        }

    def retrieve(self, raw: Any) -> list[dict[str, Any]]:
        """Points by their ids; those that are not there are left out."""
        return [answer_of(point) for point in self._shard.retrieve(*requests.retrieve(raw, ""))]

    def scroll(self, raw: Any) -> dict[str, Any]:
        """A page of points, and where the next one starts."""
        points, next_offset = self._shard.scroll(requests.scroll(raw, ""))
        return answers_of(points) | {"next_page_offset": next_offset}

    def count(self, raw: Any) -> dict[str, int]:
        """How many points a filter matches."""
        return {"count": self._shard.count(requests.count(raw, ""))}

    def query(self, raw: Any) -> dict[str, Any]:
        """The best points of one search."""
        return answers_of(self._shard.query(requests.query(raw, "")))

    def query_batch(self, raw: Any) -> list[dict[str, Any]]:
        """The best points of each of several searches."""
        return [answers_of(self._shard.query(query)) for query in requests.queries(raw, "")]

    def upsert(self, raw: Any) -> dict[str, Any]:
        """Write points, all of the batch or none."""
        return self.update(requests.upsert(raw, self.spec))

    def update_batch(self, raw: Any) -> list[dict[str, Any]]:
        """Several updates in their order; every one is checked before the first is applied."""
        return [self.update(operation) for operation in requests.updates(raw, "")]

    def update(self, operation: edge.UpdateOperation) -> dict[str, Any]:
        """Apply an operation; it is in the write-ahead log before this returns."""
        self._shard.update(operation)
        if next(self._updates) % UPDATES_PER_FLUSH == 0:
            self._shard.flush()
        self._written.set()
        return DONE

    def _vacuum_when_quiet(self) -> None:
        """Deleted points count in IDF until they are swept out: answers would hang on history.

        Reads and writes go on meanwhile. What fails, on a full disk for one, is tried again after
        the next write.
        """
        while True:
            self._written.wait()
            if self._closing:
                return
            self._written.clear()
            if not self._written.wait(QUIET_SECONDS):
                try:
                    self._shard.optimize()
                except Exception:  # noqa: BLE001 - the thread outlives whatever the engine raises
                    _log.exception("deleted points are not swept out")
