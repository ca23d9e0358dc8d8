"""Feeds texts to the model in batches from one thread; short requests jump the queue.

A query must not wait behind a folder being ingested: it waits for one forward pass at most.
Vectors of the last texts are remembered, since answers compare the same sentences again and again.
"""

import asyncio
import heapq
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from serving.ports import Vectors

TOKENS_PER_PASS = 3072  # padded; about 16 chunks, a quarter of a second on two cores
QUERY_TEXTS = 1  # a request of so few texts counts as a query


@dataclass(order=True)
class _Job:
    priority: int
    sequence: int
    text: str = field(compare=False)
    tokens: int = field(compare=False)
    vector: "Future[NDArray[np.float32]]" = field(compare=False, default_factory=Future)


class BatchingEncoder:
    """Batches texts of like length, across requests, up to a budget of padded tokens."""

    def __init__(self, encode: Callable[[list[str]], Vectors], remembered: int = 20_000) -> None:
        self._encode = encode
        self._limit = remembered
        self._jobs: list[_Job] = []  # a heap
        self._remembered: OrderedDict[str, NDArray[np.float32]] = OrderedDict()  # oldest first
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens."""
        priority = 0 if len(texts) <= QUERY_TEXTS else 1
        known = {text: self._remembered[text] for text in texts if text in self._remembered}
        missing = {text: n for text, n in zip(texts, lengths, strict=True) if text not in known}
        futures: dict[str, Future[NDArray[np.float32]]] = {}
        with self._changed:
            for text in sorted(missing, key=missing.__getitem__):
                job = _Job(priority, next(self._sequence), text, missing[text])
                heapq.heappush(self._jobs, job)
                futures[text] = job.vector
            self._changed.notify()
        vectors = await asyncio.gather(*map(asyncio.wrap_future, futures.values()))
        known |= zip(futures, vectors, strict=True)
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
        for job in self._jobs:
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
        """The next jobs of one priority that fit one pass; empty once closed."""
        batch: list[_Job] = []
        longest = 0
        with self._changed:
            while not batch:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return []
                while self._jobs:
                    job = self._jobs[0]
                    longest = max(longest, job.tokens)
                    fits = longest * (len(batch) + 1) <= TOKENS_PER_PASS
                    if batch and not (fits and job.priority == batch[0].priority):
                        break
                    heapq.heappop(self._jobs)
                    if job.vector.set_running_or_notify_cancel():
                        batch.append(job)
        return batch
