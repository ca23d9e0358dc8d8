"""One writer per source and collection: a lease with a rising token (I8), kept in the store.

Whoever takes the lease gets a higher token than anybody before, and every commit is conditional on
it, so a writer that was stopped for a while and goes on cannot undo what its successor wrote
(Kleppmann, "How to do distributed locking", 2016). No clock is compared with another one's: a
holder is gone when its process is, or when its beat has stood still for a while that the waiting
run measures itself.
"""

import logging
import os
import socket
import threading
import time
import uuid
from typing import Any, Self

from qdrant_client import QdrantClient, models

from ingestion.errors import Fenced, IngestionError, NotProved, Unavailable
from ingestion.index.store import INTEGER, KEYWORD, create_vectorless, index_fields, translated

LEASES = "ingestion-leases"  # collection, a point for each source of each collection
CONDITIONS = {"token": INTEGER, "holder": KEYWORD, "beat": INTEGER}  # under which it is changed
POLL_SECONDS = 0.5
BEAT_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Lease:
    """The right to write, as a context: taken on entry, beating meanwhile, given back on exit.

    Raises on entry: Unavailable if another run of the source is at work all the time.
    """

    silent_seconds = 30.0  # without a beat, and the holder is taken for gone
    wait_seconds = 600.0  # for a holder that is at work

    def __init__(self, client: QdrantClient, collection: str, tenant: str, source: str) -> None:
        self.token = 0
        self.took_over = False  # from a writer that may go on one day
        self._client = client
        self._source = source
        self._id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{collection}/{tenant}/{source}"))
        self._holder = uuid.uuid4().hex
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._create()
        seen, changed = self._read(), time.monotonic()
        until, told = changed + self.wait_seconds, False
        while not (self._is_free(seen, time.monotonic() - changed) and self._take(seen)):
            other = (
                f"Another run syncs {self._source}, as process {seen['process']} on {seen['host']}"
            )
            if time.monotonic() > until:
                raise Unavailable(f"{other}, for {self.wait_seconds:.0f} s: let it end or stop it.")
            if not told:
                _log.warning("%s: waiting for it.", other)
            told = True
            time.sleep(min(POLL_SECONDS, self.silent_seconds / 4))
            if (now := self._read()) != seen:
                seen, changed = now, time.monotonic()
        self.took_over = bool(seen["holder"])
        self._beating.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._beating.join()
        try:
            self._set({"holder": ""}, holder=self._holder)
        except IngestionError as problem:  # the next run finds that this process is gone
            _log.warning("The lease on %s was not given back: %s", self._source, problem)

    def check(self) -> None:
        """Raise Fenced if another writer has taken the lease since."""
        if self._read()["holder"] != self._holder:
            raise Fenced(
                f"Another run took over the sync of {self._source}, since this one had stood still."
                " This one stopped, and nothing is lost: the other one, or the next, goes on."
            )

    def _create(self) -> None:
        nobody = {"token": 0, "holder": "", "host": "", "process": 0, "beat": 0}
        with translated():
            create_vectorless(self._client, LEASES)
            index_fields(self._client, LEASES, CONDITIONS)
            point = models.PointStruct(id=self._id, vector={}, payload=nobody)
            never = models.Filter(must_not=[models.HasIdCondition(has_id=[self._id])])
            self._client.upsert(LEASES, [point], wait=True, update_filter=never)

    def _read(self) -> dict[str, Any]:
        with translated():
            found = self._client.retrieve(LEASES, [self._id])
        if not found:
            raise NotProved("The store did not keep the lease that it accepted: see its log.")
        return found[0].payload or {}

    def _is_free(self, seen: dict[str, Any], silent: float) -> bool:
        is_here = seen["host"] == socket.gethostname()
        is_gone = is_here and not _is_running(seen["process"])
        return not seen["holder"] or is_gone or silent > self.silent_seconds

    def _take(self, seen: dict[str, Any]) -> bool:
        """Whether this run, of all that saw the same, got the next token."""
        self.token = seen["token"] + 1
        mine = {"token": self.token, "holder": self._holder, "beat": 0}
        mine |= {"host": socket.gethostname(), "process": os.getpid()}
        self._set(mine, token=seen["token"], holder=seen["holder"], beat=seen["beat"])
        return bool(self._read()["holder"] == self._holder)

    def _set(self, payload: dict[str, Any], **only: int | str) -> None:
        """Change the lease if it still has these values; a false condition is silent."""
        conditions: list[Any] = [
            models.HasIdCondition(has_id=[self._id]),
            *(
                models.FieldCondition(key=k, match=models.MatchValue(value=v))
                for k, v in only.items()
            ),
        ]
        with translated():
            selected = models.Filter(must=conditions)
            self._client.set_payload(LEASES, payload, points=selected, wait=True)

    def _beat(self) -> None:
        beat, told = 0, False
        while not self._ended.wait(min(BEAT_SECONDS, self.silent_seconds / 4)):
            beat += 1
            try:
                self._set({"beat": beat}, holder=self._holder)
                told = False
            except IngestionError as problem:  # the commits will say it too
                if not told:
                    _log.warning("The lease on %s was not renewed: %s", self._source, problem)
                told = True


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
