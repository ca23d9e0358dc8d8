"""The one retry loop of a sync."""

import logging
import time
from collections.abc import Callable

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from ingestion.errors import Unavailable
from ingestion.sync.order import RunBatch

BATCH_ATTEMPTS = 6
FIRST_WAIT_SECONDS = 2  # doubled after each attempt: a store that optimises is back within a minute

_log = logging.getLogger(__name__)


def retried(run_batch: RunBatch, sleep: Callable[[float], None] = time.sleep) -> RunBatch:
    """Try a batch again while the embedder or the store is unavailable: the one retry loop."""
    retrying = Retrying(
        retry=retry_if_exception_type(Unavailable),
        stop=stop_after_attempt(BATCH_ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_WAIT_SECONDS),
        sleep=sleep,
        before_sleep=_say_why,
        reraise=True,
    )
    return lambda batch: retrying(run_batch, batch)


def _say_why(state: RetryCallState) -> None:
    """A person who waits is told for what."""
    error = state.outcome and state.outcome.exception()
    _log.warning("%s Trying again in %.0f s.", error, state.upcoming_sleep)
