"""Feeds texts to the model in short passes from one thread; questions go before bulk work.

A question waits for one pass of bulk work at most, and bulk work for eight passes of questions.
Vectors of the last texts are remembered, since answers compare the same sentences again and again.
"""

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from serving.ports import Priority, Vectors

TOKENS_PER_PASS = 768  # padded; on two cores 55 ms, and longer passes embed hardly more per second
PASSES_BEFORE_BULK = 8  # of questions in a row, while bulk work waits
INTERACTIVE_TEXTS = 32  # a request that declares nothing is interactive up to both of these
INTERACTIVE_TOKENS = 2048


@dataclass
class _Job:
    text: str
    tokens: int
    vector: "Future[NDArray[np.float32]]" = field(default_factory=Future)


def priority_by_size(lengths: Sequence[int]) -> Priority:
    """The priority of a request that declares none; `lengths` are the tokens of its texts."""
    few = len(lengths) <= INTERACTIVE_TEXTS and sum(lengths) <= INTERACTIVE_TOKENS
    return "interactive" if few else "bulk"


class BatchingEncoder:
    """Batches texts of like length, across requests, up to a budget of padded tokens."""

    def __init__(self, encode: Callable[[list[str]], Vectors], remembered: int = 20_000) -> None:
        self._encode = encode
        self._limit = remembered
        self._waiting: dict[Priority, deque[_Job]] = {"interactive": deque(), "bulk": deque()}
        self._passes_before_bulk = 0  # of questions, since bulk work began to wait
        self._remembered: OrderedDict[str, NDArray[np.float32]] = OrderedDict()  # oldest first
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    async def embed(
        self, texts: Sequence[str], lengths: Sequence[int], priority: Priority | None = None
    ) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens.

        A request that is cancelled or fails leaves the queue.
        """
        known = {text: self._remembered[text] for text in texts if text in self._remembered}
        missing = {text: n for text, n in zip(texts, lengths, strict=True) if text not in known}
        jobs = [_Job(text, missing[text]) for text in sorted(missing, key=missing.__getitem__)]
        with self._changed:
            self._waiting[priority or priority_by_size(lengths)].extend(jobs)
            self._changed.notify()
        try:
            vectors = await asyncio.gather(*(asyncio.wrap_future(job.vector) for job in jobs))
        finally:
            for job in jobs:
                job.vector.cancel()  # does nothing to those that are done
        known |= {job.text: vector for job, vector in zip(jobs, vectors, strict=True)}
        self._remember(known)
        return np.stack([known[text] for text in texts])

    def _remember(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """On the event loop's thread only."""
        for text, vector in vectors.items():
            self._remembered[text] = vector
            self._remembered.move_to_end(text)
        while len(self._remembered) > self._limit:
            self._remembered.popitem(last=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the pass in hand, cancel the rest, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for jobs in self._waiting.values():
            for job in jobs:
                job.vector.cancel()

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                vectors = self._encode([job.text for job in batch])
            except Exception as error:  # noqa: BLE001 - the waiting requests must hear of it
                for job in batch:
                    job.vector.set_exception(error)
            else:
                for job, vector in zip(batch, vectors, strict=True):
                    job.vector.set_result(vector)

    def _next_batch(self) -> list[_Job]:
        """The jobs of the next pass; empty once closed."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._closed or any(self._waiting.values()))
                if self._closed:
                    return []
                priority = self._next_priority()
                if batch := self._take(self._waiting[priority]):
                    asked = priority == "interactive" and self._waiting["bulk"]
                    self._passes_before_bulk = self._passes_before_bulk + 1 if asked else 0
                    return batch

    def _next_priority(self) -> Priority:
        bulk_waits = bool(self._waiting["bulk"])
        overdue = bulk_waits and self._passes_before_bulk >= PASSES_BEFORE_BULK
        return "interactive" if self._waiting["interactive"] and not overdue else "bulk"

    def _take(self, waiting: deque[_Job]) -> list[_Job]:
        """Remove the first jobs that fit one pass, less those that were cancelled meanwhile."""
        batch: list[_Job] = []
        longest = 0
        while waiting:
            job = waiting[0]
            if batch and max(longest, job.tokens) * (len(batch) + 1) > TOKENS_PER_PASS:
                break
            waiting.popleft()
            if job.vector.set_running_or_notify_cancel():
                batch.append(job)
                longest = max(longest, job.tokens)
        return batch
