"""What stands around every call to another process: deadline, breaker, and the one retry.

Two breakers of the package index were tried, purgatory 3.0 and aiobreaker 1.2: half open, both let
50 of 50 calls through at once. tenacity and stamina add 0.1 ms a call and know no retry budget
(docs/adr/0023).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.errors import ApplicationError

T = TypeVar("T")

RETRY_BUDGET = 0.1  # retries per call, so that a failing upstream is not asked twice as often
RETRY_BUDGET_CAP = 5.0
FAIR_SECONDS = 5.0  # who had this long, or half of the request's time, has no excuse for silence
TRIAL_SECONDS = 60.0
PAUSE_SECONDS = 1.0  # after "too many requests" without a Retry-After


class Deadline:
    """The moment by which a request must be answered, handed down to every hop."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def remaining(self, limit_seconds: float = float("inf")) -> float:
        """Seconds left, at most `limit_seconds`; never negative."""
        return max(0.0, min(self._at - self._clock(), limit_seconds))


class Refused(Exception):
    """An upstream answered with a 4xx: it is well, and this request does not suit it.

    The message is a sentence for the caller. `error`, if given, is raised in place of the
    upstream's usual error.
    """

    def __init__(
        self,
        sentence: str,
        status: int,
        retry_after_seconds: float | None = None,
        error: type[ApplicationError] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.error = error


class Breaker:
    """Opens after `failures` in a row; after `rest_seconds` exactly one call may try again."""

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
        self._trial: Attempt | None = None
        self._trial_ends_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused now."""
        if self._failed < self._limit:
            return False
        now = self._clock()
        return now < self._closed_again_at or (
            self._trial is not None and now < self._trial_ends_at
        )

    def admit(self, attempt: "Attempt") -> bool:
        """Whether `attempt` may be made; half open, it becomes the one trial."""
        if self.is_open:
            return False
        if self._failed >= self._limit:
            self._trial, self._trial_ends_at = attempt, self._clock() + TRIAL_SECONDS
        return True

    def record(self, attempt: "Attempt", *, ok: bool | None) -> None:
        """Counts how an admitted attempt ended; None says nothing of the upstream."""
        if self._failed >= self._limit and attempt is not self._trial:
            return  # it began before the breaker opened, so it is no news
        self._trial = None
        if ok is None:
            return
        self._failed = 0 if ok else self._failed + 1
        if self._failed >= self._limit:
            self._closed_again_at = self._clock() + self._rest_seconds


class Attempt:
    """One call under way. Whoever gets it must end it, once the whole reply was read."""

    def __init__(self, upstream: "Upstream", deadline: Deadline) -> None:
        self._upstream = upstream
        self._deadline = deadline
        self._ended = False
        self._heard = False
        self.limit_seconds = deadline.remaining(upstream.limit_seconds)

    def heard(self) -> None:
        """A part of the reply arrived; from the second one on it is under way."""
        if self._heard:
            self._upstream.progressed()
        self._heard = True

    def end(self, fault: BaseException | None = None) -> None:
        """Tells the breaker how it went; only the first word counts."""
        if not self._ended:
            self._ended = True
            self._upstream.breaker.record(self, ok=self._verdict(fault))

    def _verdict(self, fault: BaseException | None) -> bool | None:
        if fault is None or isinstance(fault, Refused):
            self._upstream.progressed()
            return True
        if not isinstance(fault, self._upstream.faults):
            return None  # cancelled, or a bug of ours
        if isinstance(fault, TimeoutError):
            fair = min(FAIR_SECONDS, self._deadline.seconds / 2)
            if self._upstream.silent_seconds < fair:
                return None  # it works on other calls, or slowly on this one: loaded, not ill
            if self._deadline.remaining() < 0.01:
                return False if self.limit_seconds and self.limit_seconds >= fair else None
        return False


class Upstream:
    """Calls one dependency and turns its `faults` into `error`, a leaf of this layer's errors.

    `limit_seconds` is the longest that one call may take, however far the deadline is.
    """

    def __init__(
        self,
        name: str,
        error: type[ApplicationError],
        faults: tuple[type[Exception], ...],
        breaker: Breaker | None = None,
        limit_seconds: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.breaker = breaker or Breaker()
        self.limit_seconds = limit_seconds
        self.faults: tuple[type[Exception], ...] = (*faults, TimeoutError, OSError)
        self._told: tuple[type[Exception], ...] = (Refused, *self.faults)
        self._error = error
        self._budget = RETRY_BUDGET_CAP
        self._clock = clock
        self._progressed_at = float("-inf")

    @property
    def silent_seconds(self) -> float:
        """Seconds since any call got further or ended well; infinite where none ever did."""
        return self._clock() - self._progressed_at

    def progressed(self) -> None:
        """Some call got further, so the upstream lives."""
        self._progressed_at = self._clock()

    async def call(self, attempt: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        """Result of `attempt`, tried a second time if it failed and the retry budget allows it."""
        result, made = await self.begin(attempt, deadline)
        made.end()
        return result

    async def begin(
        self, attempt: Callable[[], Awaitable[T]], deadline: Deadline
    ) -> tuple[T, Attempt]:
        """As `call`, for a reply that goes on: the caller ends the attempt when it was read."""
        self._budget = min(RETRY_BUDGET_CAP, self._budget + RETRY_BUDGET)
        try:
            return await self._once(attempt, deadline)
        except self._told as fault:
            pause = self._pause_before_retry(fault, deadline)
            if pause is None:
                raise self.failed(fault) from fault
        self._budget -= 1
        await asyncio.sleep(pause)
        try:
            return await self._once(attempt, deadline)
        except self._told as fault:
            raise self.failed(fault) from fault

    def failed(self, fault: Exception) -> ApplicationError:
        """This layer's error for `fault`, with its kind and never its text, which may hold data."""
        if isinstance(fault, Refused):
            wait = fault.retry_after_seconds
            return (fault.error or self._error)(str(fault), None if wait is None else round(wait))
        kind = type(fault).__name__
        return self._error(f"The {self.name} did not answer ({kind}); check that it is running.")

    async def _once(
        self, attempt: Callable[[], Awaitable[T]], deadline: Deadline
    ) -> tuple[T, Attempt]:
        made = Attempt(self, deadline)
        if not made.limit_seconds:
            raise self._error(
                f"The time for this request was over before the {self.name} was asked; ask again, "
                "or raise APPLICATION_DEADLINE_SECONDS."
            )
        if not self.breaker.admit(made):
            raise self._error(f"The {self.name} keeps failing; it is tried again in seconds.")
        try:
            async with asyncio.timeout(made.limit_seconds):
                return await attempt(), made
        except BaseException as fault:
            made.end(fault)
            raise

    def _pause_before_retry(self, fault: Exception, deadline: Deadline) -> float | None:
        """Seconds to wait before the one retry; None where none is made."""
        if self._budget < 1 or self.breaker.is_open:
            return None
        pause = 0.0
        if isinstance(fault, Refused):
            if fault.status != 429:
                return None  # it would be refused again
            asked = fault.retry_after_seconds
            pause = PAUSE_SECONDS if asked is None else asked
        return pause if pause < deadline.remaining() else None
