"""The HTTP server around the application, with the limits that only it can set."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_BYTES = 64 * 1024  # a question of 4,000 characters in a URL fits, percent-encoded
HEADER_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 5
DRAIN_SECONDS = 25


class PatientOnce(H11Protocol):
    """Closes a connection whose request line and headers do not arrive in time.

    uvicorn has a limit for connections that are silent after a reply, and none for these.
    """

    header_seconds = HEADER_SECONDS
    _given_up_at: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Starts the time of the first request."""
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Reads; the time starts again with the first bytes of each later request."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait_for_headers()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_headers(self) -> None:
        if self._given_up_at is None:
            self._given_up_at = self.loop.call_later(self.header_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._given_up_at is not None:
            self._given_up_at.cancel()
            self._given_up_at = None


OPTIONS: dict[str, Any] = {
    # `limit_concurrency` stays off: it counts callers without a key, so they could fill it.
    "http": PatientOnce,
    "ws": "none",
    "h11_max_incomplete_event_size": HEADER_BYTES,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    "timeout_graceful_shutdown": DRAIN_SECONDS,
    "access_log": False,
    "server_header": False,
}
"""Options of `uvicorn.run`."""
