"""How much one key may ask: requests per time, counted in this process by the library `limits`."""

import math
import time
from functools import lru_cache
from typing import Annotated

import limits
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from pydantic import AfterValidator

from application.errors import TooManyRequests

parse = lru_cache(limits.parse)


def checked_quota(quota: str) -> str:
    """`quota` if it reads like "600/minute", or is empty for none; raises ValueError."""
    if quota:
        parse(quota)
    return quota


Quota = Annotated[str, AfterValidator(checked_quota)]


class Quotas:
    """Counts the requests of every key."""

    def __init__(self, default: str) -> None:
        self._default = default
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def take(self, key_id: str, quota: str | None) -> None:
        """Counts one request; raises TooManyRequests, with the seconds until the next window."""
        own = self._default if quota is None else quota
        if not own:
            return
        limit = parse(own)
        if not self._limiter.hit(limit, key_id):
            reset_at, _ = self._limiter.get_window_stats(limit, key_id)
            seconds = max(1, math.ceil(reset_at - time.time()))
            raise TooManyRequests(
                f"This key has used its quota of {limit}; try again in {seconds} s.", seconds
            )
