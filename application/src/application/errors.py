"""Everything that can go wrong for a caller: one root, a leaf for each thing one can do about it.

ApplicationError          the message is one sentence that says what to do next
├── NotAuthenticated      send a valid key
├── ProbeRefused          send a valid probe key, or no probe headers
├── NotFound              ask for something that exists
├── UnknownHost           use a name that this server answers to
├── BodyTooSlow           send the body faster
├── RequestTooLarge       send less
├── InvalidRequest        mend the request
├── TooManyRequests       one key asks too much: wait as told
├── Overloaded            come back in a moment
├── RetrievalUnavailable  bring the index or the embedder back
├── ModelUnavailable      caught by the use case, which answers "degraded"
├── NotKept               make room on the disk, and send it again
├── ReleaseRefused        pass the gate, or say why it does not matter
└── Misconfigured         mend the settings or the bundle; the process does not start
"""


class ApplicationError(Exception):
    """Root of this layer's errors."""

    status = 500
    title = "Internal error"
    retry_after_seconds: int | None = None

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        if retry_after_seconds is not None:
            self.retry_after_seconds = retry_after_seconds


class NotAuthenticated(ApplicationError):
    """No key, or one that is not in the file of keys."""

    status = 401
    title = "Not authenticated"


class ProbeRefused(ApplicationError):
    """Probe headers without the probe key."""

    status = 403
    title = "Probe refused"


class NotFound(ApplicationError):
    """No such document, bundle or index, or none that this caller may see."""

    status = 404
    title = "Not found"


class UnknownHost(ApplicationError):
    """A Host header that is none of this server's names."""

    status = 400
    title = "Unknown host"


class BodyTooSlow(ApplicationError):
    """A body that did not arrive in time."""

    status = 408
    title = "Request timeout"


class RequestTooLarge(ApplicationError):
    """A body above the limit."""

    status = 413
    title = "Request too large"


class InvalidRequest(ApplicationError):
    """A request that cannot be served as it is."""

    status = 422
    title = "Invalid request"


class TooManyRequests(ApplicationError):
    """One key sent more requests than its quota or its share of the slots allows."""

    status = 429
    title = "Too many requests"
    retry_after_seconds = 1


class Overloaded(ApplicationError):
    """More requests in flight than the process takes."""

    status = 503
    title = "Overloaded"
    retry_after_seconds = 1


class RetrievalUnavailable(ApplicationError):
    """No passages, so no answer: an ungrounded answer is never given."""

    status = 503
    title = "Retrieval unavailable"
    retry_after_seconds = 5


class ModelUnavailable(ApplicationError):
    """The chat model failed, or was too slow, or its breaker is open."""

    status = 503
    title = "Model unavailable"
    retry_after_seconds = 5


class NotKept(ApplicationError):
    """Something that a caller sent to be kept, and that could not be written."""

    status = 503
    title = "Not kept"
    retry_after_seconds = 60


class ReleaseRefused(ApplicationError):
    """A bundle that has not earned its release, or one that cannot be put back."""


class Misconfigured(ApplicationError):
    """Settings, prompts or bundle that cannot work."""
