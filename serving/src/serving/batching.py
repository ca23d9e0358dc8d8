"""Feeds texts to the model in batches from one thread; short requests jump the queue.

A query must not wait behind a folder being ingested: it waits for one forward pass at most.
"""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
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

    def __init__(self, encode: Callable[[list[str]], Vectors]) -> None:
        self._encode = encode
        self._jobs: list[_Job] = []  # a heap
        self._sequence = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._thread.start()

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> Vectors:
        """Vectors of `texts`, in order; `lengths` are their tokens."""
        priority = 0 if len(texts) <= QUERY_TEXTS else 1
        by_length = sorted(range(len(texts)), key=lengths.__getitem__)
        futures: dict[int, Future[NDArray[np.float32]]] = {}
        with self._changed:
            for index in by_length:
                job = _Job(priority, next(self._sequence), texts[index], lengths[index])
                heapq.heappush(self._jobs, job)
                futures[index] = job.vector
            self._changed.notify()
        vectors = await asyncio.gather(
            *(asyncio.wrap_future(futures[index]) for index in range(len(texts)))
        )
        return np.stack(vectors)

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
