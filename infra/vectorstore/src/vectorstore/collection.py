"""One collection: a shard of the engine, what it was made for, and answers in Qdrant's form."""

import itertools
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import qdrant_edge as edge

from vectorstore import requests
from vectorstore.errors import engine_errors

UPDATES_PER_FLUSH = 64  # a start replays no more than these from the write-ahead log
POINTS_PER_STEP = 100  # the engine holds Python's lock in each step of a deletion: readers wait
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


def type_of(index: Any) -> str:
    """Qdrant's name for the type of a payload index."""
    return str(index.data_type).split(".")[1].lower()


def answers_of(points: Sequence[Any]) -> dict[str, Any]:
    """Qdrant's form of a list of hits."""
    return {"points": [answer_of(point) for point in points]}


class Collection:
    """A collection on disk. Any thread may call: reads run side by side, writes one by one."""

    def __init__(
        self, directory: Path, spec: requests.Spec, config: edge.EdgeConfig, *, new: bool
    ) -> None:
        self.spec = spec
        self._updates = itertools.count(1)
        self._writing = Lock()
        self._deleting = directory / "deleting.json"  # ids of a deletion that is under way
        with engine_errors():
            opened = edge.EdgeShard.create if new else edge.EdgeShard.load
            self._shard = opened(str(directory), config)
        self._tidy()

    def _tidy(self) -> None:
        """Finish the deletion that a kill cut short, and win back the room of many deleted points.

        Only before anyone reads: the engine holds Python's lock for as long as it rewrites a shard.
        """
        try:
            if self._deleting.exists():
                self.delete({"points": json.loads(self._deleting.read_text("utf-8"))})
            self._shard.optimize()
        except Exception:  # noqa: BLE001 - whatever the engine raises, what is there can be read
            _log.exception("%s is not tidied", self._deleting.parent)

    def close(self) -> None:
        """Flush, and let go of the files."""
        with self._writing:
            self._shard.flush()
            self._shard.close()

    def info(self) -> dict[str, Any]:
        """What the collection holds; it has no HNSW graph, which `m: 0` says."""
        info = self._shard.info()
        schema = {
            field: {"data_type": type_of(index), "points": index.points}
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

    def index_types(self) -> dict[str, str]:
        """The type of each payload index, by field."""
        schema = self._shard.info().payload_schema
        return {field: type_of(index) for field, index in schema.items()}

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
        with self._writing:
            self._apply(operation)
        return DONE

    def delete(self, raw: Any) -> dict[str, Any]:
        """Delete points; from then on answers are those of an index that never had them.

        The engine counts a deleted point in IDF until it loads the shard again, so sparse vectors
        are emptied first. Killed in between, the next start goes on.
        """
        chosen = requests.delete(raw, "")
        with self._writing:
            limit = self._shard.info().points_count + 1
            request = edge.ScrollRequest(limit=limit, filter=chosen, with_payload=False)
            ids = [point.id for point in self._shard.scroll(request)[0]]
            try:
                with suppress(OSError):  # a full disk is no reason not to delete
                    new = self._deleting.with_suffix(".tmp")
                    new.write_text(json.dumps(ids, default=str), "utf-8")
                    new.replace(self._deleting)
                self._delete(ids)
            finally:
                self._deleting.unlink(missing_ok=True)
        return DONE

    def _delete(self, ids: list[Any]) -> None:
        empty: Any = dict.fromkeys(self.spec["sparse_vectors"], edge.SparseVector([], []))
        try:
            for start in range(0, len(ids) if empty else 0, POINTS_PER_STEP):
                step = ids[start : start + POINTS_PER_STEP]
                vectors = [edge.PointVectors(point_id, empty) for point_id in step]
                self._apply(edge.UpdateOperation.update_vectors(vectors))
        finally:
            self._apply(edge.UpdateOperation.delete_points(ids))

    def _apply(self, operation: edge.UpdateOperation) -> None:
        self._shard.update(operation)
        if next(self._updates) % UPDATES_PER_FLUSH == 0:
            self._shard.flush()
