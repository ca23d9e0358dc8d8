"""What stands around every call to another process: deadline, breaker, and the one retry."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.errors import ApplicationError

T = TypeVar("T")

RETRY_BUDGET = 0.1  # retries per call, so that a failing upstream is not asked twice as often
RETRY_BUDGET_CAP = 5.0


class Deadline:
    """The moment by which a request must be answered, handed down to every hop."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def remaining(self, limit_seconds: float = float("inf")) -> float:
        """Seconds left, at most `limit_seconds`; never negative."""
        return max(0.0, min(self._at - self._clock(), limit_seconds))


class Breaker:
    """Opens after `failures` in a row; after `rest_seconds` one call may try again."""

    def __init__(
        self,
        failures: int = 5,
        rest_seconds: float = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._failed = 0
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._failed >= self._limit and self._clock() < self._closed_again_at

    def record(self, *, ok: bool) -> None:
        """Counts one outcome."""
        self._failed = 0 if ok else self._failed + 1
        if self._failed >= self._limit:
            self._closed_again_at = self._clock() + self._rest_seconds


class Upstream:
    """Calls one dependency and turns its `faults` into `error`, a leaf of this layer's errors."""

    def __init__(
        self,
        name: str,
        error: type[ApplicationError],
        faults: tuple[type[Exception], ...],
        breaker: Breaker | None = None,
    ) -> None:
        self.name = name
        self.breaker = breaker or Breaker()
        self._error = error
        self._faults: tuple[type[Exception], ...] = (*faults, TimeoutError, OSError)
        self._budget = RETRY_BUDGET_CAP

    async def call(self, attempt: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        """Result of `attempt`, tried a second time if it failed and the retry budget allows it."""
        if self.breaker.is_open:
            raise self._error(f"The {self.name} keeps failing; it is tried again in seconds.")
        self._budget = min(RETRY_BUDGET_CAP, self._budget + RETRY_BUDGET)
        try:
            return await self._attempt(attempt, deadline)
        except self._faults as fault:
            if self._budget < 1 or self.breaker.is_open or not deadline.remaining():
                raise self.failed(fault) from fault
        self._budget -= 1
        try:
            return await self._attempt(attempt, deadline)
        except self._faults as fault:
            raise self.failed(fault) from fault

    async def _attempt(self, attempt: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        try:
            async with asyncio.timeout(deadline.remaining()):
                result = await attempt()
        except self._faults:
            self.breaker.record(ok=False)
            raise
        self.breaker.record(ok=True)
        return result

    def failed(self, fault: Exception) -> ApplicationError:
        """This layer's error for `fault`, with its kind and never its text, which may hold data."""
        kind = type(fault).__name__
        return self._error(f"The {self.name} did not answer ({kind}); check that it is running.")
